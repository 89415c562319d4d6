"""People who may log in: what they may, and what is stored of their password."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import RowMapping, select, update
from sqlalchemy import delete as sql_delete
from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.access.core import Grant
from roost_central.storage import tables
from roost_central.storage.rows import row_of
from roost_central.storage.upsert import upsert


@dataclass(frozen=True, slots=True)
class AccountRecord:
    """One person, or one program.

    Attributes:
        name: which acts are recorded under.
        grants: what it may.
        created_ms: when it was made.
        password: as access/password.py makes it; None: no login by password.
        changed_ms: of password, or of whether it is disabled: sessions of before are over.
        issuer, subject: of an OpenID provider, where it logs in there; together they are the
            identity, never an address of mail (Mender CVE-2024-37019).
        disabled: it may nothing.
        login_ms: its last login.
    """

    name: str
    grants: tuple[Grant, ...]
    created_ms: int
    password: str | None = None
    changed_ms: int = 0
    issuer: str | None = None
    subject: str | None = None
    disabled: bool = False
    login_ms: int | None = None


def grants_to(grants: Sequence[Grant]) -> list[list[str]]:
    """Return grants as a JSON column keeps them."""
    return [[grant.role, grant.selector] for grant in grants]


def grants_from(kept: Sequence[Sequence[str]]) -> tuple[Grant, ...]:
    """Return grants out of a JSON column."""
    return tuple(Grant(role, selector) for role, selector in kept)


async def load_all(connection: AsyncConnection) -> list[AccountRecord]:
    """Return every account by name."""
    rows = await connection.execute(select(tables.account).order_by(tables.account.c.name))
    return [_record(row) for row in rows.mappings()]


async def find(connection: AsyncConnection, name: str) -> AccountRecord | None:
    """Return an account by its name."""
    return await _one(connection, tables.account.c.name == name)


async def find_subject(
    connection: AsyncConnection, issuer: str, subject: str
) -> AccountRecord | None:
    """Return the account of an identity at a provider."""
    c = tables.account.c
    return await _one(connection, (c.issuer == issuer) & (c.subject == subject))


async def save(connection: AsyncConnection, account: AccountRecord) -> None:
    """Write an account, new or changed.

    Raises:
        IntegrityError: another has its issuer and subject.
    """
    row = row_of(account) | {"grants": grants_to(account.grants)}
    await upsert(connection, tables.account, [row])


async def logged_in(connection: AsyncConnection, name: str, *, at_ms: int) -> None:
    """Note a login."""
    chosen = tables.account.c.name == name
    await connection.execute(update(tables.account).where(chosen).values(login_ms=at_ms))


async def delete(connection: AsyncConnection, name: str) -> None:
    """Remove an account and its tokens."""
    await connection.execute(sql_delete(tables.token).where(tables.token.c.owner == name))
    await connection.execute(sql_delete(tables.account).where(tables.account.c.name == name))


async def _one(connection: AsyncConnection, chosen: object) -> AccountRecord | None:
    found = await connection.execute(select(tables.account).where(chosen))  # type: ignore[arg-type]
    row = found.mappings().one_or_none()
    return _record(row) if row else None


def _record(row: RowMapping) -> AccountRecord:
    record = AccountRecord(**row)
    return replace(record, grants=grants_from(row["grants"]), disabled=bool(row["disabled"]))
