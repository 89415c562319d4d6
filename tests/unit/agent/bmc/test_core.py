from board_stage import DAY_MS, FAN, Stage, hot, temperature

from roost_agent.bmc.board import Board
from roost_agent.bmc.effect import Answered, Note, Poll, Record
from roost_agent.bmc.standing import GROUP, SENSOR, UNLEARNED, UNREACHABLE
from roost_agent.bmc.talk import Answer, Known, LogRecord, Power


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


def test_in_another_nodes_turn_nothing_is_asked_nor_stands():
    stage = Stage()
    stage.polled(hot(95))
    stage.after(600_000)
    assert stage.tick(is_ours=False) == []
    assert stage.core.round().samples == ()
    assert stage.core.reports() == []
    stage.tick(is_ours=None)
    assert stage.core.round() is None, "while nobody knows whose turn it is, nothing is decided"


def test_until_each_was_asked_what_stood_before_a_restart_stays():
    stage = Stage(Board(node="n1", host="a"), Board(node="n2", host="b"))
    stage.polled(hot(95))
    assert stage.core.round().types == {UNREACHABLE}
    stage.core.handle(Answered(Answer(node="n2")), stage.now)
    assert stage.core.round().types == {UNREACHABLE, UNLEARNED, GROUP, SENSOR}


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
