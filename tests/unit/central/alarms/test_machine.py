"""Alarms under chance: what nodes hold and the centre shows, against a reducer of thirty lines.

A node turns its alarms and writes what it says into a stream; some of it is lost for good, the rest
comes late, again, or out of order; the marks let each item take effect once and in order; a beat's
digest asks for the whole set where it differs. Operators act in between. The oracle knows nothing
of drafts, indexes or masks.
"""

import random
import sys
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

sys.path.insert(0, str(Path(__file__).parents[3] / "support"))

from alarms import CATALOGUE, Driven, S, heard, silent

from roost_central.alarms.catalogue_file import parse
from roost_central.alarms.core import AlarmCore
from roost_central.alarms.facts import (
    Acted,
    Limits,
    NodeBack,
    NodeDark,
    Said,
    SetSaid,
    Shelf,
    ShelfPut,
    Tick,
)
from roost_protocol.alarm import Alarm, AlarmState, Change, alarm_sets
from roost_protocol.digest import alarm_digest

TYPES = parse("test.yaml", CATALOGUE.encode())
NODES = ("lab.n1", "lab.n10")
FATES = ("now", "now", "later", "lost")
KEYS = [("100.001", "fs=/"), ("100.001", "fs=/var"), ("100.002", ""), ("100.003", "port=e0")]
NO_FLAPS = Limits(flap_count=10**9)
HOUR_MS = 3_600_000


class Oracle:
    """What must be shown: a fold over what took effect, and what operators did since."""

    def __init__(self):
        self.alarms = {}  # (node, type, entity) -> [severity, is acked, is shelved until]
        self.dark = set()

    def said(self, node, alarm):
        key = (node, alarm.type, alarm.entity)
        if alarm.change is Change.CLEAR:
            self.alarms.pop(key, None)
        elif key not in self.alarms:
            self.alarms[key] = [alarm.severity, False, 0]
        else:
            row = self.alarms[key]
            row[1] = row[1] and alarm.severity <= row[0]
            row[0] = alarm.severity

    def set(self, node, held):
        for key in [key for key in self.alarms if key[0] == node and key[1:] not in held]:
            del self.alarms[key]
        for (type_, entity), severity in held.items():
            change = Alarm(v=1, type=type_, change=Change.CHANGE, severity=severity, entity=entity)
            self.said(node, change)


