"""What was worked out holds until something else is, and for whoever applies it."""

from making import fleet, profile, swappiness

from roost_central.profiles.change import Change, Wanted
from roost_central.profiles.desired import DesiredChange
from roost_central.profiles.draft import Plan
from roost_central.profiles.drafted import Drafted
from roost_central.profiles.settle import Cause, Writes

WANTED = Wanted([("f.toml", fleet("f", swappiness(1)).source)], ["old"])


def drafted(*result):
    changes = [DesiredChange("a.n1", 2, b"k", 5, "", "")]
    return Drafted(WANTED, 3, Change(result=list(result)), {}, Plan(), Writes(changes=changes))


def test_it_holds_for_the_same_change_alone_and_while_nothing_else_was_compiled():
    made = drafted(fleet("f"))
    assert made.holds(Wanted(tuple(WANTED.files), ("old",)), 3)
    assert not made.holds(WANTED, 4)
    assert not made.holds(Wanted(WANTED.files, []), 3)
    assert not made.holds(Wanted([("f.toml", "other")], ["old"]), 3)


def test_it_does_not_hold_where_a_profile_asks_what_nodes_are_made_of():
    assert not drafted(profile("g", 'select = "inv.nic{driver=ice}"')).holds(WANTED, 3)


def test_who_applies_it_and_why_is_written():
    (change,) = drafted().written_by(Cause(9, "ann", "because")).changes
    assert (change.by, change.reason, change.at_ms) == ("ann", "because", 5)
