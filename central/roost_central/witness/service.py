"""The witnesses of all sites at work: frames from the brokers, keys, files, time.

Each site's voter is made when its first frame comes. A frame is answered on the broker that brought
it. Leaves every decision to core.py.
"""

import asyncio
import heapq
import logging
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, assert_never

from roost_central.errors import ConfigError
from roost_central.ports import Clock, Entropy
from roost_central.witness.core import SiteWitness
from roost_central.witness.events import (
    Effect,
    Event,
    FrameIn,
    Keep,
    Kept,
    Persisted,
    PersistFailed,
    Tell,
    Tick,
)
from roost_central.witness.keys import read_folder
from roost_central.witness.shelf import read_all, write
from roost_protocol.configuration import WITNESS
from roost_protocol.errors import ProtocolError
from roost_protocol.explain import Explain
from roost_protocol.ha import LeaseFrame, open_frame, seal
from roost_protocol.limits import HA_NODES_MAX

FRAMES_MAX: Final = 4_096  # that wait: seconds of a large fleet, and nodes ask again
WRITES_MAX: Final = 4_096
KEYS_S: Final = 30.0  # between two looks into the folder of keys
BOOT_BYTES: Final = 16
TOLD_MAX: Final = 100  # refusals that the log names; the counters go on
FOLDER: Final = "witness"  # of the data directory

logger = logging.getLogger(__name__)

Send = Callable[[str, str, bytes], bool]  # broker, node id, payload


