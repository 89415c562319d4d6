"""What this node is: decides with wake when to look, and puts what changed into the outbox.

One job at a time, each finished on disk before the next begins: so a generation's base is always
the one before it, whatever is asked meanwhile.
"""

import asyncio
import logging
import zlib
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from roost_agent.config import InventoryConfig
from roost_agent.errors import ProbeError, StorageError
from roost_agent.identity import Identity
from roost_agent.inventory import ledger, snapshot
from roost_agent.inventory.churn import CHANGES_MAX, volatile
from roost_agent.outbox.spool import Batch, Spool
from roost_agent.outbox.store import Entry, LaneCounts
from roost_agent.ports import Clock, Entropy
from roost_agent.wake import stamps
from roost_agent.wake.child import Document
from roost_agent.wake.core import Asked, Event, Probed, Stale, Start, Tick, WakeCore
from roost_protocol.beat import InventoryMark
from roost_protocol.codec import pack
from roost_protocol.envelope import ItemKind, Lane
from roost_protocol.errors import ProtocolError
from roost_protocol.inventory import Section

log = logging.getLogger(__name__)

NOTE: Final = "inventory"
FIELDS_SHOWN: Final = 8  # of those that a line of the log names
RETRY_S: Final = 60.0  # after an outbox that took nothing

Prober = Callable[[tuple[str, ...]], Awaitable[Document]]


class Instruments(msgspec.Struct, frozen=True):
    """All that the agent reads the world with besides its paths; a simulation has its own."""

    clock: Clock
    entropy: Entropy
    prober: Prober


