"""When the banner says flood."""

from alarms import S

from roost_central.alarms.flood import FloodWatch
from roost_central.alarms.incident_row import IncidentRow
from roost_central.alarms.load import FLOOD_ALARMS, FLOOD_MS
from roost_central.alarms.row import AlarmRow
from roost_central.alarms.transition import Transition


def a_row(**more):
    return AlarmRow(
        key_id="k",
        id="i",
        type="100.001",
        entity="site=lab",
        severity=S.MAJOR,
        raised_ms=0,
        changed_ms=0,
        received_ms=0,
        **more,
    )


def step(at_ms, event="raise", alarm=None, incident=None):
    return Transition(
        seq=1, at_ms=0, received_ms=at_ms, event=event, alarm=alarm, incident=incident
    )


def test_ten_within_ten_minutes_are_a_flood_until_they_are_older():
    watch = FloodWatch()
    watch.observe(step(n, alarm=a_row()) for n in range(FLOOD_ALARMS - 1))
    assert not watch.is_flood(FLOOD_ALARMS)
    watch.observe([step(1_000, alarm=a_row())])
    assert watch.is_flood(FLOOD_MS)
    assert not watch.is_flood(FLOOD_MS + FLOOD_ALARMS)


def test_a_flood_is_over_below_five_and_begins_again_with_ten():
    watch = FloodWatch()
    minute = FLOOD_MS // 10
    watch.observe(step(n * minute, alarm=a_row()) for n in range(10))
    assert watch.is_flood(9 * minute)
    assert watch.is_flood(FLOOD_MS + 5 * minute - 1)
    assert not watch.is_flood(FLOOD_MS + 5 * minute + 1)
    assert not watch.is_flood(FLOOD_MS + 5 * minute)


def test_a_flood_of_two_operators_has_twice_as_many():
    watch = FloodWatch(operators=2)
    watch.observe(step(n, alarm=a_row()) for n in range(2 * FLOOD_ALARMS - 1))
    assert not watch.is_flood(1_000)
    watch.observe([step(1_000, alarm=a_row())])
    assert watch.is_flood(1_000)


def test_members_and_what_is_hidden_count_as_none_and_an_incident_as_one():
    watch = FloodWatch()
    storm = IncidentRow(id="INC-1", type="100.001", severity=S.MAJOR, opened_ms=0, changed_ms=0)
    watch.observe(step(n, alarm=a_row(incident="INC-1")) for n in range(50))
    watch.observe(step(n, alarm=a_row(masked_by="x")) for n in range(50))
    watch.observe(step(n, "clear", alarm=a_row()) for n in range(50))
    assert not watch.is_flood(50)
    watch.observe(step(n, "incident-open", incident=storm) for n in range(FLOOD_ALARMS))
    assert watch.is_flood(50)
