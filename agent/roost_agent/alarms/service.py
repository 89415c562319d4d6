"""The node's alarms at work: table and rules, and every change on its way to the outbox.

An alarm's row and its item go to disk in one transaction. One batch is on its way at a time; what
comes meanwhile goes into the next one. So what a beat tells (digest, count, number in the lane) is
of one instant: the last commit.

Leaves to others: what is sampled (watch), who asks (local_api), when things are sent (driver).
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cached_property
from typing import Final

import msgspec
from msgspec.structs import replace

from roost_agent.alarms import row as rows
from roost_agent.alarms.row import Row
from roost_agent.alarms.rules import Round, Rule, Rules, Verdict
from roost_agent.alarms.table import (
    GONE,
    QUOTA_TYPE,
    Clear,
    Event,
    Moment,
    Put,
    Raise,
    Refused,
    Table,
    Tick,
    Unknown,
    digest_of,
)
from roost_agent.errors import StorageError
from roost_agent.outbox.spool import Batch, Spool
from roost_agent.outbox.store import Entry, LaneCounts
from roost_agent.ports import Clock
from roost_protocol import entity as entities
from roost_protocol.alarm import Alarm, AlarmSet, Change, Scalar, alarm_sets
from roost_protocol.catalogue import AlarmType, Catalogue
from roost_protocol.codec import VERSION, pack
from roost_protocol.digest import EMPTY_SET
from roost_protocol.envelope import ItemKind, Lane
from roost_protocol.errors import ProtocolError
from roost_protocol.severity import Severity

log = logging.getLogger(__name__)

WAITING_MAX: Final = 256  # changes while the disk refuses; more become one whole set
RETRY_S: Final = 1.0  # after an outbox that took nothing
IDLE_S: Final = 3_600.0
QUOTA_TTL_MS: Final = 600_000  # a quota alarm goes when the quota was kept for so long


class AlarmMark(msgspec.Struct, frozen=True):
    """What a beat tells of the alarms: the set as it was when ``seq`` was given out."""

    digest: bytes = EMPTY_SET
    count: int = 0
    seq: int = 0


class _Committed:
    """The set of one commit; its digest is made when a beat asks, so that no raise waits for it."""

    def __init__(self, standing: tuple[Row, ...], seq: int) -> None:
        self.rows = standing
        self.seq = seq

    @cached_property
    def mark(self) -> AlarmMark:
        return AlarmMark(digest_of(self.rows), len(self.rows), self.seq)


class Alarms:
    """The alarms of one node.

    Args:
        spool: the outbox, which keeps the rows as well.
        clock: for times and delays.
        types: what may be raised, with this node's limits.
    """

    def __init__(self, spool: Spool, clock: Clock, types: Catalogue) -> None:
        self.types = types
        self.is_unsynced = False  # the node's clock
        self.unknown = 0  # clears of what was not raised
        self.refused = 0  # raises without room, or of what makes no sense
        self._spool = spool
        self._clock = clock
        self._rules: Rules | None = None
        self._table: Table | None = None
        self._committed: _Committed | None = None
        self._entries: list[Entry] = []
        self._unsaid: list[Alarm] = []  # in the log
        self._changed: dict[str, bytes | None] = {}
        self._then: list[Callable[[int], None]] = []
        self._wants_set = False
        self._is_writing = False
        self._retry_s: float | None = None
        self._due_changed = asyncio.Event()

    @property
    def is_open(self) -> bool:
        """Whether the table is there."""
        return self._table is not None

    @property
    def table(self) -> Table:
        """The set; only once it is open."""
        if self._table is None:
            raise StorageError("the outbox is not open")
        return self._table

    @property
    def mark(self) -> AlarmMark | None:
        """The set of the last commit; None until the outbox is open."""
        return None if self._committed is None else self._committed.mark

    async def open(self, watched: frozenset[str]) -> None:
        """Read the table from the open outbox.

        Args:
            watched: types that are sampled: their rows stand until their rule was evaluated.
        """
        found = []
        for raw in await self._spool.alarms():
            try:
                found.append(rows.load(raw))
            except ProtocolError as err:
                log.warning("alarms: a row that cannot be read is left out: %s", err)
        now_ms = self._clock.boot_ms()
        self._table = Table(found, now_ms)
        levels = {
            row.key: (row.held or row).severity
            for row in found
            if not row.owner and row.type in watched
        }
        self._rules = Rules(_rules(self.types), levels)
        self._committed = _Committed(tuple(found), self._lane_last())
        for row in found:
            if not row.owner and row.type not in watched and row.type != QUOTA_TYPE:
                self.clear(row.type, row.entity, GONE)
        log.info("alarms: %d stand", len(found))

    def judge_by(self, types: Catalogue) -> None:
        """Judge by other limits and delays of the same types, from the next round on."""
        self.types = types
        if self._rules is not None:
            self._rules.change(_rules(types))

    def observe(self, seen: Round) -> None:
        """Take in what was sampled."""
        if self._rules is None:
            return  # the disk is not there yet: the next round counts
        for verdict in self._rules.handle(seen, self._clock.boot_ms()):
            self._judge(verdict)

    def raise_(self, event: Raise, then: Callable[[int], None] | None = None) -> Refused | None:
        """Raise an alarm; the text is the raiser's own, or the catalogue's where it has one.

        Args:
            event: checked by ``refusal`` or by the rules.
            then: called with the lane's last number once it is on disk.
        """
        told = replace_text(event, self.types.get(event.type))
        refused = self._do(told, then)
        if refused is not None:
            self.refused += 1
            self.over_quota(refused.owner, f"more than {refused.bound} active alarms")
        return refused

    def clear(
        self, type_: str, entity: str, reason: str, then: Callable[[int], None] | None = None
    ) -> None:
        """Clear an alarm; one that is not raised is counted, no error."""
        self._do(Clear(type_, entity, reason), then)

    def raise_condition(
        self,
        type_: str,
        params: Mapping[str, Scalar],
        entity: str = "",
        severity: Severity | None = None,
    ) -> None:
        """Raise an alarm about the node or a part of it, with its type's own text.

        Args:
            type_: of the catalogue.
            params: of the text.
            entity: after ``node=``.
            severity: None: its type's own.
        """
        known = self.types.get(type_)
        if known is None or not self.is_open:
            return  # who raises a condition raises it again
        worth = Severity.of(known.default) if severity is None else severity
        event = Raise(type_, entity, worth, "", dict(params))
        if (why := refusal(event, self.types)) is not None:
            self.refused += 1
            log.warning("alarms: %s is not raised: %s", type_, why)
            return
        self.raise_(event)

    def clear_condition(self, type_: str, entity: str = "") -> None:
        """Clear it."""
        if self.is_open:
            self.clear(type_, entity, GONE)

    def is_raised(self, type_: str, entity: str) -> bool:
        """Whether it stands."""
        return self.is_open and (type_, entity) in self.table.rows

    def standing(self, prefix: str) -> dict[str, str]:
        """Return the texts of what stands of types that begin so, by key."""
        if not self.is_open:
            return {}
        rows = self.table.rows.items()
        return {entities.key(*key): row.text for key, row in rows if key[0].startswith(prefix)}

    def serious(self) -> dict[tuple[str, str], str]:
        """Return the texts of what stands and is major or worse, by type and entity."""
        if not self.is_open:
            return {}
        rows = self.table.rows.items()
        return {key: row.text for key, row in rows if row.severity >= Severity.MAJOR}

    def over_quota(self, owner: str, reason: str) -> None:
        """Say that an application wants more than it may, or that the node's table is full."""
        app = owner or "the node"
        entity = f"app={entities.escape(owner)}" if owner else ""
        type_ = self.types.get(QUOTA_TYPE)
        if type_ is not None:
            text = type_.text(Severity.WARNING, {"app": app, "reason": reason})
            params = {"reason": reason}
            self._do(
                Raise(QUOTA_TYPE, entity, Severity.WARNING, text, params, ttl_ms=QUOTA_TTL_MS), None
            )

    def resync(self) -> None:
        """Tell the whole set again."""
        self._wants_set = True
        self._flush()

    def told(self) -> AlarmMark | None:
        """Return what a beat tells: what else the lane has got since leaves the set as it is.

        Central compares when it has all up to that number, so it must be the lane's last.
        """
        mark = self.mark
        if mark is None or self._is_writing:
            return mark
        return replace(mark, seq=self._lane_last())

    def renumbered(self, last: int) -> None:
        """Note that the lane has begun a new stream, in which the last number is another."""
        if self._committed is not None:
            self._committed = _Committed(self._committed.rows, last)

    async def run(self) -> None:
        """Do what is due, until cancelled."""
        while True:
            due_ms = self.table.due_ms()
            now_ms = self._clock.boot_ms()
            wait_s = IDLE_S if due_ms is None else max(due_ms - now_ms, 0) / 1000
            with suppress(TimeoutError):
                async with asyncio.timeout(min(wait_s, self._retry_s or IDLE_S)):
                    await self._due_changed.wait()
            self._do(Tick(), None)
            self._due_changed.clear()  # last: what was done has set it, and is looked at above

    def _judge(self, verdict: Verdict) -> None:
        if verdict.severity is Severity.CLEARED:
            self.clear(verdict.type, verdict.entity, GONE)
            return
        event = Raise(
            verdict.type, verdict.entity, verdict.severity, "", verdict.params,
            is_ordered=verdict.is_ordered,
        )  # fmt: skip
        if (why := refusal(event, self.types)) is not None:
            self.refused += 1
            log.warning("alarms: %s %s is not raised: %s", verdict.type, verdict.entity, why)
            return
        self.raise_(event)

    def _do(self, event: Event, then: Callable[[int], None] | None) -> Refused | None:
        at = Moment(self._clock.boot_ms(), max(self._clock.wall_ms(), 0))
        refused = None
        for action in self.table.handle(event, at):
            match action:
                case Put():
                    self._put(action, at)
                case Refused():
                    refused = action
                case Unknown():
                    self.unknown += 1
        if then is not None and refused is None:
            self._then.append(then)
        self._flush()
        if self._unsaid:  # in the turn after the one that wakes the outbox: while the disk writes
            asyncio.get_running_loop().call_soon(_say, self._unsaid)
            self._unsaid = []
        self._due_changed.set()
        return refused

    def _put(self, put: Put, at: Moment) -> None:
        self._changed[entities.key(*put.key)] = None if put.row is None else rows.dump(put.row)
        if put.alarm is None:
            return
        alarm = replace(put.alarm, unsynced=self.is_unsynced)
        self._entries.append(_entry(ItemKind.ALARM, at.wall_ms, alarm, alarm.severity))
        self._unsaid.append(alarm)
        if len(self._entries) > WAITING_MAX:
            self._entries.clear()  # the state stays: one set tells it
            self._wants_set = True

    def _flush(self) -> None:
        """Put what changed on its way to disk, unless something is."""
        if self._is_writing or self._table is None:
            return
        if not (self._entries or self._changed or self._wants_set):
            self._answer()
            return
        entries = list(self._entries)
        if self._wants_set:
            entries += self._set_entries()
        standing = tuple(self._table.rows.values())
        then, self._then = self._then, []

        def on_disk(lanes: Mapping[Lane, LaneCounts]) -> None:
            self._committed = _Committed(standing, lanes[Lane.ALARM].last)
            self._is_writing = False
            for each in then:
                each(self._committed.seq)
            self._flush()

        try:
            self._spool.append(Batch(tuple(entries), {}, on_disk, self._changed))
        except StorageError:
            self._then = then + self._then
            self._retry_s = RETRY_S
            return
        self._is_writing, self._retry_s = True, None
        self._entries, self._changed, self._wants_set = [], {}, False

    def _answer(self) -> None:
        """Answer those whose wish was fulfilled already, and is on disk."""
        then, self._then = self._then, []
        for each in then:
            each(0 if self._committed is None else self._committed.seq)

    def _set_entries(self) -> list[Entry]:
        states = [row.state for row in self.table.rows.values()]
        at_ms = max(self._clock.wall_ms(), 0)
        parts = alarm_sets(states, unsynced=self.is_unsynced)
        return [_entry(ItemKind.ALARM_SET, at_ms, part, _worst(part)) for part in parts]

    def _lane_last(self) -> int:
        return self._spool.lanes[Lane.ALARM].last


