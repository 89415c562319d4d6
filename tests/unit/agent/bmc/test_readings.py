"""What was read, and when it is read again."""

from board_stage import FAN, Stage, hot

from roost_agent.bmc.board import Board, GroupSettings
from roost_agent.bmc.readings import MISSING
from roost_agent.bmc.sensor import Group, Limits, Sensor
from roost_agent.bmc.standing import SENSOR
from roost_protocol.boards import SENSORS_MAX
from roost_protocol.severity import Severity


def test_more_than_a_hundred_sensors_are_read_every_quarter_of_an_hour():
    stage = Stage()
    stage.polled(*(hot(key=f"/redfish/v1/{n}", name=f"s{n}") for n in range(101)))
    assert stage.core.due_ms() - stage.now.ms == 900_000
    stage = Stage(Board(node="n1", host="b", interval_s=60))
    stage.polled(*(hot(key=f"/redfish/v1/{n}", name=f"s{n}") for n in range(101)))
    assert stage.core.due_ms() - stage.now.ms == 60_000, "what was said is done"


def test_a_sensor_that_is_missing_three_times_is_minor():
    stage = Stage()
    stage.polled(hot(50), hot(50, "/redfish/v1/b", "FAN"))
    for _ in range(MISSING - 1):
        stage.polled(hot(50))
        assert stage.raised() == {}
    stage.polled(hot(50))
    assert stage.raised() == {(SENSOR, "bmc=n1,sensor=FAN"): Severity.MINOR}
    stage.polled(hot(50), hot(50, "/redfish/v1/b", "FAN"))
    assert stage.raised() == {}
    for _ in range(MISSING):
        stage.polled(hot(50))
    (said,) = stage.core.reports()
    assert [(each.name, each.level, each.value) for each in said.sensors] == [
        ("CPU", "ok", 50.0), ("FAN", "offline", None),
    ]  # fmt: skip


def test_a_group_is_decided_at_its_own_interval_and_the_controller_read_for_the_fastest():
    groups = {
        Group.TEMPERATURE: GroupSettings(interval_s=10),
        Group.FANS: GroupSettings(interval_s=600),
    }
    stage = Stage(Board(node="n1", host="b1", groups=groups))
    good = Sensor("/redfish/v1/f", "FAN", Group.FANS, "rpm", 500.0, Limits(lnr=100))
    stage.polled(hot(50), good)
    assert stage.core.due_ms() - stage.now.ms == 10_000
    for _ in range(59):
        stage.polled(hot(75), FAN, after_ms=10_000)
        assert stage.raised() == {(SENSOR, "bmc=n1,sensor=CPU"): Severity.MINOR}
    stage.polled(hot(75), FAN, after_ms=10_000)
    assert (SENSOR, "bmc=n1,sensor=FAN") in stage.raised()


def test_a_controller_that_names_its_sensors_anew_each_time_is_bounded():
    stage = Stage()
    steady = hot(20, "steady", "T0")
    for turn in range(8):
        fresh = (hot(20, f"k{turn}-{n}", f"S{turn}-{n}") for n in range(SENSORS_MAX - 1))
        stage.polled(steady, *fresh, after_ms=900_000)
    (said,) = stage.core.reports()
    assert len(said.sensors) == SENSORS_MAX
    assert "steady" in {each.key for each in said.sensors}
    assert len(stage.raised()) <= SENSORS_MAX
