"""API tokens: only their hashes are kept."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlalchemy import RowMapping, insert, select, update
from sqlalchemy import delete as sql_delete
from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.access.core import Grant
from roost_central.storage import tables
from roost_central.storage.accounts import grants_from, grants_to
from roost_central.storage.rows import row_of


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """One token.

    Attributes:
        hash: its SHA-256.
        name: unique among all.
        owner: the account whose it is; it never may more than that may.
        grants: what it may of it; None: all.
        expires_ms: None: never.
        used_ms: its last use, as of a minute.
    """

    hash: bytes
    name: str
    owner: str
    created_ms: int
    grants: tuple[Grant, ...] | None = None
    expires_ms: int | None = None
    used_ms: int | None = None


async def load_all(connection: AsyncConnection, owner: str | None = None) -> list[TokenRecord]:
    """Return every token, or those of one account, in the order of creation."""
    found = select(tables.token).order_by(tables.token.c.created_ms, tables.token.c.name)
    if owner is not None:
        found = found.where(tables.token.c.owner == owner)
    return [_record(row) for row in (await connection.execute(found)).mappings()]


async def hashes(connection: AsyncConnection) -> list[bytes]:
    """Return the hash of every token."""
    return list((await connection.execute(select(tables.token.c.hash))).scalars())


async def find(connection: AsyncConnection, digest: bytes) -> TokenRecord | None:
    """Return the token with this hash."""
    found = await connection.execute(select(tables.token).where(tables.token.c.hash == digest))
    row = found.mappings().one_or_none()
    return _record(row) if row else None


async def named(connection: AsyncConnection, name: str) -> TokenRecord | None:
    """Return the token of this name."""
    found = await connection.execute(select(tables.token).where(tables.token.c.name == name))
    row = found.mappings().one_or_none()
    return _record(row) if row else None


async def add(connection: AsyncConnection, token: TokenRecord) -> None:
    """Write a new token."""
    grants = None if token.grants is None else grants_to(token.grants)
    await connection.execute(insert(tables.token), row_of(token) | {"grants": grants})


async def touch(connection: AsyncConnection, used: Mapping[bytes, int]) -> None:
    """Note the last uses of tokens, UTC ms by hash."""
    for digest, used_ms in used.items():
        chosen = tables.token.c.hash == digest
        await connection.execute(update(tables.token).where(chosen).values(used_ms=used_ms))


async def delete(connection: AsyncConnection, name: str) -> bool:
    """Revoke a token by its name."""
    done = await connection.execute(sql_delete(tables.token).where(tables.token.c.name == name))
    return done.rowcount > 0


def _record(row: RowMapping) -> TokenRecord:
    kept = row["grants"]
    return replace(TokenRecord(**row), grants=None if kept is None else grants_from(kept))
