"""The deadlines of a right."""

from roost_agent.ha.deadlines import Deadlines
from roost_agent.ha.lease_events import Arm
from roost_agent.ha.timing import DEFAULT


def test_stopping_ends_half_a_margin_before_the_validity():
    assert Deadlines(DEFAULT, 400).arm(32, 10_000) == Arm(32, (9_100, 9_500, 10_000))
    assert Deadlines(DEFAULT, 400).d1_ms(10_000) == 9_100


def test_a_right_without_end_has_no_deadline():
    assert Deadlines(DEFAULT, 400).arm(32, None) == Arm(32, None)
    assert Deadlines(DEFAULT, 400).d1_ms(None) is None
