"""A value that changes again and again is told so often, and then left out for the day."""

from hypothesis import given, settings
from hypothesis import strategies as st

from roost_agent.inventory.churn import (
    CHANGES_MAX,
    COUNTED_MAX,
    DAY_MS,
    Count,
    counted,
    volatile,
)
from roost_agent.inventory.delta import apply, diff
from roost_agent.inventory.ledger import Known, dump, load, probed
from roost_agent.inventory.snapshot import section

BOOT = b"b" * 16
KEY = "nic/eth0.speed"


def nic(speed, mtu=1500):
    return {"nic": section({"eth0": {"speed": speed, "mtu": mtu}}, {}, as_of_ms=1)}


def told(known, found, now_ms):
    change = probed(known, found, boot_id=BOOT, now_ms=now_ms)
    return known if change is None else change.known


def restless(times, *, start_ms=0, known=None):
    known = known or told(Known(), nic(0), start_ms)
    for number in range(1, times + 1):
        known = told(known, nic(number), start_ms + number)
    return known


def test_so_many_changes_are_told_and_then_the_value_is_left_out_with_the_reason():
    known = restless(CHANGES_MAX)
    assert volatile(known.counts, 100) == []
    assert known.sections["nic"].items["eth0"]["speed"] == CHANGES_MAX
    known = restless(CHANGES_MAX + 1)
    assert volatile(known.counts, 100) == [KEY]
    hidden = told(known, nic(99), 100)
    assert hidden.sections["nic"].items["eth0"] == {"mtu": 1500}
    assert hidden.sections["nic"].missing == {"eth0.speed": "volatile"}
    assert hidden.gen == known.gen + 1
    assert told(hidden, nic(5), 101) is hidden  # it costs nothing more
    assert told(hidden, nic(6, mtu=9000), 102).sections["nic"].items["eth0"] == {"mtu": 9000}


def test_when_the_day_is_over_it_is_told_again():
    hidden = told(restless(CHANGES_MAX + 1), nic(99), 100)
    assert told(hidden, nic(7), DAY_MS) is hidden
    again = told(hidden, nic(7), DAY_MS + 1)  # the first change was at 1
    assert again.sections["nic"].items["eth0"]["speed"] == 7
    assert again.counts == {}


def test_changes_of_many_days_are_not_added_up():
    known = told(Known(), nic(0), 0)
    for day in range(CHANGES_MAX + 5):
        known = told(known, nic(day + 1), day * DAY_MS)
    assert volatile(known.counts, day * DAY_MS) == []


def test_a_value_that_comes_or_becomes_known_has_not_changed():
    old = {"nic": section({"eth0": {"mtu": 1500, "speed": None}}, {}, as_of_ms=1)}
    new = {**nic(1), "cpu": section({"0": {"cores": 4}}, {}, as_of_ms=1)}
    assert counted({}, old, diff(old, new), 1) == {}


def test_a_clock_that_is_set_back_ends_the_day():
    known = restless(CHANGES_MAX + 1, start_ms=DAY_MS)
    assert volatile(known.counts, DAY_MS + 100) == [KEY]
    assert told(known, nic(99), 5).sections["nic"].items["eth0"]["speed"] == 99


def test_what_is_counted_is_kept_and_bounded():
    known = restless(3)
    assert load(dump(known)).counts == known.counts
    full = {"x": {f"i.f{number}": Count(0, 1) for number in range(COUNTED_MAX)}}
    old, new = nic(1), nic(2)
    assert counted(full, old, diff(old, new), 1) == full
    assert counted(full, old, diff(old, new), DAY_MS) == {"nic": {"eth0.speed": Count(DAY_MS, 1)}}


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, DAY_MS // 4)), max_size=120))
def test_what_the_centre_has_is_what_was_told_and_no_field_is_told_too_often(moves):
    known, centre, now_ms, tellings = Known(), {}, 0, []
    for speed, step_ms in moves:
        now_ms += step_ms
        change = probed(known, nic(speed), boot_id=BOOT, now_ms=now_ms)
        if change is None:
            continue
        after = change.known
        centre = apply(centre, diff(known.sections, after.sections))
        assert centre == dict(after.sections)
        tellings.append(now_ms)
        known = after
    for at in tellings:
        within = [each for each in tellings if at <= each < at + DAY_MS]
        assert len(within) <= 2 * (CHANGES_MAX + 2)
