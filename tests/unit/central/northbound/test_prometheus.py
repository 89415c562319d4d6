"""The metrics page, and service discovery."""

import re

from alarm_feed import MemoryFeed, alarm

from roost_central.fleet.view import FleetView
from roost_central.northbound.prometheus import Delays, discovery, metrics
from roost_central.northbound.target import TargetState
from roost_central.ports import SystemClock

LINE = re.compile(
    r'[a-z_]+(?:\{(?:[a-z_]+="(?:[^"\\\n]|\\.)*",?)*\})? (?:[0-9.e+-]+|\+Inf|NaN)|# (HELP|TYPE) .+'
)


def page(**more):
    feed, view = MemoryFeed(), FleetView()
    feed.tell("raise", alarm(1, sev=4))
    view.add_site("s1", 0).status = "ok"
    delays = Delays()
    delays.observe(0.3)
    delays.observe(700)
    delays.observe(-1)
    state = TargetState('odd"name\\', "snmp-v3", "udp://h:162", feed, SystemClock())
    return metrics(feed, view, [state], delays, **more)


def test_every_line_is_of_the_format():
    text = page(with_sites=True)
    assert text.endswith("\n")
    assert [line for line in text.splitlines() if not LINE.fullmatch(line)] == []
    assert 'roost_site_status{site="s1",status="ok"} 1' in text
    assert 'target="odd\\"name\\\\"' in text


def test_counts_and_the_histogram_are_right():
    text = page()
    assert 'roost_alarms_active{severity="critical"} 1\n' in text
    assert 'roost_alarm_delay_seconds_bucket{le="0.1"} 1\n' in text
    assert 'roost_alarm_delay_seconds_bucket{le="0.5"} 2\n' in text
    assert 'roost_alarm_delay_seconds_bucket{le="+Inf"} 3\n' in text
    assert "roost_alarm_delay_seconds_count 3\n" in text
    assert 'kind="snmp-v3"} 1\n' in text
    assert "roost_site_status" not in text


def test_a_family_is_declared_once_before_its_samples():
    names = re.findall(r"^# TYPE (\S+)", page(with_sites=True), re.MULTILINE)
    assert len(names) == len(set(names))


def test_an_empty_fleet_discovers_nothing():
    assert discovery(FleetView(), 9100) == []
