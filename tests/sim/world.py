"""One run: a fleet, its brokers and its centre on one loop, struck by the faults of a plan.

Production code runs from the wire's payloads inwards; what stands in place of the outermost shells
is named in node.py and centre.py. A *safety* phase with faults comes first: invariants are checked
after each event. Then everything is healed, and the *liveness* phase demands that the fleet
converges. The same plan gives the same trace, event by event.
"""

import asyncio
import gc
import logging
import random
import re
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any

from sim.audit import Audit
from sim.broker import Broker
from sim.centre import Centre
from sim.checkers import Checkers
from sim.disk import Disk, agent_work
from sim.faults import Faults
from sim.loop import SimLoop
from sim.net import Net
from sim.node import Node
from sim.oracle import Oracle
from sim.plan import Plan
from sim.proc import EPOCH_MS, HERE, Host, Life
from sim.trace import Trace

from roost_agent.config import BeatConfig, Config, InventoryConfig, OutboxConfig, PathConfig
from roost_central.ports import SystemClock
from roost_central.storage.engine import Database
from roost_protocol.beat import PathKind

CHECK_S = 10.0  # virtual, between two looks at what costs more than an event
COLLECT_CHECKS = 60  # of these, from one whole garbage collection to the next
SETTLED_S = 5.0  # virtual, between two looks whether all has converged
BUGGIFY_RUNS = 0.25  # of the points, in a run that has them
BUGGIFY_FIRES = 0.25  # of the times that such a point is passed
VIOLATIONS_MAX = 20
HOUR_MS = 3_600_000
MEMORY = Path("/dev/shm")


@dataclass(slots=True)
class Outcome:
    """How a run went.

    Attributes:
        digest: of the trace.
        settled_s: how long converging took, virtual; None where it did not.
        virtual_s: how long the run lasted, virtual.
        cpu_s: what it cost, of this process.
    """

    plan: Plan
    digest: str
    events: int
    violations: list[str]
    settled_s: float | None
    virtual_s: float
    cpu_s: float
    sometimes: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        told = "\n".join(f"  {each}" for each in self.violations) or "  nothing violated"
        return f"{self.plan}\n{told}\n  {self.events} events, trace {self.digest}"


