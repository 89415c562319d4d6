"""Every section on a tree of files: planned, done, read back, undone, given back."""

import pytest
from machine_tree import contents, machine_tree

from roost_agent.config_apply import plan as plans
from roost_agent.config_apply.machine import Machine
from roost_agent.config_apply.sections import SECTIONS
from roost_agent.config_apply.step import Unit, undoing
from roost_protocol.profile.check import faults
from roost_protocol.profile.schema import SECTIONS as SCHEMA

WANTED = {
    "time": {"servers": ["192.0.2.7"], "pools": ["pool.example"], "timezone": "Europe/Berlin"},
    "dns": {"servers": ["192.0.2.53", "2001:db8::53"], "attempts": 2, "rotate": True},
    "kernel": {
        "sysctl": {
            "vm.swappiness": 10,
            "net.ipv4.tcp_rmem": [4096, 131072, 16777216],
            "net.ipv4.tcp_congestion_control": "bbr",
        },
        "cmdline": {"isolcpus": "2-3", "nosoftlockup": True, "console": ["tty0", "ttyS0"]},
    },
    "memory": {"hugepages": {"2M": {"node0": 64}, "1G": {"node0": 2}}, "thp": "never"},
    "log": {"journal_mib_max": 200, "journal_days_max": 30, "level": "info"},
    "thresholds": {"node.cpu.high": {"major": 80}},
    "processes": {"watch": {"pump": {"restarts": 1}}},
}
CHRONY = {"usr/sbin/chronyd": "", "etc/chrony/sources.d/README": ""}


def look(machine, wanted, before=None):
    before = before or {}
    return {
        name: SECTIONS[name].read(wanted.get(name, {}), before.get(name, {}), machine)
        for name in plans.concerned(wanted, before)
    }


def applied(machine, wanted, before=None, originals=None):
    """Do all steps; return what they were and the originals."""
    found = look(machine, wanted, before)
    assert plans.refusals(wanted, found) == []
    whole, kept = plans.whole(wanted, before or {}, found, originals or {})
    for section in whole.sections:
        for step in section.steps:
            machine.do(step)
    return [step for each in whole.sections for step in each.steps], kept


@pytest.fixture
def tree(tmp_path):
    return machine_tree(tmp_path)


def test_every_section_of_the_schema_is_here_in_its_order():
    assert list(SECTIONS) == list(SCHEMA)
    assert all(section.name == name for name, section in SECTIONS.items())
    assert faults(WANTED) == []


@pytest.mark.parametrize("more", [{}, CHRONY])
def test_what_was_done_is_read_back_and_a_second_plan_is_empty(tmp_path, more):
    tree = machine_tree(tmp_path, more)
    machine = Machine(str(tree), "")
    steps, originals = applied(machine, WANTED)
    assert steps
    found = look(machine, WANTED)
    assert plans.drift(WANTED, found) == {}
    assert all(not each.steps for each in plans.whole(WANTED, WANTED, found, originals)[0].sections)


def test_undone_it_is_as_before_to_the_last_byte(tree):
    before = contents(tree)
    steps, _ = applied(Machine(str(tree), ""), WANTED)
    for step in undoing(steps):
        Machine(str(tree), "").do(step)
    assert contents(tree) == before


def test_what_no_profile_sets_any_more_goes_back_to_what_it_was(tree):
    machine, before = Machine(str(tree), ""), contents(tree)
    _, originals = applied(machine, WANTED)
    less = {"kernel": {"sysctl": {"vm.swappiness": 20}}}
    _, originals = applied(machine, less, WANTED, originals)
    now = contents(tree)
    assert now.pop("proc/sys/vm/swappiness") == "20\n"
    assert "vm.swappiness = 20" in now.pop("etc/sysctl.d/60-roost.conf")
    assert {path: text.split() for path, text in now.items()} == {
        path: text.split() for path, text in before.items() if path != "proc/sys/vm/swappiness"
    }
    applied(machine, {}, less, originals)
    assert contents(tree)["proc/sys/vm/swappiness"] == "60\n"


def test_a_change_by_other_hands_is_told_by_setting_with_both_values(tree):
    machine = Machine(str(tree), "")
    applied(machine, WANTED)
    (tree / "proc/sys/vm/swappiness").write_text("70\n")
    (tree / "etc/resolv.conf").write_text("nameserver 203.0.113.9\n")
    (tree / "etc/localtime").unlink()
    told = plans.drift(WANTED, look(machine, WANTED))
    by_setting = {
        each.setting: (each.wanted, each.found) for drifts in told.values() for each in drifts
    }
    assert by_setting == {
        'kernel.sysctl."vm.swappiness"': ("10", "70"),
        "dns.servers": ('["192.0.2.53","2001:db8::53"]', '["203.0.113.9"]'),
        "dns.attempts": ("2", ""),
        "dns.rotate": ("true", "false"),
        "time.timezone": ('"Europe/Berlin"', ""),
    }


def test_a_value_that_would_be_lost_at_the_next_boot_is_drift(tree):
    machine = Machine(str(tree), "")
    applied(machine, WANTED)
    (tree / "etc/sysctl.d/60-roost.conf").write_text("vm.swappiness = 5\n")
    told = plans.drift(WANTED, look(machine, WANTED))
    assert told["kernel"][0].found == "5"


def test_the_kernels_arguments_wait_for_a_reboot_and_are_in_effect_after_it(tree):
    machine = Machine(str(tree), "")
    applied(machine, WANTED)
    assert plans.pending(WANTED, look(machine, WANTED)) == [
        "kernel.cmdline.console",
        "kernel.cmdline.isolcpus",
        "kernel.cmdline.nosoftlockup",
    ]
    line = "ro console=tty0 console=ttyS0 isolcpus=2-3 nosoftlockup\n"
    (tree / "proc/cmdline").write_text(line)
    assert plans.pending(WANTED, look(machine, WANTED)) == []