class Survey:
    """The inventory of one node.

    Args:
        identity: who is told.
        spool: the outbox.
        instruments: clock, entropy and the probe.
        config: how often to look.
        changed: called when beats have something new to tell.
    """

    def __init__(
        self,
        identity: Identity,
        spool: Spool,
        instruments: Instruments,
        config: InventoryConfig,
        changed: Callable[[], None],
    ) -> None:
        self.mark: InventoryMark | None = None
        self.fault = ""
        self._identity = identity
        self._spool = spool
        self._prober = instruments.prober
        self._clock = instruments.clock
        self._entropy = instruments.entropy
        self._changed = changed
        self._config = config
        self._core = WakeCore(interval_ms=config.probe_interval_ms)
        self._resync: set[str] | None = None  # sections to say again; empty for all
        self._probe: tuple[str, ...] | None = None
        self._wake = asyncio.Event()
        self._looked = asyncio.Event()

    @property
    def probing(self) -> bool:
        """Whether the child runs now."""
        return self._core.probing

    def handle(self, event: Event) -> None:
        """Take in what may have moved."""
        self._decide(event)
        self._wake.set()

    def resync(self, sections: list[str]) -> None:
        """Say the sections again in full, or all of them where none is named."""
        asked = set(sections)
        if self._resync is None:
            self._resync = asked
        elif self._resync and asked:
            self._resync |= asked
        else:
            self._resync = set()
        self._wake.set()

    def reprobe(self, classes: list[str]) -> None:
        """Look now."""
        self.handle(Asked(tuple(classes)))

    async def looked(self) -> None:
        """Return when the next probe has ended, well or not (``fault``)."""
        self._looked.clear()
        await self._looked.wait()

    async def run(self) -> None:
        """Work until cancelled."""
        await self._load_mark()
        self.handle(Start())
        while True:
            if self._probe is not None:
                await self._look(self._probe)
            if self._resync is not None:
                sections, self._resync = sorted(self._resync), None
                await self._say_again(sections)
            await self._wait()
            self._decide(Tick())  # not handle(): it would wake this loop for ever

    async def watch_stamps(self, root: Path) -> None:
        """Compare the cheap stamps at intervals, until cancelled."""
        before = stamps.read(root)
        while True:
            await asyncio.sleep(self._config.stamp_interval_ms / 1000)
            after = stamps.read(root)
            if classes := stamps.moved(before, after):
                log.info("survey: %s moved", ", ".join(classes))
                self.handle(Stale(classes))
            before = after

    def _decide(self, event: Event) -> None:
        for probe in self._core.handle(event, self._clock.boot_ms()):
            self._probe = probe.classes

    async def _wait(self) -> None:
        due_ms = self._core.due_ms()
        wait_s = None if due_ms is None else max(due_ms - self._clock.boot_ms(), 0) / 1000
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self._wake.wait()
        self._wake.clear()

    async def _look(self, classes: tuple[str, ...]) -> None:
        self._probe = None
        try:
            found = _sections(await self._prober(classes))
            known = await self._known()
            change = ledger.probed(
                known, found, boot_id=self._identity.boot_id, now_ms=self._clock.wall_ms()
            )
            if change is not None:
                self._note_volatile(known, change.known)
            await self._tell(change, ", ".join(classes) or "all")
            self.fault = ""
        except (ProbeError, StorageError) as err:
            self.fault = str(err)
            log.warning("survey: probe of %s: %s", ", ".join(classes) or "all", err)
        jitter = self._entropy.uniform(0, 1)
        self.handle(Probed(not self.fault, jitter))
        self._looked.set()

    def _note_volatile(self, before: ledger.Known, after: ledger.Known) -> None:
        """Say which fields change too often to be told for the rest of a day."""
        now_ms = self._clock.wall_ms()
        fresh = set(volatile(after.counts, now_ms)).difference(volatile(before.counts, now_ms))
        if fresh:
            log.warning(
                "survey: more than %d changes within a day, left out of the inventory: %s",
                CHANGES_MAX,
                ", ".join(sorted(fresh)[:FIELDS_SHOWN]),
            )

    async def _say_again(self, sections: list[str]) -> None:
        known = await self._known()
        change = ledger.asked(
            known,
            sections or None,
            boot_id=self._identity.boot_id,
            now_ms=self._clock.wall_ms(),
        )
        with suppress(StorageError):  # central asks again while its digest differs
            await self._tell(change, "central asked")

    async def _tell(self, change: ledger.Change | None, why: str) -> None:
        """Append a change and wait until it is on disk."""
        if change is None:
            return
        on_disk = asyncio.Event()

        def then(lanes: Mapping[Lane, LaneCounts]) -> None:
            self.mark = InventoryMark(change.known.gen, change.known.digest, lanes[Lane.BULK].last)
            on_disk.set()
            self._changed()

        entries = tuple(self._entry(document) for document in change.documents)
        note = zlib.compress(ledger.dump(change.known), 6)
        self._spool.append(Batch(entries, {NOTE: note}, then))
        await on_disk.wait()
        log.info("survey: generation %d told (%s)", change.known.gen, why)

    def _entry(self, document: object) -> Entry:
        body, compressed = pack(document)
        return Entry(Lane.BULK, ItemKind.INVENTORY, self._clock.wall_ms(), body, compressed)

    async def _known(self) -> ledger.Known:
        """Return what was told last; a note that makes no sense begins again with a snapshot."""
        raw = await self._spool.note(NOTE)
        if raw is None:
            return ledger.Known()
        try:
            inflater = zlib.decompressobj()
            return ledger.load(inflater.decompress(raw, ledger.KNOWN_BYTES_MAX))
        except (zlib.error, ProtocolError) as err:
            log.warning("survey: the last inventory cannot be read (%s): told in full again", err)
            gen = 0 if self.mark is None else self.mark.gen
            return ledger.Known(gen)

    async def _load_mark(self) -> None:
        known = await self._known()
        if known.gen:
            last = self._spool.lanes[Lane.BULK].last
            self.mark = InventoryMark(known.gen, known.digest, last)
            self._changed()


def _sections(document: Document) -> dict[str, Section]:
    return {
        name: snapshot.section(
            each.items, each.missing, as_of_ms=max(each.as_of_ms, 0), cost_ms=max(each.cost_ms, 0)
        )
        for name, each in document.sections.items()
    }
