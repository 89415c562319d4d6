from itertools import pairwise

import pytest

from roost_agent.alarms.rules import Finding
from roost_agent.bmc.board import Board, GroupSettings
from roost_agent.bmc.core import (
    ACTS_MAX,
    COOL_MS,
    FAILURES,
    GROUP,
    MISSING,
    SENSOR,
    UNLEARNED,
    UNREACHABLE,
    Act,
    Answered,
    Boards,
    Moment,
    Note,
    Poll,
    Record,
    Tick,
)
from roost_agent.bmc.sensor import Group, Limits, Sensor
from roost_agent.bmc.talk import Answer, Known, LogRecord, Power, Verb
from roost_protocol.boards import SENSORS_MAX
from roost_protocol.severity import Severity

DAY_MS = 1_000_000_000


def hot(value=50.0, key="/redfish/v1/a", name="CPU", **more):
    return Sensor(
        key, name, Group.TEMPERATURE, "C", value, Limits(unc=70, ucr=80, unr=90), **more
    )  # fmt: skip


class Stage:
    def __init__(self, *boards, acts=None, known=None):
        self.boards = boards or (Board(node="n1", host="b1"),)
        self.now = Moment(0, DAY_MS)
        self.core = Boards(self.boards, known or {}, acts or {}, 0)

    def after(self, ms):
        self.now = Moment(self.now.ms + ms, self.now.wall_ms + ms)

    def tick(self, *, is_ours=True):
        return self.core.handle(Tick(is_ours), self.now)

    def polled(self, *sensors, fault="", power=Power.ON, after_ms=120_000, **more):
        """One turn of a controller: it is due, asked, and answers."""
        self.after(after_ms)
        self.tick()
        known = self.core.known()["n1"]
        failures = known.failures + 1 if fault else 0
        answer = Answer(
            node="n1", fault=fault, why="no" if fault else "", power=power, sensors=list(sensors),
            known=Known(type="redfish", failures=failures), **more,
        )  # fmt: skip
        return self.core.handle(Answered(answer), self.now)

    def raised(self):
        found = self.core.round()
        return {
            (each.type, each.entity): each.severity
            for each in found.samples
            if isinstance(each, Finding) and each.severity is not Severity.CLEARED
        }


def temperature(**settings):
    return Board(
        node="n1", host="b1", groups={Group.TEMPERATURE: GroupSettings(**settings)}
    )  # fmt: skip


def test_controllers_are_asked_in_turn_each_at_its_interval():
    stage = Stage(Board(node="n1", host="a"), Board(node="n2", host="b", interval_s=10))
    assert stage.tick() == [Poll(("n1",))]
    stage.after(2_000)
    assert stage.tick() == [Poll(("n2",))]
    stage.after(60_000)
    assert stage.tick() == [], "one that was asked is not asked again before it answered"
    stage.core.handle(Answered(Answer(node="n2", known=Known(type="ipmi"))), stage.now)
    stage.after(9_999)
    assert stage.tick() == []
    stage.after(1)
    assert stage.tick() == [Poll(("n2",))]


def test_one_that_fails_is_asked_apart_from_those_that_answer():
    boards = (Board(node=node, host=node) for node in ("n1", "n2", "n3"))
    stage = Stage(*boards, known={"n2": Known(failures=1)})
    stage.after(10_000)
    assert stage.tick() == [Poll(("n1", "n3")), Poll(("n2",))]


def test_more_than_a_hundred_sensors_are_read_every_quarter_of_an_hour():
    stage = Stage()
    stage.polled(*(hot(key=f"/redfish/v1/{n}", name=f"s{n}") for n in range(101)))
    assert stage.core.due_ms() - stage.now.ms == 900_000
    stage = Stage(Board(node="n1", host="b", interval_s=60))
    stage.polled(*(hot(key=f"/redfish/v1/{n}", name=f"s{n}") for n in range(101)))
    assert stage.core.due_ms() - stage.now.ms == 60_000, "what was said is done"


def test_in_another_nodes_turn_nothing_is_asked_nor_stands():
    stage = Stage()
    stage.polled(hot(95))
    stage.after(600_000)
    assert stage.tick(is_ours=False) == []
    assert stage.core.round().samples == ()
    assert stage.core.reports() == []
    stage.tick(is_ours=None)
    assert stage.core.round() is None, "while nobody knows whose turn it is, nothing is decided"


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


