"""Fencing at work on one node: tells its core how things stand, and has done what it says."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from typing import Any, Final, Protocol, assert_never

import msgspec

from roost_agent.errors import StorageError
from roost_agent.ha import core_events as ev
from roost_agent.ha.config_fence import Fence
from roost_agent.ha.core import Core
from roost_agent.ha.fence import ledger
from roost_agent.ha.fence.core import FenceCore
from roost_agent.ha.fence.driver import Reply, drive
from roost_agent.ha.fence.event import (
    Ask,
    Drive,
    Driven,
    Effect,
    Elsewhere,
    Event,
    Keep,
    KeepFailed,
    Kept,
    NoProof,
    Proven,
    Tick,
    Tried,
    Verb,
)
from roost_agent.ha.fence.situation import situation
from roost_agent.ha.gateway import Gateways
from roost_agent.ha.interfaces import has_carrier
from roost_agent.ports import Clock, Entropy
from roost_protocol.explain import Explain

LOOK_S: Final = 0.5  # between two looks at how things stand

log = logging.getLogger(__name__)


class Doors(msgspec.Struct, frozen=True):
    """What fencing touches besides the node itself; a test has its own."""

    drive: Callable[[Fence, Verb], Awaitable[Reply]] = drive
    has_carrier: Callable[[Collection[str]], bool] = has_carrier
    gateways: Gateways | None = None


DOORS: Final = Doors()


class Node(Protocol):
    """What fencing acts through: the node's runtime."""

    core: Core

    def tell(self, event: ev.Event) -> object:
        """Give the node's core an event."""

    def explain(self, told: Explain) -> None:
        """Note a decision."""


class Disk(Protocol):
    """What keeps the ledger."""

    def fence(self) -> bytes | None:
        """Return what was kept, None where nothing was."""

    async def write_fence(self, content: bytes) -> None:
        """Keep it; StorageError: it may be there or not."""


class Fencing:
    """See the module.

    Args:
        core: of this node.
        disk: for the ledger.
        clock: boot and wall.
        entropy: for jitter.
        doors: to the devices, and to the state of this node's own networks.
    """

    def __init__(
        self, core: Core, disk: Disk, *, clock: Clock, entropy: Entropy, doors: Doors = DOORS
    ) -> None:
        self._fences = {core.config.node(each.node).index: each for each in core.config.fences}
        self._node_core = core
        self._disk = disk
        self._clock = clock
        self._entropy = entropy
        self._doors = doors
        self._fenced: dict[int, bytes] = {}
        self._proven: set[tuple[int, bytes]] = set()
        kept = ledger.read(disk.fence(), clock.wall_ms())
        boot_ms = clock.boot_ms()
        self.core = FenceCore(
            core.who.node,
            {node: fence.uuid or "" for node, fence in self._fences.items()},
            spent_ms=kept.on_boot_clock(clock.wall_ms(), boot_ms),
            off=[each.index for each in core.config.nodes if each.name in kept.off],
            now_ms=boot_ms,
        )
        nodes = {each.index: each for each in core.config.nodes}
        self._addresses = frozenset(nodes[core.who.node].address.values())

    async def run(self, node: Node) -> None:
        """Look and act, until cancelled; a child that runs then is killed."""
        node.tell(ev.Unfenced(self._own_fault()))
        async with asyncio.TaskGroup() as group:
            while True:
                self._look(node, group)
                await asyncio.sleep(LOOK_S)

    def faults(self) -> dict[str, str]:
        """Return why a node's fence would not work, of those that were tried."""
        now_ms = self._clock.boot_ms()
        trials = self.core.trials
        return {
            fence.node: fault
            for node, fence in self._fences.items()
            if trials.tried_ms(node) is not None and (fault := trials.fault(node, now_ms))
        }

    def reads_on(self, node: int) -> bool:
        """Return whether a silent node was read to have power, and that of late."""
        return self.core.reads_on(node, self._clock.boot_ms())

    def status(self) -> dict[str, Any]:
        """Return the state, for people and programs."""
        now_ms = self._clock.boot_ms()
        trials = self.core.trials
        return {
            "doing": self.core.doing,
            "spent": self.core.spent(now_ms),
            "fences": [
                {
                    "node": fence.node,
                    "driver": fence.driver,
                    "tried_ago_ms": None if (tried := trials.tried_ms(node)) is None
                    else now_ms - tried,
                    "fault": trials.fault(node, now_ms),
                }
                for node, fence in self._fences.items()
            ],
        }  # fmt: skip

    def _look(self, node: Node, group: asyncio.TaskGroup) -> None:
        now_ms = self._clock.boot_ms()
        for fenced, boot in self._node_core.voter.fenced.items():
            if self._fenced.get(fenced) != boot:
                self._fenced[fenced] = boot
                if (fenced, boot) not in self._proven:
                    self._tell(Elsewhere(fenced, boot), node, group)
        self._see(node, group)
        due_ms = self.core.due_ms(now_ms)
        if due_ms is not None and now_ms >= due_ms:
            self._tell(Tick(self._entropy.uniform(0, 1)), node, group)

    def _see(self, node: Node, group: asyncio.TaskGroup) -> None:
        now_ms = self._clock.boot_ms()
        seen = situation(
            self._node_core,
            now_ms,
            has_carrier=self._doors.has_carrier(self._addresses),
            gateways=self._doors.gateways,
        )
        self._tell(seen, node, group)

    def _tell(self, event: Event, node: Node, group: asyncio.TaskGroup) -> None:
        for effect in self.core.handle(event, self._clock.boot_ms()):
            self._do(effect, node, group)

    def _do(self, effect: Effect, node: Node, group: asyncio.TaskGroup) -> None:
        match effect:
            case Ask(owner, lease, epoch):
                node.tell(ev.Yield(owner, lease, epoch))
            case Keep():
                group.create_task(self._keep(effect, node, group), name="agent.ha.fence.keep")
            case Drive():
                name = f"agent.ha.fence[{effect.node}]"
                group.create_task(self._drive(effect, node, group), name=name)
            case Proven(other, boot, by):
                self._proven.add((other, boot))
                node.tell(ev.Proven(other, by, boot))
            case NoProof(sentence):
                node.tell(ev.NoProof(sentence))
            case Tried(other, _):
                if other == self._node_core.who.node:
                    node.tell(ev.Unfenced(self._own_fault()))
            case Explain():
                node.explain(effect)
            case _:
                assert_never(effect)

    def _own_fault(self) -> str:
        return self.core.trials.fault(self._node_core.who.node, self._clock.boot_ms())

    async def _drive(self, asked: Drive, node: Node, group: asyncio.TaskGroup) -> None:
        fence = self._fences[asked.node]
        if asked.verb is not Verb.STATUS:
            log.warning("ha: fence of %s: %s", fence.node, asked.verb)
        reply = await self._doors.drive(fence, asked.verb)
        self._see(node, group)  # what was true when it was asked may not be any more
        self._tell(Driven(asked.token, reply.power, reply.uuid, reply.fault), node, group)

    async def _keep(self, asked: Keep, node: Node, group: asyncio.TaskGroup) -> None:
        kept = ledger.ledger(
            asked.spent_ms,
            (self._fences[each].node for each in asked.off),
            wall_ms=self._clock.wall_ms(),
            boot_ms=self._clock.boot_ms(),
        )
        try:
            await self._disk.write_fence(msgspec.json.encode(kept))
        except StorageError as err:
            said: Event = KeepFailed(asked.token, str(err))
        else:
            said = Kept(asked.token)
        self._see(node, group)
        self._tell(said, node, group)
