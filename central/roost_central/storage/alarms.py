"""Open alarms and every step of their lives. What is shown comes from the rows' bodies.

The columns beside a body are for finding it; the core counts ``seq``, so that it has no gaps that
were not pruned and readers may follow it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Select, delete, func, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.alarms.incident_row import IncidentRow
from roost_central.alarms.row import AlarmRow
from roost_central.alarms.transition import Transition
from roost_central.storage import tables
from roost_central.storage.rows import delete_some, number_span
from roost_central.storage.upsert import insert_rows, upsert
from roost_protocol.codec import encode

DAYS_MAX: Final = 400
ROWS_MAX: Final = 20_000_000
PAGE_MAX: Final = 1_000
KEYS_MAX: Final = 500  # of one DELETE: parameters have a bound

_alarm: Final = msgspec.msgpack.Decoder(AlarmRow).decode
_incident: Final = msgspec.msgpack.Decoder(IncidentRow).decode


@dataclass(frozen=True, slots=True)
class Span:
    """Which closed episodes: times are of the clear, by our clock."""

    since_ms: int | None = None
    until_ms: int | None = None


async def load_all(connection: AsyncConnection) -> list[AlarmRow]:
    """Return every alarm, in the order of their last transitions."""
    rows = await connection.execute(select(tables.alarm.c.body).order_by(tables.alarm.c.seq))
    return [_alarm(body) for body in rows.scalars()]


async def last_seq(connection: AsyncConnection) -> int:
    """Return the greatest number that was given out."""
    found = await connection.execute(select(func.max(tables.alarm_event.c.seq)))
    return found.scalar_one() or 0


async def save(connection: AsyncConnection, rows: Sequence[AlarmRow]) -> None:
    """Write alarms, new or changed."""
    await upsert(
        connection,
        tables.alarm,
        [
            {
                "key_id": row.key_id,
                "site": row.site,
                "node": row.node,
                "type": row.type,
                "severity": int(row.severity),
                "state": row.state,
                "seq": row.seq,
                "body": encode(row),
            }
            for row in rows
        ],
    )


async def remove(connection: AsyncConnection, key_ids: Collection[str]) -> None:
    """Remove alarms that are over."""
    keys = list(key_ids)
    for start in range(0, len(keys), KEYS_MAX):
        some = tables.alarm.c.key_id.in_(keys[start : start + KEYS_MAX])
        await connection.execute(delete(tables.alarm).where(some))


async def append(connection: AsyncConnection, steps: Sequence[Transition]) -> None:
    """Write transitions in their order."""
    await insert_rows(connection, tables.alarm_event, [_row_of(step) for step in steps])


async def after(connection: AsyncConnection, seq: int, limit: int) -> list[Transition]:
    """Return the transitions past a number, oldest first."""
    c = tables.alarm_event.c
    found = select(tables.alarm_event).where(c.seq > seq).order_by(c.seq)
    return await _read(connection, found.limit(min(limit, PAGE_MAX)))


async def of_alarm(
    connection: AsyncConnection, key_id: str, *, before: int | None, limit: int
) -> list[Transition]:
    """Return the steps of one alarm's life over all its episodes, newest first."""
    return await _newest(connection, tables.alarm_event.c.key_id == key_id, before, limit)


async def closed(
    connection: AsyncConnection, span: Span, *, before: int | None, limit: int
) -> list[Transition]:
    """Return the ends of episodes, newest first."""
    c = tables.alarm_event.c
    condition = c.event == "clear"
    if span.since_ms is not None:
        condition &= c.received_ms >= span.since_ms
    if span.until_ms is not None:
        condition &= c.received_ms <= span.until_ms
    return await _newest(connection, condition, before, limit)


async def newest(
    connection: AsyncConnection, *, before: int | None, limit: int
) -> list[Transition]:
    """Return the transitions below a number, newest first."""
    return await _newest(connection, true(), before, limit)


async def last_of_episode(connection: AsyncConnection, id_: str) -> Transition | None:
    """Return the last step of an episode by its id."""
    found = await _newest(connection, tables.alarm_event.c.alarm == id_, None, 1)
    return found[0] if found else None


async def prune(
    connection: AsyncConnection,
    *,
    now_ms: int,
    limit: int,
    rows_max: int = ROWS_MAX,
    days_max: int = DAYS_MAX,
) -> int:
    """Remove at most ``limit`` of what is past either bound, never the newest; return how many."""
    c = tables.alarm_event.c
    newest = await last_seq(connection)
    old = (c.seq <= newest - rows_max) | (c.received_ms < now_ms - days_max * 86_400_000)
    return await delete_some(connection, tables.alarm_event, old & (c.seq < newest), limit)


async def span(connection: AsyncConnection) -> int:
    """Return how many numbers the kept transitions span: their count, without counting them."""
    c = tables.alarm_event.c
    return await number_span(connection, c.seq)


async def _newest(
    connection: AsyncConnection, condition: ColumnElement[bool], before: int | None, limit: int
) -> list[Transition]:
    c = tables.alarm_event.c
    found = select(tables.alarm_event).where(condition).order_by(c.seq.desc())
    if before is not None:
        found = found.where(c.seq < before)
    return await _read(connection, found.limit(min(limit, PAGE_MAX)))


async def _read(connection: AsyncConnection, statement: Select[Any]) -> list[Transition]:
    rows = await connection.execute(statement)
    return [_step(row) for row in rows.mappings()]


def _row_of(step: Transition) -> dict[str, object]:
    alarm, incident = step.alarm, step.incident
    about = alarm or incident
    if about is None:
        raise AssertionError("a transition is about an alarm or an incident")
    return {
        "seq": step.seq,
        "at_ms": step.at_ms,
        "received_ms": step.received_ms,
        "event": step.event,
        "actor": step.actor,
        "note": step.note,
        "key_id": alarm.key_id if alarm else None,
        "alarm": alarm.id if alarm else None,
        "incident": incident.id if incident else None,
        "type": about.type,
        "severity": int(about.severity),
        "site": alarm.site if alarm else None,
        "body": encode(about),
    }


def _step(row: Any) -> Transition:  # noqa: ANN401 - a mapping of the table's columns
    is_alarm = row["key_id"] is not None
    return Transition(
        seq=row["seq"],
        at_ms=row["at_ms"],
        received_ms=row["received_ms"],
        event=row["event"],
        actor=row["actor"],
        note=row["note"],
        alarm=_alarm(row["body"]) if is_alarm else None,
        incident=None if is_alarm else _incident(row["body"]),
    )
