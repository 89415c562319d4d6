"""One run of the simulator: connections, nodes and the clock, from start to summary."""

import asyncio
import logging
import random
import signal
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from roost_agent.ports import SystemClock, SystemEntropy
from roost_agent.sim import hosts
from roost_agent.sim.agenda import Agenda
from roost_agent.sim.counts import Counts
from roost_agent.sim.fault import Fault
from roost_agent.sim.fleet import Fleet
from roost_agent.sim.node import NO_SOFTWARE, Link, Node, World
from roost_agent.sim.places import Place
from roost_agent.sim.report import Progress, summary
from roost_agent.sim.update import Software
from roost_agent.sim.wire import Address, Connection, Hearing
from roost_protocol.topics import shard_of

log = logging.getLogger(__name__)

MEET_S: Final = 10.0  # that the first connections may take before nodes start without them
DRAIN_S: Final = 5.0  # that the last items have for their receipts: who stops it, waits


@dataclass(frozen=True, slots=True)
class Orders:
    """What was asked for.

    Attributes:
        ramp_ms: within which all nodes start.
        seconds: after which the run ends by itself; None for never.
        tells_hosts: nodes say how their hosts stand, a few of which are not well.
    """

    brokers: tuple[Address, ...]
    connections: int
    interval_ms: int
    ramp_ms: int
    churn_per_minute: float
    alarms_per_minute: float
    faults: tuple[Fault, ...]
    seconds: float | None
    seed: int
    tells_hosts: bool = False
    software: Software = NO_SOFTWARE


async def simulate(orders: Orders, sites: Sequence[Place]) -> dict[str, int | float]:
    """Run the fleet until its time is over or a signal comes; return the summary."""
    clock = SystemClock()
    began_ms = clock.boot_ms()
    counts = Counts()
    rng = random.Random(orders.seed)  # noqa: S311 - a seed is the point
    world = World(clock, rng, counts, orders.interval_ms, orders.seed, orders.software)
    fleet, connections = _compose(orders, sites, world)
    stop = _stop_signal()
    progress = Progress(counts)
    async with asyncio.TaskGroup() as tasks:
        running = [
            tasks.create_task(each.run(), name=f"sim.mqtt[{each.path}]") for each in connections
        ]
        await _met(connections)
        fleet.start(orders.ramp_ms)
        running.append(tasks.create_task(fleet.run(stop), name="sim.fleet"))
        running.append(tasks.create_task(_watch(progress), name="sim.progress"))
        with suppress(TimeoutError):
            async with asyncio.timeout(orders.seconds):
                await stop.wait()
        stop.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_S):
                await fleet.settled.wait()
        for task in running:
            task.cancel()
    progress.end()
    seconds = (clock.boot_ms() - began_ms) / 1000
    return summary(counts, sites=len(sites), nodes=len(fleet.nodes), seconds=seconds)


def _compose(
    orders: Orders, sites: Sequence[Place], world: World
) -> tuple[Fleet, list[Connection]]:
    """Make the nodes, each on the connection of its site's shard, and the fleet that wakes them."""
    agenda = Agenda(
        orders.faults,
        orders.churn_per_minute,
        world.clock.boot_ms(),
        alarms_per_minute=orders.alarms_per_minute,
    )
    fleet = Fleet(agenda, world)
    hearing = Hearing(fleet.receipt, fleet.offer, fleet.answer, fleet.turned, fleet.refused)
    connections = {
        broker.path: [
            Connection(
                broker, index=index, of=orders.connections, hearing=hearing, entropy=SystemEntropy()
            )
            for index in range(orders.connections)
        ]
        for broker in orders.brokers
    }
    for place in sites:
        index = shard_of(place.site) % orders.connections
        links: dict[str, Link] = {path: each[index] for path, each in connections.items()}
        for name in place.nodes:
            fleet.adopt(Node(place, name, links, world))
    if orders.tells_hosts:
        lots = hosts.drawn(list(fleet.nodes), world.rng)
        for node in fleet.nodes.values():
            node.lot = lots.get(node.node, hosts.Lot.WELL)
    return fleet, [each for several in connections.values() for each in several]


async def _met(connections: Sequence[Connection]) -> None:
    try:
        async with asyncio.timeout(MEET_S):
            for each in connections:
                await each.met.wait()
    except TimeoutError:
        log.warning("not every broker answers yet: the nodes start without")


async def _watch(progress: Progress) -> None:
    while True:
        await asyncio.sleep(1)
        progress.second()


def _stop_signal() -> asyncio.Event:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop
