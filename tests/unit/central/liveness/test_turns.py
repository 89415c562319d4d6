"""Two boxes with one identity are heard by turns; a reboot and its late messages are not."""

from roost_central.liveness.turns import CALM_PERMILLE, TURNS_MIN, Turns

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
