import pytest

from roost_agent.bmc.sensor import Group, Level, Limits, Sensor, by_limits, crossed, named

LIMITS = Limits(lnr=1, lcr=5, lnc=10, unc=70, ucr=80, unr=90)


@pytest.mark.parametrize(
    ("value", "level", "limit"),
    [
        (40, Level.OK, None), (69.9, Level.OK, None), (70, Level.MINOR, 70), (80, Level.MAJOR, 80),
        (90, Level.CRITICAL, 90), (200, Level.CRITICAL, 90), (10, Level.MINOR, 10),
        (5, Level.MAJOR, 5), (0, Level.CRITICAL, 1), (None, Level.OK, None),
    ],
)  # fmt: skip
def test_at_a_threshold_or_past_it_counts_and_the_worst_one_is_told(value, level, limit):
    assert by_limits(value, LIMITS) is level
    assert crossed(Sensor("k", "n", Group.FANS, value=value, limits=LIMITS)) == limit


def test_the_worse_of_thresholds_and_the_controllers_own_word_counts():
    assert Sensor("k", "n", Group.FANS, value=40, limits=LIMITS, said=Level.MAJOR).level is (
        Level.MAJOR
    )
    assert Sensor("k", "n", Group.FANS, value=95, limits=LIMITS, said=Level.MINOR).level is (
        Level.CRITICAL
    )


def test_a_name_is_one_printable_line():
    assert named("  CPU\n\x1b[31mTemp\x00 ") == "CPU [31mTemp"
    assert len(named("x" * 500)) == 64
