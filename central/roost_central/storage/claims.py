"""Claims: by what boxes may be let in. Of a token only the hash of its secret is kept."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import RowMapping, bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.storage import tables
from roost_central.storage.rows import row_of
from roost_central.storage.upsert import update_rows


class ClaimType(StrEnum):
    """What shows that a box may use a claim."""

    TOKEN = "token"  # noqa: S105 - a word, no secret
    SERIAL = "serial"  # its serial number is listed, and it brings a token of the site
    KEY = "key"  # it signs with a key that was announced


@dataclass(frozen=True, slots=True)
class ClaimRecord:
    """One claim.

    Attributes:
        subject: the serial number, or SHA-256 of the key (SPKI) in hexadecimal.
        node: the one slot that it is for; empty: any empty one.
        broker: whether the node may be a broker of its site.
        replaces: the box of the slot that goes when the claim is used, by its number; 0: none may.
    """

    id: str
    kind: ClaimType
    site: str
    made_by: str
    made_ms: int
    not_after_ms: int
    node: str = ""
    broker: bool = False
    nodes_max: int = 1
    used: int = 0
    auto_approve: bool = False
    cidr: str = ""
    subject: str = ""
    secret_hash: bytes | None = None
    revoked_ms: int | None = None
    replaces: int = 0

    @property
    def lets_in_by_itself(self) -> bool:
        """Whether nobody is asked: so a box that is listed by name is let in."""
        return self.auto_approve or self.kind is not ClaimType.TOKEN


_NAMED: Final = tuple(  # in the order of ids: two who hold several never wait for each other
    select(tables.claim)
    .where(column.in_(bindparam("wanted", expanding=True)))
    .order_by(tables.claim.c.id)
    for column in (tables.claim.c.id, tables.claim.c.subject)
)
_HELD: Final = tuple(chosen.with_for_update() for chosen in _NAMED)


async def add(connection: AsyncConnection, *claims: ClaimRecord) -> None:
    """Write new claims."""
    if claims:
        await connection.execute(insert(tables.claim), [row_of(claim) for claim in claims])


async def find(connection: AsyncConnection, id_: str) -> ClaimRecord | None:
    """Return a claim."""
    chosen = tables.claim.c.id == tables.without_nul(id_)  # whoever asks may send any text
    rows = await connection.execute(select(tables.claim).where(chosen))
    row = rows.mappings().one_or_none()
    return _record(row) if row else None


async def named(
    connection: AsyncConnection,
    ids: Collection[str],
    subjects: Collection[str],
    *,
    hold: bool = False,
) -> list[ClaimRecord]:
    """Return claims by id, and those for serial numbers or keys; the newest first.

    Args:
        connection: of a write transaction where they are held.
        ids: any text; whoever asks may send it.
        subjects: any text, too.
        hold: let no other transaction spend or revoke one of them before this one has ended.
    """
    found: list[ClaimRecord] = []
    for chosen, wanted in zip(_HELD if hold else _NAMED, (ids, subjects), strict=True):
        if wanted:
            texts = {"wanted": [tables.without_nul(each) for each in wanted]}
            rows = await connection.execute(chosen, texts)
            found += [_record(row) for row in rows.mappings()]
    return sorted(found, key=lambda claim: (-claim.made_ms, claim.id))


async def load_all(connection: AsyncConnection, *, limit: int) -> list[ClaimRecord]:
    """Return claims, the newest first."""
    c = tables.claim.c
    rows = await connection.execute(
        select(tables.claim).order_by(c.made_ms.desc(), c.id).limit(limit)
    )
    return [_record(row) for row in rows.mappings()]


async def use(connection: AsyncConnection, used: Mapping[str, int]) -> None:
    """Note how many boxes claims have let in, by id; whoever does holds them (``named``)."""
    rows = [{"id": id_, "used": boxes} for id_, boxes in sorted(used.items())]
    await update_rows(connection, tables.claim, rows)


async def revoke(connection: AsyncConnection, id_: str, *, now_ms: int) -> bool:
    """Let nobody use a claim any more."""
    c = tables.claim.c
    chosen = update(tables.claim).where(c.id == id_, c.revoked_ms.is_(None))
    return (await connection.execute(chosen.values(revoked_ms=now_ms))).rowcount == 1


def _record(row: RowMapping) -> ClaimRecord:
    return ClaimRecord(**{**row, "kind": ClaimType(row["kind"])})
