"""When a sample counts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost_agent.alarms.rules import RAISED, Finding, Reading, Round, Rule, Rules
from roost_protocol.severity import Severity

CPU, PORT, FAN = "100.101", "100.106", "200.007"
MAJOR, CRITICAL, CLEARED = Severity.MAJOR, Severity.CRITICAL, Severity.CLEARED
RULES = {
    CPU: Rule({MAJOR: 90, CRITICAL: 95}, raise_after_ms=100, clear_after_ms=50, hysteresis=5),
    PORT: Rule(raise_after_ms=10, clear_after_ms=10),
}


class Node:
    """Rules and a clock."""

    def __init__(self, levels=None):
        self.rules = Rules(RULES, levels or {})
        self.now_ms = 0

    def see(self, *samples, after=0, types=(CPU, PORT, FAN)):
        self.now_ms += after
        verdicts = self.rules.handle(Round(frozenset(types), samples), self.now_ms)
        return [(each.type, each.entity, each.severity) for each in verdicts]


def cpu(value, **more):
    return Reading(CPU, "", value, **more)


def port(severity):
    return Finding(PORT, "port=eth0", severity)


def test_a_condition_counts_once_it_has_lasted():
    node = Node()
    assert node.see(cpu(91)) == []
    assert node.see(cpu(91), after=99) == []
    assert node.see(cpu(91), after=1) == [(CPU, "", MAJOR)]
    assert node.see(cpu(91), after=1) == []


def test_a_dip_begins_the_time_anew():
    node = Node()
    node.see(cpu(91))
    node.see(cpu(50), after=90)
    assert node.rules.size == 0
    assert node.see(cpu(91), after=5) == []
    assert node.see(cpu(91), after=99) == []
    assert node.see(cpu(91), after=1) == [(CPU, "", MAJOR)]


def test_each_severity_has_a_time_of_its_own():
    node = Node()
    node.see(cpu(91))
    node.see(cpu(96), after=60)
    assert node.see(cpu(96), after=40) == [(CPU, "", MAJOR)]
    assert node.see(cpu(96), after=60) == [(CPU, "", CRITICAL)]
    assert node.rules.level((CPU, "")) is CRITICAL


def test_between_limit_and_hysteresis_a_raised_alarm_stays():
    node = Node({(CPU, ""): MAJOR})
    assert node.see(cpu(85), after=1_000) == []
    assert node.see(cpu(84.9)) == []
    assert node.see(cpu(85), after=49) == []
    assert node.see(cpu(84), after=1) == []
    assert node.see(cpu(84), after=50) == [(CPU, "", CLEARED)]
    assert node.rules.size == 0


def test_a_fall_takes_the_off_delay_and_goes_as_far_as_it_has_fallen():
    node = Node({(CPU, ""): CRITICAL})
    node.see(cpu(86))
    assert node.see(cpu(86), after=50) == [(CPU, "", MAJOR)]
    node.see(cpu(96))
    assert node.see(cpu(96), after=100) == [(CPU, "", CRITICAL)]
    node.see(cpu(1))
    assert node.see(cpu(1), after=50) == [(CPU, "", CLEARED)]


def test_what_could_not_be_read_changes_nothing_and_stops_no_time():
    node = Node()
    node.see(cpu(91))
    assert node.see(cpu(None), after=50) == []
    assert node.see(cpu(91), after=50) == [(CPU, "", MAJOR)]
    assert node.see(cpu(None), after=10_000) == []
    assert node.see(port(None)) == []


def test_what_is_gone_from_its_round_clears_after_the_delay():
    node = Node({(PORT, "port=eth0"): MAJOR, (CPU, ""): MAJOR})
    assert node.see(types=[PORT]) == []
    assert node.see(types=[PORT], after=10) == [(PORT, "port=eth0", CLEARED)]
    assert node.rules.level((CPU, "")) is MAJOR  # its type was not looked at


def test_a_finding_says_its_severity_and_its_values():
    node = Node()
    finding = Finding(PORT, "port=eth0", MAJOR, {"up": 1})
    node.rules.handle(Round(frozenset({PORT}), (finding,)), 0)
    (verdict,) = node.rules.handle(Round(frozenset({PORT}), (finding,)), 10)
    assert dict(verdict.params) == {"up": 1}


def test_a_sensor_brings_its_own_limits_and_low_can_be_bad():
    node = Node()
    fan = Reading(FAN, "sensor=fan1", 400, {"unit": "rpm"}, {MAJOR: 500}, is_low_bad=True)
    (verdict,) = node.rules.handle(Round(frozenset({FAN}), (fan,)), 0)
    assert verdict.severity is MAJOR
    assert dict(verdict.params) == {"value": 400, "limit": 500, "unit": "rpm"}
    assert node.see(Reading(FAN, "sensor=fan1", 501, {}, {MAJOR: 500}, is_low_bad=True)) == [
        (FAN, "sensor=fan1", CLEARED)
    ]


def test_the_limit_itself_counts():
    node = Node()
    node.see(cpu(90))
    assert node.see(cpu(90), after=100) == [(CPU, "", MAJOR)]


@given(
    st.lists(
        st.tuples(st.none() | st.integers(80, 100), st.integers(0, 60)), min_size=1, max_size=60
    )
)
def test_a_level_changes_only_after_its_delay_and_only_to_what_was_seen(steps):
    """Against the whole history: what was raised was reached all the time, and what fell, not."""
    node, history, level = Node(), [], CLEARED
    for value, after in steps:
        found = node.see(*([] if value is None else [cpu(value)]), after=after, types=[CPU])
        history.append((node.now_ms, value or 0.0))  # gone from its round is as good as low
        new = found[0][2] if found else level
        for severity in RAISED:
            if severity <= new and severity > level and severity >= MAJOR:
                since = [v for at, v in history if at > node.now_ms - 100]
                assert all(v >= RULES[CPU].limits[severity] - 5 for v in since)
                assert history[-1][1] >= RULES[CPU].limits[severity]
            if severity > new and severity <= level and severity >= MAJOR:
                since = [v for at, v in history if at > node.now_ms - 50]
                assert all(v < RULES[CPU].limits[severity] for v in since)
        level = new
        assert node.rules.level((CPU, "")) is level


@pytest.mark.parametrize("value", [1e9, -1e9, 0.0])
def test_a_type_without_a_rule_has_no_limit_and_no_delay(value):
    assert Node().see(Reading("999.999", "", value), types=["999.999"]) == []


def test_other_limits_count_from_the_next_round_on_for_what_is_raised_too():
    node = Node({(CPU, ""): MAJOR})
    node.rules.change({CPU: Rule({MAJOR: 97})})
    assert node.see(cpu(96)) == [(CPU, "", CLEARED)]
    node.rules.change({CPU: Rule({MAJOR: 70})})
    assert node.see(cpu(75)) == [(CPU, "", MAJOR)]
