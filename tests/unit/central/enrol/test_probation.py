"""When a node leaves quarantine by itself."""

import pytest

from roost_central.enrol.probation import CLEAN_MS, Probation, Seen

WELL = Seen("lab.n1", is_heard=True, is_behind=False, alarms=0)
BAD = [
    Seen("lab.n1", is_heard=False, is_behind=False, alarms=0),
    Seen("lab.n1", is_heard=True, is_behind=True, alarms=0),
    Seen("lab.n1", is_heard=True, is_behind=False, alarms=1),
]


def test_it_leaves_once_it_was_well_for_a_while():
    probation = Probation()
    assert probation.handle([WELL], 0) == []
    assert probation.handle([WELL], CLEAN_MS - 1) == []
    assert probation.handle([WELL], CLEAN_MS) == ["lab.n1"]


@pytest.mark.parametrize("bad", BAD)
def test_what_is_wrong_begins_it_anew(bad):
    probation = Probation()
    probation.handle([WELL], 0)
    assert probation.handle([bad], CLEAN_MS) == []
    assert probation.handle([WELL], CLEAN_MS + 1) == []
    assert probation.handle([WELL], 2 * CLEAN_MS + 1) == ["lab.n1"]


def test_who_is_not_looked_at_is_forgotten():
    probation = Probation()
    probation.handle([WELL], 0)
    probation.handle([], 1)
    assert probation.handle([WELL], CLEAN_MS) == []