def _say(alarms: list[Alarm]) -> None:
    for alarm in alarms:
        log.info("alarm %s: %s %s %s", alarm.change, alarm.type, alarm.entity, alarm.text)


def refusal(event: Raise, types: Catalogue) -> ProtocolError | None:
    """Return why an alarm cannot be raised, naming field and bound; None when it can."""
    try:
        kinds = [kind for kind, _ in entities.parse(event.entity)]
    except ProtocolError as err:
        return err
    type_ = types.get(event.type)
    if type_ is None or type_.event:
        return ProtocolError("type", field="type", got=event.type, bound="a type of the catalogue")
    if not type_.fits(kinds):
        return ProtocolError(
            "entity", field="entity", got=event.entity, bound=f"{type_.shape} for {event.type}"
        )
    if not type_.takes(event.severity):
        bound = ", ".join(type_.severities)
        return ProtocolError("severity", field="severity", got=event.severity.word, bound=bound)
    try:
        _as_told(replace_text(event, type_)).check()
    except ProtocolError as err:
        return err
    return None


def replace_text(event: Raise, type_: AlarmType | None) -> Raise:
    """Return the event with its sentence."""
    if type_ is None:
        return event
    values: dict[str, object] = dict(entities.parse(event.entity)) | dict(event.params)
    text = type_.text(event.severity, values, said=event.text)
    return replace(event, text=text)


def _as_told(event: Raise) -> Alarm:
    params: dict[str, Scalar] = dict(event.params)
    return Alarm(
        v=VERSION,
        type=event.type,
        change=Change.RAISE,
        severity=event.severity,
        entity=event.entity,
        text=event.text,
        params=params,
    )


def _worst(part: AlarmSet) -> Severity:
    return max((alarm.severity for alarm in part.alarms), default=Severity.CLEARED)


def _entry(kind: ItemKind, at_ms: int, document: object, severity: Severity) -> Entry:
    body, compressed = pack(document)
    keep = severity is Severity.CRITICAL
    return Entry(Lane.ALARM, kind, at_ms, body, compressed, keep)


def _rules(types: Catalogue) -> dict[str, Rule]:
    return {
        id_: Rule(
            {Severity.of(word): limit for word, limit in type_.limits.items()},
            round(type_.delays.raise_after_s * 1000),
            round(type_.delays.clear_after_s * 1000),
            type_.delays.hysteresis,
        )
        for id_, type_ in types.items()
        if type_.source == "agent"
    }