class AlarmMachine(RuleBasedStateMachine):
    """Nodes, a network, the centre's core, operators."""

    @initialize(seed=st.integers(0, 2**32))
    def begin(self, seed):
        self.dice = random.Random(seed)  # noqa: S311 - repeatable, not secret
        self.driven = Driven(AlarmCore(TYPES, limits=NO_FLAPS))
        self.oracle = Oracle()
        self.held = {node: {} for node in NODES}
        self.stream = {node: [] for node in NODES}
        self.mark = dict.fromkeys(NODES, 0)
        self.silent = False

    @rule(
        node=st.sampled_from(NODES),
        key=st.sampled_from(KEYS),
        severity=st.sampled_from([2, 3, 4]),
        fate=st.sampled_from(FATES),
    )
    def raise_or_change(self, node, key, severity, fate):
        change = Change.CHANGE if key in self.held[node] else Change.RAISE
        self.held[node][key] = S(severity)
        self._write(node, key, change, S(severity), fate)

    @rule(node=st.sampled_from(NODES), number=st.integers(0, 9), fate=st.sampled_from(FATES))
    def clear(self, node, number, fate):
        held = sorted(self.held[node])
        if held:
            key = held[number % len(held)]
            del self.held[node][key]
            self._write(node, key, Change.CLEAR, S.CLEARED, fate)

    @rule(node=st.sampled_from(NODES), back=st.integers(0, 5), share=st.floats(0, 1))
    def deliver(self, node, back, share):
        """Deliver a report from before, at or past the mark: the mark rule decides."""
        stream, mark = self.stream[node], self.mark[node]
        prev = max(0, mark - back) if self.dice.random() < 0.8 else mark + back
        end = prev + round(share * (len(stream) - prev)) if prev < len(stream) else prev
        if prev == mark:
            for event in stream[prev:end]:
                self._apply(node, event)
            self.mark[node] = max(mark, end)

    @rule(node=st.sampled_from(NODES))
    def beat(self, node):
        """Compare as ingest does; where it differs the node says its set into its stream."""
        self._deliver_all(node)
        digest = alarm_digest((*key, int(sev)) for key, sev in self.held[node].items())
        if digest != self.driven.core.index.digest(node):
            states = [AlarmState(*key, sev, 1, 2) for key, sev in self.held[node].items()]
            self.stream[node] += alarm_sets(states)

    @rule(node=st.sampled_from(NODES))
    def fall_dark_or_come_back(self, node):
        if node in self.oracle.dark:
            self.oracle.dark.remove(node)
            self.driven.do(NodeBack(node))
        else:
            self.oracle.dark.add(node)
            self.driven.do(NodeDark(node))

    @rule()
    def site_falls_silent_or_speaks(self):
        self.silent = not self.silent
        self.driven.do(silent() if self.silent else heard())

    @rule(number=st.integers(0, 99), verb=st.sampled_from(["ack", "unack", "clear", "note"]))
    def act(self, number, verb):
        if not self.oracle.alarms:
            return
        key = sorted(self.oracle.alarms)[number % len(self.oracle.alarms)]
        self.driven.do(Acted(verb, self._row(key).key_id, "jd"))
        if verb == "clear":
            del self.oracle.alarms[key]
        elif verb != "note":
            self.oracle.alarms[key][1] = verb == "ack"

    @rule(number=st.integers(0, 99), hours=st.integers(1, 3))
    def shelve(self, number, hours):
        if not self.oracle.alarms:
            return
        key = sorted(self.oracle.alarms)[number % len(self.oracle.alarms)]
        if self.oracle.alarms[key][2]:
            return
        until_ms = self.driven.now_ms + hours * HOUR_MS
        name = f"s{self.driven.core.seq}"
        keys = frozenset({self._row(key).key_id})
        self.driven.do(ShelfPut(Shelf(name, "jd", "x", 0, until_ms, key_ids=keys)))
        self.oracle.alarms[key][2] = until_ms

    @rule(minutes=st.integers(1, 200))
    def wait(self, minutes):
        self.driven.do(Tick(), wait_ms=minutes * 60_000)
        for row in self.oracle.alarms.values():
            row[2] = row[2] if row[2] > self.driven.now_ms else 0

    @invariant()
    def the_centre_shows_what_the_oracle_says(self):
        rows = {
            (row.node, row.type, row.said): row
            for row in self.driven.core.index.rows.values()
            if row.reporter
        }
        assert rows.keys() == self.oracle.alarms.keys()
        for key, (severity, is_acked, until_ms) in self.oracle.alarms.items():
            row = rows[key]
            assert row.severity == severity
            assert (row.ack is not None) == is_acked
            assert (row.shelf is not None) == bool(until_ms)
            assert bool(row.masked_by) == self._is_masked(key)

    @invariant()
    def digests_are_equal_just_when_the_sets_are(self):
        for node in NODES:
            if self.mark[node] != len(self.stream[node]):
                continue
            digest = alarm_digest((*key, int(sev)) for key, sev in self.held[node].items())
            held = {key[1:]: row[0] for key, row in self.oracle.alarms.items() if key[0] == node}
            assert (digest == self.driven.core.index.digest(node)) == (held == self.held[node])

    def teardown(self):
        """Heal: whatever was lost, two beats make each set equal."""
        if not hasattr(self, "oracle"):
            return
        for node in NODES:
            for _ in range(2):
                self.beat(node)
            self._deliver_all(node)
            digest = alarm_digest((*key, int(sev)) for key, sev in self.held[node].items())
            assert digest == self.driven.core.index.digest(node)
        self.the_centre_shows_what_the_oracle_says()

    def _deliver_all(self, node):
        for event in self.stream[node][self.mark[node] :]:
            self._apply(node, event)
        self.mark[node] = len(self.stream[node])

    def _write(self, node, key, change, severity, fate):
        """Say a change: at once, with what comes later, or never (storage was full)."""
        alarm = Alarm(v=1, type=key[0], change=change, severity=severity, entity=key[1])
        if fate != "lost":
            self.stream[node].append(alarm)
        if fate == "now":
            self._deliver_all(node)

    def _apply(self, node, event):
        if isinstance(event, Alarm):
            self.driven.do(Said(node, event, self.driven.now_ms))
            fresh = (node, event.type, event.entity) not in self.oracle.alarms
            self.oracle.said(node, event)
        else:
            self.driven.do(SetSaid(node, event, self.driven.now_ms))
            held = {(state.type, state.entity): state.severity for state in event.alarms}
            fresh = True
            self.oracle.set(node, held)
        if fresh:
            self._follow_shelves()

    def _follow_shelves(self):
        """A shelf by key outlives an episode: the next one of the key is on it again."""
        for key, row in self.oracle.alarms.items():
            shelf = self._row(key).shelf
            live = [
                each.until_ms
                for each in self.driven.core.shelves.values()
                if self._row(key).key_id in each.key_ids and each.until_ms > self.driven.now_ms
            ]
            assert (shelf is not None) == bool(live)
            row[2] = max(live, default=0)

    def _row(self, key):
        node, type_, entity = key
        site, _, name = node.partition(".")
        full = f"site={site},node={name}" + (f",{entity}" if entity else "")
        return self.driven.row(type_, full)

    def _is_masked(self, key):
        node, type_, _ = key
        return type_ == "100.003" and (self.silent or (node, "100.002", "") in self.oracle.alarms)


def test_under_any_chance_the_centre_shows_what_the_oracle_says():
    few = settings(max_examples=100, stateful_step_count=50, deadline=None)
    run_state_machine_as_test(AlarmMachine, settings=few)
