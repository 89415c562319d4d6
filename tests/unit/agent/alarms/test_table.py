"""The active set: raised once, told once, never stuck."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from roost_agent.alarms import row as rows
from roost_agent.alarms.table import (
    APP_ROWS_MAX,
    OWNER_ROWS_MAX,
    QUOTA_ROWS,
    QUOTA_TYPE,
    TRACKS_MAX,
    Clear,
    Moment,
    Put,
    Raise,
    Refused,
    Table,
    Tick,
    Unknown,
)
from roost_agent.alarms.track import CALM_MS, TELL_EVERY_MS, TOLD_MAX
from roost_protocol.alarm import Change
from roost_protocol.digest import EMPTY_SET, alarm_digest
from roost_protocol.limits import ALARMS_ACTIVE_MAX
from roost_protocol.severity import Severity

TYPE, ENTITY = "750.801", "app=pump"
KEY = (TYPE, ENTITY)
WALL_MS = 1_700_000_000_000
MAJOR, CRITICAL, CLEARED = Severity.MAJOR, Severity.CRITICAL, Severity.CLEARED


class Node:
    """A table, a clock, the disk under it, and a centre that hears every item."""

    def __init__(self):
        self.now_ms = 0
        self.table = Table([], 0)
        self.disk, self.centre, self.told = {}, {}, []

    def do(self, event, after=0):
        self.now_ms += after
        at = Moment(self.now_ms, WALL_MS + self.now_ms)
        others = []
        for action in self.table.handle(event, at):
            if not isinstance(action, Put):
                others.append(action)
                continue
            self.disk[action.key] = None if action.row is None else rows.dump(action.row)
            if action.alarm is not None:
                action.alarm.check()
                self.hear(action.alarm)
        return others

    def hear(self, alarm):
        self.told.append(alarm)
        key = (alarm.type, alarm.entity)
        if alarm.change is Change.CLEAR:
            del self.centre[key]
        else:
            assert (alarm.change is Change.RAISE) is (key not in self.centre)
            self.centre[key] = alarm.severity

    def raises(self, severity=MAJOR, after=0, **more):
        event = {"type": TYPE, "entity": ENTITY, "severity": severity, "text": "high"} | more
        return self.do(Raise(**event), after)

    def clears(self, after=0, reason="gone"):
        return self.do(Clear(TYPE, ENTITY, reason), after)

    def tick(self, after=0):
        return self.do(Tick(), after)

    def changes(self):
        told, self.told = [str(each.change) for each in self.told], []
        return told

    def restart(self):
        kept = [rows.load(raw) for raw in self.disk.values() if raw is not None]
        self.table = Table(kept, self.now_ms)

    def flap(self, times=2):
        for _ in range(times):
            self.raises(after=1_000)
            self.clears(after=1_000)


@pytest.fixture
def node():
    return Node()


def test_an_alarm_is_raised_once_changed_by_what_differs_and_cleared_once(node):
    node.raises()
    node.raises(after=5)
    assert node.changes() == ["raise"]
    node.raises(CRITICAL, after=5)
    node.raises(CRITICAL, text="higher", params={"value": 9}, after=5)
    assert node.changes() == ["change", "change"]
    row = node.table.rows[KEY]
    assert (row.severity, row.text, row.params) == (CRITICAL, "higher", {"value": 9})
    assert (row.raised_ms, row.changed_ms) == (WALL_MS, WALL_MS + 15)
    node.clears(reason="operator")
    alarm = node.told[0]
    assert (alarm.reason, alarm.raised_ms, alarm.severity) == ("operator", WALL_MS, CLEARED)
    assert node.table.rows == {}
    assert node.table.digest() == EMPTY_SET
    assert node.disk == {KEY: None}


def test_a_clear_of_what_is_not_raised_is_no_error(node):
    assert node.clears() == [Unknown(KEY)]
    node.raises()
    node.clears()
    assert node.clears() == [Unknown(KEY)]


def test_a_raise_that_must_be_repeated_clears_by_itself(node):
    node.raises(ttl_ms=1_000, owner="pump")
    node.raises(ttl_ms=1_000, owner="pump", after=900)
    node.tick(after=999)
    assert node.table.due_ms() == node.now_ms + 1
    assert node.changes() == ["raise"]
    node.tick(after=1)
    assert node.told[0].reason == "ttl-expired"
    assert node.table.due_ms() is None
    node.raises(ttl_ms=10, entity="app=other")
    node.tick(after=10)
    assert node.told[-1].reason == "gone"  # the agent's own


def test_a_sticky_alarm_never_ends_by_time(node):
    node.raises()
    node.tick(after=10**10)
    assert node.changes() == ["raise"]


def test_a_flapping_alarm_stays_raised_until_it_is_calm(node):
    node.flap(times=2)
    assert node.changes() == ["raise", "clear", "raise"]
    assert node.table.rows[KEY].severity is MAJOR
    node.tick(after=TELL_EVERY_MS)
    assert node.changes() == ["change"]  # that it flaps
    assert node.table.rows[KEY].flapping
    node.tick(after=CALM_MS - TELL_EVERY_MS - 1)
    assert node.changes() == []
    node.tick(after=1)
    assert node.changes() == ["clear"]
    assert node.table.due_ms() is None


def test_what_comes_and_goes_by_an_order_is_no_flap(node):
    for _ in range(3):
        node.raises(after=1_000, is_ordered=True)
        node.clears(after=1_000)
    assert node.changes() == ["raise", "clear"] * 3
    node.flap(times=2)
    assert node.changes() == ["raise", "clear", "raise"], "by itself it flaps as any other"


def test_a_flapping_alarm_is_told_once_a_minute_with_its_count(node):
    node.flap(times=2)
    node.changes()
    node.flap(times=20)
    node.tick(after=TELL_EVERY_MS)
    told = node.told
    assert 1 <= len(told) <= 2
    assert told[-1].count > 10


def test_what_is_worse_is_told_at_once_even_while_it_flaps(node):
    node.flap(times=2)
    node.raises(after=1)
    node.changes()
    node.raises(CRITICAL, after=1)
    assert node.changes() == ["change"]
    node.raises(MAJOR, after=1)
    assert node.changes() == []
    node.tick(after=TELL_EVERY_MS)
    assert node.changes() == ["change"]


def test_a_flapping_alarm_that_stays_raised_is_a_plain_one_again(node):
    node.flap(times=2)
    node.raises(after=1)
    while (due_ms := node.table.due_ms()) is not None:
        node.tick(after=due_ms - node.now_ms)
    assert not node.table.rows[KEY].flapping
    node.changes()
    node.clears(after=600_000)
    assert node.changes() == ["clear"]


def test_an_alarm_that_is_told_too_often_is_held_too(node):
    node.raises()
    for number in range(3 * TOLD_MAX):
        node.raises(text=str(number), after=10)
    assert len(node.told) == TOLD_MAX
    assert node.disk[KEY] == rows.dump(node.table.rows[KEY])
    node.tick(after=TELL_EVERY_MS)
    assert node.told[-1].text == str(3 * TOLD_MAX - 1)
    assert node.told[-1].flapping


def test_a_clear_that_was_held_survives_a_restart(node):
    node.flap(times=2)
    assert KEY in node.table.rows
    node.restart()
    node.told.clear()
    assert not node.table.is_raised(KEY)
    while (due_ms := node.table.due_ms()) is not None:
        node.tick(after=due_ms - node.now_ms)
    assert node.changes()[-1] == "clear"
    assert node.centre == {}


def test_a_restart_tells_nothing_again(node):
    node.raises(ttl_ms=500, owner="pump")
    node.raises(type="100.101", entity="", after=1)
    node.changes()
    node.restart()
    node.raises(ttl_ms=500, owner="pump")
    assert node.changes() == []
    node.tick(after=500)
    assert node.changes() == ["clear"]
    assert node.table.is_raised(("100.101", ""))
    assert not node.table.is_raised(("100.102", ""))


def test_one_application_has_its_share(node):
    for number in range(OWNER_ROWS_MAX):
        assert node.raises(entity=f"app=a{number}", owner="a") == []
    assert node.raises(entity="app=more", owner="a") == [Refused("a", OWNER_ROWS_MAX)]
    assert node.raises(entity="app=a1", owner="a", severity=CRITICAL) == []
    assert node.raises(entity="app=b", owner="b") == []
    assert node.raises(entity="app=b", owner="a") == [Refused("a", OWNER_ROWS_MAX)]
    assert node.raises(entity="app=a1", owner="b") == []


def test_applications_leave_room_for_the_nodes_own_and_for_the_quota_alarm(node):
    for number in range(APP_ROWS_MAX):
        assert node.raises(entity=f"app=a{number}", owner=f"u{number // OWNER_ROWS_MAX}") == []
    assert node.raises(entity="app=more", owner="last") == [Refused("", APP_ROWS_MAX)]
    bound = ALARMS_ACTIVE_MAX - QUOTA_ROWS
    for number in range(bound - APP_ROWS_MAX):
        assert node.raises(type="400.001", entity=f"service=s{number}") == []
    assert node.raises(type="400.001", entity="service=last") == [Refused("", bound)]
    for number in range(QUOTA_ROWS):
        assert node.raises(type=QUOTA_TYPE, entity=f"app=q{number}") == []
    full = [Refused("", ALARMS_ACTIVE_MAX)]
    assert node.raises(type=QUOTA_TYPE, entity="app=last") == full
    assert len(node.table.rows) == ALARMS_ACTIVE_MAX


@pytest.mark.untraced
def test_keys_that_come_and_go_are_forgotten(node):
    for number in range(2 * TRACKS_MAX):
        node.raises(entity=f"app=a{number}")
        node.do(Clear(TYPE, f"app=a{number}"))
    assert len(node.table._tracks) <= TRACKS_MAX
    node.raises(entity="app=late", after=10**8)
    assert len(node.table._tracks) == 1


KEYS = st.sampled_from([("750.801", "app=a"), ("750.801", "app=b"), ("100.101", "")])
SEVERITIES = st.sampled_from([Severity.WARNING, MAJOR, CRITICAL])


class Life(RuleBasedStateMachine):
    """Raises, clears, time and restarts in any order, beside what was last said of each key."""

    def __init__(self):
        super().__init__()
        self.node = Node()
        self.wanted = {}

    @rule(key=KEYS, severity=SEVERITIES, text=st.sampled_from("xy"), after=st.integers(0, 30_000))
    def raises(self, key, severity, text, after):
        event = Raise(*key, severity, text, owner="unit" if key[1] else "")
        assert self.node.do(event, after) == []
        self.wanted[key] = severity

    @rule(key=KEYS, after=st.integers(0, 30_000))
    def clears(self, key, after):
        others = self.node.do(Clear(*key), after)
        assert others == ([] if self.wanted.pop(key, None) else [Unknown(key)])

    @rule(after=st.integers(0, 400_000))
    def time(self, after):
        self.node.tick(after)

    @rule()
    def restart(self):
        self.node.restart()

    @invariant()
    def the_digest_is_what_the_centre_was_told(self):
        centre = ((*key, int(severity)) for key, severity in self.node.centre.items())
        assert self.node.table.digest() == alarm_digest(centre)

    @invariant()
    def the_disk_is_the_table(self):
        kept = {key: rows.load(raw) for key, raw in self.node.disk.items() if raw is not None}
        assert kept == self.node.table.rows

    @invariant()
    def nothing_that_is_wanted_is_missing_or_forgotten(self):
        assert self.wanted.keys() <= self.node.table.rows.keys()
        for key in self.node.table.rows:
            assert self.node.table.is_raised(key) is (key in self.wanted)

    def teardown(self):
        for _ in range(200):  # whatever was held comes right by time alone
            due_ms = self.node.table.due_ms()
            if due_ms is None:
                break
            self.node.tick(max(due_ms - self.node.now_ms, 0))
        assert self.node.table.due_ms() is None
        assert self.node.centre == self.wanted


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
