"""Tests this node's watchdog: has it starve, and knows after the reset that it bit.

Leaves to others: what a test means (bite), whether one may be made (orders), to starve (the guard).
"""

import asyncio
import logging
import os
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from roost_agent.errors import StorageError
from roost_agent.ha.bite import Bite, Bites, begun, settled
from roost_agent.ha.guard_client import GuardClient, GuardError, GuardGoneError
from roost_agent.ha.guard_report import GuardReport
from roost_agent.ha.runtime import Runtime
from roost_agent.ha.store import Store
from roost_agent.ports import Clock
from roost_protocol.explain import Explain

SYNC_S: Final = 2.0  # a disk that does not take it by then never will

log = logging.getLogger(__name__)
_decoder: Final = msgspec.json.Decoder(Bites)


class BiteTests:
    """The tests of one node.

    Args:
        store: keeps them.
        boot: the kernel's boot id.
        clock: for people.
        sync: puts on disk what waits.
    """

    def __init__(
        self, store: Store, boot: bytes, clock: Clock, sync: Callable[[], None] = os.sync
    ) -> None:
        self._store = store
        self._boot = boot.hex()
        self._clock = clock
        self._sync = sync
        self._bites = _kept(store)
        self._is_unwritten = False
        self._asked: GuardReport | None = None
        self._woken = asyncio.Event()

    @property
    def known(self) -> Mapping[str, Bite]:
        """The tests that were made, by the guard's words for device and machine."""
        return self._bites

    def look(self, report: GuardReport) -> None:
        """Take in what the guard says of itself: whether a test is over, and how."""
        bites = settled(self._bites, report, self._boot)
        if bites != self._bites:
            self._bites, self._is_unwritten = bites, True
            log.warning("ha: %s: the watchdog %s", report.hardware, bites[report.hardware].result)
            self._woken.set()

    def begin(self, report: GuardReport) -> None:
        """Begin one; whether it may be made was looked at by the caller."""
        self._asked = report
        self._woken.set()

    async def run(self, runtime: Runtime) -> None:
        """Carry tests through, until cancelled."""
        while True:
            await self._woken.wait()
            self._woken.clear()
            if self._is_unwritten:
                await self._write()
            asked, self._asked = self._asked, None
            if asked is not None and runtime.shells.guard is not None:
                await self._test(runtime, runtime.shells.guard, asked)

    async def _write(self) -> bool:
        try:
            await self._store.write_bites(msgspec.json.encode(self._bites))
        except StorageError as err:
            log.warning("ha: %s", err)
            return False
        self._is_unwritten = False
        return True

    async def _test(self, runtime: Runtime, guard: GuardClient, report: GuardReport) -> None:
        """Put on disk that it begins, and what else waits there; then have the device starve."""
        bite = Bite(self._boot, self._clock.wall_ms(), report.watchdog_ms)
        before, self._bites = self._bites, begun(self._bites, report.hardware, bite)
        why_not = ""
        if not await self._write():
            why_not = f"what is not on disk would not be known afterwards: {self._store.fault}"
        else:
            await self._synced()
            try:
                await guard.bite()
            except (GuardError, GuardGoneError) as err:
                why_not = str(err)
        if why_not:
            self._bites = before
            await self._write()
            runtime.explain(Explain(f"the watchdog is not tested: {why_not}", {}))
            return
        runtime.explain(
            Explain(
                f"the watchdog is fed no more: it is to reset this node within "
                f"{report.watchdog_ms / 1000:g} s",
                {"hardware": report.hardware},
            )
        )

    async def _synced(self) -> None:
        try:
            async with asyncio.timeout(SYNC_S):
                await asyncio.to_thread(self._sync)
        except TimeoutError:
            log.warning("ha: not all is on disk after %s s", SYNC_S)


def _kept(store: Store) -> Bites:
    """Return what is on disk; what cannot be read is no test that was passed."""
    try:
        return _decoder.decode(store.bites() or b"{}")
    except msgspec.MsgspecError as err:
        log.warning("ha: the tests of the watchdog are not known: %s", err)
        return {}
