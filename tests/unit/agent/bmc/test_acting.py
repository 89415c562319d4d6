"""What a reading asks for."""

from itertools import pairwise

import pytest
from board_stage import DAY_MS, Stage, hot, temperature

from roost_agent.bmc.acting import ACTS_MAX, COOL_MS, HOUR_MS, SITE_MAX
from roost_agent.bmc.board import Board, GroupSettings
from roost_agent.bmc.effect import Act
from roost_agent.bmc.sensor import Group
from roost_agent.bmc.talk import Answer, Known, Power, Verb


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


def hot_pair(stage, after_ms):
    """Both boards of a site answer that they are too hot; what is done about it."""
    stage.after(after_ms)
    stage.tick()
    done = []
    for node in ("n1", "n2"):
        answer = Answer(node=node, power=Power.ON, sensors=[hot(99)], known=Known(type="redfish"))
        found = stage.answered(answer)
        done += [(stage.now.ms, each.node, each.verb) for each in found if isinstance(each, Act)]
    return done


def test_two_hot_machines_of_a_site_share_the_acts_of_its_hour_one_at_a_time():
    groups = {Group.TEMPERATURE: GroupSettings(critical="power-cycle")}
    stage = Stage(*(Board(node=node, host=node, groups=groups) for node in ("n1", "n2")))
    done = [each for _ in range(40) for each in hot_pair(stage, 400_000)]
    at = [ms for ms, _, _ in done]
    assert min(b - a for a, b in pairwise(at)) >= COOL_MS
    assert all(sum(0 <= ms - begin < 3_600_000 for ms in at) <= ACTS_MAX for begin in at)


def test_where_the_hour_of_the_site_is_full_sensors_ask_for_nothing():
    stage = Stage(temperature(critical="power-cycle"))
    stage.spent = [DAY_MS] * SITE_MAX  # by whoever
    assert acts([*stage.polled(hot(99)), *stage.polled(hot(99))]) == []
    stage.after(HOUR_MS)
    assert len(acts([*stage.polled(hot(99)), *stage.polled(hot(99))])) == 1


def test_a_machine_is_ill_by_a_sensor_that_is_critical_twice_and_counts():
    stage = Stage()
    stage.polled(hot(95))
    assert stage.core.ill("n1") == "", "one reading is none"
    stage.polled(hot(95))
    assert stage.core.ill("n1") == "CPU reads 95 C, limit 90"
    stage.polled(fault="timeout")
    assert stage.core.ill("n1"), "what is not read is not decided"
    stage.polled(hot(85))
    assert (stage.core.ill("n1"), stage.core.ill("n9")) == ("", "")


@pytest.mark.parametrize("settings", [{"critical": "log"}, {"critical": "ignore"}, {"suppress": 1}])
def test_a_sensor_that_raises_no_alarm_makes_no_machine_ill(settings):
    stage = Stage(temperature(**settings))
    stage.polled(hot(95))
    stage.polled(hot(95))
    assert stage.core.ill("n1") == ""
