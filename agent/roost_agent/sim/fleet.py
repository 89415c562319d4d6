"""All simulated nodes in one loop: who wakes when, and which fault strikes whom.

A heap holds when each node wants to be woken: no task, no timer and no queue per node. What moves
a wake-up to an earlier time pushes again; an entry that a node no longer stands by is passed over.

Invariants: a node is woken at its time or later, never before; the loop gives way to the sockets
after SLICE nodes.
"""

import asyncio
import heapq
from typing import Final

from roost_agent.sim.agenda import Agenda, Turn
from roost_agent.sim.alarms import KINDS
from roost_agent.sim.fault import Fault, Kind
from roost_agent.sim.node import Answer, Node, World
from roost_agent.sim.wire import Connection
from roost_protocol.alarm import Event
from roost_protocol.codec import VERSION
from roost_protocol.envelope import ItemKind, Lane, Receipt
from roost_protocol.severity import Severity
from roost_protocol.update import Offer

SLICE: Final = 100  # nodes woken before the sockets get the loop: about 10 ms
IDLE_MS: Final = 50  # the longest sleep: what a fault or a churn may be late

_EVENTS: Final = (  # what a node may tell when something is made to happen there
    ("100.801", Severity.WARNING, "disk=nvme0n1", "nvme0n1: 91 % of its life is worn"),
    ("100.805", Severity.WARNING, "", "Clock differs by 6 s"),
    ("200.007", Severity.MINOR, "sensor=inlet", "inlet reads 41 degrees C, limit 40 degrees C"),
    ("750.801", Severity.WARNING, "app=pump,unit=2", "pump 2: pressure below the set point"),
)


class Fleet:
    """The nodes.

    Args:
        agenda: what is planned.
        world: what the nodes share.
    """

    def __init__(self, agenda: Agenda, world: World) -> None:
        self.nodes: dict[str, Node] = {}
        self.settled = asyncio.Event()  # stopped, and everything is receipted
        self._all: list[Node] = []
        self._agenda = agenda
        self._world = world
        self._heap: list[tuple[int, int, Node]] = []
        self._pushed = 0
        self._starts: list[tuple[int, Node]] = []

    def adopt(self, node: Node) -> None:
        """Take in a node that is off."""
        self.nodes[node.node] = node
        self._all.append(node)

    def start(self, ramp_ms: int) -> None:
        """Start the nodes one after another, in no order of sites, within ``ramp_ms``."""
        now_ms = self._world.clock.boot_ms()
        order = list(self._all)
        self._world.rng.shuffle(order)
        self._starts = [
            (now_ms + ramp_ms * number // len(order), node) for number, node in enumerate(order)
        ]
        self._starts.reverse()  # taken from the end

    async def run(self, stop: asyncio.Event) -> None:
        """Wake nodes until cancelled; after ``stop`` nothing new happens to them."""
        while True:
            now_ms = self._world.clock.boot_ms()
            if not stop.is_set():
                self._follow_agenda(now_ms)
            elif not self._world.counts.waiting:
                self.settled.set()
            self._start_due(now_ms)
            await asyncio.sleep(self._wake_due(now_ms) / 1000)

    def receipt(self, path: str, receipt: Receipt) -> None:
        """Give a receipt to its node; others share the broker."""
        node = self.nodes.get(receipt.node)
        if node is not None:
            now_ms = self._world.clock.boot_ms()
            node.hear(path, receipt, now_ms)
            self._schedule(node)

    def offer(self, path: str, name: str, offer: Offer | str) -> None:
        """Give an offer to its node; others share the broker."""
        node = self.nodes.get(name)
        if node is not None:
            node.offered(path, offer, self._world.clock.boot_ms())
            self._schedule(node)

    def answer(self, answer: Answer, rtt_us: int) -> None:
        """Give an acknowledgement to its node."""
        answer.node.answered(answer, rtt_us, self._world.clock.boot_ms())
        self._schedule(answer.node)

    def turned(self, _connection: Connection) -> None:
        """Let every node look at its connections: one of them came or went."""
        now_ms = self._world.clock.boot_ms()
        for node in self._all:
            self._push(node, now_ms)

    def refused(self) -> None:
        """Count a receipt that is none."""
        self._world.counts.refused += 1

    # -- time ------------------------------------------------------------------------------

    def _wake_due(self, now_ms: int) -> int:
        """Wake at most SLICE nodes; return for how many ms to sleep."""
        for _ in range(SLICE):
            if not self._heap or self._heap[0][0] > now_ms:
                break
            due_ms, _, node = heapq.heappop(self._heap)
            if node.scheduled_ms == due_ms:
                node.scheduled_ms = None
                node.wake(now_ms)
                self._schedule(node)
        else:
            return 0
        next_ms = self._heap[0][0] if self._heap else now_ms + IDLE_MS
        return min(max(next_ms - now_ms, 1), IDLE_MS)

    def _schedule(self, node: Node) -> None:
        due_ms = node.due_ms()
        if due_ms is not None and (node.scheduled_ms is None or due_ms < node.scheduled_ms):
            self._push(node, due_ms)

    def _push(self, node: Node, due_ms: int) -> None:
        self._pushed += 1  # breaks ties: nodes have no order
        node.scheduled_ms = due_ms
        heapq.heappush(self._heap, (due_ms, self._pushed, node))

    def _start_due(self, now_ms: int) -> None:
        for _ in range(SLICE):
            if not self._starts or self._starts[-1][0] > now_ms:
                return
            _, node = self._starts.pop()
            node.start(now_ms)
            self._schedule(node)

    # -- what happens ----------------------------------------------------------------------

    def _follow_agenda(self, now_ms: int) -> None:
        for turn in self._agenda.turns(now_ms):
            self._strike(turn, now_ms)
        for _ in range(min(self._agenda.churns(now_ms), SLICE)):
            node = self._world.rng.choice(self._all)
            if not node.is_off:
                self._churn(node, now_ms)
                self._schedule(node)

        for _ in range(min(self._agenda.alarms(now_ms), SLICE)):
            node = self._world.rng.choice(self._all)
            if not node.is_off:
                node.turn_alarm(self._world.rng.choice(KINDS), now_ms)
                self._schedule(node)

    def _churn(self, node: Node, now_ms: int) -> None:
        """Let something happen at a node; alarms have a pace of their own."""
        rng = self._world.rng
        if rng.randrange(2):
            node.wear(rng.randrange(3), now_ms)
            return
        type_, severity, entity, text = rng.choice(_EVENTS)
        event = Event(v=VERSION, type=type_, severity=severity, entity=entity, text=text)
        node.tell(Lane.BULK, ItemKind.EVENT, event, now_ms)

    def _strike(self, turn: Turn, now_ms: int) -> None:
        fault = turn.fault
        for node in self._all:
            names = {"site": node.place.site, "node": node.name, **node.place.labels}
            if fault.hits(names):
                self._turn_node(node, fault, begins=turn.begins, now_ms=now_ms)

    def _turn_node(self, node: Node, fault: Fault, *, begins: bool, now_ms: int) -> None:
        if fault.kind is Kind.REBOOT:
            if begins and not node.is_off:
                node.power_off(now_ms)
            elif not begins and node.is_off:
                node.power_on(now_ms)
        for path, way in node.ways.items():
            if fault.hits_broker(path):
                way.cuts += _step(fault, Kind.CUT, begins=begins)
                way.drops += _step(fault, Kind.DROP, begins=begins)
        self._push(node, now_ms)


def _step(fault: Fault, kind: Kind, *, begins: bool) -> int:
    if fault.kind is not kind:
        return 0
    return 1 if begins else -1
