"""What the centre's own child saw of a board, as changes of alarms."""

from roost_central.alarms.facts import OwnCleared, OwnRaised
from roost_central.boards.found import changes, over
from roost_protocol.board_lines import Found
from roost_protocol.severity import Severity

HOT, DEAD = "200.813", "200.010"
AT = "site=lab,node=n1,bmc=n1"
KEY = (HOT, f"{AT},sensor=CPU")


def hot(severity):
    return Found(HOT, "bmc=n1,sensor=CPU", severity, {"value": 95})


def told(found, known=(), open_=None):
    return changes("lab.n1", found, known, open_ or {})


def test_what_is_new_is_raised_of_the_node_whose_machine_it_is():
    raised = OwnRaised(*KEY, Severity.MAJOR, {"value": 95}, site="lab", node="lab.n1")
    assert told([hot(3), Found(DEAD, "bmc=n1", 0)]) == [raised]


def test_what_is_so_already_is_not_raised_again_and_another_severity_is():
    assert told([hot(3)], [KEY], {KEY: Severity.MAJOR}) == []
    (raised,) = told([hot(4)], [KEY], {KEY: Severity.MAJOR})
    assert raised.severity is Severity.CRITICAL
    assert told([hot(3)], [KEY]), "an operator cleared it, and it is so still"


def test_what_nobody_knows_stays_as_it_is():
    assert told([hot(None)], [KEY], {KEY: Severity.MAJOR}) == []


def test_what_is_well_or_not_told_of_any_more_is_over():
    assert told([hot(0)], [KEY], {KEY: Severity.MAJOR}) == [OwnCleared(*KEY)]
    assert told([], [KEY], {KEY: Severity.MAJOR}) == [OwnCleared(*KEY)]
    assert told([], [KEY]) == []
    assert over([KEY], "why") == [OwnCleared(*KEY, "why")]
