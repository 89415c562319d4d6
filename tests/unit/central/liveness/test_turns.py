"""Two boxes with one identity are heard by turns; a reboot and its late messages are not."""

from roost_central.liveness.turns import CALM_PERMILLE, STARTS_MAX, TURNS_MIN, Turns

BEAT_MS = 30_000
A, B = b"a" * 16, b"b" * 16


def hear(turns, boots, *, every_ms=BEAT_MS // 2, start_ms=1_000_000):
    now_ms, told = start_ms, []
    for boot in boots:
        told.append(turns.hear(boot, now_ms, BEAT_MS))
        now_ms += every_ms
    return told


def test_two_that_speak_by_turns_are_suspected_once():
    told = hear(Turns(), [A, B] * 6)
    assert told.count(True) == 1
    assert told.index(True) == TURNS_MIN + 1


def test_a_reboot_with_a_burst_of_late_messages_is_none():
    turns = Turns()
    assert hear(turns, [A, B, A, B, A, B, A, B, B], every_ms=10).count(True) == 0
    assert hear(turns, [B] * 9, start_ms=2_000_000) == [None] * 9


def test_reboots_one_after_the_other_are_none():
    assert not any(hear(Turns(), [bytes([n]) * 16 for n in range(20)]))


def test_it_is_over_when_one_of_them_ceased_and_may_begin_again():
    turns = Turns()
    hear(turns, [A, B] * 6)
    late_ms = 2_000_000 + BEAT_MS * CALM_PERMILLE // 1000
    assert hear(turns, [A, A], start_ms=late_ms) == [False, None]
    assert True in hear(turns, [B, A] * 6, start_ms=late_ms + BEAT_MS)


def test_turns_far_apart_are_none():
    told = hear(Turns(), [A, B] * 6, every_ms=BEAT_MS * CALM_PERMILLE // 1000)
    assert not any(told)


def test_what_a_broker_says_again_is_no_turn():
    turns, now_ms = Turns(), 1_000_000
    turns.hear(A, now_ms, BEAT_MS, sent_ms=500)
    for n in range(12):
        now_ms += BEAT_MS
        assert turns.hear(B, now_ms, BEAT_MS, sent_ms=now_ms) is None
        assert turns.hear(A, now_ms, BEAT_MS, sent_ms=500 - n) is None


def test_what_a_broker_says_again_of_starts_long_past_is_no_turn():
    turns, now_ms = Turns(), 1_000_000
    starts = [(bytes([n]) * 16, n) for n in range(STARTS_MAX + 3)]
    for start in starts:
        for _ in range(20):
            now_ms += BEAT_MS
            assert turns.hear(start, now_ms, BEAT_MS, sent_ms=now_ms) is None
    for n in range(20):
        now_ms += BEAT_MS
        turns.hear(starts[-1], now_ms, BEAT_MS, sent_ms=now_ms)
        said_ms = 1_000_000 + BEAT_MS * n
        assert turns.hear(starts[0], now_ms + BEAT_MS // 2, BEAT_MS, sent_ms=said_ms) is None
    assert turns.count == 0


def test_two_that_speak_on_say_something_new_each_time():
    turns, told = Turns(), []
    for n in range(12):
        now_ms = 1_000_000 + n * BEAT_MS // 2
        told.append(turns.hear((A, B)[n % 2], now_ms, BEAT_MS, sent_ms=now_ms))
    assert told.count(True) == 1


def test_one_number_used_twice_again_and_again_is_suspected_once():
    turns = Turns()
    told = [turns.fork(1_000_000 + n * BEAT_MS, BEAT_MS) for n in range(6)]
    assert told == [None, None, None, True, None, None]


def test_no_more_starts_are_remembered_than_the_bound():
    turns = Turns()
    for n in range(50):
        turns.hear(n, 1_000_000 + n, BEAT_MS, sent_ms=n)
    assert len(turns.said_ms) == STARTS_MAX
