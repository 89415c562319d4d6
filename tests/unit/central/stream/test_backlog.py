"""The queue of one slow client."""

import pytest

from roost_central.stream.backlog import BYTES_MAX, FRAMES_MAX, Backlog
from roost_central.stream.core import Frame, Resync


def frames(count, size=2, first=1):
    return [Frame(n, b"x" * size) for n in range(first, first + count)]


def drained(backlog):
    return [backlog.take() for _ in range(len(backlog))]


def test_frames_come_out_in_their_order():
    backlog = Backlog()
    backlog.put(frames(3))

    assert [frame.n for frame in drained(backlog)] == [1, 2, 3]
    with pytest.raises(IndexError):
        backlog.take()


def test_too_many_frames_become_one_resync():
    backlog = Backlog()
    backlog.put(frames(FRAMES_MAX))
    assert len(backlog) == FRAMES_MAX

    backlog.put(frames(1, first=FRAMES_MAX + 1))

    assert drained(backlog) == [Resync(FRAMES_MAX + 1, "slow")]


def test_too_many_bytes_become_one_resync():
    backlog = Backlog()
    backlog.put(frames(2, size=BYTES_MAX // 2))

    assert drained(backlog) == [Resync(2, "slow")]


def test_bytes_that_were_taken_do_not_count_any_more():
    backlog = Backlog()
    for n in range(1, 6):
        backlog.put(frames(1, size=BYTES_MAX // 2, first=n))
        assert isinstance(backlog.take(), Frame)


def test_a_resync_makes_what_waited_worthless_and_frames_follow_it():
    backlog = Backlog()
    backlog.put([*frames(3), Resync(4, "structure"), *frames(2, first=5)])

    assert drained(backlog) == [Resync(4, "structure"), *frames(2, first=5)]
