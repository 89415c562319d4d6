"""What a coordinator says of hosts as alarms: raised once, cleared when it is over, kept apart."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "support"))

from host_words import host, report

from roost_central.alarms.catalogue_file import shipped
from roost_central.alarms.facts import OwnCleared, OwnRaised
from roost_central.alarms.said import text_of
from roost_central.hosts.alarms import news
from roost_central.hosts.core import HostsWord
from roost_protocol.severity import Severity

CATALOGUE = shipped()


def words(*hosts, **said):
    return [HostsWord("lab", 1, 2, report(*hosts, **said))]


def told(before, after):
    """Return what is raised and what is cleared, each with its node."""
    raised, cleared = {}, []
    for event in news("lab", before, after):
        match event:
            case OwnRaised(type_, entity, severity, params):
                raised[type_, entity] = (severity, dict(params))
                assert text_of(CATALOGUE, type_, severity, entity, params).count("{") == 0
            case OwnCleared(type_, entity):
                cleared.append((type_, entity))
    return raised, cleared


WELL = words(host("n1"), host("n2"))
N2 = "site=lab,node=n2"


@pytest.mark.parametrize(
    ("said", "type_", "severity", "params"),
    [
        (host("n2", "locked", cause="locked by ada: a fan"), "200.001", Severity.WARNING,
         {"by": "ada", "reason": "a fan"}),
        (host("n2", "failed", cause="health: disk", task="tried again 30 s after it failed"),
         "200.004", Severity.CRITICAL,
         {"cause": "health: disk", "task": "tried again 30 s after it failed"}),
        (host("n2", "degraded", cause="silent for 6 ticks", reasons={"heartbeat-ha": 1}),
         "200.005", Severity.MAJOR, {"cause": "silent for 6 ticks"}),
    ],
)  # fmt: skip
def test_a_state_is_an_alarm_with_its_cause_and_ends_with_it(said, type_, severity, params):
    then = words(host("n1"), said)
    assert told(WELL, then) == ({(type_, N2): (severity, params)}, [])
    assert told(then, WELL) == ({}, [(type_, N2)])
    assert told(then, then) == ({}, [])


def test_a_lost_heartbeat_is_critical_beside_the_host_that_it_failed():
    then = words(host("n1"), host("n2", "failed", cause="its heartbeat is lost for 10 ticks"))
    raised, _ = told(WELL, then)
    assert {type_: severity for (type_, _), (severity, _) in raised.items()} == {
        "200.004": Severity.CRITICAL, "200.005": Severity.CRITICAL,
    }  # fmt: skip


def test_a_recovery_that_ended_is_told_by_the_task():
    failed = host("n2", "failed", cause="health: disk", task="recovery threshold reached")
    assert ("200.801", N2) in told(WELL, words(host("n1"), failed))[0]


def test_several_that_are_silent_are_one_alarm_of_the_site_and_none_of_them_has_failed():
    waits = [host(name, "degraded", task="graceful recovery wait") for name in ("n2", "n3", "n4")]
    then = words(host("n1"), *waits, is_mnfa=True)
    assert told(WELL, then) == (
        {("200.802", "site=lab"): (Severity.MAJOR, {"count": 3})}, [],
    )  # fmt: skip
    assert told(then, WELL) == ({}, [("200.802", "site=lab")])


def test_who_locked_a_host_is_not_forgotten_when_it_goes_away():
    locked = words(host("n2", "locked", cause="locked by ada: a fan"))
    away = words(host("n2", "power-off", cause="its board controller says Off"))
    assert told(locked, away) == ({}, [])
    raised, _ = told([], away)
    assert raised["200.001", N2][1]["by"] == "somebody"
    again = words(host("n2", "locked", cause="locked by bob: a disk"))
    assert told(locked, again)[0]["200.001", N2][1] == {"by": "bob", "reason": "a disk"}


def test_what_is_not_spoken_of_any_more_has_no_alarm():
    failed = words(host("n1"), host("n2", "failed"))
    assert told(failed, words(host("n1"))) == ({}, [("200.004", N2)])


@pytest.mark.parametrize("name", ["failed", "degraded"])
def test_nobody_is_called_for_a_host_in_maintenance_until_it_ends(name):
    ill = {"reasons": {"heartbeat-ha": 1}, "cause": "silent"}
    watched = words(host("n1"), host("n2", name, maintenance_until_ms=9, **ill))
    ended = words(host("n1"), host("n2", name, **ill))
    assert told(WELL, watched) == ({}, [])
    raised, _ = told(watched, ended)
    assert raised
    assert told(ended, watched) == ({}, sorted(raised))


def test_a_host_in_service_that_has_no_power_has_failed_and_one_that_is_locked_has_not():
    params = {"cause": "its board controller reads Off, twice", "task": "has no power"}
    assert told([], words(host("n2", "power-off", **params)))[0].keys() == {("200.001", N2)}
    raised, _ = told(WELL, words(host("n1"), host("n2", "no-power", **params)))
    assert raised == {("200.004", N2): (Severity.CRITICAL, params)}
