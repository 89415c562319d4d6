"""What counts as flapping."""

from roost_central.alarms.facts import Limits
from roost_central.alarms.flaps import Flaps

FOUR = Limits(flap_count=4, flap_ms=600, known_flaps_max=2)


def test_four_turns_within_the_time_are_flapping_and_a_moment_counts_once():
    flaps = Flaps(FOUR)
    turns_ms = (0, 200, 200, 400, 600)
    found = [flaps.note("a", "100.101", at_ms, is_turn=True) for at_ms in turns_ms]
    assert found == [False, False, False, False, True]
    assert flaps.note("a", "100.101", 700, is_turn=False), "a change is no turn, and ends nothing"
    assert not flaps.note("a", "100.101", 1_001, is_turn=True)


def test_the_oldest_of_too_many_is_forgotten():
    flaps = Flaps(FOUR)
    for at_ms in (0, 1, 2):
        flaps.note("a", "100.101", at_ms, is_turn=True)
    for key in ("b", "c"):
        flaps.note(key, "100.101", 3, is_turn=True)
    assert not flaps.note("a", "100.101", 4, is_turn=True)


def test_lost_redundancy_flaps_by_the_word_of_its_reporter_alone():
    flaps = Flaps(FOUR)
    assert not any(flaps.note("a", "400.002", at_ms, is_turn=True) for at_ms in range(9))
