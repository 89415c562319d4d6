"""What HA keeps over a restart: the voter's state and the redundancy state, each in a small file.

A write is a temporary file, fsync, rename, fsync of the folder; it runs in a thread of its own, so
that a slow disk delays grants and nothing else. A file that is there and makes no sense is an
error: a voter that forgot must not vote as if it had never promised.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Final

from roost_agent.durable import replace_file
from roost_agent.errors import StorageDamagedError, StorageError
from roost_agent.ha.redundancy import RedundancyState
from roost_agent.ports import Entropy
from roost_protocol.errors import ProtocolError
from roost_protocol.voter_state import VoterState, load

VOTER: Final = "voter"
REDUNDANCY: Final = "redundancy"
FENCE: Final = "fence"
BITES: Final = "watchdogs"
BYTES_MAX: Final = 64 << 10
VOTER_ID_BYTES: Final = 16


class Store:
    """The files of one node.

    Args:
        folder: ours alone; made 0700.
    """

    def __init__(self, folder: Path) -> None:
        self.fault = ""  # why the last write failed, empty when it did not
        self._folder = folder
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ha-disk")

    def voter(self, entropy: Entropy) -> VoterState:
        """Return the voter's state; a blank one where there is no file yet.

        Raises:
            StorageDamagedError: the file is there and cannot be used.
        """
        raw = self._read(VOTER)
        if raw is None:
            return VoterState.blank(entropy.token(VOTER_ID_BYTES))
        try:
            return load(raw)
        except ProtocolError as err:
            raise StorageDamagedError(
                f"{self._folder / VOTER}: {err}; this voter may have promised something"
            ) from err

    def redundancy(self) -> RedundancyState:
        """Return the redundancy state; one that cannot be read bars nobody."""
        with suppress(StorageError, ValueError):
            raw = self._read(REDUNDANCY)
            return RedundancyState((raw or b"normal").decode().strip())
        return RedundancyState.NORMAL

    async def write_voter(self, state: VoterState) -> None:
        """Put the voter's state on disk.

        Raises:
            StorageError: it may be there or not.
        """
        await self._write(VOTER, state.blob())

    async def write_redundancy(self, state: RedundancyState) -> None:
        """Put the redundancy state on disk.

        Raises:
            StorageError: see above.
        """
        await self._write(REDUNDANCY, f"{state}\n".encode())

    def fence(self) -> bytes | None:
        """Return what fencing kept, None where there is no file; empty where it cannot be read."""
        try:
            return self._read(FENCE)
        except StorageError:
            return b""

    async def write_fence(self, content: bytes) -> None:
        """Put what fencing keeps on disk.

        Raises:
            StorageError: see above.
        """
        await self._write(FENCE, content)

    def bites(self) -> bytes | None:
        """Return what is kept of watchdog tests, None where there is no file that can be read."""
        try:
            return self._read(BITES)
        except StorageError:
            return None

    async def write_bites(self, content: bytes) -> None:
        """Put what is kept of watchdog tests on disk.

        Raises:
            StorageError: see above.
        """
        await self._write(BITES, content)

    def close(self) -> None:
        """Let the thread end once it is through."""
        self._thread.shutdown(wait=False)

    def _read(self, name: str) -> bytes | None:
        try:
            with (self._folder / name).open("rb") as stream:
                return stream.read(BYTES_MAX)
        except FileNotFoundError:
            return None
        except OSError as err:
            raise StorageDamagedError(f"{self._folder / name}: {err.strerror}") from err

    async def _write(self, name: str, content: bytes) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._thread, put_file, self._folder / name, content)
        except OSError as err:
            self.fault = f"{self._folder / name}: {err.strerror}"
            raise StorageError(self.fault) from err
        self.fault = ""


def put_file(file: Path, content: bytes) -> None:
    """Replace a file (durable.py), in a folder that is made where it is not there; OSError."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    replace_file(file, content)