def test_until_each_was_asked_what_stood_before_a_restart_stays():
    stage = Stage(Board(node="n1", host="a"), Board(node="n2", host="b"))
    stage.polled(hot(95))
    assert stage.core.round().types == {UNREACHABLE}
    stage.core.handle(Answered(Answer(node="n2")), stage.now)
    assert stage.core.round().types == {UNREACHABLE, UNLEARNED, GROUP, SENSOR}


@pytest.mark.parametrize(
    "board",
    [
        temperature(suppress=True, critical="power-cycle"),
        temperature(critical="ignore"),
        Board(node="n1", host="b1", suppress=["/redfish/v1/a"],
              groups={Group.TEMPERATURE: GroupSettings(critical="reset")}),
    ],
)  # fmt: skip
def test_what_is_suppressed_or_ignored_raises_nothing_and_does_nothing(board):
    stage = Stage(board)
    for _ in range(3):
        assert stage.polled(hot(95)) == []
    assert stage.raised() == {}


def test_what_is_only_logged_raises_nothing():
    stage = Stage(temperature(minor="log"))
    (note,) = stage.polled(hot(75))
    assert note.text == "n1: CPU is minor: reads 75 C, limit 70"
    assert stage.polled(hot(75)) == [], "once for each change"
    assert stage.raised() == {}


def acts(effects):
    return [(each.verb, each.acts) for each in effects if isinstance(each, Act)]


def test_one_critical_reading_does_nothing_to_a_machine_and_two_in_a_row_do():
    stage = Stage(temperature(critical="reset"))
    assert acts(stage.polled(hot(95))) == []
    assert acts(stage.polled(hot(50))) == []
    assert acts(stage.polled(hot(95))) == []
    assert acts(stage.polled(hot(95))) == [(Verb.RESET, (stage.now.wall_ms,))]
    assert stage.core.acts() == {"n1": (stage.now.wall_ms,)}


def test_acts_cool_down_and_after_three_a_power_cycle_is_off_for_good():
    stage = Stage(temperature(critical="power-cycle"))
    stage.polled(hot(95))
    verbs, at = [], []
    for _ in range(40):
        for each in stage.polled(hot(95)):
            verbs.append(each.verb)
            at.append(stage.now.ms)
        if len(verbs) > ACTS_MAX:
            break
    assert verbs == [Verb.CYCLE] * ACTS_MAX + [Verb.OFF]
    assert min(b - a for a, b in pairwise(at)) >= COOL_MS
    assert acts(stage.polled(hot(95), power=Power.OFF)) == [], "it is off"


def test_after_three_resets_in_an_hour_nothing_more_is_done():
    stage = Stage(temperature(critical="reset"))
    done = [each for _ in range(25) for each in acts(stage.polled(hot(95)))]
    assert [verb for verb, _ in done] == [Verb.RESET] * ACTS_MAX


def test_a_restart_forgets_no_act():
    stage = Stage(temperature(critical="reset"), acts={"n1": [DAY_MS - 3, DAY_MS - 2, DAY_MS - 1]})
    assert acts([*stage.polled(hot(95)), *stage.polled(hot(95)), *stage.polled(hot(95))]) == []


def test_new_settings_keep_what_was_learned_and_a_relearning_keeps_settings():
    board = temperature(critical="ignore")
    stage = Stage(board)
    stage.polled(hot(95), hot(50, "/redfish/v1/b", "B"))
    stage.polled(hot(50, "/redfish/v1/b", "B"), hot(95, "/redfish/v1/c", "C"))
    assert stage.raised() == {}, "a sensor that came anew has its group's settings"


def test_records_of_the_log_are_told():
    stage = Stage()
    record = LogRecord(7, "now", "fan failed", "Critical")
    assert Record("n1", record) in stage.polled(hot(50), log=[record])


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


FAN = Sensor("/redfish/v1/f", "FAN", Group.FANS, "rpm", 50.0, Limits(lnr=100))


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


def test_a_relearning_forgets_who_it_was_and_keeps_settings_and_counts():
    stage = Stage(temperature(minor="ignore"), acts={"n1": [DAY_MS]})
    stage.polled(hot(75), FAN)
    assert stage.core.known()["n1"].type == "redfish"
    assert stage.core.relearn("n1", stage.now.ms)
    assert not stage.core.relearn("n7", stage.now.ms)
    assert stage.core.known()["n1"] == Known()
    assert stage.core.acts() == {"n1": (DAY_MS,)}
    assert stage.tick() == [Poll(("n1",))], "it is asked at once"
    stage.polled(hot(75), after_ms=0)
    assert stage.raised() == {}, "the fan is gone, and what was ignored still is"


