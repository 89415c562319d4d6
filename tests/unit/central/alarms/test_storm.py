"""When many are a storm, and for how long an alarm may yet become a part of one."""

import pytest

from roost_central.alarms import storm as rules
from roost_central.alarms.row import AlarmRow
from roost_central.alarms.storm import (
    GATHER_MS,
    GATHER_SITES,
    HOLD_MS,
    PAUSE_MS,
    SITES_MIN,
    WINDOW_MS,
    StormWatch,
)
from roost_protocol.severity import Severity


def alarm(site, type_="100.001", entity=""):
    return AlarmRow(
        key_id=f"{type_}|{site}|{entity}", id="i", type=type_, entity=f"site={site}", site=site,
        severity=Severity.MAJOR, raised_ms=0, changed_ms=0, received_ms=0,
    )  # fmt: skip


@pytest.fixture
def watch():
    return StormWatch(lambda site: f"r{site[-1]}")


def raised(watch, sites, now_ms=0, *, is_storm=False, **more):
    return [watch.raised(alarm(site, **more), now_ms, is_storm=is_storm) for site in sites]


def names(count, first=0):
    return [f"s{n}" for n in range(first, first + count)]


def test_fifty_sites_within_a_minute_are_a_storm_with_all_their_alarms(watch):
    raised(watch, ["s0"], entity="a")
    raised(watch, ["s0"], entity="b")
    *before, last = raised(watch, names(SITES_MIN), WINDOW_MS)
    assert not any(before)
    assert (last.type, last.region) == ("100.001", "")
    assert len(last.members) == SITES_MIN + 2


def test_the_same_alarms_over_a_longer_time_are_none(watch):
    for n in range(2 * SITES_MIN):
        assert raised(watch, names(1, n), n * (WINDOW_MS // SITES_MIN + 500)) == [None]


def test_what_was_seen_as_a_storm_is_one_with_its_first_alarm(watch):
    raised(watch, ["s1"])
    (storm,) = raised(watch, ["s2"], 10, is_storm=True)
    assert [site for site, _ in storm.members] == ["s1", "s2"]


def test_an_alarm_alone_is_a_candidate_for_a_moment_only(watch):
    raised(watch, ["s1"])
    assert watch.is_candidate(alarm("s1"), HOLD_MS - 1)
    assert not watch.is_candidate(alarm("s1"), HOLD_MS)
    assert not watch.is_candidate(alarm("s2"), 0), "it was not raised lately"
    assert not watch.is_candidate(alarm("s1", "100.002"), 0)


def test_while_its_type_gathers_it_stays_one_but_not_for_ever(watch):
    for n in range(40):
        raised(watch, [f"s{n}"], n * 1_000)
    assert watch.is_candidate(alarm("s39"), 39_000 + PAUSE_MS - 1)
    assert not watch.is_candidate(alarm("s39"), 39_000 + PAUSE_MS), "no other site came"
    assert watch.is_candidate(alarm("s20"), 20_000 + GATHER_MS - 9_000)
    assert not watch.is_candidate(alarm("s9"), 9_000 + GATHER_MS)


def test_one_site_alone_gathers_nothing(watch):
    for n in range(10):
        raised(watch, ["s1", "s2"][: GATHER_SITES - 1], n * 1_000, entity=str(n))
    assert not watch.is_candidate(alarm("s1", entity="0"), 9_500)


def test_the_first_of_a_storm_within_a_beat_waits_until_it_is_known(watch):
    at_ms = [n * 30_000 // 60 for n in range(60)]  # sixty sites fall dark within one beat
    for n, now_ms in enumerate(at_ms):
        told = [m for m in range(n) if not watch.is_candidate(alarm(f"s{m}"), now_ms)]
        assert told == []
        if raised(watch, [f"s{n}"], now_ms) != [None]:
            break
    assert n == SITES_MIN - 1


def test_what_is_remembered_is_bounded(watch, monkeypatch):
    monkeypatch.setattr(rules, "NEWEST_MAX", 5)
    monkeypatch.setattr(rules, "TYPES_MAX", 2)
    monkeypatch.setattr(rules, "RATES_MAX", 2)
    raised(watch, names(9))
    assert sum(watch.is_candidate(alarm(site), 0) for site in names(9)) == 5
    for type_ in ("100.002", "100.003"):
        raised(watch, ["s1"], type_=type_)
    assert not watch.is_candidate(alarm("s8"), 0)
    assert len(watch._rates) == 2


def test_a_storm_that_is_over_and_a_set_read_anew_are_forgotten(watch):
    raised(watch, ["s1"])
    watch.calm("100.001")
    watch.calm("100.001")
    assert not watch.is_candidate(alarm("s1"), 0)
    raised(watch, ["s1"])
    watch.clear()
    assert not watch.is_candidate(alarm("s1"), 0)
