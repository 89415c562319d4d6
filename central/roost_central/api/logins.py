"""Logins by name and password: slow hashes off the loop, few at a time, and few failures.

Whoever asks learns neither whether an account is there nor whether it has a password: all refusals
are the same, after the same work.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

from aiohttp import web

from roost_central.access.password import SALT_BYTES, hashed, is_password
from roost_central.api.auth import Access
from roost_central.api.problem import ApiError
from roost_central.api.sessions import Login
from roost_central.ports import Clock, Entropy
from roost_central.storage import accounts
from roost_central.storage.accounts import AccountRecord
from roost_central.storage.engine import Database

AT_ONCE_MAX: Final = 2  # 32 MiB and a core each
WAITING_MAX: Final = 16  # 0.2 s each: who comes later waits 2 s at most


class Passwords:
    """Makes and checks hashes of passwords."""

    def __init__(self, entropy: Entropy) -> None:
        self._entropy = entropy
        self._at_once = asyncio.Semaphore(AT_ONCE_MAX)
        self._waiting = 0
        self._nobodys = ""

    async def hash(self, password: str) -> str:
        """Return what is stored of a new password.

        Raises:
            ApiError: ``busy``.
        """
        salt = self._entropy.token(SALT_BYTES)
        async with self._turn():
            return await asyncio.to_thread(hashed, password, salt)

    async def check(self, password: str, stored: str | None, may: Callable[[], None]) -> bool:
        """Say whether a password is right; without a stored one the same work is done.

        Args:
            password: as it was typed.
            stored: what is kept of the account's own.
            may: asked when the turn has come, for others failed while this one waited.

        Raises:
            ApiError: ``busy``, or what ``may`` raises.
        """
        if stored is None and not self._nobodys:
            self._nobodys = await self.hash(self._entropy.token(SALT_BYTES).hex())
        async with self._turn():
            may()
            right = await asyncio.to_thread(is_password, password, stored or self._nobodys)
        return right and stored is not None

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """Be one of AT_ONCE_MAX; who finds WAITING_MAX before him is sent away."""
        if self._waiting >= WAITING_MAX:
            raise ApiError("busy", "too many log in just now", headers={"Retry-After": "5"})
        self._waiting += 1
        try:
            async with self._at_once:
                yield
        finally:
            self._waiting -= 1


class Logins:
    """Lets people in by name and password."""

    def __init__(self, database: Database, clock: Clock, access: Access, entropy: Entropy) -> None:
        self.passwords = Passwords(entropy)
        self._database = database
        self._clock = clock
        self._access = access

    async def prove(self, name: str, password: str, request: web.Request) -> Login:
        """Return the proof of a login; a wrong one counts against the address and the account.

        Raises:
            ApiError: ``unauthenticated``, ``throttled`` or ``busy``.
        """
        address, key = request.remote or "", f"account {name}"
        may = partial(self._access.check_throttle, address, key)
        may()
        async with self._database.read() as connection:
            account = await accounts.find(connection, name)
        if not await self.passwords.check(password, _stored(account), may) or account is None:
            now_ms = self._clock.mono_ms()
            self._access.throttle.failed(address, now_ms)
            self._access.throttle.failed(key, now_ms)
            raise ApiError("unauthenticated", "the name or the password is wrong")
        return Login(account.name, account.changed_ms, "password")


def _stored(account: AccountRecord | None) -> str | None:
    return None if account is None or account.disabled else account.password
