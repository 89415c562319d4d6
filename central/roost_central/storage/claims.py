"""Claims: by what boxes may be let in. Of a token only the hash of its secret is kept."""

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import RowMapping, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.storage import tables
from roost_central.storage.rows import row_of


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


async def by_subject(
    connection: AsyncConnection, kind: ClaimType, subject: str
) -> list[ClaimRecord]:
    """Return the claims for a serial number or a key, the newest first."""
    c = tables.claim.c
    chosen = select(tables.claim).where(c.kind == kind, c.subject == subject)
    rows = await connection.execute(chosen.order_by(c.made_ms.desc(), c.id))
    return [_record(row) for row in rows.mappings()]


async def load_all(connection: AsyncConnection, *, limit: int) -> list[ClaimRecord]:
    """Return claims, the newest first."""
    c = tables.claim.c
    rows = await connection.execute(
        select(tables.claim).order_by(c.made_ms.desc(), c.id).limit(limit)
    )
    return [_record(row) for row in rows.mappings()]


async def spend(connection: AsyncConnection, id_: str) -> bool:
    """Use up one of a claim's boxes; False where there is none left, whoever came first."""
    c = tables.claim.c
    chosen = update(tables.claim).where(c.id == id_, c.used < c.nodes_max)
    return (await connection.execute(chosen.values(used=c.used + 1))).rowcount == 1


async def revoke(connection: AsyncConnection, id_: str, *, now_ms: int) -> bool:
    """Let nobody use a claim any more."""
    c = tables.claim.c
    chosen = update(tables.claim).where(c.id == id_, c.revoked_ms.is_(None))
    return (await connection.execute(chosen.values(revoked_ms=now_ms))).rowcount == 1


def _record(row: RowMapping) -> ClaimRecord:
    return ClaimRecord(**{**row, "kind": ClaimType(row["kind"])})
