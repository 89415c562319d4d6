"""Accounts: kept with their grants, and made of the tokens that were there before them."""

from dataclasses import replace

import pytest
from alembic import command
from sqlalchemy import text

from roost_central.access.core import Grant
from roost_central.errors import StorageRefusedError
from roost_central.ports import SystemClock
from roost_central.storage import accounts, tokens
from roost_central.storage.accounts import AccountRecord
from roost_central.storage.engine import Database
from roost_central.storage.tokens import TokenRecord

ANN = AccountRecord("ann", (Grant("viewer"), Grant("operator", "region:r1")), 1, "scrypt$..", 2)
SSO = replace(ANN, name="sso", password=None, issuer="https://idp", subject="42", disabled=True)


async def test_an_account_is_kept_changed_found_and_removed_with_its_tokens(database):
    async with database.write() as connection:
        for account in (ANN, SSO):
            await accounts.save(connection, account)
        await tokens.add(connection, TokenRecord(b"h", "ci", "ann", 1))
        assert await accounts.load_all(connection) == [ANN, SSO]
        assert await accounts.find_subject(connection, "https://idp", "42") == SSO
        assert await accounts.find_subject(connection, "https://idp", "43") is None
        await accounts.logged_in(connection, "ann", at_ms=9)
        await accounts.save(connection, replace(ANN, grants=()))
        assert await accounts.find(connection, "ann") == replace(ANN, grants=())
        await accounts.delete(connection, "ann")
        assert await accounts.load_all(connection) == [SSO]
        assert await tokens.load_all(connection) == []


async def test_no_two_accounts_are_one_identity(database):
    async def double():
        async with database.write() as connection:
            await accounts.save(connection, SSO)
            await accounts.save(connection, replace(SSO, name="other"))

    with pytest.raises(StorageRefusedError):
        await double()


async def test_a_token_of_before_has_an_account_with_its_role(tmp_path, at_revision):
    url = f"sqlite+aiosqlite:///{tmp_path}/old.db"
    database = await Database.open(url, clock=SystemClock())

    async with database.write() as connection:
        await at_revision(connection, command.downgrade, "0007")
        old = text(
            "INSERT INTO token (hash, name, role, created_ms) VALUES (:hash, 'admin', 'admin', 3)"
        )
        await connection.execute(old, {"hash": b"h"})
        await at_revision(connection, command.upgrade, "head")
        assert await accounts.load_all(connection) == [AccountRecord("admin", (Grant("admin"),), 3)]
        assert await tokens.load_all(connection) == [TokenRecord(b"h", "admin", "admin", 3)]
        await at_revision(connection, command.downgrade, "0007")
        kept = (await connection.execute(text("SELECT role FROM token"))).scalar_one()
        await at_revision(connection, command.upgrade, "head")
    assert kept == "admin"
    await database.close()
