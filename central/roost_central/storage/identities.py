"""Identities: one row for each generation of each node, kept after its end.

Every write gives the row a ``revision`` above all before it, under the lock of one counter row that
is held until COMMIT: who polls ``changed_since`` misses nothing, on any number of processes.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

from sqlalchemy import Select, bindparam, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.brokers.revoked import Ended
from roost_central.enrol.states import LIVE, SHUT, Cause, Event, State, after
from roost_central.storage import tables
from roost_central.storage.rows import row_of
from roost_central.storage.upsert import insert_rows, upsert

CHANGES_MAX: Final = 10_000  # of one poll; the rest comes with the next
OUT: Final = (State.REVOKED, State.REPLACED, State.DECOMMISSIONED)  # after a certificate
_SPEAKS: Final = frozenset({State.ACTIVE, State.RENEWAL_DUE})
_COUNTER: Final = "identity"
_NODES: Final = tables.identity.c.node.in_(bindparam("nodes", expanding=True))
_OF_NODES: Final = (
    select(tables.identity)
    .where(_NODES)
    .order_by(tables.identity.c.node, tables.identity.c.generation.desc())
)
_BOXES: Final = (
    select(tables.identity.c.node, func.max(tables.identity.c.box).label("box"))
    .where(_NODES, tables.identity.c.state.in_(sorted(LIVE)))
    .group_by(tables.identity.c.node)
)
_FILLED: Final = (
    select(tables.identity.c.node)
    .where(_NODES, tables.identity.c.state.in_(sorted(LIVE)))
    .distinct()
)
_RAISED: Final = (
    update(tables.counter)
    .where(tables.counter.c.name == _COUNTER)
    .values(value=tables.counter.c.value + bindparam("count"))
    .returning(tables.counter.c.value)
)


@dataclass(frozen=True, slots=True)
class IdentityRecord:
    """One generation.

    Attributes:
        box: which box of the slot, +1 at enrolment and replacement; a renewal keeps it.
        serial: of the certificate, hexadecimal.
        fingerprint: SHA-256 of the certificate's DER.
        key_hash: SHA-256 of the public key (SPKI).
        hardware: what the node said it is, JSON (protocol/hardware.py).
        certificate, lan_certificate, broker_certificate: PEM, handed out again to the same key.
        reason: why it is in this state, for people.
        quarantine: why it is in quarantine, or will be once it is heard; kept when its
            certificate ends there.
    """

    node: str
    generation: int
    box: int
    serial: str
    fingerprint: bytes
    key_hash: bytes
    state: State
    not_after_ms: int
    hardware: str
    sealing_key: bytes
    certificate: str
    issued_ms: int
    changed_ms: int
    lan_certificate: str = ""
    broker_certificate: str = ""
    reason: str = ""
    revision: int = 0
    quarantine: Cause = Cause.NONE


class Change(NamedTuple):
    """Where a generation stands since a revision."""

    node: str
    generation: int
    state: State
    quarantine: Cause
    changed_ms: int
    reason: str
    revision: int
    box: int
    issued_ms: int


class Term(NamedTuple):
    """What time asks of a generation."""

    node: str
    generation: int
    state: State
    issued_ms: int
    not_after_ms: int
    quarantine: Cause


class Said(NamedTuple):
    """What a node said it is, JSON, and by which key."""

    node: str
    key_hash: bytes
    hardware: str


async def save(connection: AsyncConnection, identity: IdentityRecord) -> IdentityRecord:
    """Write a generation, new or changed; return it with its revision."""
    kept = replace(identity, revision=await _next_revision(connection))
    await upsert(connection, tables.identity, [row_of(kept)])
    return kept


async def add(connection: AsyncConnection, identity: IdentityRecord) -> IdentityRecord:
    """Write a new generation; return it with its revision.

    Raises:
        StorageRefusedError: at the end of the transaction: there is one with its key or number.
    """
    [kept] = await add_all(connection, [identity])
    return kept


async def add_all(
    connection: AsyncConnection, new: Sequence[IdentityRecord]
) -> list[IdentityRecord]:
    """Write new generations; return them with their revisions, in their order.

    Raises:
        StorageRefusedError: at the end of the transaction: there is one with the key or number of
            one of them, and none is written.
    """
    if not new:
        return []
    first = await _next_revision(connection, len(new)) - len(new) + 1
    kept = [replace(each, revision=number) for number, each in enumerate(new, first)]
    await insert_rows(connection, tables.identity, [row_of(each) for each in kept])
    return kept


async def find(connection: AsyncConnection, node: str, generation: int) -> IdentityRecord | None:
    """Return one generation."""
    c = tables.identity.c
    return await _one(connection, c.node == node, c.generation == generation)


async def by_fingerprint(connection: AsyncConnection, fingerprint: bytes) -> IdentityRecord | None:
    """Return whose certificate this is: identity comes from here, never from a name in it."""
    return await _one(connection, tables.identity.c.fingerprint == fingerprint)


async def by_key(connection: AsyncConnection, key_hash: bytes) -> IdentityRecord | None:
    """Return the generation that has this key."""
    return await _one(connection, tables.identity.c.key_hash == key_hash)


async def of_node(connection: AsyncConnection, node: str) -> list[IdentityRecord]:
    """Return every generation of a node, the newest first."""
    c = tables.identity.c
    rows = await connection.execute(
        select(tables.identity).where(c.node == node).order_by(c.generation.desc())
    )
    return [_record(row) for row in rows.mappings()]


async def of_nodes(
    connection: AsyncConnection, nodes: Collection[str]
) -> dict[str, list[IdentityRecord]]:
    """Return every generation of each node that has any, the newest first."""
    rows = await connection.execute(_OF_NODES, {"nodes": [*nodes]})
    found: dict[str, list[IdentityRecord]] = {}
    for row in rows.mappings():
        found.setdefault(row["node"], []).append(_record(row))
    return found


async def by_keys(
    connection: AsyncConnection, key_hashes: Collection[bytes]
) -> dict[bytes, IdentityRecord]:
    """Return the generations that have these keys, by key."""
    chosen = tables.identity.c.key_hash.in_(key_hashes)
    rows = await connection.execute(select(tables.identity).where(chosen))
    return {row["key_hash"]: _record(row) for row in rows.mappings()}


async def load_live(connection: AsyncConnection) -> list[Term]:
    """Return the term of every generation that fills a slot."""
    rows = await connection.execute(_columns(Term).where(tables.identity.c.state.in_([*LIVE])))
    return [
        Term(**{**row, "state": State(row["state"]), "quarantine": Cause(row["quarantine"])})
        for row in rows.mappings()
    ]


async def load_hardware(connection: AsyncConnection) -> list[Said]:
    """Return what every generation that fills a slot said it is."""
    rows = await connection.execute(_columns(Said).where(tables.identity.c.state.in_([*LIVE])))
    return [Said(*row) for row in rows]


async def changed_since(connection: AsyncConnection, revision: int) -> list[Change]:
    """Return what was written after a revision, in that order, at most CHANGES_MAX."""
    number = tables.identity.c.revision
    rows = await connection.execute(
        _columns(Change).where(number > revision).order_by(number).limit(CHANGES_MAX)
    )
    return [
        Change(**{**row, "state": State(row["state"]), "quarantine": Cause(row["quarantine"])})
        for row in rows.mappings()
    ]


async def last_revision(connection: AsyncConnection) -> int:
    """Return the revision of the last write; 0 before the first."""
    revision = await connection.execute(select(func.max(tables.identity.c.revision)))
    return revision.scalar_one() or 0


async def ended(connection: AsyncConnection) -> list[Ended]:
    """Return every generation that once had a certificate and may not speak any more."""
    c = tables.identity.c
    rows = await connection.execute(
        select(c.node, c.box, c.serial, c.state, c.changed_ms).where(c.state.in_([*OUT]))
    )
    return [Ended(*row[:3], State(row.state), row.changed_ms) for row in rows]


async def boxes(connection: AsyncConnection) -> dict[str, int]:
    """Return the present box of each slot that is filled."""
    c = tables.identity.c
    rows = await connection.execute(
        select(c.node, func.max(c.box)).where(c.state.in_([*LIVE])).group_by(c.node)
    )
    return {node: box for node, box in rows}  # noqa: C416 - rows are no pairs to mypy


async def boxes_of(connection: AsyncConnection, nodes: Collection[str]) -> dict[str, int]:
    """Return the number of the box that is in each slot, of those that are filled."""
    rows = await connection.execute(_BOXES, {"nodes": [*nodes]})
    return {row.node: row.box for row in rows}


async def filled(connection: AsyncConnection, nodes: Collection[str]) -> set[str]:
    """Return which of these slots are filled."""
    return set((await connection.execute(_FILLED, {"nodes": [*nodes]})).scalars())


async def happen(
    connection: AsyncConnection, identity: IdentityRecord, event: Event, *, now_ms: int, reason: str
) -> IdentityRecord:
    """Let something happen to a generation; return it as it is now.

    Raises:
        TransitionError: it cannot happen in this state.
    """
    state = after(identity.state, event)
    return await save(connection, replace(identity, state=state, changed_ms=now_ms, reason=reason))


async def quarantine(
    connection: AsyncConnection, node: str, cause: Cause, *, now_ms: int, reason: str
) -> list[IdentityRecord]:
    """Put what a node has in quarantine; return the generations that this changed.

    A cause that a human ends takes the place of one that ends by itself. What was not heard yet
    keeps its state, and is in quarantine from its first word on.
    """
    moved = []
    for row in await of_node(connection, node):
        if row.state not in LIVE or row.quarantine in SHUT:
            continue
        held = replace(row, quarantine=cause, changed_ms=now_ms, reason=reason)
        state = after(row.state, Event.QUARANTINE) if row.state in _SPEAKS else row.state
        moved.append(await save(connection, replace(held, state=state)))
    return moved


async def release(
    connection: AsyncConnection, node: str, *, now_ms: int, reason: str
) -> list[IdentityRecord]:
    """End a node's quarantine; return the generations that this changed.

    A certificate that ended meanwhile stays ended.
    """
    moved = []
    for row in await of_node(connection, node):
        if row.state not in LIVE or not row.quarantine:
            continue
        free = replace(row, quarantine=Cause.NONE, changed_ms=now_ms, reason=reason)
        is_held = row.state is State.QUARANTINED
        state = after(row.state, Event.RELEASE) if is_held else row.state
        moved.append(await save(connection, replace(free, state=state)))
    return moved


async def decommission(
    connection: AsyncConnection, site: str, *, now_ms: int, reason: str
) -> list[IdentityRecord]:
    """End for good what the nodes of a site have; return the generations that this changed."""
    c = tables.identity.c
    rows = await connection.execute(
        select(tables.identity)
        .where(c.node.startswith(f"{site}.", autoescape=True), c.state.in_([*LIVE]))
        .order_by(c.node, c.generation)
    )
    return [
        await happen(connection, _record(row), Event.DECOMMISSION, now_ms=now_ms, reason=reason)
        for row in rows.mappings().all()
    ]


async def proven(
    connection: AsyncConnection, node: str, generation: int, *, now_ms: int
) -> IdentityRecord | None:
    """Note the first authentic message under a generation's key: it is in, older ones are out.

    Returns None where there is no such generation; any other than an ``issued`` one stays as it is.
    """
    rows = await of_node(connection, node)
    here = next((row for row in rows if row.generation == generation), None)
    if here is None or here.state is not State.ISSUED:
        return here
    if here.state is State.ISSUED:
        reason = here.reason if here.quarantine else "heard"
        here = await happen(connection, here, Event.PROVE, now_ms=now_ms, reason=reason)
    if here.state is State.ACTIVE and here.quarantine:
        here = await happen(connection, here, Event.QUARANTINE, now_ms=now_ms, reason=here.reason)
    for row in rows:
        if row.generation < generation and row.state in LIVE:
            reason = f"generation {generation} was heard"
            await happen(connection, row, Event.SUCCEED, now_ms=now_ms, reason=reason)
    return here


async def _one(connection: AsyncConnection, *chosen: object) -> IdentityRecord | None:
    rows = await connection.execute(select(tables.identity).where(*chosen))  # type: ignore[arg-type]  # column expressions
    row = rows.mappings().one_or_none()
    return _record(row) if row else None


def _columns(part: type[Change | Term | Said]) -> Select[Any]:
    """Select no more than a part: certificates are many times as large as all else of a row."""
    return select(*(tables.identity.c[name] for name in part._fields))


def _record(row: object) -> IdentityRecord:
    values = dict(row)  # type: ignore[call-overload]  # a RowMapping
    state, quarantine = State(values["state"]), Cause(values["quarantine"])
    return IdentityRecord(**{**values, "state": state, "quarantine": quarantine})


async def _next_revision(connection: AsyncConnection, count: int = 1) -> int:
    """Return the last of ``count`` new revisions."""
    by = {"count": count}
    number = (await connection.execute(_RAISED, by)).scalar_one_or_none()
    if number is None:  # the first of this database
        dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
        first = dialect.insert(tables.counter).values(name=_COUNTER, value=0)
        await connection.execute(first.on_conflict_do_nothing(index_elements=["name"]))
        number = (await connection.execute(_RAISED, by)).scalar_one()
    return int(number)
