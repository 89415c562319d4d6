"""Who did what: append-only, kept by time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.storage import tables
from roost_central.storage.upsert import insert_rows
from roost_protocol.codec import encode

DAYS_MAX: Final = 730
PAGE_MAX: Final = 1_000

_decode: Final = msgspec.msgpack.Decoder(dict[str, Any]).decode


@dataclass(frozen=True, slots=True)
class NewAudit:
    """One act.

    Attributes:
        actor, role: the token's.
        action: ``alarm.ack``, ``shelf.delete``.
        object: what it was done to: an id, or a query.
        detail: what was asked and what came of it; no secret.
    """

    at_ms: int
    actor: str
    role: str
    action: str
    object: str
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One act as kept."""

    seq: int
    at_ms: int
    actor: str
    role: str
    action: str
    object: str
    detail: dict[str, Any]


async def append(connection: AsyncConnection, acts: Sequence[NewAudit]) -> None:
    """Write acts in their order."""
    rows = [
        {
            "at_ms": act.at_ms,
            "actor": act.actor,
            "role": act.role,
            "action": act.action,
            "object": act.object,
            "detail": encode(act.detail),
        }
        for act in acts
    ]
    await insert_rows(connection, tables.audit, rows)


async def page(connection: AsyncConnection, *, before: int | None, limit: int) -> list[AuditRecord]:
    """Return acts, newest first."""
    c = tables.audit.c
    found = select(tables.audit).order_by(c.seq.desc()).limit(min(limit, PAGE_MAX))
    if before is not None:
        found = found.where(c.seq < before)
    rows = await connection.execute(found)
    return [AuditRecord(**{**row, "detail": _decode(row["detail"])}) for row in rows.mappings()]


async def after(connection: AsyncConnection, seq: int, limit: int) -> list[AuditRecord]:
    """Return acts past a number, oldest first."""
    c = tables.audit.c
    found = select(tables.audit).where(c.seq > seq).order_by(c.seq).limit(min(limit, PAGE_MAX))
    rows = await connection.execute(found)
    return [AuditRecord(**{**row, "detail": _decode(row["detail"])}) for row in rows.mappings()]


async def prune(connection: AsyncConnection, *, now_ms: int, days_max: int = DAYS_MAX) -> int:
    """Remove what is too old; return how many."""
    old = tables.audit.c.at_ms < now_ms - days_max * 86_400_000
    return (await connection.execute(delete(tables.audit).where(old))).rowcount
