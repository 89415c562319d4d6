"""Who gives way."""

import pytest

from roost_agent.ha.redundancy import RECOVER_MS, Look, Redundancy, RedundancyState

H_MS = 100
S = RedundancyState
WELL, BETTER, WORSE = (3, 6), (3, 6), (3, 2)


def look(mine=WELL, other=WELL, *, is_whole=False):
    return Look(is_whole, mine, other)


def driven(*looks, start_ms=0, step_ms=4 * H_MS, state=S.NORMAL):
    redundancy = Redundancy(H_MS, state)
    now_ms = start_ms
    for each in looks:
        redundancy.handle(each, now_ms)
        now_ms += step_ms
    return redundancy


def test_the_worse_fails_and_the_better_survives_after_four_quiet_beats():
    assert driven(look(WORSE), look(WORSE)).state is S.FAILED
    assert driven(look(other=WORSE), look(other=WORSE)).state is S.SURVIVED
    assert driven(look(WORSE), look(WORSE), step_ms=4 * H_MS - 1).state is S.FAIL_PENDING


def test_each_change_starts_the_wait_anew():
    redundancy = driven(look(WORSE), look((3, 4)), look((3, 5)), step_ms=3 * H_MS)
    assert redundancy.state is S.FAIL_PENDING


def test_a_tie_and_a_node_without_a_rival_change_nothing():
    assert driven(*[look()] * 5).state is S.FAIL_PENDING
    assert driven(*[look(WORSE, None)] * 5).state is S.FAIL_PENDING


def test_whole_again_before_a_decision_is_normal():
    assert driven(look(), look(is_whole=True)).state is S.NORMAL
    assert driven(look(is_whole=True)).state is S.NORMAL


@pytest.mark.parametrize("state", [S.FAILED, S.SURVIVED])
def test_a_decision_stands_until_redundancy_was_whole_for_long(state):
    redundancy = Redundancy(H_MS, state)
    whole = look(is_whole=True)
    assert not redundancy.handle(whole, 0)
    assert not redundancy.handle(whole, RECOVER_MS - 1)
    assert not redundancy.handle(look(BETTER, WORSE), RECOVER_MS)
    assert not redundancy.handle(whole, RECOVER_MS + 1)
    assert not redundancy.handle(whole, 2 * RECOVER_MS)
    assert redundancy.handle(whole, 2 * RECOVER_MS + 1)
    assert redundancy.state is S.NORMAL


def test_only_the_failed_is_barred_and_never_the_sole_survivor():
    assert Redundancy(H_MS, S.FAILED).is_barred(is_sole=False)
    assert not Redundancy(H_MS, S.FAILED).is_barred(is_sole=True)
    assert not Redundancy(H_MS, S.SURVIVED).is_barred(is_sole=False)
