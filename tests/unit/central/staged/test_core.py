"""A staged change goes on by evidence, stops by failures, and ends once."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost_central.staged import core
from roost_central.staged.core import OPEN, ChangeMoveError, StagedChange, State, Tally

SOAK_MS, WAIT_MS = 600_000, 3_600_000
CHANGE = StagedChange(
    "c1", State.RUNNING, 0, 0, "ann", "why", {"fleet": 1}, (1, 4, 15), 0, 0, SOAK_MS, WAIT_MS, 1
)
WELL = Tally(in_sync=2)


def test_the_next_group_has_its_turn_after_the_soak():
    synced = core.step(CHANGE, WELL, 1_000)
    assert (synced.stage, synced.synced_ms) == (0, 1_000)
    assert core.step(synced, WELL, 999 + SOAK_MS).stage == 0
    following = core.step(synced, WELL, 1_000 + SOAK_MS)
    assert (following.stage, following.state) == (1, State.RUNNING)
    assert (following.stage_ms, following.synced_ms) == (1_000 + SOAK_MS, None)


def test_the_soak_begins_anew_where_a_node_of_the_group_is_not_in_sync_any_more():
    synced = core.step(CHANGE, WELL, 1_000)
    assert core.step(synced, Tally(in_sync=1, waiting=1), 2_000).synced_ms is None


def test_the_last_group_ends_it():
    last = replace(CHANGE, stage=2, synced_ms=0)
    assert core.step(last, WELL, SOAK_MS).state is State.DONE


def test_more_failures_than_may_be_stop_it_in_whatever_group_they_are():
    assert core.step(CHANGE, Tally(failed=1, in_sync=5), 1).state is State.RUNNING
    stopped = core.step(CHANGE, Tally(failed=1, worse=1, in_sync=5), 1)
    assert stopped.state is State.STOPPED
    assert stopped.why == "nodes: 1 failed, 1 with a new critical alarm; at most 1 may"
    many = core.step(CHANGE, Tally(failed=5, named=("a.n1", "b.n1", "c.n1")), 1)
    assert many.why == "nodes: 5 failed (a.n1, b.n1, c.n1 and 2 more); at most 1 may"


def test_who_is_heard_and_not_in_sync_in_time_counts_as_failed():
    late = Tally(in_sync=5, waiting=2)
    assert core.step(CHANGE, late, WAIT_MS - 1).state is State.RUNNING
    stopped = core.step(CHANGE, late, WAIT_MS)
    assert stopped.why == "nodes: 2 not in sync in time; at most 1 may"
    one = core.step(CHANGE, Tally(in_sync=5, waiting=1), WAIT_MS)
    assert (one.state, one.stage, one.synced_ms) == (State.RUNNING, 0, WAIT_MS)


def test_dark_nodes_are_not_waited_for_and_a_group_of_them_alone_proves_nothing():
    assert core.step(CHANGE, Tally(in_sync=1, dark=9), 1).synced_ms == 1
    dark = Tally(dark=3)
    assert core.step(CHANGE, dark, WAIT_MS - 1).synced_ms is None
    stopped = core.step(CHANGE, dark, WAIT_MS)
    assert (stopped.state, stopped.why) == (
        State.STOPPED, "no node of group 1 says that it has it",
    )  # fmt: skip


@pytest.mark.parametrize("state", sorted(set(State) - {State.RUNNING}))
def test_what_does_not_run_goes_no_further_by_itself(state):
    resting = replace(CHANGE, state=state, synced_ms=0)
    assert core.step(resting, WELL, 10**12) is resting


def test_a_person_pauses_and_resumes_and_the_group_has_its_whole_time_again():
    paused = core.pause(CHANGE, "lunch", 5)
    assert (paused.state, paused.why) == (State.PAUSED, "lunch")
    going = core.resume(paused, WELL, 9)
    assert (going.state, going.stage_ms, going.why, going.failed_max) == (State.RUNNING, 9, "", 1)


def test_whoever_resumes_after_a_stop_accepts_what_failed_until_then():
    stopped = core.step(CHANGE, Tally(failed=3), 1)
    going = core.resume(stopped, Tally(failed=3), 2)
    assert core.step(going, Tally(failed=3, in_sync=1), 3).state is State.RUNNING
    assert core.step(going, Tally(failed=4, in_sync=1), 3).state is State.STOPPED


def test_aborted_holds_the_others_until_it_is_rolled_back():
    aborted = core.abort(CHANGE, "no", 5)
    assert aborted.state in OPEN
    assert (aborted.has_had(0), aborted.has_had(1)) == (True, False)
    back = core.rolled_back(aborted, "", 6)
    assert back.has_had(2)


def test_what_is_not_possible_in_a_state_says_so():
    done = replace(CHANGE, state=State.DONE, stage=3)
    for move in (core.pause, core.abort, core.rolled_back):
        with pytest.raises(ChangeMoveError, match="done"):
            move(done, "", 1)
    with pytest.raises(ChangeMoveError, match="running"):
        core.resume(CHANGE, WELL, 1)
    with pytest.raises(ChangeMoveError, match="aborted"):
        core.resume(core.abort(CHANGE, "", 1), WELL, 1)


tallies = st.builds(Tally, *[st.integers(0, 3)] * 5)


@given(st.lists(st.tuples(tallies, st.integers(0, WAIT_MS)), max_size=30))
def test_whatever_nodes_say_groups_come_one_by_one_and_never_with_more_failures_than_may(said):
    change, now_ms = CHANGE, 0
    for tally, pause_ms in said:
        now_ms += pause_ms
        after = core.step(change, tally, now_ms)
        assert change.stage <= after.stage <= change.stage + 1
        if after.stage > change.stage:
            assert tally.in_sync
            assert tally.bad <= change.failed_max
        change = after
    assert change.stage <= len(change.sizes)


def test_a_group_waits_with_the_windows_of_its_nodes_and_other_failures_still_stop_it():
    shut = Tally(in_sync=1, shut=2)
    assert core.step(replace(CHANGE, synced_ms=1), shut, 10 * WAIT_MS) == CHANGE
    assert core.step(CHANGE, Tally(shut=2), 10 * WAIT_MS).state is State.RUNNING
    assert core.step(CHANGE, Tally(shut=2, failed=2), 1).state is State.STOPPED
    assert core.step(CHANGE, Tally(shut=2, waiting=2), WAIT_MS).state is State.STOPPED
