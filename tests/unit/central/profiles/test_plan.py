"""Who changes what, and why a change is refused."""

from making import fleet, profile, subjects, swappiness

from roost_central.profiles.core import compile_profiles
from roost_central.profiles.plan import NOTHING, Held, changes, faults_of, group_changes, matches
from roost_central.profiles.possible import Machine
from roost_protocol.profile.field import Mark

NODES = subjects("a.n1", "a.n2", "b.n1")
PATH = ("kernel", "sysctl", "vm.swappiness")


def held(compiled):
    return Held(compiled.digest, compiled.sections, compiled.reasons)


def test_nodes_with_the_same_change_are_one_group_the_largest_first():
    profiles = [
        profile("a", 'site = "a"', swappiness(1)),
        profile("b", 'site = "b"', swappiness(2)),
    ]
    made = compile_profiles(profiles, NODES)
    groups = group_changes(made.nodes, {}, made)
    assert [group.nodes for group in groups] == [["a.n1", "a.n2"], ["b.n1"]]
    (change,) = groups[0].changes
    assert (change.path, change.old, change.new, change.profile) == (PATH, None, 1, "a")


def test_nodes_with_another_past_and_the_same_change_are_one_group():
    before = compile_profiles([profile("p", 'node = "a.n1"', "[dns]\nattempts = 2\n")], NODES)
    after = compile_profiles(
        [profile("p", 'node = "a.n1"', "[dns]\nattempts = 2\n"), fleet("f", swappiness(1))], NODES
    )
    past = {node: held(each) for node, each in before.nodes.items()}
    (group,) = group_changes(after.nodes, past, after)
    assert group.nodes == ["a.n1", "a.n2", "b.n1"]


def test_a_value_that_goes_is_told_with_whose_it_was_and_what_it_takes():
    before = compile_profiles([fleet("f", '[kernel.cmdline]\nisolcpus = "2"\n')], NODES).nodes[
        "a.n1"
    ]
    after = compile_profiles([], NODES).nodes["a.n1"]
    (change,) = changes(held(before), after)
    assert (change.old, change.new, change.profile, change.mark) == ("2", None, "f", Mark.REBOOT)
    assert changes(held(before), before) == []
    assert changes(NOTHING, after) == []


def test_a_setting_of_another_release_goes_like_any_other():
    old = Held(b"k", {"ancient": {"mode": 1}}, {("ancient", "mode"): "f"})
    (change,) = changes(old, compile_profiles([], NODES).nodes["a.n1"])
    assert (change.path, change.old, change.mark) == (("ancient", "mode"), 1, Mark.LIVE)


def test_a_group_takes_what_its_greatest_change_takes():
    body = '[time]\nservers = ["a"]\ntimezone = "UTC"\n'
    made = compile_profiles([fleet("f", body)], NODES)
    (group,) = group_changes(made.nodes, {}, made)
    assert group.mark is Mark.RESTART


def test_a_conflict_is_told_with_both_files_both_lines_and_the_nodes():
    one = profile("one", 'select = "site:a"', swappiness(1))
    two = profile("two", 'select = "node:*.n1"', swappiness(2))
    (fault,) = faults_of(made := compile_profiles([one, two], NODES), made.nodes)
    assert (fault.code, fault.file, fault.line) == ("conflict", "two.toml", 5)
    assert "one.toml, line 5" in fault.detail
    assert (fault.nodes, fault.examples) == (1, ("a.n1",))


def test_a_conflict_of_two_of_a_site_asks_for_no_priority_which_they_cannot_have():
    one, two = (profile(name, 'site = "a"', swappiness(n)) for n, name in enumerate(("one", "two")))
    (fault,) = faults_of(made := compile_profiles([one, two], NODES), made.nodes)
    assert fault.detail.endswith("the same rank: site; leave it to one of them")


def test_a_rule_and_a_machine_are_told_where_the_value_is_said():
    pages = fleet("f", "[memory.hugepages.2M]\nnode0 = 1000\n")
    made = compile_profiles(
        [pages, profile("b", 'site = "b"', '[update-window]\ndays = ["sat"]\n')], NODES
    )
    made.judge({"a.n1": Machine(1024**3), "a.n2": Machine(1024**3)})
    found = {each.code: each for each in faults_of(made, made.nodes)}
    assert (found["impossible"].file, found["impossible"].nodes) == ("f.toml", 2)
    assert "2000 MiB" in found["impossible"].detail
    assert (found["together"].file, found["together"].line) == ("b.toml", 5)
    assert found["together"].examples == ("b.n1",)


def matched(target, nodes=NODES, **head):
    new = profile("p", target, swappiness(1), **head)
    return [each.code for each in matches(new, compile_profiles([new], nodes), len(nodes))]


def test_a_selector_that_matches_nothing_or_everything_is_refused_unless_it_says_so():
    assert matched('select = "site:x"') == ["matches-none"]
    assert matched('select = "site:x"', nothing=True) == []
    assert matched('select = "site:*"') == ["matches-all"]
    assert matched('select = "site:*"', everything=True) == []
    assert matched('select = "site:a"') == []
    assert matched('select = "site:a"', subjects("a.n1")) == []  # a fleet of one node
    assert matched('site = "x"') == ["matches-none"]
    assert matched('site = "x"', nothing=True) == []
    assert matched('site = "a"', subjects("a.n1", "a.n2")) == []
    assert matched('node = "a.n9"') == ["matches-none"]
    assert matched("fleet = true") == []
    assert matched("fleet = true", []) == []


def test_what_is_wrong_with_nodes_that_are_not_concerned_is_not_told():
    one = profile("one", 'select = "site:a"', swappiness(1))
    two = profile("two", 'select = "node:*.n1"', swappiness(2))
    assert faults_of(compile_profiles([one, two], NODES), ["a.n2", "b.n1"]) == []
