"""How controllers stand, as it is told."""

import pytest
from board_stage import FAN, Stage, hot, temperature

from roost_agent.bmc.board import Board
from roost_agent.bmc.effect import Note
from roost_agent.bmc.readings import MISSING
from roost_agent.bmc.standing import FAILURES, GROUP, SENSOR, UNLEARNED, UNREACHABLE
from roost_agent.bmc.talk import Power
from roost_protocol.severity import Severity


@pytest.mark.parametrize(
    ("value", "severity"), [(70, Severity.MINOR), (80, Severity.MAJOR), (90, Severity.CRITICAL)]
)
def test_a_threshold_that_is_reached_raises_its_severity_and_ends(value, severity):
    stage = Stage()
    assert [type(each) for each in stage.polled(hot(value))] == [Note]
    assert stage.raised() == {(SENSOR, "bmc=n1,sensor=CPU"): severity}
    stage.polled(hot(60))
    assert stage.raised() == {}


def test_a_dead_controller_is_told_after_five_and_its_sensors_stay_undecided():
    stage = Stage()
    stage.polled(hot(85))
    for count in range(1, FAILURES + 1):
        notes = stage.polled(fault="unreachable")
        assert bool(notes) is (count == 1), "it is written once that it fails"
        found = stage.raised()
        assert found[SENSOR, "bmc=n1,sensor=CPU"] is None, "what is not read is not decided"
        assert ((UNREACHABLE, "bmc=n1") in found) is (count >= FAILURES)
    assert stage.raised()[UNREACHABLE, "bmc=n1"] is Severity.WARNING
    stage.polled(hot(60))
    assert stage.raised() == {}


def test_what_is_only_logged_raises_nothing():
    stage = Stage(temperature(minor="log"))
    (note,) = stage.polled(hot(75))
    assert note.text == "n1: CPU is minor: reads 75 C, limit 70"
    assert stage.polled(hot(75)) == [], "once for each change"
    assert stage.raised() == {}


def test_two_sensors_of_one_name_are_two_alarms():
    stage = Stage()
    stage.polled(hot(95, "/redfish/v1/a"), hot(75, "/redfish/v1/b"))
    assert sorted(stage.raised().values()) == [Severity.MINOR, Severity.CRITICAL]


def test_a_report_has_levels_limits_and_no_secret():
    stage = Stage(Board(node="n1", host="10.0.0.9", user="u", password="canary"))
    stage.polled(hot(85), hot(None, "/redfish/v1/b", "B"))
    (said,) = stage.core.reports()
    assert [(each.level, each.value) for each in said.sensors] == [("major", 85.0), ("ok", None)]
    assert said.sensors[0].limits == [None, None, None, 70, 80, 90]
    assert (said.power, said.by, said.fault) == ("on", "redfish", "")
    assert "canary" not in str(said)
    assert "10.0.0.9" not in str(said)


def test_a_group_that_is_not_read_any_more_is_one_alarm_and_not_one_a_sensor():
    stage = Stage()
    stage.polled(hot(50), FAN, hot(50, "/redfish/v1/b", "B"))
    for _ in range(MISSING):
        assert stage.raised() == {(SENSOR, "bmc=n1,sensor=FAN"): Severity.CRITICAL}
        stage.polled(FAN)
    assert stage.raised() == {
        (SENSOR, "bmc=n1,sensor=FAN"): Severity.CRITICAL,
        (GROUP, "bmc=n1,group=temperature"): Severity.MAJOR,
    }
    stage.polled(fault="timeout")
    assert stage.raised()[GROUP, "bmc=n1,group=temperature"] is None, "nobody knows"
    stage.polled(hot(50), FAN)
    assert (GROUP, "bmc=n1,group=temperature") not in stage.raised()


def test_of_a_group_that_is_suppressed_or_only_logged_none_is_told_to_be_unread():
    for board in (temperature(suppress=True), temperature(major="log")):
        stage = Stage(board)
        stage.polled(hot(50))
        for _ in range(MISSING):
            stage.polled()
        assert not any(type_ == GROUP for type_, _ in stage.raised())


def test_a_controller_that_tells_no_sensor_is_an_alarm_until_it_does():
    stage = Stage()
    stage.polled(power=Power.OFF)
    assert stage.raised() == {(UNLEARNED, "bmc=n1"): None}, "of a machine that is off nobody knows"
    stage.polled(unread="refused: -v sensor: no")
    assert stage.raised() == {(UNLEARNED, "bmc=n1"): Severity.MINOR}
    (said,) = (each for each in stage.core.round().samples if each.type == UNLEARNED)
    assert said.params == {"reason": "refused: -v sensor: no"}
    stage.polled(fault="timeout")
    assert stage.raised() == {(UNLEARNED, "bmc=n1"): None}
    stage.polled(hot(50))
    assert stage.raised() == {}