class Witnesses:
    """See the module.

    Args:
        keys: the folder of the sites' keys.
        data_dir: of this centre; no backup should have the folder ``witness`` in it.
        clock: the boot clock, and the wall clock for incarnations.
        entropy: for what tells this process from the one before.

    Attributes:
        send: puts a payload on a node's way back; set once there is one.
        refused: frames that were not believed, by reason.
    """

    def __init__(self, keys: Path, data_dir: Path, clock: Clock, entropy: Entropy) -> None:
        self.send: Send = lambda _broker, _node, _payload: False
        self.refused: Counter[str] = Counter()
        self._folder = data_dir / FOLDER
        self._key_folder = keys
        self._clock = clock
        self._boot = entropy.token(BOOT_BYTES)
        self._born = clock.wall_ms() // 1000
        self._keys: dict[str, dict[str, bytes]] = {}
        self._key_faults: list[str] = []
        self._kept: dict[str, Kept] = {}
        self._sites: dict[str, SiteWitness] = {}
        self._failed_sites: set[str] = set()
        # Site and node, or the site alone, to the broker that brought the last frame of it.
        self._brokers: dict[tuple[str, str], str] = {}
        self._frames: asyncio.Queue[tuple[str, str, str, bytes]] = asyncio.Queue(FRAMES_MAX)
        self._writes: asyncio.Queue[tuple[str, Keep]] = asyncio.Queue(WRITES_MAX)
        self._dues: list[tuple[int, str]] = []
        self._due_changed = asyncio.Event()

    def offer(self, broker: str, site: str, node: str, payload: bytes) -> bool:
        """Take in a payload of a node, as the broker names it; False where there is no room."""
        try:
            self._frames.put_nowait((broker, site, node, payload))
        except asyncio.QueueFull:
            return False
        return True

    async def run(self) -> None:
        """Vote until cancelled.

        Raises:
            ConfigError, OSError: a folder cannot be used.
        """
        self._kept = await asyncio.to_thread(read_all, self._folder)
        await self._read_keys()
        logger.info("witness: keys of %d sites, %d known", len(self._keys), len(self._kept))
        async with asyncio.TaskGroup() as group:
            group.create_task(self._hear(), name="central.witness.hear")
            group.create_task(self._write(), name="central.witness.disk")
            group.create_task(self._tick(), name="central.witness.tick")
            group.create_task(self._watch_keys(), name="central.witness.keys")

    # -- frames --------------------------------------------------------------------------------

    async def _hear(self) -> None:
        while True:
            broker, site, node, payload = await self._frames.get()
            try:
                frame = self._open(site, node, payload)
            except ProtocolError as err:
                self._refuse(site, node, err)
                continue
            self._brokers[site, node] = self._brokers[site, ""] = broker
            self._tell(site, FrameIn(node, frame))

    def _open(self, site: str, node: str, payload: bytes) -> LeaseFrame:
        """Return a frame that was made with the key of the node that the topic names."""
        key = self._keys.get(site, {}).get(node)
        if key is None:
            raise ProtocolError("no-key", field="node", got=f"{site}.{node}")
        keys = dict.fromkeys(range(HA_NODES_MAX - 1), key)
        frame = open_frame(payload, site=site, me=WITNESS, keys=keys)
        if not isinstance(frame, LeaseFrame):
            raise ProtocolError("kind", field="body", got="beat", bound="a lease frame")
        return frame

    def _refuse(self, site: str, node: str, err: ProtocolError) -> None:
        self.refused[err.code] += 1
        if sum(self.refused.values()) <= TOLD_MAX:
            logger.warning("witness: refused a frame of %s.%s: %s", site, node, err)

    def _tell(self, site: str, event: Event) -> None:
        """Let a site's voter see to something; one that fails is silent from then on, alone."""
        if site in self._failed_sites:
            return
        try:
            self._handle(site, event)
        except Exception:
            self._failed_sites.add(site)
            logger.exception("witness of %s: failed, and votes no more until a restart", site)

    def _handle(self, site: str, event: Event) -> None:
        witness = self._sites.get(site)
        now_ms = self._clock.boot_ms()
        if witness is None:
            kept = self._kept.pop(site, None)
            witness = self._sites[site] = SiteWitness(site, self._boot, self._born, kept)
            self._do(site, witness.start(now_ms))
        self._do(site, witness.handle(event, now_ms))
        due_ms = witness.due_ms()
        if due_ms is not None:
            heapq.heappush(self._dues, (due_ms, site))
            self._due_changed.set()

    def _do(self, site: str, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Tell(name, frame):
                    self._answer(site, name, frame)
                case Keep(life, token):
                    try:
                        self._writes.put_nowait((site, effect))
                    except asyncio.QueueFull:
                        self._do(site, self._failed(site, life, token))
                case Explain(sentence):
                    logger.info("witness: %s", sentence)
                case _:
                    assert_never(effect)

    def _failed(self, site: str, life: int, token: int) -> list[Effect]:
        return self._sites[site].handle(PersistFailed(life, token), self._clock.boot_ms())

    def _answer(self, site: str, node: str, frame: LeaseFrame) -> None:
        """Send a frame to a node, on the broker that it spoke by, or else its neighbours."""
        key = self._keys.get(site, {}).get(node)
        broker = self._brokers.get((site, node), self._brokers.get((site, "")))
        if key is None or broker is None:
            return
        with suppress(ProtocolError):  # larger than a frame may be: it will be asked again
            self.send(broker, f"{site}.{node}", seal(frame, {frame.to: key}))

    # -- disk and time -------------------------------------------------------------------------

    async def _write(self) -> None:
        while True:
            site, keep = await self._writes.get()
            try:
                await asyncio.to_thread(write, self._folder, site, keep.kept)
            except OSError as err:
                logger.warning("witness of %s: not on disk: %s", site, err)
                self._tell(site, PersistFailed(keep.life, keep.token))
            else:
                self._tell(site, Persisted(keep.life, keep.token))

    async def _tick(self) -> None:
        while True:
            now_ms = self._clock.boot_ms()
            while self._dues and self._dues[0][0] <= now_ms:
                _, site = heapq.heappop(self._dues)
                due_ms = self._sites[site].due_ms()
                if due_ms is not None and due_ms <= now_ms:
                    self._tell(site, Tick())
            self._due_changed.clear()
            wait_s = (self._dues[0][0] - now_ms) / 1000 if self._dues else None
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._due_changed.wait()

    async def _watch_keys(self) -> None:
        while True:
            await asyncio.sleep(KEYS_S)
            try:
                await self._read_keys()
            except ConfigError as err:
                logger.warning("witness: goes on with the keys it has: %s", err)

    async def _read_keys(self) -> None:
        self._keys, faults = await asyncio.to_thread(read_folder, self._key_folder)
        for fault in faults:
            if fault not in self._key_faults:
                logger.warning("witness: %s", fault)
        self._key_faults = faults
