"""Every move of every state by everybody: in the table it moves, else it is refused."""

import re

import pytest

from roost_central.rollout.table import (
    IN_FLIGHT,
    JOB_ENDS,
    ROLLOUT_ENDS,
    ROWS,
    WAVE_ENDS,
    WHAT_HELPS,
    JobState,
    MoveError,
    RolloutState,
    WaveState,
    Who,
    check,
    spoken,
)

KINDS = (RolloutState, WaveState, JobState)


def refusal(kind, before, after, who):
    """What a refusal says: to an operator what helps, to others who may not do what."""
    if kind is RolloutState and who is Who.OPERATOR and before is not after:
        return re.escape(f"is {spoken(before)}: {WHAT_HELPS[before]}")
    return str(who)


@pytest.mark.parametrize("kind", KINDS)
def test_each_pair_and_each_who_moves_or_is_refused(kind):
    for before in kind:
        for after in kind:
            for who in Who:
                if who in ROWS.get((kind, before, after), ()):
                    check(before, after, who)
                else:
                    with pytest.raises(MoveError, match=refusal(kind, before, after, who)):
                        check(before, after, who)


def test_no_state_leads_to_itself_or_to_another_machine():
    assert all(before is not after for _, before, after in ROWS)
    assert all(type(before) is type(after) is kind for kind, before, after in ROWS)


def test_a_word_that_two_machines_share_is_of_one_of_them():
    with pytest.raises(MoveError):  # a site's job may fail by the site's word, a wave may not
        check(WaveState.SOAKING, WaveState.FAILED, Who.SITE)
    check(JobState.SOAKING, JobState.FAILED, Who.SITE)


def test_what_is_at_its_end_stays_there_but_for_another_attempt():
    ends = {RolloutState: ROLLOUT_ENDS, WaveState: WAVE_ENDS, JobState: JOB_ENDS}
    for kind, before, after in ROWS:
        if before in ends[kind]:
            is_reopened = (before, after) == (RolloutState.ABORTED, RolloutState.ROLLING_BACK)
            assert after is JobState.QUEUED or is_reopened


@pytest.mark.parametrize("kind", KINDS)
def test_every_state_can_be_reached_and_left(kind):
    ends = {RolloutState: ROLLOUT_ENDS, WaveState: WAVE_ENDS, JobState: ()}[kind]
    first = next(iter(kind))
    reached, left = {first}, [first]
    while left:
        state = left.pop()
        found = {after for _, before, after in ROWS if before is state} - reached
        reached |= found
        left += found
    assert reached == {*kind}
    left_by = [before for _, before, _ in ROWS]
    assert all(any(before is each for before in left_by) for each in kind if each not in ends)


def test_a_site_never_says_that_it_succeeded():
    into = [who for (_, _, after), who in ROWS.items() if after is JobState.SUCCEEDED]
    assert into == [frozenset({Who.CENTRAL})]


def test_a_slot_is_taken_from_the_offer_to_the_end_of_the_soak():
    assert not IN_FLIGHT & (JOB_ENDS | {JobState.QUEUED, JobState.UNREACHABLE, JobState.REJECTED})
