"""The table of host states: walked whole, every event in every state."""

import pytest

from roost_agent.host import transitions as tr
from roost_agent.host.transitions import HostEvent, TransitionError, after, in_words, may
from roost_protocol.host import LEGAL


def test_no_row_leads_out_of_the_legal_states_and_each_of_them_is_in_the_table():
    named = {state for row in tr.TRANSITIONS for state in (*row.of, row.to)}
    assert named == LEGAL


def test_every_event_in_every_state_moves_by_one_row_or_is_refused():
    for event in HostEvent:
        for state in LEGAL:
            rows = [row for row in tr.TRANSITIONS if row.event is event and state in row.of]
            assert len(rows) == may(event, state)
            if rows:
                assert after(event, state) == rows[0].to
            else:
                with pytest.raises(TransitionError, match=f"{event} of a host that is"):
                    after(event, state)


def test_nothing_but_an_operator_s_word_locks_or_unlocks():
    moves = {row.event for row in tr.TRANSITIONS for state in row.of if state[0] is not row.to[0]}
    assert moves == {HostEvent.LOCK, HostEvent.UNLOCK}


def test_only_a_host_that_passed_its_enable_sequence_comes_into_service():
    into = {row.event for row in tr.TRANSITIONS if row.to in tr.ENABLED and row.of - tr.ENABLED}
    assert into == {HostEvent.WELL}
    assert in_words(tr.AVAILABLE) == "unlocked/enabled/available"


def test_a_cause_that_begins_with_the_state_does_not_say_it_twice():
    degraded = ("unlocked", "enabled", "degraded")
    said = tr.with_cause(degraded, "degraded: resource")
    assert said == "unlocked/enabled/degraded: resource"
    assert tr.with_cause(degraded, "its disk is full").endswith("degraded: its disk is full")
