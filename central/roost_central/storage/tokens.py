"""API tokens: only their hashes are kept."""

from dataclasses import dataclass

from sqlalchemy import delete as sql_delete
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.storage import tables
from roost_central.storage.rows import row_of


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """One token; ``expires_ms`` None is for good, ``used_ms`` is its last use."""

    hash: bytes
    name: str
    role: str
    created_ms: int
    expires_ms: int | None = None
    used_ms: int | None = None


async def load_all(connection: AsyncConnection) -> list[TokenRecord]:
    """Return every token in the order of creation."""
    rows = await connection.execute(select(tables.token).order_by(tables.token.c.created_ms))
    return [TokenRecord(**row) for row in rows.mappings()]


async def find(connection: AsyncConnection, digest: bytes) -> TokenRecord | None:
    """Return the token with this hash."""
    found = await connection.execute(select(tables.token).where(tables.token.c.hash == digest))
    row = found.mappings().one_or_none()
    return TokenRecord(**row) if row else None


async def add(connection: AsyncConnection, token: TokenRecord) -> None:
    """Write a new token."""
    await connection.execute(insert(tables.token), row_of(token))


async def touch(connection: AsyncConnection, digest: bytes, *, used_ms: int) -> None:
    """Note the last use of a token."""
    chosen = tables.token.c.hash == digest
    await connection.execute(update(tables.token).where(chosen).values(used_ms=used_ms))


async def delete(connection: AsyncConnection, name: str) -> bool:
    """Revoke a token by its name."""
    done = await connection.execute(sql_delete(tables.token).where(tables.token.c.name == name))
    return done.rowcount > 0