def test_pages_that_only_a_boot_can_give_wait_for_it_and_are_no_drift(tree):
    machine = Machine(str(tree), "")
    wanted = {"memory": {"hugepages": {"1G": {"node0": 2}}}}
    applied(machine, wanted)
    count = tree / "sys/devices/system/node/node0/hugepages/hugepages-1048576kB/nr_hugepages"
    count.write_text("1\n")  # the kernel found no second piece
    found = look(machine, wanted)
    assert plans.drift(wanted, found) == {}
    assert plans.pending(wanted, found) == ["memory.hugepages.1G.node0"]
    assert (
        "hugepagesz=1G hugepages=0:2" in contents(tree)["etc/default/grub.d/61-roost-hugepages.cfg"]
    )


def test_pages_that_the_kernel_does_not_give_now_are_told(tree):
    machine = Machine(str(tree), "")
    wanted = {"memory": {"hugepages": {"2M": {"node0": 64}}}}
    applied(machine, wanted)
    count = tree / "sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages"
    count.write_text("50\n")
    [told] = plans.drift(wanted, look(machine, wanted))["memory"]
    assert (told.wanted, told.found) == ("64", "50")


@pytest.mark.parametrize(
    ("wanted", "more", "why"),
    [
        ({"kernel": {"sysctl": {"vm.overcommit_memory": 1}}}, {}, "no such parameter"),
        ({"kernel": {"cmdline": {"panic": 5}}}, {"usr/sbin/update-grub": None}, "GRUB"),
        ({"memory": {"hugepages": {"2M": {"node1": 1}}}}, {}, "no such NUMA node"),
        ({"memory": {"hugepages": {"64K": {"node0": 1}}}}, {}, "no pages of that size"),
        ({"memory": {"hugepages": {"2M": {"node0": 1900}}}}, {}, "bound 3758096384"),
        (
            {"memory": {"thp": "never"}},
            {"sys/kernel/mm/transparent_hugepage/enabled": None},
            "no transparent",
        ),
        ({"time": {"timezone": "Mars/Base"}}, {}, "not there"),
        ({"time": {"timezone": "Europe"}}, {}, "no zone"),  # a folder
        ({"time": {"timezone": "UTC"}}, {"etc/localtime": "TZif2"}, "is no link"),
        (
            {"time": {"servers": ["192.0.2.7"]}},
            {"usr/lib/systemd/systemd-timesyncd": None},
            "neither chrony",
        ),
        (
            {"log": {"journal_mib_max": 200}},
            {"usr/lib/systemd/systemd-journald": None},
            "not installed",
        ),
    ],
)
def test_what_a_machine_cannot_be_is_refused_with_setting_and_reason(tmp_path, wanted, more, why):
    tree = machine_tree(tmp_path, more)
    [(section, told)] = plans.refusals(wanted, look(Machine(str(tree), ""), wanted))
    assert section == next(iter(wanted))
    assert why in told


def test_the_resolver_is_told_by_a_drop_in_where_resolved_has_the_file(tmp_path):
    tree = machine_tree(tmp_path, {"etc/resolv.conf": None})
    (tree / "etc/resolv.conf").symlink_to("../run/systemd/resolve/stub-resolv.conf")
    machine = Machine(str(tree), "")
    wanted = {"dns": {"servers": ["192.0.2.53"], "search": ["example.net"]}}
    steps, _ = applied(machine, wanted)
    assert steps[-1] == Unit("restart", "systemd-resolved.service")
    assert plans.drift(wanted, look(machine, wanted)) == {}
    refused = plans.refusals({"dns": {"attempts": 2}}, look(machine, {"dns": {"attempts": 2}}))
    assert "systemd-resolved" in refused[0][1]


def test_a_file_that_somebody_else_writes_is_not_ours(tmp_path):
    tree = machine_tree(tmp_path, {"etc/resolv.conf": None})
    (tree / "etc/resolv.conf").symlink_to("/run/NetworkManager/resolv.conf")
    wanted = {"dns": {"servers": ["192.0.2.53"]}}
    refused = plans.refusals(wanted, look(Machine(str(tree), ""), wanted))
    assert "NetworkManager" in refused[0][1]


def test_what_a_profile_does_not_set_stays_in_the_resolvers_file(tree):
    applied(Machine(str(tree), ""), {"dns": {"attempts": 2}})
    now = (tree / "etc/resolv.conf").read_text()
    assert "nameserver 192.0.2.1\n" in now
    assert "search old.example\n" in now
    assert "options timeout:3 attempts:2\n" in now


@pytest.mark.parametrize(
    ("catalogue", "is_known"),
    [
        ({"etc/roost/units.toml": '[unit]\npump = "pump.service"\n'}, True),
        ({"etc/roost/units.toml": '[unit]\nvalve = "valve.service"\n'}, False),
        ({"etc/roost/units.toml": "not TOML"}, False),
        ({"etc/roost/units.toml": "unit = 1\n"}, False),
        ({}, False),
    ],
)
def test_a_process_is_of_a_service_that_the_nodes_own_catalogue_names(
    tmp_path, catalogue, is_known
):
    machine = Machine(str(machine_tree(tmp_path, catalogue)), "")
    wanted = {"processes": {"watch": {"pump": {"service": "pump"}, "cron": {"mode": "ignore"}}}}
    refused = plans.refusals(wanted, look(machine, wanted))
    assert [name for name, _ in refused] == ([] if is_known else ["processes"])
    assert all("'pump' is no name in /etc/roost/units.toml" in why for _, why in refused)
