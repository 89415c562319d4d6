"""Boxes that asked to be let in: who waits, and what was decided of each."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.enrol.states import State
from roost_central.storage import tables
from roost_central.storage.rows import row_of
from roost_central.storage.upsert import upsert

_DECIDING: Final = 0x726F6F7374  # of PostgreSQL's advisory locks, any number that is ours
WAITING: Final = (State.PENDING, State.APPROVED)


@dataclass(frozen=True, slots=True)
class EnrolmentRecord:
    """One box, by its key.

    Attributes:
        key_hash: SHA-256 of the CSR's public key (SPKI).
        claim: the claim it used; empty: none.
        hardware: what it said it is, JSON (protocol/hardware.py).
        words: the six words, for a human to compare.
        ticket_hash: SHA-256 of the ticket it asks with.
        seen_ms: when it last asked.
        generation: of the identity it got.
    """

    id: str
    key_hash: bytes
    kind: str
    claim: str
    state: State
    site: str
    node: str
    broker: bool
    csr: str
    lan_key: str
    broker_key: str
    sealing_key: bytes
    hardware: str
    agent: str
    address: str
    words: str
    ticket_hash: bytes
    asked_ms: int
    seen_ms: int
    decided_ms: int | None = None
    decided_by: str = ""
    reason: str = ""
    generation: int | None = None

    @property
    def node_id(self) -> str:
        """The slot it is for; empty while nobody decided."""
        return f"{self.site}.{self.node}" if self.node else ""


async def save(connection: AsyncConnection, enrolment: EnrolmentRecord) -> None:
    """Write a box, new or changed."""
    await upsert(connection, tables.enrolment, [row_of(enrolment)])


async def find(connection: AsyncConnection, id_: str) -> EnrolmentRecord | None:
    """Return a box."""
    return await _one(connection, tables.enrolment.c.id == id_)


async def by_key(connection: AsyncConnection, key_hash: bytes) -> EnrolmentRecord | None:
    """Return the box that has this key."""
    return await _one(connection, tables.enrolment.c.key_hash == key_hash)


async def decide_alone(connection: AsyncConnection) -> None:
    """Have no other transaction that asks for the same decide before this one has ended.

    SQLite has one writer anyway.
    """
    if connection.dialect.name == "postgresql":
        await connection.execute(select(func.pg_advisory_xact_lock(_DECIDING)))


async def by_claim(connection: AsyncConnection, claim: str, *, limit: int) -> list[EnrolmentRecord]:
    """Return the boxes that used a claim, the last that asked first."""
    c = tables.enrolment.c
    chosen = select(tables.enrolment).where(c.claim == claim)
    rows = await connection.execute(chosen.order_by(c.seen_ms.desc()).limit(limit))
    return [_record(dict(row)) for row in rows.mappings()]


async def by_ticket(connection: AsyncConnection, ticket_hash: bytes) -> EnrolmentRecord | None:
    """Return the box that was given this ticket last."""
    return await _one(connection, tables.enrolment.c.ticket_hash == ticket_hash)


async def in_states(
    connection: AsyncConnection, states: Collection[State], *, limit: int
) -> list[EnrolmentRecord]:
    """Return boxes, who came first first."""
    c = tables.enrolment.c
    rows = await connection.execute(
        select(tables.enrolment)
        .where(c.state.in_([*states]))
        .order_by(c.asked_ms, c.id)
        .limit(limit)
    )
    return [_record(dict(row)) for row in rows.mappings()]


async def unseen_since(
    connection: AsyncConnection, state: State, seen_ms: int, *, limit: int
) -> list[str]:
    """Return the ids of boxes in a state that asked last at a time or before it."""
    c = tables.enrolment.c
    chosen = select(c.id).where(c.state == state, c.seen_ms <= seen_ms)
    rows = await connection.execute(chosen.order_by(c.asked_ms, c.id).limit(limit))
    return [*rows.scalars()]


async def count(connection: AsyncConnection, state: State) -> int:
    """Return how many boxes are in a state."""
    chosen = select(func.count()).where(tables.enrolment.c.state == state)
    return int((await connection.execute(chosen)).scalar_one())


async def promised(connection: AsyncConnection, site: str) -> set[str]:
    """Return the names of a site's slots that an approved box is about to fill."""
    c = tables.enrolment.c
    rows = await connection.execute(select(c.node).where(c.site == site, c.state == State.APPROVED))
    return set(rows.scalars())


async def _one(connection: AsyncConnection, chosen: ColumnElement[bool]) -> EnrolmentRecord | None:
    rows = await connection.execute(select(tables.enrolment).where(chosen))
    row = rows.mappings().one_or_none()
    return _record(dict(row)) if row else None


def _record(row: dict[str, Any]) -> EnrolmentRecord:
    return EnrolmentRecord(**{**row, "state": State(row["state"])})