class World:
    """See the module.

    Args:
        plan: all of the run.
        folder: empty; the hosts' disks.
        keep: takes the trace's lines where somebody wants to read them.
    """

    def __init__(
        self, plan: Plan, folder: Path, *, keep: Callable[[str], None] | None = None
    ) -> None:
        self.plan = plan
        self.folder = folder
        self.loop = SimLoop(plan.seed)
        self.loop.disk_work = partial(agent_work, self)
        self.loop.set_exception_handler(self._unhandled)
        self.trace = Trace(self.loop.time, keep=keep)
        self.violations: list[str] = []
        self.paused: dict[Life, None] = {}
        self.is_healing = False
        self._checks = 0
        self.is_replaying = any(each.kind == "mood" for each in plan.faults)
        self.schema = folder / "schema.db"
        self.schema.write_bytes(empty_database())
        self._over = self.loop.create_future()
        self._buggify: dict[str, random.Random | None] = {}
        self._rolls = self.dice("rolls")
        self.net = Net(self)
        self.oracle = Oracle(self)
        self.wan_brokers = plan.central_names
        names = (*plan.central_names, *plan.site_brokers.values())
        self.brokers = {name: Broker(self, name) for name in names}
        self.centre = Centre(self)
        self.audit = Audit(self, self.centre.file)
        self.nodes = {name: self._node(place, name) for place, name in enumerate(plan.node_names)}
        self.hosts: dict[str, Host] = {
            each.host.name: each.host
            for each in (*self.brokers.values(), self.centre, *self.nodes.values())
        }
        self.checkers = Checkers(self)
        self.faults = Faults(self)

    def run(self, script: Callable[["World"], Any] | None = None) -> Outcome:
        """Run it all; with a ``script``, an async function of the world, that between the phases.

        A directed scenario's script runs in the safety phase and ends it.
        """
        began = time.process_time()
        settled_s = None
        try:
            settled_s = self.loop.run_until_complete(self._main(script))
        except Exception as err:  # noqa: BLE001 - whatever it is, it is the finding
            self.violate(f"the run broke: {err!r}")
        virtual_s = self.loop.time()
        digest, events = self.trace.digest, self.trace.events
        self._end()
        return Outcome(
            self.plan,
            digest,
            events,
            self.violations[:VIOLATIONS_MAX],
            settled_s,
            virtual_s,
            time.process_time() - began,
            self.trace.sometimes,
        )

    # -- what its parts ask ----------------------------------------------------------------

    def dice(self, name: str) -> random.Random:
        """Return dice of one's own: what one part draws changes nothing for another."""
        return random.Random(f"{self.plan.seed}/{name}")

    def disk(self, name: str) -> Disk:
        """Return the disk of a new host."""
        return Disk(self, self.dice(f"{name}/disk"))

    def rolls(self, share: float) -> bool:
        """Return true in a share of all calls."""
        return self._rolls.random() < share

    def buggify(self, point: str) -> bool:
        """Return whether a point that makes rare things common fires now; never while healing.

        In a quarter of the runs that have it at all a point is live, and then fires at a quarter
        of its passes (FoundationDB's figures).
        """
        if not self.plan.buggify or self.is_healing:
            return False
        if point not in self._buggify:
            dice = self.dice(f"buggify/{point}")
            self._buggify[point] = dice if dice.random() < BUGGIFY_RUNS else None
        dice_or_none = self._buggify[point]
        if dice_or_none is None or dice_or_none.random() >= BUGGIFY_FIRES:
            return False
        self.trace.met(f"buggify {point}")
        return True

    def now_ms(self) -> int:
        """Return true UTC, which no host has."""
        return EPOCH_MS + int(self.loop.time() * 1000)

    def after_event(self, life: Life) -> None:
        """Check what an event may have broken."""
        self.checkers.after_event(life.host.name)

    def violate(self, what: str) -> None:
        """Record that a promise was broken; the run ends."""
        self.violations.append(f"{self.loop.time():.3f} s: {what}")
        self.trace.note(f"VIOLATION {what}")
        if not self._over.done():
            self._over.set_result(None)

    # -- the run ---------------------------------------------------------------------------

    async def _main(self, script: Callable[["World"], Any] | None) -> float | None:
        for host in self.hosts.values():
            host.start()
        self.faults.plan()
        self._check_again()
        if script is not None:
            task = self.loop.create_task(script(self))
            await asyncio.wait([task, self._over], return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                task.result()
            else:
                task.cancel()
        elif await self._is_over_within(self.plan.safety_s):
            return None
        return None if self._over.done() else await self._converge()

    async def _converge(self) -> float | None:
        """Heal everything and demand that the fleet settles in time."""
        began_s = self.loop.time()
        self.is_healing = True
        self.trace.note("all is healed")
        for node in self.nodes.values():
            node.busy = False
        self.faults.heal()
        while unsettled := self.checkers.unsettled():
            self.faults.start_all()
            if await self._is_over_within(SETTLED_S):
                return None
            if self.loop.time() - began_s > self.plan.liveness_s:
                self.violate("not settled: " + "; ".join(unsettled[:10]))
                return None
        self.checkers.periodic()
        self.checkers.final()
        return self.loop.time() - began_s

    async def _is_over_within(self, seconds: float) -> bool:
        await asyncio.wait([self._over], timeout=seconds)
        return self._over.done()

    def _check_again(self) -> None:
        self.checkers.periodic()
        # Where the collector runs by itself, it runs finalisers at times of its own.
        self._checks += 1
        gc.collect(2 if self._checks % COLLECT_CHECKS == 0 else 1)
        self.loop.call_later(CHECK_S, self._check_again)

    def _end(self) -> None:
        """End every program, and let go of all files."""
        self.loop.is_paused = None
        for host in self.hosts.values():
            host.kill()
        tasks = asyncio.all_tasks(self.loop)
        for task in tasks:
            task.cancel()
        if tasks:
            self.loop.run_until_complete(asyncio.wait(tasks))
        self.audit.close()
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self.loop.close()

    def _unhandled(self, _loop: object, context: dict[str, Any]) -> None:
        """Take in what nobody awaited: of a program that lives, it is a fault."""
        life = HERE.get(None)
        if life is None or life.alive:
            what = context.get("exception") or context.get("task")
            self.violate(f"unhandled: {context.get('message')} {_plain(what)}")

    def _node(self, place: int, name: str) -> Node:
        site, _, node = name.partition(".")
        paths = [
            PathConfig(f"wan{n}", PathKind.WAN, broker, 1883)
            for n, broker in enumerate(self.plan.central_names)
        ]
        if site in self.plan.site_brokers:
            paths.append(PathConfig("lan", PathKind.SITE, self.plan.site_brokers[site], 1883))
        beat_ms = self.plan.beat_ms
        size = self.plan.outbox_bytes
        config = Config(
            site=site,
            node=node,
            state_dir=str(self.folder / name),
            beat=BeatConfig(beat_ms, max(beat_ms // 5, 2_000)),
            outbox=OutboxConfig(size, 720 * HOUR_MS, 16 << 20, 72 * HOUR_MS),
            inventory=InventoryConfig(6 * HOUR_MS, 60_000),
            paths=tuple(paths),
        )
        big = place < self.plan.big_nodes
        return Node(self, config, self.plan, big=big)


def _plain(what: object) -> str:
    """Return what it says of itself, without addresses: those differ from run to run."""
    return re.sub(r"0x[0-9a-f]+", "0x", repr(what))[:300]


@contextmanager
def _quietly() -> Iterator[None]:
    """Keep logs and the collector from costing time, and from running at times of their own."""
    logging.disable(logging.CRITICAL)
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()
        logging.disable(logging.NOTSET)


def run(
    plan: Plan,
    script: Callable[[World], Any] | None = None,
    *,
    keep: Callable[[str], None] | None = None,
) -> Outcome:
    """Run a plan in a folder that is gone afterwards."""
    empty_database()
    place = MEMORY if MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="roost-sim-", dir=place) as folder, _quietly():
        return World(plan, Path(folder), keep=keep).run(script)


@cache
def empty_database() -> bytes:
    """Return a database of the present schema: migrating one costs more than most runs."""

    async def migrate(file: Path) -> None:
        database = await Database.open(f"sqlite+aiosqlite:///{file}", clock=SystemClock())
        await database.close()

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "new.db"
        asyncio.run(migrate(file))
        return file.read_bytes()
