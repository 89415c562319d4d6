import pytest

from roost_central.enrol.states import (
    ENDED,
    HEARD,
    LIVE,
    TRANSITIONS,
    Event,
    State,
    TransitionError,
    after,
)


@pytest.mark.parametrize("state", ENDED)
@pytest.mark.parametrize("event", Event)
def test_what_ended_stays_ended(state, event):
    with pytest.raises(TransitionError, match="it has ended"):
        after(state, event)


def test_every_state_is_reached_from_the_first():
    reached = {State.PENDING}
    for _ in State:
        reached |= {end for (start, _), end in TRANSITIONS.items() if start in reached}
    assert reached == set(State)


@pytest.mark.parametrize("state", LIVE)
@pytest.mark.parametrize("event", [Event.REVOKE, Event.SUCCEED, Event.DECOMMISSION])
def test_whatever_fills_a_slot_can_be_taken_out_of_it(state, event):
    assert after(state, event) in ENDED


def test_an_identity_is_active_only_after_it_was_heard():
    ways = {start for (start, _), end in TRANSITIONS.items() if end is State.ACTIVE}
    assert ways == {State.ISSUED, State.QUARANTINED}


def test_an_expired_identity_is_not_heard_but_keeps_its_slot():
    assert State.EXPIRED_GRACE in LIVE - HEARD


def test_a_refusal_names_what_is_possible():
    with pytest.raises(
        TransitionError, match="prove is not possible in pending: approve, deny, lapse"
    ):
        after(State.PENDING, Event.PROVE)
