"""What was refused for good, kept for a look: bounded in number and in bytes of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.storage import tables
from roost_central.storage.upsert import insert_rows

ROWS_MAX: Final = 10_000  # the oldest go first
PAYLOAD_BYTES_MAX: Final = 4_096  # the beginning tells what it was; 40 MB in all


@dataclass(frozen=True, slots=True)
class NewDeadLetter:
    """A refused message or item; ``node`` is the topic's, None where the topic names none."""

    received_ms: int
    node: str | None
    topic: str
    code: str
    detail: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A refused message as kept; ``payload`` is cut, ``size_bytes`` is what it was."""

    seq: int
    received_ms: int
    node: str | None
    topic: str
    code: str
    detail: str
    size_bytes: int
    payload: bytes


async def append(connection: AsyncConnection, letters: Sequence[NewDeadLetter]) -> None:
    """Keep refused messages, cut to PAYLOAD_BYTES_MAX, and no more than ROWS_MAX in all."""
    if not letters:
        return
    rows = [
        {
            "received_ms": letter.received_ms,
            "node": letter.node,
            "topic": letter.topic[:256],
            "code": letter.code,
            "detail": letter.detail[:512],
            "size_bytes": len(letter.payload),
            "payload": letter.payload[:PAYLOAD_BYTES_MAX],
        }
        for letter in letters
    ]
    await insert_rows(connection, tables.dead_letter, rows)
    c = tables.dead_letter.c
    newest = select(func.max(c.seq)).scalar_subquery()
    await connection.execute(delete(tables.dead_letter).where(c.seq <= newest - ROWS_MAX))


async def page(
    connection: AsyncConnection, *, before: int | None = None, limit: int = 100
) -> list[DeadLetter]:
    """Return dead letters, newest first."""
    c = tables.dead_letter.c
    statement = select(tables.dead_letter).order_by(c.seq.desc()).limit(limit)
    if before is not None:
        statement = statement.where(c.seq < before)
    rows = await connection.execute(statement)
    return [DeadLetter(**row) for row in rows.mappings()]


async def count(connection: AsyncConnection) -> int:
    """Return how many are kept."""
    return (
        await connection.execute(select(func.count()).select_from(tables.dead_letter))
    ).scalar_one()
