"""Which tokens there are, for addresses that guess: asked of storage a few times a minute.

A wrong token costs a look into storage, and its address so much as a 429; a right one is let in
from there all the same, for behind a proxy all have one address. So who is over its limit is looked
up here first. Bounded by the accounts' tokens (api/tokens.py, api/users.py): 50,000 hashes.
"""

import asyncio
from typing import Final

from roost_central.ports import Clock
from roost_central.storage import tokens
from roost_central.storage.engine import Database

READ_MS: Final = 10_000  # a token that another process made works there so long after at most


class TokenHashes:
    """The hashes of all tokens as they were READ_MS ago at most."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._hashes: frozenset[bytes] = frozenset()
        self._read_ms: int | None = None
        self._reading = asyncio.Lock()

    async def has(self, digest: bytes) -> bool:
        """Return whether there is a token with this SHA-256; whether it still counts is not asked.

        Raises:
            StorageUnavailableError: it is not known.
        """
        async with self._reading:
            now_ms = self._clock.mono_ms()
            if self._read_ms is None or now_ms - self._read_ms >= READ_MS:
                async with self._database.read() as connection:
                    self._hashes = frozenset(await tokens.hashes(connection))
                self._read_ms = now_ms
            return digest in self._hashes

    def forget(self) -> None:
        """Ask storage again, after a change of tokens."""
        self._read_ms = None
