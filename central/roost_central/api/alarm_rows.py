"""From alarm rows to answers: pure, one function for each kind of row."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, Final

from roost_central.alarms.catalogue import NEVER, Record
from roost_central.alarms.criteria import labels_of
from roost_central.alarms.row import CENTRE, AlarmRow, isa_state
from roost_central.alarms.transition import Transition
from roost_central.api.alarm_answers import (
    AckAnswer,
    Alarm,
    Group,
    ShelfMark,
    Step,
    TransitionAnswer,
    TypeAnswer,
)
from roost_central.api.alarm_sight import AlarmSight
from roost_central.api.answers import AlarmCounts
from roost_central.api.incident_answers import incident_answer
from roost_central.api.instants import age_s, instant
from roost_central.api.rows import count_sites
from roost_central.hosts.shown import in_maintenance
from roost_protocol.severity import Severity

STALE_MS: Final = 24 * 3_600_000  # an acknowledgement older than that is shown as forgotten
GROUPS_MAX: Final = 1_000


class AlarmAnswers:
    """Makes answers of rows, for one moment."""

    def __init__(self, sight: AlarmSight) -> None:
        book = sight.book
        self._sight = sight
        self._book = book
        self._view = sight.view
        self._parents = {link for record in book.catalogue.values() for link in record.inhibited_by}

    def alarm(self, row: AlarmRow, now_ms: int) -> Alarm:
        """Return an alarm as it is shown."""
        return Alarm(**self.fields(row, now_ms))

    def fields(self, row: AlarmRow, now_ms: int) -> dict[str, Any]:
        """Return the fields of an alarm as they are shown."""
        record = self._book.catalogue.record(row.type)
        as_of_ms = self._as_of_ms(row, now_ms)
        return {
            "id": row.id,
            "key_id": row.key_id,
            "type": row.type,
            "name": record.name,
            "entity": row.entity,
            "site": row.site,
            "node": row.node,
            "seq": row.seq,
            "severity": row.severity.word,
            "state": row.state,
            "op_state": row.op_state,
            "isa": isa_state(
                row,
                latch=record.latch,
                in_maintenance=self._in_maintenance(row, now_ms),
            ),
            "flapping": row.flapping,
            "count": row.count,
            "late": row.late,
            "text": row.text,
            "repair": record.repair,
            "params": row.params,
            "event_type": record.event_type,
            "cause": record.cause,
            "service_affecting": row.severity in record.service_affecting,
            "mgmt_affecting": row.severity >= record.mgmt_affecting,
            "degrade_affecting": row.severity >= record.degrade_affecting,
            "suppressible": record.suppressible,
            "latch": record.latch,
            "raised": instant(row.raised_ms),
            "changed": instant(row.changed_ms),
            "cleared": instant(row.cleared_ms),
            "received": instant(row.received_ms),
            "age_s": age_s(row.raised_ms, now_ms),
            "clock": "unsynced" if row.unsynced else "ok",
            "reason": row.reason if row.cleared_ms is not None else "",
            "as_of": instant(as_of_ms),
            "as_of_age_s": age_s(as_of_ms, now_ms),
            "ack": _ack(row, now_ms),
            "shelf": _shelf(row),
            "assignee": row.assignee,
            "ticket": row.ticket,
            "notes": row.notes,
            "masked_by": row.masked_by,
            "suppressed_by": row.suppressed_by,
            "incident": row.incident,
            "explained": row.explained,
            "impacted": len(self.masked_by(row)),
            "labels": dict(labels_of(self._view, row)),
        }

    def masked_by(self, row: AlarmRow) -> list[AlarmRow]:
        """Return the alarms that one masks."""
        if row.type not in self._parents:
            return []
        index = self._book.core.index
        rows = (index.rows[key_id] for key_id in index.by_site.get(row.site or "", ()))
        return [each for each in rows if each.masked_by == row.key_id]

    def causes_of(self, row: AlarmRow) -> list[AlarmRow]:
        """Return the open alarms of its site, or of the centre, that it may be caused by."""
        wanted = self._book.catalogue.record(row.type).root_causes
        index = self._book.core.index
        keys = [*index.by_site.get(row.site or "", ()), *index.by_site.get("", ())]
        rows = (index.rows[key_id] for key_id in dict.fromkeys(keys))
        return [
            each
            for each in rows
            if each.type in wanted and each.is_open and self._sight.sees(each.site)
        ]

    def transition(self, step: Transition, now_ms: int) -> TransitionAnswer:
        """Return a step with its alarm, and its incident as far as it is shown."""
        incident = None if step.incident is None else self._sight.incident(step.incident)
        return TransitionAnswer(
            seq=step.seq,
            at=instant(step.at_ms),
            received=instant(step.received_ms),
            event=step.event,
            actor=step.actor,
            note=step.note,
            alarm=None if step.alarm is None else self.alarm(step.alarm, now_ms),
            incident=None if incident is None else incident_answer(incident, self._book.catalogue),
        )

    def _in_maintenance(self, row: AlarmRow, now_ms: int) -> bool:
        """Say whether an operator is at work on what an alarm is about."""
        node, site = self._view.nodes.get(row.node or ""), self._view.sites.get(row.site or "")
        if node is not None:
            return in_maintenance(node, now_ms)
        return site is not None and site.status == "maintenance"

    def _as_of_ms(self, row: AlarmRow, now_ms: int) -> int | None:
        if row.reporter == CENTRE:
            return now_ms
        node = self._view.nodes.get(row.reporter)
        return node.heard_ms if node is not None else row.received_ms


def step_answer(step: Transition) -> Step:
    """Return a step of an alarm's timeline."""
    row = step.alarm
    return Step(
        seq=step.seq,
        at=instant(step.at_ms),
        received=instant(step.received_ms),
        event=step.event,
        actor=step.actor,
        severity=row.severity.word if row else "",
        state=row.state if row else "",
        text=row.text if row else "",
        note=step.note or (row.reason if row and step.event == "clear" else ""),
    )


