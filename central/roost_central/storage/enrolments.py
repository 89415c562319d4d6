"""Boxes that asked to be let in: who waits, and what was decided of each."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, bindparam, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.enrol.states import State
from roost_central.storage import tables
from roost_central.storage.rows import row_of
from roost_central.storage.upsert import update_rows, upsert

_DECIDING: Final = 0x726F6F7374  # of PostgreSQL's advisory locks, any number that is ours
_BY_KEYS: Final = select(tables.enrolment).where(
    tables.enrolment.c.key_hash.in_(bindparam("keys", expanding=True))
)
_PROMISED: Final = select(tables.enrolment.c.site, tables.enrolment.c.node).where(
    tables.enrolment.c.site.in_(bindparam("sites", expanding=True)),
    tables.enrolment.c.state == State.APPROVED,
)
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
        decided_by: who decided; while it waits, the rule that would have placed it.
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


async def save(connection: AsyncConnection, *enrolments: EnrolmentRecord) -> None:
    """Write boxes, new or changed; of one that is told twice the last counts."""
    await upsert(connection, tables.enrolment, [row_of(each) for each in enrolments])


async def handed_out(connection: AsyncConnection, generations: Mapping[str, int]) -> None:
    """Note which generation boxes became, by the id of each."""
    rows = [
        {"id": id_, "state": State.ISSUED, "generation": generation}
        for id_, generation in generations.items()
    ]
    await update_rows(connection, tables.enrolment, rows)


async def find(connection: AsyncConnection, id_: str) -> EnrolmentRecord | None:
    """Return a box."""
    return await _one(connection, tables.enrolment.c.id == id_)


async def by_key(connection: AsyncConnection, key_hash: bytes) -> EnrolmentRecord | None:
    """Return the box that has this key."""
    return await _one(connection, tables.enrolment.c.key_hash == key_hash)


async def by_keys(
    connection: AsyncConnection, key_hashes: Collection[bytes]
) -> dict[bytes, EnrolmentRecord]:
    """Return the boxes that have these keys, by key."""
    rows = await connection.execute(_BY_KEYS, {"keys": [*key_hashes]})
    return {row["key_hash"]: _record(dict(row)) for row in rows.mappings()}


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


async def forget_waiting(connection: AsyncConnection, claim: str, *, but: bytes) -> None:
    """Take out boxes that wait by a claim, but for the one with a key."""
    c = tables.enrolment.c
    waiting = (c.claim == claim, c.state == State.PENDING, c.key_hash != but)
    await connection.execute(delete(tables.enrolment).where(*waiting))


async def forget(connection: AsyncConnection, id_: str) -> None:
    """Take out a box."""
    await connection.execute(delete(tables.enrolment).where(tables.enrolment.c.id == id_))


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


async def idle_since(connection: AsyncConnection, at_ms: int, *, limit: int) -> list[str]:
    """Return the ids of boxes that wait, asked last and were decided at a time or before it."""
    c = tables.enrolment.c
    chosen = select(c.id).where(
        c.state.in_(WAITING), c.seen_ms <= at_ms, func.coalesce(c.decided_ms, 0) <= at_ms
    )
    rows = await connection.execute(chosen.order_by(c.asked_ms, c.id).limit(limit))
    return [*rows.scalars()]


async def turn_away(
    connection: AsyncConnection, site: str, *, now_ms: int, by: str, reason: str
) -> list[str]:
    """Deny every box that waits at a site, or for its identity there; return their ids."""
    c = tables.enrolment.c
    chosen = update(tables.enrolment).where(c.site == site, c.state.in_(WAITING)).returning(c.id)
    values = {"state": State.DENIED, "decided_ms": now_ms, "decided_by": by, "reason": reason}
    return sorted((await connection.execute(chosen.values(values))).scalars())


async def count(connection: AsyncConnection, state: State) -> int:
    """Return how many boxes are in a state."""
    chosen = select(func.count()).where(tables.enrolment.c.state == state)
    return int((await connection.execute(chosen)).scalar_one())


async def promised(connection: AsyncConnection, sites: Collection[str]) -> set[str]:
    """Return the slots of sites, by node id, that an approved box is about to fill."""
    rows = await connection.execute(_PROMISED, {"sites": [*sites]})
    return {f"{site}.{node}" for site, node in rows}


async def _one(connection: AsyncConnection, chosen: ColumnElement[bool]) -> EnrolmentRecord | None:
    rows = await connection.execute(select(tables.enrolment).where(chosen))
    row = rows.mappings().one_or_none()
    return _record(dict(row)) if row else None


def _record(row: dict[str, Any]) -> EnrolmentRecord:
    return EnrolmentRecord(**{**row, "state": State(row["state"])})
