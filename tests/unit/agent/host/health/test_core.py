"""When health scripts run, and what is raised for them."""

from roost_agent.host.health.core import (
    EVERY_MS,
    FIRST_MS,
    Abandon,
    Asked,
    Begin,
    Checked,
    Clear,
    Ended,
    GivenUp,
    Health,
    Raise,
    Stage,
    Tick,
)
from roost_protocol.severity import Severity

BAD = Checked("10-disk", "status 1: no disk")
WELL = Checked("20-route", "")


def begun(stage):
    health = Health(0)
    assert health.handle(Asked(stage), 0) == [Begin(stage)]
    return health


def test_the_first_round_in_service_waits_for_the_node_to_be_up():
    health = Health(1_000)
    assert health.handle(Tick(), 1_000) == []
    assert health.due_ms() == 1_000 + FIRST_MS
    assert health.handle(Tick(), 1_000 + FIRST_MS) == [Begin(Stage.INSERVICE)]
    assert health.due_ms() is None
    assert health.handle(Tick(), 2_000 + FIRST_MS) == []


def test_a_failure_while_enabling_is_critical():
    health = begun(Stage.ENABLE)
    done = health.handle(Ended((BAD, WELL)), 500)
    assert done == [Raise("10-disk", Severity.CRITICAL, BAD.complaint), Clear("20-route")]
    assert health.failed() == (BAD,)
    assert (health.last_stage, health.ended_ms) == (Stage.ENABLE, 500)
    assert health.due_ms() == 500 + EVERY_MS


def test_a_failure_in_service_is_major():
    health = begun(Stage.INSERVICE)
    assert health.handle(Ended((BAD,)), 500) == [Raise("10-disk", Severity.MAJOR, BAD.complaint)]


def test_a_check_that_is_gone_has_no_alarm():
    health = begun(Stage.INSERVICE)
    health.handle(Ended((BAD, WELL)), 0)
    health.handle(Asked(Stage.INSERVICE), 0)
    assert health.handle(Ended((WELL,)), 0) == [Clear("10-disk"), Clear("20-route")]


def test_enabling_comes_before_a_round_in_service():
    health = begun(Stage.INSERVICE)
    assert health.handle(Asked(Stage.ENABLE), 1) == [Abandon()]
    assert health.handle(GivenUp(), 2) == [Begin(Stage.ENABLE)]
    assert health.stage is Stage.ENABLE


def test_a_round_in_service_that_ends_before_it_is_given_up_lets_enabling_follow():
    health = begun(Stage.INSERVICE)
    health.handle(Asked(Stage.ENABLE), 1)
    assert health.handle(Ended((WELL,)), 2) == [Clear("20-route"), Begin(Stage.ENABLE)]


def test_a_round_that_was_given_up_changes_nothing():
    health = begun(Stage.ENABLE)
    health.handle(Ended((BAD,)), 0)
    health.handle(Asked(Stage.INSERVICE), 1)
    assert health.handle(GivenUp(), 2) == []
    assert health.failed() == (BAD,)
    assert health.due_ms() == 2 + EVERY_MS


def test_a_round_of_the_same_worth_or_better_answers_who_asks():
    health = begun(Stage.ENABLE)
    assert health.handle(Asked(Stage.ENABLE), 1) == []
    assert health.handle(Asked(Stage.INSERVICE), 1) == []
