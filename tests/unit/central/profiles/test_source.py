"""A profile's file: what it may say, and every fault with its line."""

import pytest

from roost_central.profiles.layer import SOURCE_BYTES_MAX, Layer
from roost_central.profiles.source import NESTED_MAX, ProfileError, read_profile

GOOD = """\
[profile]
name = "region-4"
text = "Time servers of region 4"
select = "region:r04 !site=lab"
priority = 200

[time]
servers = ["ntp1.example.net"]

[kernel.sysctl]
"vm.swappiness" = 10
"""


def refused(source, file="edge.toml"):
    with pytest.raises(ProfileError) as err:
        read_profile(source, file)
    return err.value.faults


def test_a_file_is_a_profile():
    profile = read_profile(GOOD, "edge.toml")
    assert (profile.name, profile.layer, profile.priority) == ("region-4", Layer.SELECT, 200)
    assert profile.target == "region:r04 !site=lab"
    assert profile.sections == {
        "time": {"servers": ["ntp1.example.net"]},
        "kernel": {"sysctl": {"vm.swappiness": 10}},
    }
    assert profile.source == GOOD


@pytest.mark.parametrize(
    ("target", "layer", "named"),
    [
        ("fleet = true", Layer.FLEET, ""),
        ('site = "edge-1"', Layer.SITE, "edge-1"),
        ('node = "edge-1.n2"', Layer.NODE, "edge-1.n2"),
    ],
)
def test_a_profile_is_for_the_fleet_a_site_or_a_node(target, layer, named):
    profile = read_profile(f'[profile]\nname = "p"\n{target}\n', "p.toml")
    assert (profile.layer, profile.target) == (layer, named)


@pytest.mark.parametrize(
    ("head", "where", "said"),
    [
        ("", "profile.name", "1 to 63"),
        ('name = "p"', "profile.name", "not none"),
        ('name = "P"\nfleet = true', "profile.name", "1 to 63"),
        ('name = "p"\nfleet = true\nsite = "a"', "profile.site", "fleet and site"),
        ('name = "p"\nfleet = false', "profile.fleet", "true"),
        ('name = "p"\nsite = 5', "profile.site", "text"),
        ('name = "p"\nsite = "A B"', "profile.site", "is no site"),
        ('name = "p"\nnode = "n1"', "profile.node", "is no node"),
        ('name = "p"\nfleet = true\npriority = 5', "profile.priority", "selector alone"),
        ('name = "p"\nselect = "site:a"\npriority = 1001', "profile.priority", "0 to 1000"),
        ('name = "p"\nselect = "site:a"\npriority = true', "profile.priority", "0 to 1000"),
        ('name = "p"\nfleet = true\neverything = true', "profile.everything", "not of profiles"),
        ('name = "p"\nsite = "a"\neverything = true', "profile.everything", "not of profiles"),
        ('name = "p"\nfleet = true\nnothing = true', "profile.nothing", "not of profiles"),
        ('name = "p"\nselect = "site:a"\nnothing = 1', "profile.nothing", "true or false"),
        ('name = "p"\nfleet = true\ntext = "a\\nb"', "profile.text", "one line"),
        ('name = "p"\nfleet = true\nprio = 5', "profile.prio", "did you mean priority"),
        ('name = "p"\nselect = ""', "profile.select", "fleet = true"),
        ('name = "p"\nselect = "edge"', "profile.select", "bare word"),
        ('name = "p"\nselect = "presence=online"', "profile.select", "change by itself"),
        ('name = "p"\nselect = "regoin:r1"', "profile.select", "did you mean region"),
    ],
)
def test_a_wrong_head_is_refused_with_its_line(head, where, said):
    faults = refused(f"[profile]\n{head}\n")
    fault = next(each for each in faults if each.where == where)
    assert said in fault.detail
    key = where.partition(".")[2]
    lines = ["[profile]", *head.splitlines()]
    there = [n for n, line in enumerate(lines, start=1) if line.startswith(f"{key} =")]
    assert fault.line == (there[0] if there else 1)


def test_a_file_without_its_head_is_refused():
    (fault, *_) = refused("[time]\nservers = ['a']\n")
    assert fault.where == "profile"
    assert refused("profile = 5\n")[0].where == "profile"


def test_a_wrong_setting_is_told_with_file_line_path_and_bound():
    (fault,) = refused(GOOD + '"kernel.core_pattern" = "|/bin/sh"\n')
    assert (fault.file, fault.line) == ("edge.toml", 12)
    assert fault.where == 'kernel.sysctl."kernel.core_pattern"'
    (fault,) = refused(GOOD.replace("= 10", "= 300"))
    assert (fault.line, fault.code) == (11, "value")
    assert "from 0 to 200" in fault.detail


def test_the_setting_that_may_have_been_meant_is_named():
    (fault,) = refused(GOOD.replace("swappiness", "swapiness"))
    assert fault.detail.endswith("did you mean vm.swappiness?")
    (fault,) = refused(GOOD.replace("[time]", "[tiem]"))
    assert fault.detail.endswith("did you mean time?")
    (fault,) = refused(GOOD.replace("vm.swappiness", "kernel.core_pattern"))
    assert fault.detail.endswith(" others: docs/settings.md")  # and no wall of them
    (fault,) = refused(GOOD + "\n[memory.hugepages.2M]\ncpu0 = 5\n")
    assert "node0" in fault.detail


def test_what_is_no_toml_is_told_with_its_line():
    (fault,) = refused("[profile]\nname = \n")
    assert (fault.code, fault.line) == ("toml", 2)
    (fault,) = refused("[profile]\nname = 'a'\nname = 'b'\n")
    assert fault.code == "toml"
    assert refused("a" * (SOURCE_BYTES_MAX + 1))[0].detail.endswith(f"at most {SOURCE_BYTES_MAX}")


def test_a_number_that_python_cannot_turn_is_refused_as_any_other():
    (fault,) = refused(GOOD + "\n[log]\njournal_mib_max = " + "9" * 5_000 + "\n")
    assert fault.code == "toml"
    (fault,) = refused(GOOD + "\n[log]\njournal_mib_max = 0x" + "f" * 5_000 + "\n")
    assert (fault.code, fault.where) == ("value", "log.journal_mib_max")


def test_what_is_nested_too_deep_is_told_with_its_line_and_the_bound():
    for opened, closed in (("[", "]"), ("{a=", "}")):
        value = opened * 5_000 + "1" + closed * 5_000
        text = f'[profile]\nname = "a"\ntext = "[[["  # {opened * 99}\n[log]\ndrift = {value}\n'
        (fault,) = refused(text)
        assert (fault.code, fault.line) == ("toml", 5)
        assert fault.detail.endswith(f"at most {NESTED_MAX} brackets in each other")


def test_all_that_is_wrong_is_told_at_once():
    faults = refused("[profile]\nname = 'P'\nfleet = true\n[time]\nserver = 1\n[x]\n[bmc]\n")
    assert [each.line for each in faults] == [2, 5, 6, 7]
