"""Why a node is degraded: a set made anew from the alarms that stand."""

from roost_agent.alarm_types import shipped
from roost_agent.alarms.row import Row
from roost_agent.host.reasons import REASONS, Degraded, reasons
from roost_protocol.severity import Severity

TYPES = shipped()


def row(type_, severity, entity="", raised_ms=1_000):
    return Row(type_, entity, severity, raised_ms, raised_ms)


def test_nothing_that_stands_is_no_reason():
    assert reasons([], TYPES) == {}


def test_an_alarm_below_what_degrades_is_no_reason():
    assert reasons([row("100.101", Severity.MAJOR)], TYPES) == {}
    assert reasons([row("200.006", Severity.MINOR, "process=a")], TYPES) == {}


def test_a_type_that_nobody_knows_is_no_reason():
    assert reasons([row("999.999", Severity.CRITICAL)], TYPES) == {}


def test_a_reason_names_its_worst_and_oldest_alarm_and_the_first_time():
    found = reasons(
        [
            row("200.006", Severity.CRITICAL, "process=b", 5_000),
            row("200.006", Severity.MAJOR, "process=a", 2_000),
            row("200.006", Severity.CRITICAL, "process=c", 4_000),
        ],
        TYPES,
        {"process=b", "process=c"},
    )
    assert found == {"process": Degraded("process", "200.006|process=c", 2_000, Severity.CRITICAL)}


def test_a_critical_process_fails_the_node_and_a_full_memory_only_degrades_it():
    found = reasons(
        [
            row("100.103", Severity.CRITICAL),
            row("200.006", Severity.CRITICAL, "process=a"),
            row("200.803", Severity.MAJOR, "check=a"),
        ],
        TYPES,
        {"process=a"},
    )
    assert list(found) == ["health", "process", "resource"]
    assert [each.is_fatal for each in found.values()] == [False, True, False]


def test_a_major_process_does_not_fail_the_node():
    found = reasons([row("200.006", Severity.MAJOR, "process=a")], TYPES)
    assert not found["process"].is_fatal


def test_what_stands_from_before_the_agents_start_degrades_and_fails_nobody():
    ghost = row("200.006", Severity.CRITICAL, "process=ghost")
    (found,) = reasons([ghost], TYPES, {"process=other"}).values()
    assert (found.severity, found.is_fatal) == (Severity.MAJOR, False)
    assert reasons([ghost], TYPES, {"process=ghost"})["process"].is_fatal


def test_any_other_alarm_that_degrades_is_the_reason_alarm():
    assert list(reasons([row("100.106", Severity.MAJOR, "port=wan0")], TYPES)) == ["alarm"]


def test_every_type_of_a_reason_is_in_the_catalogue():
    named = {type_ for types in REASONS.values() for type_ in types}
    assert named <= set(TYPES)
