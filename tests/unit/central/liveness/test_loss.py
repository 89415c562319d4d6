"""Beats that go missing are told when they are many, and until none is any more."""

from roost_central.liveness.loss import BEATS, LOST_MIN, Loss


def heard(loss, gaps, *, was_heard=True):
    """Let beats come, each after so many that did not; return what turned."""
    told = []
    for skipped in gaps:
        loss.arrive(skipped, was_heard=was_heard)
        told.append((loss.judge(), loss.is_lossy))
    return [each for each in told if each[0] is not None]


def test_the_first_whole_window_says_that_it_is_well():
    loss = Loss()
    assert heard(loss, [0] * (BEATS - 1)) == []
    assert loss.is_lossy is None
    assert heard(loss, [0] * 99) == [(0, False)]


def test_a_fifth_of_a_window_is_told_once_and_ends_with_a_window_without_a_loss():
    loss = Loss()
    heard(loss, [0] * BEATS)
    assert heard(loss, [1] * (LOST_MIN - 1)) == []
    assert heard(loss, [1]) == [(LOST_MIN, True)]
    assert heard(loss, [1] * 30) == []
    assert heard(loss, [0] * (BEATS - 2)) == []
    assert heard(loss, [0] * 9) == [(0, False)]


def test_one_loss_now_and_then_is_nothing():
    loss = Loss()
    heard(loss, [0] * BEATS)
    assert heard(loss, [1, *[0] * 6] * 50) == []


def test_beats_that_were_overtaken_are_not_lost():
    loss = Loss()
    heard(loss, [0] * BEATS)
    for _ in range(9):
        loss.arrive(1, was_heard=True)
        loss.late(1)
        assert loss.judge() is None
    loss.late(BEATS)  # out of the window


def test_what_nobody_could_hear_is_no_loss_and_begins_a_window_anew():
    loss = Loss()
    heard(loss, [0] * BEATS)
    assert heard(loss, [9], was_heard=False) == []
    assert heard(loss, [LOST_MIN, *[0] * (BEATS - LOST_MIN - 3)]) == []
    assert heard(loss, [0]) == [(LOST_MIN, True)]


def test_a_gap_longer_than_a_window_is_all_of_it():
    loss = Loss()
    heard(loss, [0] * BEATS)
    assert heard(loss, [10**9]) == [(BEATS - 1, True)]


def test_a_start_of_the_agent_ends_nothing_by_itself():
    loss = Loss()
    heard(loss, [0] * BEATS)
    heard(loss, [BEATS])
    loss.restart()
    assert heard(loss, [0] * (BEATS - 1)) == []
    assert heard(loss, [0]) == [(0, False)]