def counts_answer(sight: AlarmSight) -> AlarmCounts:
    """Return the banner."""
    tally, incidents = sight.counts()
    return AlarmCounts(
        critical=tally.visible[Severity.CRITICAL],
        major=tally.visible[Severity.MAJOR],
        minor=tally.visible[Severity.MINOR],
        warning=tally.visible[Severity.WARNING],
        unknown=tally.unknown,
        shelved=tally.shelved,
        masked=tally.masked,
        suppressed=tally.suppressed,
        in_incident=tally.in_incident,
        latched=tally.latched,
        incidents=incidents,
        flood=sight.book.is_flood,
        sites=count_sites(sight.view.sites.values()),
        status=tally.status,
    )


def groups_of(rows: Iterable[AlarmRow], key: Callable[[AlarmRow], str]) -> list[Group]:
    """Count visible open alarms by a key, the largest group first, at most GROUPS_MAX."""
    found: dict[str, Counter[str]] = {}
    for row in rows:
        if row.is_open and row.is_visible:
            kind = row.severity.word if row.state == "active" else "unknown"
            found.setdefault(key(row), Counter())[kind] += 1
    groups = [
        Group(
            key=name,
            critical=seen["critical"],
            major=seen["major"],
            minor=seen["minor"],
            warning=seen["warning"],
            unknown=seen["unknown"],
            total=seen.total(),
        )
        for name, seen in found.items()
    ]
    return sorted(groups, key=lambda group: (-group.total, group.key))[:GROUPS_MAX]


def type_answer(record: Record, active: int) -> TypeAnswer:
    """Return a type of the catalogue."""
    return TypeAnswer(
        type=record.id,
        name=record.name,
        source=record.source,
        event=record.event,
        entity=list(record.entity),
        severities=dict(record.severities),
        default=record.default.word,
        repair=record.repair,
        event_type=record.event_type,
        cause=record.cause,
        service_affecting=[each.word for each in sorted(record.service_affecting)],
        mgmt_affecting=_threshold(record.mgmt_affecting),
        degrade_affecting=_threshold(record.degrade_affecting),
        suppressible=record.suppressible,
        latch=record.latch,
        unit=record.unit,
        limits=dict(record.limits),
        delays={
            "raise_after_s": record.delays.raise_after_s,
            "clear_after_s": record.delays.clear_after_s,
            "hysteresis": record.delays.hysteresis,
        },
        inhibited_by=list(record.inhibited_by),
        root_causes=list(record.root_causes),
        retired=record.retired,
        not_yet=record.not_yet,
        active=active,
    )


def _threshold(threshold: int) -> str:
    return "none" if threshold == NEVER else Severity(threshold).word


def _ack(row: AlarmRow, now_ms: int) -> AckAnswer | None:
    ack = row.ack
    if ack is None:
        return None
    return AckAnswer(
        by=ack.by,
        at=instant(ack.ms),
        age_s=age_s(ack.ms, now_ms),
        note=ack.note,
        stale=now_ms - ack.ms > STALE_MS,
    )


def _shelf(row: AlarmRow) -> ShelfMark | None:
    shelf = row.shelf
    if shelf is None:
        return None
    return ShelfMark(id=shelf.id, by=shelf.by, until=instant(shelf.until_ms), reason=shelf.reason)
