"""When the agent beats."""

from hypothesis import given
from hypothesis import strategies as st

from roost_agent.heartbeat.core import (
    CHANGE,
    CHANGE_SPACING_MS,
    COALESCE_MS,
    START,
    TIMER,
    Changed,
    Heartbeat,
    Intervals,
    Lost,
    Ready,
    SendBeat,
    Tick,
)

WAN_MS = 30_000


def test_a_path_that_gets_ready_beats_at_once():
    heart = Heartbeat({"wan1": WAN_MS})
    assert heart.handle(Ready("wan1", 0.0), 5) == [SendBeat("wan1", 1, START, WAN_MS)]


def test_nothing_beats_before_its_path_is_ready():
    heart = Heartbeat({"wan1": WAN_MS})
    assert heart.due_ms() is None
    assert heart.handle(Tick(0.0), 10**9) == []


def test_a_beat_follows_each_interval():
    heart = Heartbeat({"wan1": WAN_MS})
    heart.handle(Ready("wan1", 0.0), 0)
    assert heart.handle(Tick(0.0), WAN_MS - 1) == []
    assert heart.handle(Tick(0.0), WAN_MS) == [SendBeat("wan1", 2, TIMER, WAN_MS)]


def test_jitter_only_shortens_the_interval():
    heart = Heartbeat({"wan1": WAN_MS})
    heart.handle(Ready("wan1", 0.999), 0)
    assert WAN_MS * 0.9 <= heart.due_ms() <= WAN_MS


def test_changes_are_coalesced_into_one_beat_on_every_ready_path():
    heart = Heartbeat({"wan1": WAN_MS, "lan1": 10_000, "lan2": 10_000})
    heart.handle(Ready("wan1", 0.0), 0)
    heart.handle(Ready("lan1", 0.0), 0)
    heart.handle(Changed(), 5_000)
    heart.handle(Changed(), 5_010)
    beats = heart.handle(Tick(0.0), 5_000 + COALESCE_MS)
    assert [(b.path, b.n, b.why) for b in beats] == [("wan1", 2, CHANGE), ("lan1", 2, CHANGE)]
    assert heart.handle(Tick(0.0), 5_020 + COALESCE_MS) == []


def test_a_flapping_path_cannot_make_a_flood():
    heart = Heartbeat({"wan1": WAN_MS})
    heart.handle(Ready("wan1", 0.0), 0)
    sent = 0
    for now_ms in range(1, 10_001):
        heart.handle(Changed(), now_ms)
        sent += len(heart.handle(Tick(0.0), now_ms))
    assert sent == 10_000 // CHANGE_SPACING_MS


def test_a_lost_path_keeps_its_numbers_and_is_silent():
    heart = Heartbeat({"wan1": WAN_MS})
    heart.handle(Ready("wan1", 0.0), 0)
    heart.handle(Lost("wan1"), 1)
    assert heart.handle(Tick(0.0), 100_000) == []
    assert heart.handle(Ready("wan1", 0.0), 100_001) == [SendBeat("wan1", 2, CHANGE, WAN_MS)]


_PATHS = {"wan1": 30_000, "lan1": 10_000}
_steps = st.lists(
    st.tuples(
        st.one_of(
            st.builds(Ready, st.sampled_from(sorted(_PATHS)), st.floats(0, 0.999)),
            st.builds(Lost, st.sampled_from(sorted(_PATHS))),
            st.just(Changed()),
            st.builds(Tick, st.floats(0, 0.999)),
        ),
        st.integers(0, 40_000),
    ),
    max_size=60,
)


@given(_steps)
def test_numbers_rise_one_by_one_whatever_happens(steps):
    heart, now_ms, seen = Heartbeat(_PATHS), 0, dict.fromkeys(_PATHS, 0)
    for event, wait_ms in steps:
        now_ms += wait_ms
        for beat in heart.handle(event, now_ms):
            seen[beat.path] += 1
            assert beat.n == seen[beat.path]
        for pulse in heart._pulses.values():
            assert not pulse.ready or pulse.due_ms <= pulse.last_ms + pulse.interval_ms


def test_another_interval_counts_from_the_last_beat_on():
    heart = Heartbeat({"a": 30_000, "b": 30_000})
    heart.handle(Ready("a", 0.0), 0)
    heart.handle(Ready("b", 0.0), 0)
    assert heart.handle(Intervals({"a": 10_000}), 5_000) == []
    assert heart.due_ms() == 10_000
    [beat] = heart.handle(Tick(0.0), 10_000)
    assert (beat.path, beat.interval_ms) == ("a", 10_000)
    heart.handle(Intervals({"a": 60_000}), 11_000)
    assert heart.due_ms() == 20_000  # what was promised still comes
    [beat] = heart.handle(Tick(0.0), 20_000)
    assert beat.interval_ms == 60_000
