"""Who comes back after the certificate ended: by itself, by a human, or not at all."""

import pytest

from roost_central.enrol.grace import GRACE_MS_MAX, Ask, Grant, Holder, Refuse, handle
from roost_central.enrol.states import ENDED, Cause, State
from roost_protocol.hardware import Alike

DAY_MS = 86_400_000
NOW_MS = 1_000 * DAY_MS
SAME = Alike(agreed=110, unsaid=0, known=110)


def holder(ended_days=30, **more):
    given = {"state": State.EXPIRED_GRACE, "quarantine": Cause.NONE, **more}
    return Holder("lab.n1", not_after_ms=NOW_MS - ended_days * DAY_MS, **given)


def test_a_node_that_was_away_for_months_comes_back_by_itself():
    assert handle(holder(150), SAME, NOW_MS) == Grant("its certificate had ended, 150 days ago")
    assert handle(holder(1), SAME, NOW_MS) == Grant("its certificate had ended, 24 h ago")


def test_past_half_a_year_a_human_looks():
    assert isinstance(handle(holder(GRACE_MS_MAX // DAY_MS), SAME, NOW_MS), Grant)
    found = handle(holder(GRACE_MS_MAX // DAY_MS + 1), SAME, NOW_MS)
    assert found == Ask("lab.n1: its certificate ended 181 days ago")


@pytest.mark.parametrize(
    ("alike", "is_granted"),
    [
        (Alike(60, 0, 110), True),
        (Alike(59, 0, 110), False),
        (Alike(40, 70, 110), True),  # root alone reads its numbers, and the agent is not root
        (Alike(10, 0, 40), False),
        (Alike(20, 0, 40), True),
        (Alike(0, 110, 110), False),  # nothing speaks for it
        (Alike(0, 0, 0), False),
    ],
)
def test_other_parts_are_for_a_human(alike, is_granted):
    found = handle(holder(), alike, NOW_MS)
    assert isinstance(found, Grant if is_granted else Ask)


@pytest.mark.parametrize("state", sorted(ENDED))
def test_what_ended_for_good_stays_ended(state):
    assert handle(holder(state=state), SAME, NOW_MS).code == "ended"


@pytest.mark.parametrize("cause", [Cause.CLONE, Cause.OPERATOR])
def test_what_a_human_has_to_choose_about_does_not_come_back_by_itself(cause):
    assert handle(holder(quarantine=cause), SAME, NOW_MS).code == "quarantined"


def test_who_ended_in_quarantine_after_an_end_comes_back_into_it():
    assert isinstance(handle(holder(quarantine=Cause.GRACE), SAME, NOW_MS), Grant)


def test_a_key_whose_successor_was_heard_is_in_two_boxes():
    found = handle(holder(state=State.REPLACED, is_followed=True), SAME, NOW_MS)
    assert isinstance(found, Refuse)
    assert found.code == "clone"


def test_a_certificate_that_still_counts_is_renewed_instead():
    assert handle(holder(-1, state=State.ACTIVE), SAME, NOW_MS).code == "not-ended"
    assert isinstance(handle(holder(0, state=State.ACTIVE), SAME, NOW_MS), Grant)  # unswept
