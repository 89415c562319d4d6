"""What a change comes to: the nodes that it concerns, its plan, and what is written."""

from making import fleet, profile, subjects, swappiness

from roost_central.profiles.change import Wanted, change_of
from roost_central.profiles.core import compile_profiles
from roost_central.profiles.desired import Known
from roost_central.profiles.draft import concerned, work_out
from roost_central.profiles.layer import ProfileRecord
from roost_central.profiles.settle import Cause, settle

NODES = subjects("a.n1", "b.n1", "c.n1")
CAUSE = Cause(1_000, "ann", "why")


def kept(*made):
    return [ProfileRecord(each.name, 1, each.file, each.source, "ann", 1) for each in made]


def known_of(*made):
    writes = settle(compile_profiles(made, NODES), {}, {}, CAUSE)
    return Known({each.node: each for each in writes.records}, writes.documents)


def drafted(before, new=(), remove=()):
    change = change_of(Wanted([(each.file, each.source) for each in new], remove), kept(*before))
    compilation = compile_profiles(change.result, NODES)
    return change, compilation, known_of(*before)


def worked_out(*given, **more):
    asked = drafted(*given, **more)
    return work_out(*asked, concerned(*asked), CAUSE)


def test_a_node_is_concerned_by_what_comes_and_by_what_goes():
    before = [profile("x", 'site = "a"', swappiness(1)), profile("y", 'site = "c"', swappiness(2))]
    moved = profile("x", 'site = "b"', swappiness(1))
    assert concerned(*drafted(before, [moved])) == ["a.n1", "b.n1"]
    assert concerned(*drafted(before, remove=["y"])) == ["c.n1"]
    assert concerned(*drafted(before, [before[0]])) == []


def test_a_plan_says_outcomes_matches_changes_and_faults():
    before = [fleet("f", swappiness(1))]
    nobody = profile("n", 'select = "site:x"', swappiness(9))
    plan, writes = worked_out(before, [fleet("f", swappiness(2)), nobody])
    assert plan.outcomes == {"f": "updated", "n": "created"}
    assert plan.matched == {"f": 3, "n": 0}
    assert [fault.code for fault in plan.faults] == ["matches-none"]
    (group,) = plan.groups
    assert (plan.changed, group.nodes) == (3, ["a.n1", "b.n1", "c.n1"])
    assert (group.changes[0].old, group.changes[0].new) == (1, 2)
    assert {each.generation for each in writes.changes} == {2}


def test_what_goes_is_not_among_the_matches():
    plan, _ = worked_out([fleet("f", swappiness(1))], remove=["f"])
    assert (plan.outcomes, plan.matched, plan.changed) == ({"f": "removed"}, {}, 3)


def test_a_node_that_was_told_it_cannot_and_never_had_settings_has_no_past():
    bad = profile("bad", 'site = "a"', '[update-window]\nstart = "01:00"\n')
    good = profile("bad", 'site = "a"', '[update-window]\nstart = "01:00"\nminutes = 60\n')
    plan, writes = worked_out([bad], [good])
    assert (plan.changed, plan.faults) == (1, [])
    assert {each.old for each in plan.groups[0].changes} == {None}
    assert [each.generation for each in writes.changes] == [1]


def test_what_is_to_be_done_for_others_is_not_done_in_this_changes_name():
    before = [profile("x", 'site = "a"', swappiness(1)), profile("y", 'site = "b"', swappiness(2))]
    change, compilation, known = drafted(before, [profile("z", 'site = "c"', swappiness(3))])
    late = Known({n: head for n, head in known.heads.items() if n != "b.n1"}, known.documents)
    nodes = concerned(change, compilation, late)
    plan, writes = work_out(change, compilation, late, nodes, CAUSE)
    assert [each.node for each in writes.records] == ["c.n1"]
    assert plan.changed == 1
