"""One site on virtual time: a heap of events in whole milliseconds, a network, and the faults."""

import hashlib
import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, replace

from sim.ha.centre import Centre
from sim.ha.checkers import Checkers
from sim.ha.node import Node
from sim.ha.plan import Fault, Plan

from roost_protocol.configuration import SITE_LEASE, WITNESS
from roost_protocol.electorate import Electorate

PATHS = 2


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to."""

    plan: Plan
    violations: tuple[str, ...]
    met: dict[str, int]
    activations: tuple[tuple[int, int, int], ...]
    virtual_ms: int
    digest: str


class World:
    """See the module."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.dice = random.Random(plan.seed)
        self.now = 0
        self._heap: list[tuple[int, int, Callable, tuple]] = []
        self._count = 0
        self._cuts: dict[tuple[int, int, int], int] = {}  # from, to, path -> until
        self.loss = plan.loss
        self.is_healed = False
        indices = tuple(range(plan.nodes))
        self.has_site = bool(plan.voters)
        self.electorate = Electorate(7 << 20, plan.first_voters, indices, plan.sticky)
        self.watchdogs = dict.fromkeys(plan.groups, plan.watchdog_ms)
        if self.has_site:
            self.watchdogs[SITE_LEASE] = 0
        self.leases = tuple(self.watchdogs)
        slowest = 10_000 - max(abs(rate) for rate in plan.rates)
        self.promise_true_ms = (
            plan.timing.promise_ms(plan.watchdog_ms) * 10_000 // (20_000 - slowest)
        )
        self.checkers = Checkers(self)
        self.nodes = [Node(self, index) for index in indices]
        self.centre = Centre(self) if plan.wan is not None else None

    def hosts_of(self, name: str) -> tuple[int, ...]:
        """Return who may hold the lease of a group; whose voters change, it has few hosts."""
        nodes = tuple(range(self.plan.nodes))
        if name in self.plan.slots and not self.has_site:
            return nodes
        hosts = nodes[: 2 if self.has_site else 3]
        return hosts[::-1] if name == "web" else hosts

    def mates_of(self, name: str) -> tuple[str, ...]:
        """Return the other slots of a group with several active members."""
        slots = self.plan.slots
        return tuple(each for each in slots if each != name) if name in slots else ()

    def voter(self, index: int) -> "Node | Centre":
        """Return who votes under an index."""
        if index == WITNESS and self.centre is not None:
            return self.centre
        return self.nodes[index]

    def at(self, at: int, do: Callable, *args: object) -> None:
        """Do something at a true time."""
        self._count += 1
        heapq.heappush(self._heap, (max(at, self.now), self._count, do, args))

    def after(self, ms: int, do: Callable, *args: object) -> None:
        """Do something so much later."""
        self.at(self.now + ms, do, *args)

    def transmit(self, sender: int, to: int, what: str, message: tuple) -> None:
        """Send on both paths; the network loses, delays, doubles, and brings back what it lost."""
        dice = self.dice.random
        for path in range(PATHS):
            is_cut = self._cuts.get((sender, to, path), 0) > self.now
            if is_cut or dice() < self.loss:
                if not self.is_healed and dice() < self.plan.replay / 4:
                    self.after(500 + int(dice() * 14_500), self._arrive, sender, to, what, message)
                continue
            delays = self.plan.delays
            self.after(delays[int(dice() * len(delays))], self._arrive, sender, to, what, message)
            if path == 0 or self.loss == 0.0:
                if dice() < self.plan.again and not self.is_healed:
                    self.after(int(dice() * 3_000), self._arrive, sender, to, what, message)
                if self.loss == 0.0:
                    return  # the second copy would say nothing new

    def _arrive(self, sender: int, to: int, what: str, message: tuple) -> None:
        node = self.nodes[to]
        if node.voter is not None:
            node.take(node.life, getattr(node.radio, what), sender, *message)

    def cut(self, sender: int, to: int, for_ms: int, paths: range = range(PATHS)) -> None:
        """Lose everything one way."""
        for path in paths:
            self._cuts[sender, to, path] = self.now + for_ms

    def strike(self, fault: Fault) -> None:
        """Let a fault happen."""
        node, ms = self.nodes[fault.who], fault.for_ms
        self.checkers.met[fault.kind] += 1
        match fault.kind:
            case "crash":
                node.power_off(ms)
            case "agent-kill":
                node.agent_kill(ms)
            case "hang":
                node.hangs_until = self.now + ms
            case "disk":
                node.disk.bad_until = self.now + ms
            case "order":
                node.order()
            case "voters":
                self.want(fault.who, self.now + ms)
            case "order-site" | "crash-site" | "isolate-site":
                self._strike_site(fault)
            case "agent-pause" | "guard-pause" | "guard-kill" | "freeze":
                if node.is_on:
                    self._strike_process(fault.kind, node, ms)
            case _:
                self._strike_beyond(fault)

    def _strike_beyond(self, fault: Fault) -> None:
        if fault.kind.startswith(("centre", "wan")):
            self._strike_centre(fault)
        else:
            self._strike_network(fault)

    def _strike_centre(self, fault: Fault) -> None:
        centre, ms = self.centre, fault.for_ms
        match fault.kind:
            case "centre":
                centre.end(ms)
            case "centre-blank" | "centre-old":
                centre.lose_disk(ms, is_older=fault.kind == "centre-old")
            case "centre-disk":
                centre.disk_bad_until = self.now + ms
            case "wan":
                centre.wan_cut_until = self.now + ms
            case _:
                centre.node_cut_until[fault.who] = self.now + ms

    def _strike_site(self, fault: Fault) -> None:
        """Let whoever holds the lease ``site`` give it back, or meet a fault."""
        for node in self.nodes:
            if node.site is not None and node.site.phase == "holding":
                if fault.kind == "order-site":
                    node.coordinator.order()
                else:
                    kind = fault.kind.removesuffix("-site")
                    self.strike(replace(fault, kind=kind, who=node.index))

    def want(self, who: int, until: int) -> None:
        """Ask whoever holds the lease ``site`` for the change, again while nobody takes it."""
        if any(node.coordinator.want(who) for node in self.nodes):
            self.checkers.met["a change was taken"] += 1
        elif self.now < until:
            self.after(700, self.want, who, until)

    def _strike_process(self, kind: str, node: Node, ms: int) -> None:
        match kind:
            case "agent-pause":
                node.pause_agent(ms)
            case "guard-pause":
                node.guard.pause(ms)
            case "guard-kill":
                node.guard.kill(ms)
            case _:
                node.freeze(ms)

    def _strike_network(self, fault: Fault) -> None:
        who, other, ms = fault.who, fault.other, fault.for_ms
        match fault.kind:
            case "cut-pair":
                self.cut(who, other, ms)
                self.cut(other, who, ms)
            case "cut-oneway":
                self.cut(who, other, ms)
            case "cut-path":
                for one in range(self.plan.nodes):
                    for two in range(self.plan.nodes):
                        self.cut(one, two, ms, range(1))
            case "isolate":
                for peer in range(self.plan.nodes):
                    self.cut(who, peer, ms)
                    self.cut(peer, who, ms)
            case "burst":
                self.loss = 1.0
                self.after(min(ms, 5_000), self._calm)

    def _calm(self) -> None:
        self.loss = 0.0 if self.is_healed else self.plan.loss

    def heal(self) -> None:
        """End every fault: power, disks, network, what is stopped."""
        self.is_healed = True
        self.loss = 0.0
        self._cuts.clear()
        for node in self.nodes:
            node.hangs_until = node.disk.bad_until = self.now
            node.power_on()
        if self.centre is not None:
            self.centre.disk_bad_until = self.centre.wan_cut_until = self.now
            self.centre.node_cut_until.clear()
            self.centre.start()

    def run(self) -> Outcome:
        """Run the plan: faults, then the healing, then what must come of it."""
        plan = self.plan
        for node in self.nodes:
            self.at(self.dice.randrange(300), node.power_on)
        if self.centre is not None:
            self.at(self.dice.randrange(300), self.centre.start)
        for fault in plan.faults:
            self.at(fault.at_ms, self.strike, fault)
        self.at(plan.safety_ms, self.heal)
        longest = max((f.for_ms for f in plan.faults), default=0)
        promise = plan.timing.promise_ms(plan.watchdog_ms)
        end = plan.safety_ms + longest + 15_000 + 3 * promise + 10 * plan.timing.beat_ms
        settled = plan.safety_ms + longest + promise  # all that was stopped goes on again
        trace = hashlib.blake2b(digest_size=8)
        heap, checkers, steps = self._heap, self.checkers, 0
        while heap and heap[0][0] <= end and not checkers.violations:
            self.now, _, do, args = heapq.heappop(heap)
            do(*args)
            steps += 1
            if self.now > settled and checkers.is_settled(2 * promise):
                break
            if steps % 16 == 0:
                checkers.rights()
            if steps % 64 == 0:
                trace.update(b"%d %d;" % (self.now, len(heap)))
        self.now = min(self.now, end)
        if not checkers.violations:
            checkers.final()
        trace.update(repr((checkers.activations, steps, sorted(checkers.met.items()))).encode())
        return Outcome(
            plan, tuple(checkers.violations), dict(checkers.met), tuple(checkers.activations),
            self.now, trace.hexdigest(),
        )  # fmt: skip


def run(plan: Plan) -> Outcome:
    """Run one plan."""
    return World(plan).run()
