"""What time it is: ours until the centre has told, from then on the centre's, by the boot clock."""

import pytest

from roost_agent.known_time import LASTING_MS, NEAR_MS, TURN_MS, KnownTime

NOW_MS = 1_800_000_000_000
TEN_YEARS_MS = 10 * 365 * 86_400_000


class Hands:
    """Clocks that the test sets."""

    def __init__(self):
        self.wall, self.boot = NOW_MS, 5_000

    def wall_ms(self):
        return self.wall

    def boot_ms(self):
        return self.boot

    def mono_ms(self):
        return self.boot - 1_000


@pytest.fixture
def hands():
    return Hands()


@pytest.fixture
def time(hands):
    return KnownTime(hands)


def test_until_the_centre_has_told_it_is_our_clock_and_not_taken_for_right(hands, time):
    assert time.wall_ms() == NOW_MS
    assert not time.is_ours_right
    assert (time.boot_ms(), time.mono_ms()) == (5_000, 4_000)


@pytest.mark.parametrize("step_ms", [TEN_YEARS_MS, -TEN_YEARS_MS])
def test_a_step_of_our_clock_moves_nothing_that_the_centre_told(hands, time, step_ms):
    hands.wall += step_ms
    time.told(NOW_MS)
    hands.boot += 60_000
    assert time.wall_ms() == NOW_MS + 60_000
    assert not time.is_ours_right
    hands.wall = NOW_MS + 60_000
    assert time.is_ours_right


def test_right_is_within_an_hour_of_the_centre(hands, time):
    time.told(NOW_MS)
    for off_ms, is_right in ((NEAR_MS, True), (NEAR_MS + 1, False), (-NEAR_MS, True)):
        hands.wall = NOW_MS + off_ms
        assert time.is_ours_right is is_right


def test_of_the_words_of_a_while_the_one_that_came_fastest_counts(hands, time):
    for late_ms in (9_000, 0, 7_000):
        time.told(NOW_MS - late_ms)
    assert time.wall_ms() == NOW_MS
    hands.boot += TURN_MS
    time.told(NOW_MS + TURN_MS - 3_000)
    assert time.wall_ms() == NOW_MS + TURN_MS
    hands.boot += TURN_MS
    for late_ms in (4_000, 5_000):
        time.told(NOW_MS + 2 * TURN_MS - late_ms)
    assert time.wall_ms() == NOW_MS + 2 * TURN_MS - 3_000


def test_a_centre_whose_own_clock_was_wrong_is_believed_again_once_it_is_right(hands, time):
    time.told(NOW_MS + TEN_YEARS_MS)
    for turn in (1, 2):
        hands.boot += TURN_MS
        time.told(NOW_MS + turn * TURN_MS)
    assert time.wall_ms() == NOW_MS + 2 * TURN_MS


def test_the_offset_is_told_from_the_second_word_on_for_a_day(hands, time):
    time.told(NOW_MS + 9_000)
    assert time.offset_s() is None  # it may have been on its way for long
    time.told(NOW_MS + 9_000)
    assert time.offset_s() == 9.0
    hands.wall += TEN_YEARS_MS
    assert time.offset_s() == 9.0 - TEN_YEARS_MS / 1000  # at once, though nothing came since
    hands.boot += LASTING_MS
    assert time.offset_s() is not None
    hands.boot += 1
    assert time.offset_s() is None
