"""What a storm may yet take waits, and only that."""

import pytest
from alarm_feed import Change, alarm, over

from roost_central.northbound import hold as rules
from roost_central.northbound.hold import Hold, is_untold


class Steps:
    """Transitions of alarms, and who is a candidate."""

    def __init__(self):
        self.candidates = set()
        self.hold = Hold(lambda row: row.key_id in self.candidates)
        self.seq = 0

    def step(self, number, event="raise", **more):
        self.seq += 1
        row = alarm(number, **more)
        return Change(self.seq, event, over(row) if event == "clear" else row)

    def keeps(self, *args, **more):
        return self.hold.keeps(self.step(*args, **more))

    def may_be_taken(self, *numbers):
        self.candidates = {alarm(number).key_id for number in numbers}

    def due(self):
        return [[step.event for step in steps] for steps in self.hold.due(is_behind=False)]


@pytest.fixture
def steps():
    return Steps()


def test_a_candidate_waits_and_what_is_about_others_passes(steps):
    steps.may_be_taken(1)
    assert steps.keeps(1)
    assert not steps.keeps(2)
    assert steps.keeps(1, "ack")
    assert not steps.hold.keeps(Change(9, "incident-open"))
    assert steps.hold
    assert (steps.due(), steps.hold.first_seq) == ([], 1)
    steps.may_be_taken()
    assert steps.due() == [["raise", "ack"]]
    assert (steps.due(), steps.hold.first_seq, bool(steps.hold)) == ([], None, False)


def test_only_a_raise_begins_to_wait(steps):
    steps.may_be_taken(1)
    assert not steps.keeps(1, "change")


def test_one_that_ended_meanwhile_waits_no_more_and_is_told_with_its_end(steps):
    steps.may_be_taken(1)
    steps.keeps(1)
    steps.keeps(1, "clear")
    (told,) = steps.hold.due(is_behind=False)
    assert [step.event for step in told] == ["raise", "clear"]
    assert not is_untold(told)


@pytest.mark.parametrize(
    "why", [{"incident": "INC-1"}, {"masked_by": "x"}], ids=["taken", "masked"]
)
def test_one_that_is_hidden_by_then_is_not_told(steps, why):
    steps.may_be_taken(1)
    steps.keeps(1)
    steps.keeps(1, "change", suppressed=True, **why)
    steps.may_be_taken()
    (told,) = steps.hold.due(is_behind=False)
    assert is_untold(told)


def test_what_is_kept_is_bounded(steps, monkeypatch):
    monkeypatch.setattr(rules, "KEPT_MAX", 2)
    steps.may_be_taken(1, 2, 3)
    assert [steps.keeps(number) for number in (1, 2, 3)] == [True, True, False]


def test_nothing_is_due_before_what_may_tell_otherwise_is_read(steps):
    steps.may_be_taken(1)
    steps.keeps(1)
    steps.may_be_taken()
    assert steps.hold.due(is_behind=True) == []
    steps.keeps(1, "change", suppressed=True)
    (kept,) = steps.hold.due(is_behind=False)
    assert is_untold(kept)
