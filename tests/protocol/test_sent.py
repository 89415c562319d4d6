"""Frames are numbered from 1 on, and only so many send times are kept."""

from roost_protocol.sent import SENT_MAX, SentFrames


def test_frames_are_numbered_from_one_on_and_dated():
    sent = SentFrames()
    assert [sent.next(100), sent.next(250)] == [1, 2]
    assert [sent.when(1), sent.when(2)] == [100, 250]


def test_what_never_left_has_no_date():
    sent = SentFrames()
    sent.next(100)
    assert sent.when(0) is None
    assert sent.when(2) is None


def test_the_oldest_send_times_are_forgotten():
    sent = SentFrames()
    for at in range(SENT_MAX + 1):
        sent.next(at)
    assert sent.when(1) is None
    assert sent.when(2) == 1
    assert sent.when(SENT_MAX + 1) == SENT_MAX