def test_that_readings_are_not_kept_is_noted_once_until_it_is_another_reason():
    stage = Stage()
    full = "No space left on device"
    assert stage.polled(unkept=full) == [Note(f"n1: its readings are not kept: {full}")]
    assert stage.polled(unkept=full) == []
    assert stage.polled() == []
    assert len(stage.polled(unkept=full)) == 1


def test_other_boards_keep_what_was_learned_where_they_are_reached_as_before():
    stage = Stage(Board(node="n1", host="b1"), acts={"n1": [DAY_MS]})
    stage.polled(hot(95))
    stage.core.redefine([temperature(critical="ignore"), Board(node="n2", host="b2")], stage.now.ms)
    assert stage.core.known()["n1"].type == "redfish"
    assert stage.tick() == [Poll(("n1",))], "asked soon, by its new settings"
    stage.core.handle(Answered(Answer(node="n2")), stage.now)
    assert stage.raised() == {(UNLEARNED, "bmc=n2"): None}
    stage.core.redefine([Board(node="n1", host="elsewhere")], stage.now.ms)
    assert stage.core.known() == {"n1": Known()}, "there it is another, to be learned"
    assert stage.core.acts() == {"n1": (DAY_MS,)}
    stage.core.redefine([], stage.now.ms)
    assert stage.core.round().samples == ()
    assert stage.core.handle(Answered(Answer(node="n1")), stage.now) == []


def hot_pair(stage, after_ms):
    """Both boards of a site answer that they are too hot; what is done about it."""
    stage.after(after_ms)
    stage.tick()
    done = []
    for node in ("n1", "n2"):
        answer = Answer(node=node, power=Power.ON, sensors=[hot(99)], known=Known(type="redfish"))
        found = stage.core.handle(Answered(answer), stage.now)
        done += [(stage.now.ms, each.node, each.verb) for each in found if isinstance(each, Act)]
    return done


def test_two_hot_machines_of_a_site_share_the_acts_of_its_hour_one_at_a_time():
    groups = {Group.TEMPERATURE: GroupSettings(critical="power-cycle")}
    stage = Stage(*(Board(node=node, host=node, groups=groups) for node in ("n1", "n2")))
    done = [each for _ in range(40) for each in hot_pair(stage, 400_000)]
    at = [ms for ms, _, _ in done]
    assert min(b - a for a, b in pairwise(at)) >= COOL_MS
    assert all(sum(0 <= ms - begin < 3_600_000 for ms in at) <= ACTS_MAX for begin in at)


def test_a_clock_that_was_set_back_forgets_no_act():
    stage = Stage(
        temperature(critical="power-cycle"), acts={"n1": [DAY_MS + n * 10**9 for n in (1, 2, 3)]}
    )
    assert [each for _ in range(6) for each in acts(stage.polled(hot(99)))] == []


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


def test_the_power_is_as_of_when_it_was_asked_for():
    stage = Stage()
    assert stage.core.power("n1") is None
    stage.polled(power=Power.OFF)
    assert stage.core.power("n1") == (False, stage.now.ms)
    stage.after(120_000)
    stage.tick()
    asked_ms = stage.now.ms
    stage.after(20_000)
    stage.core.handle(Answered(Answer(node="n1", power=Power.ON)), stage.now)
    assert stage.core.power("n1") == (True, asked_ms)


def test_nobody_knows_the_power_of_a_controller_that_fails_or_says_neither():
    stage = Stage()
    stage.polled(power=Power.UNKNOWN)
    assert stage.core.power("n1") is None
    stage.polled(power=Power.OFF, fault="timeout")
    assert stage.core.power("n1") is None
    assert stage.core.power("n9") is None


def test_a_controller_is_read_at_once_where_its_host_is_silent():
    stage = Stage()
    stage.polled(after_ms=0)
    stage.after(1_000)
    assert stage.tick() == []
    stage.core.hurry("n1", stage.now.ms)
    stage.core.hurry("n9", stage.now.ms)
    assert stage.tick() == [Poll(("n1",))]
