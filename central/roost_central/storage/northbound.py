"""What each northbound target was told last, what it refused for good, and SNMP's boot count."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.ports import Entropy
from roost_central.storage import tables
from roost_central.storage.upsert import insert_rows, upsert

LETTERS_MAX: Final = 10_000  # of all targets; the oldest go first
BODY_BYTES_MAX: Final = 4_096
PRIVATE_ENTERPRISE: Final = bytes.fromhex("80007ed9")  # 32473 with the format bit (RFC 3411)
ENGINE_FORMAT: Final = b"\x05"  # octets of the administrator's
ENGINE_ID_BYTES: Final = 8
BOOTS_MAX: Final = (1 << 31) - 1  # RFC 3414: from there on every message is refused


@dataclass(frozen=True, slots=True)
class TargetRow:
    """A target's cursor; ``disabled`` says why it is not served, empty where it is."""

    name: str
    kind: str
    cursor: int
    disabled: str


@dataclass(frozen=True, slots=True)
class Letter:
    """What a target refused for good, or did not take in time."""

    target: str
    at_ms: int
    about_seq: int
    error: str
    body: bytes


async def targets(connection: AsyncConnection) -> dict[str, TargetRow]:
    """Return every target that was ever served."""
    rows = await connection.execute(select(tables.northbound_target))
    return {row["name"]: TargetRow(**row) for row in rows.mappings()}


async def save(connection: AsyncConnection, rows: Sequence[TargetRow]) -> None:
    """Write targets."""
    values = [
        {"name": row.name, "kind": row.kind, "cursor": row.cursor, "disabled": row.disabled}
        for row in rows
    ]
    await upsert(connection, tables.northbound_target, values)


async def append_letters(connection: AsyncConnection, letters: Sequence[Letter]) -> None:
    """Keep dead letters, no more than LETTERS_MAX in all."""
    rows = [
        {
            "target": letter.target,
            "at_ms": letter.at_ms,
            "about_seq": letter.about_seq,
            "error": letter.error[:512],
            "body": letter.body[:BODY_BYTES_MAX],
        }
        for letter in letters
    ]
    await insert_rows(connection, tables.northbound_dead_letter, rows)
    c = tables.northbound_dead_letter.c
    newest = select(func.max(c.seq)).scalar_subquery()
    await connection.execute(
        delete(tables.northbound_dead_letter).where(c.seq <= newest - LETTERS_MAX)
    )


async def letters(connection: AsyncConnection, limit: int = 100) -> list[Letter]:
    """Return dead letters, newest first."""
    c = tables.northbound_dead_letter.c
    columns = (c.target, c.at_ms, c.about_seq, c.error, c.body)
    rows = await connection.execute(select(*columns).order_by(c.seq.desc()).limit(limit))
    return [Letter(**row) for row in rows.mappings()]


async def letter_counts(connection: AsyncConnection) -> Mapping[str, int]:
    """Return how many dead letters each target has."""
    target = tables.northbound_dead_letter.c.target
    rows = await connection.execute(select(target, func.count()).group_by(target))
    return {str(name): int(number) for name, number in rows}


async def boot_engine(connection: AsyncConnection, entropy: Entropy) -> tuple[bytes, int]:
    """Count one boot of the SNMP engine, made where there is none; returns its id and boots.

    Committed before the first message: a receiver drops, without a word, what comes with a lower
    count than it has seen (RFC 3414 section 3.2). At the count's end a new engine begins.
    """
    table = tables.snmp_engine
    row = (await connection.execute(select(table).order_by(table.c.boots).limit(1))).one_or_none()
    if row is not None and row.boots < BOOTS_MAX - 1:
        boots = int(row.boots) + 1
        await connection.execute(
            update(table).where(table.c.engine_id == row.engine_id).values(boots=boots)
        )
        return bytes(row.engine_id), boots
    await connection.execute(delete(table))
    engine_id = PRIVATE_ENTERPRISE + ENGINE_FORMAT + entropy.token(ENGINE_ID_BYTES)
    await insert_rows(connection, table, [{"engine_id": engine_id, "boots": 1}])
    return engine_id, 1
