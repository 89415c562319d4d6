"""Who did what: append-only, each row linked to the one before it (access/chain.py).

Invariants: a row is written in the transaction of its act, after the head is locked, so that no two
rows follow the same one; rows go only from the beginning, and the last that went is kept as an
anchor, together with a row that says so.
"""

from dataclasses import dataclass
from typing import Any, Final

import msgspec
from sqlalchemy import RowMapping, bindparam, delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.access.chain import START, TEXTS, Act, Anchor, Entry, entry
from roost_central.storage import tables
from roost_central.storage.upsert import insert_rows, upsert
from roost_protocol.codec import encode

DAYS_MAX: Final = 730
DAY_MS: Final = 86_400_000
PAGE_MAX: Final = 1_000
HEAD: Final = "head"
CUT: Final = "cut"
CENTRE: Final = "central"  # the actor of what no person did
LOCAL: Final = "local"  # who reads the data directory
UNKNOWN: Final = "unknown"  # whose login failed
NOBODYS: Final = frozenset({CENTRE, LOCAL, UNKNOWN})  # no account has such a name

_ANCHOR: Final = select(tables.audit_anchor.c.seq, tables.audit_anchor.c.hash).where(
    tables.audit_anchor.c.kind == bindparam("of_kind")
)
_ANCHOR_HELD: Final = _ANCHOR.with_for_update()
_decode: Final = msgspec.msgpack.Decoder(dict[str, Any]).decode


@dataclass(frozen=True, slots=True)
class Asked:
    """Which acts: of one actor, of one action or of one noun's, not older than a time."""

    actor: str = ""
    action: str = ""
    since_ms: int | None = None


EVERYTHING: Final = Asked()


async def add(connection: AsyncConnection, *acts: Act) -> Anchor:
    """Write acts in their order; return the new head. The one door into the log."""
    head = await anchor(connection, HEAD, lock=True) or await _first(connection)
    rows: list[dict[str, Any]] = []
    for act in acts:
        new = entry(head, _storable(act))
        head = Anchor(new.seq, new.hash)
        rows.append(_row(new))
    await insert_rows(connection, tables.audit, rows)
    await _save(connection, HEAD, head)
    return head


async def _first(connection: AsyncConnection) -> Anchor:
    """Return the head of a log that may be empty, locked: two may be about to write its first row.

    There is no row to lock before the first one; it is put there, and whoever comes second waits.
    """
    row = {"kind": HEAD, "seq": START.seq, "hash": START.hash}
    await upsert(connection, tables.audit_anchor, [row], keep=("seq", "hash"))
    return await anchor(connection, HEAD, lock=True) or START


async def anchor(connection: AsyncConnection, kind: str, *, lock: bool = False) -> Anchor | None:
    """Return the HEAD of the chain or its last CUT, None where there is none."""
    found = _ANCHOR_HELD if lock else _ANCHOR
    row = (await connection.execute(found, {"of_kind": kind})).one_or_none()
    return None if row is None else Anchor(row.seq, row.hash)


async def page(
    connection: AsyncConnection, *, before: int | None, limit: int, asked: Asked = EVERYTHING
) -> list[Entry]:
    """Return acts, newest first."""
    c = tables.audit.c
    found = select(tables.audit).order_by(c.seq.desc()).limit(min(limit, PAGE_MAX))
    if before is not None:
        found = found.where(c.seq < before)
    if asked.actor:
        found = found.where(c.actor == asked.actor)
    if asked.action:
        of_noun = c.action.startswith(f"{asked.action}.", autoescape=True)
        found = found.where((c.action == asked.action) | of_noun)
    if asked.since_ms is not None:
        found = found.where(c.at_ms >= asked.since_ms)
    return [_entry(row) for row in (await connection.execute(found)).mappings()]


async def after(connection: AsyncConnection, seq: int, limit: int) -> list[Entry]:
    """Return acts past a number, oldest first."""
    c = tables.audit.c
    found = select(tables.audit).where(c.seq > seq).order_by(c.seq).limit(min(limit, PAGE_MAX))
    return [_entry(row) for row in (await connection.execute(found)).mappings()]


async def prune(connection: AsyncConnection, *, now_ms: int, days_max: int = DAYS_MAX) -> int:
    """Cut what is too old off the beginning, at most once a day; return how many rows went."""
    c, keep_ms = tables.audit.c, now_ms - days_max * DAY_MS
    oldest = select(c.at_ms).order_by(c.seq).limit(1)
    oldest_ms = (await connection.execute(oldest)).scalar_one_or_none()
    if oldest_ms is None or oldest_ms >= keep_ms - DAY_MS:
        return 0
    first_kept = await connection.execute(select(func.min(c.seq)).where(c.at_ms >= keep_ms))
    before = first_kept.scalar_one_or_none()
    old = c.seq > 0 if before is None else c.seq < before
    last = select(c.seq, c.hash).where(old).order_by(c.seq.desc()).limit(1)
    row = (await connection.execute(last)).one()
    gone = (await connection.execute(delete(tables.audit).where(c.seq <= row.seq))).rowcount
    await _save(connection, CUT, Anchor(row.seq, row.hash))
    detail = {"through": row.seq, "hash": row.hash.hex(), "rows": gone, "days": days_max}
    await add(connection, Act(now_ms, CENTRE, "", "audit.cut", f"1-{row.seq}", detail))
    return gone


async def _save(connection: AsyncConnection, kind: str, at: Anchor) -> None:
    row = {"kind": kind, "seq": at.seq, "hash": at.hash}
    await upsert(connection, tables.audit_anchor, [row])


def _storable(act: Act) -> Act:
    """Return an act as the database will give it back, since that is what is hashed."""
    plain = {name: tables.without_nul(getattr(act, name)) for name in TEXTS}
    return Act(at_ms=act.at_ms, detail=_decode(encode(act.detail)), **plain)


def _row(new: Entry) -> dict[str, Any]:
    act = new.act
    texts = {name: getattr(act, name) for name in TEXTS}
    return {
        "seq": new.seq,
        "at_ms": act.at_ms,
        "detail": encode(act.detail),
        **texts,
        "prev_hash": new.prev_hash,
        "hash": new.hash,
    }


def _entry(row: RowMapping) -> Entry:
    texts = {name: row[name] for name in TEXTS}
    act = Act(at_ms=row["at_ms"], detail=_decode(row["detail"]), **texts)
    return Entry(row["seq"], act, row["prev_hash"], row["hash"])
