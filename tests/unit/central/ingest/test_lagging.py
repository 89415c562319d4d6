"""When reports wait for too long, for long."""

from roost_central.alarms.facts import OwnCleared, OwnRaised
from roost_central.ingest.lagging import (
    CLEAR_AFTER_MS,
    LATE_MS,
    RAISE_AFTER_MS,
    SOON_MS,
    LagWatch,
)


def test_what_lasts_is_raised_and_is_over_when_it_was_well_for_a_while():
    watch = LagWatch()
    assert watch.note(LATE_MS, 0) is None
    assert watch.note(LATE_MS, RAISE_AFTER_MS - 1) is None
    raised = watch.note(LATE_MS + 2_000, RAISE_AFTER_MS)
    assert isinstance(raised, OwnRaised)
    assert (raised.type, raised.entity) == ("210.802", "central=roost")
    assert raised.params == {"value": 7, "limit": 5}
    at_ms = RAISE_AFTER_MS
    assert watch.note(SOON_MS, at_ms) is None
    assert watch.note(0, at_ms) is None
    assert watch.note(0, at_ms + CLEAR_AFTER_MS - 1) is None
    cleared = watch.note(0, at_ms + CLEAR_AFTER_MS)
    assert cleared == OwnCleared("210.802", "central=roost")
    assert watch.note(0, at_ms + 2 * CLEAR_AFTER_MS) is None


def test_a_moment_of_it_is_none():
    watch = LagWatch()
    for now_ms in range(0, 10 * RAISE_AFTER_MS, RAISE_AFTER_MS - 1):
        assert watch.note(LATE_MS, now_ms) is None
        assert watch.note(LATE_MS - 1, now_ms + 1) is None
