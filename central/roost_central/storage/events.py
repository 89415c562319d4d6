"""The event log: what happened, in the order it was received. Bounded by time and by rows."""

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from sqlalchemy import Column, ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.storage import tables
from roost_central.storage.rows import delete_some, number_span
from roost_central.storage.upsert import insert_rows
from roost_protocol.codec import encode

DAYS_MAX: Final = 90
ROWS_MAX: Final = 20_000_000  # about 6 GB on SQLite
PAGE_MAX: Final = 1_000  # events of one answer

Scalars = dict[str, bool | int | float | str | None]

_decode_params = msgspec.msgpack.Decoder(Scalars).decode


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event to write.

    Attributes:
        at_ms: when it happened, by the clock of who saw it.
        received_ms: when the centre took it in.
        kind: ``node`` (an agent said it), ``ha`` (local HA of a node), ``liveness``, ``ingest`` or
            ``central``.
    """

    at_ms: int
    received_ms: int
    kind: str
    type: str
    severity: int
    text: str
    site: str | None = None
    node: str | None = None
    entity: str = ""
    params: Scalars | None = None


@dataclass(frozen=True, slots=True)
class EventRecord:
    """An event as kept; ``seq`` rises and is never used again."""

    seq: int
    at_ms: int
    received_ms: int
    site: str | None
    node: str | None
    kind: str
    type: str
    severity: int
    entity: str
    text: str
    params: Scalars


@dataclass(frozen=True, slots=True)
class EventQuery:
    """What to read: all conditions that are given must hold; times are of receipt."""

    site: str | None = None
    node: str | None = None
    type: str | None = None
    kind: str | None = None
    severity_min: int | None = None
    since_ms: int | None = None
    until_ms: int | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return the conditions as SQL."""
        c = tables.event.c
        terms: list[tuple[Column[Any], Callable[[Any, Any], Any], object]] = [
            (c.site, operator.eq, self.site),
            (c.node, operator.eq, self.node),
            (c.type, operator.eq, self.type),
            (c.kind, operator.eq, self.kind),
            (c.severity, operator.ge, self.severity_min),
            (c.received_ms, operator.ge, self.since_ms),
            (c.received_ms, operator.le, self.until_ms),
        ]
        return [compare(column, bound) for column, compare, bound in terms if bound is not None]


async def append(connection: AsyncConnection, new: Sequence[NewEvent]) -> None:
    """Write events in their order."""
    rows = [
        {
            "at_ms": event.at_ms,
            "received_ms": event.received_ms,
            "site": event.site,
            "node": event.node,
            "kind": event.kind,
            "type": event.type,
            "severity": event.severity,
            "entity": event.entity,
            "text": event.text,
            "params": encode(event.params or {}),
        }
        for event in new
    ]
    await insert_rows(connection, tables.event, rows)


async def page(
    connection: AsyncConnection,
    query: EventQuery,
    *,
    after: int | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[EventRecord]:
    """Return events: oldest first past ``after``, else newest first and below ``before``."""
    c = tables.event.c
    statement = select(tables.event).where(*query.conditions())
    if after is not None:
        statement = statement.where(c.seq > after).order_by(c.seq)
    else:
        statement = statement.order_by(c.seq.desc())
        if before is not None:
            statement = statement.where(c.seq < before)
    rows = await connection.execute(statement.limit(min(limit, PAGE_MAX)))
    return [_record(row) for row in rows.mappings()]


async def prune(
    connection: AsyncConnection,
    *,
    now_ms: int,
    limit: int,
    rows_max: int = ROWS_MAX,
    days_max: int = DAYS_MAX,
) -> int:
    """Remove at most ``limit`` of what is past either bound; return how many went."""
    c = tables.event.c
    newest = (await connection.execute(select(func.max(c.seq)))).scalar_one() or 0
    old = (c.seq <= newest - rows_max) | (c.received_ms < now_ms - days_max * 86_400_000)
    return await delete_some(connection, tables.event, old, limit)


async def span(connection: AsyncConnection) -> int:
    """Return how many numbers the kept events span: at least their count, without counting."""
    return await number_span(connection, tables.event.c.seq)


def _record(row: Any) -> EventRecord:  # noqa: ANN401 - a mapping of the table's columns
    return EventRecord(**{**row, "params": _decode_params(row["params"])})
