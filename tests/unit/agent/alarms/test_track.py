"""What flap damping decides by."""

from roost_agent.alarms.row import Held
from roost_agent.alarms.track import (
    CALM_MS,
    FLAP_WINDOW_MS,
    FLAPS,
    TELL_EVERY_MS,
    TOLD_MAX,
    TOLD_WINDOW_MS,
    Track,
)
from roost_protocol.severity import Severity

MAJOR = Held(Severity.MAJOR)


def test_so_many_turns_in_a_while_are_flapping_and_fewer_are_not():
    track = Track(MAJOR)
    for at_ms in range(FLAPS - 1):
        track.turns_ms.append(at_ms)
    track.judge(10)
    assert not track.is_flapping
    track.turns_ms.append(11)
    track.judge(11)
    assert track.is_flapping
    assert track.settles_ms(11) == FLAP_WINDOW_MS
    track.judge(FLAP_WINDOW_MS)
    assert not track.is_flapping


def test_so_many_tellings_in_an_hour_are_flapping_too():
    track = Track(MAJOR)
    track.told_ms.extend(range(TOLD_MAX))
    track.judge(20)
    assert track.is_flapping
    assert track.settles_ms(20) == TOLD_WINDOW_MS
    assert not track.is_stale(TOLD_WINDOW_MS)
    track.judge(TOLD_WINDOW_MS)
    assert not track.is_flapping
    assert track.is_stale(2 * TOLD_WINDOW_MS)


def test_what_is_clear_for_long_enough_is_over():
    track = Track(Held(Severity.CLEARED), clear_ms=50, is_flapping=True)
    track.judge(50 + CALM_MS - 1)
    assert track.is_flapping
    assert track.calms_ms() == 50 + CALM_MS
    track.judge(50 + CALM_MS)
    assert not track.is_flapping


def test_a_flapping_alarm_is_told_once_a_minute_and_what_is_worse_at_once():
    track = Track(MAJOR, is_flapping=True, worst=Severity.MAJOR)
    assert track.may_tell_ms(7) == 7  # nothing was told yet
    track.told_ms.append(100)
    assert track.may_tell_ms(110) == 100 + TELL_EVERY_MS
    track.wanted = Held(Severity.CRITICAL)
    assert track.may_tell_ms(110) == 110
    track.is_flapping = False
    track.wanted = MAJOR
    assert track.may_tell_ms(110) == 110
