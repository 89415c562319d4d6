"""What is kept of windows is what would be worked out anew, and is kept until one of them moves."""

from hypothesis import example, given
from hypothesis import strategies as st

from roost_agent.update.openings import KEPT_MAX, Openings
from roost_protocol.window import HORIZON_MS, Window, both_open_ms

NOON_MS = 1_796_040_000_000  # 2026-11-30 12:00 UTC, a Monday
HOUR_MS = 3_600_000
NIGHT, DAY = (Window((0,), f"{hour}:00", 60) for hour in ("02", "14"))
WINDOWS = st.builds(
    Window,
    st.sets(st.integers(0, 6), min_size=1, max_size=2).map(lambda days: tuple(sorted(days))),
    st.sampled_from(["00:00", "02:30", "13:00"]),
    st.sampled_from([1, 90, 1_440, 10_080]),
    st.sampled_from(["UTC", "Europe/Berlin"]),
)


def test_windows_that_never_meet_are_walked_over_once_until_one_of_them_moves():
    openings = Openings()
    first = openings.of((NIGHT, DAY), NOON_MS)
    assert (first.opens_ms, first.until_ms) == (None, NOON_MS + 2 * HOUR_MS)
    assert openings.of((NIGHT, DAY), NOON_MS + 2_000) is first
    assert openings.of((NIGHT, DAY), first.until_ms) is not first


def test_a_clock_that_goes_back_has_it_worked_out_anew():
    openings = Openings()
    late_ms = NOON_MS + 4 * HOUR_MS
    assert openings.of((DAY,), late_ms).at(late_ms) == NOON_MS + (2 + 7 * 24) * HOUR_MS
    assert openings.of((DAY,), NOON_MS).at(NOON_MS) == NOON_MS + 2 * HOUR_MS


def test_the_windows_of_jobs_that_are_over_are_forgotten():
    openings = Openings()
    for minutes in range(1, 9):
        openings.of((Window((0,), "02:00", minutes),), NOON_MS)
    assert len(openings._known) == KEPT_MAX


@given(
    st.lists(WINDOWS, min_size=1, max_size=2).map(tuple),
    st.lists(st.integers(0, 9 * 24 * HOUR_MS), min_size=2, max_size=4),
)
@example((DAY,), [2 * HOUR_MS - 1, 2 * HOUR_MS, 3 * HOUR_MS - 1, 3 * HOUR_MS])
def test_what_is_kept_is_what_would_be_worked_out(windows, steps_ms):
    openings = Openings()
    for now_ms in (NOON_MS + step for step in steps_ms):
        anew = both_open_ms(windows, now_ms, now_ms + HORIZON_MS)
        kept = openings.of(windows, now_ms).at(now_ms)
        assert kept in {anew, None}  # what is six weeks away comes into sight at a boundary
        assert kept == anew or anew > now_ms + HORIZON_MS - 8 * 24 * HOUR_MS
