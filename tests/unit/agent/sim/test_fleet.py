"""The loop over all nodes, on the machine's clock: short intervals, wide margins."""

import asyncio
import random
from collections import Counter

import pytest

from roost_agent.ports import SystemClock
from roost_agent.sim.agenda import Agenda
from roost_agent.sim.counts import Counts
from roost_agent.sim.fault import parse_fault
from roost_agent.sim.fleet import Fleet
from roost_agent.sim.node import Node, World
from roost_agent.sim.places import Plan, places
from roost_protocol.beat import Beat
from roost_protocol.codec import VERSION, Decoder
from roost_protocol.envelope import Receipt, Report

_beats, _reports = Decoder(Beat), Decoder(Report)


class Loopback:
    """A link whose far end receipts everything on the loop's next turn."""

    is_up = True

    def __init__(self, path):
        self.path = path
        self.fleet = None
        self.beats = []
        self.marks = {}

    def publish(self, topic, payload):
        if topic.endswith("/beat"):
            self.beats.append(_beats.decode(payload))
        return True

    def report(self, topic, payload, answer):
        report = _reports.decode(payload)
        key = (report.node, report.stream)
        if self.marks.get(key, 0) == report.prev:
            self.marks[key] = report.last
        receipt = Receipt(
            v=VERSION,
            node=report.node,
            lane=report.lane,
            stream=report.stream,
            seq=self.marks.get(key, 0),
            central_epoch=b"epoch-01",
            sent_ms=1,
        )
        loop = asyncio.get_running_loop()
        loop.call_soon(self.fleet.answer, answer, 500)
        loop.call_soon(self.fleet.receipt, self.path, receipt)
        return True


class Trial:
    def __init__(self, *faults, churn=0.0, sites=10):
        self.counts = Counts()
        seeded = random.Random(3)  # noqa: S311 - the same churn each time
        self.world = World(SystemClock(), seeded, self.counts, 200, 3)
        now_ms = self.world.clock.boot_ms()
        agenda = Agenda(map(parse_fault, faults), churn, now_ms, alarms_per_minute=churn)
        self.fleet = Fleet(agenda, self.world)
        self.link = Loopback("wan1")
        self.link.fleet = self.fleet
        for place in places(Plan(sites=sites, nodes=2)):
            for name in place.nodes:
                self.fleet.adopt(Node(place, name, {"wan1": self.link}, self.world))

    async def run(self, seconds, ramp_ms=100):
        stop = asyncio.Event()
        self.fleet.start(ramp_ms)
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(self.fleet.run(stop))
            await asyncio.sleep(seconds)
            stop.set()
            await self.fleet.settled.wait()
            running.cancel()
        return self.link.beats


async def test_every_node_beats_at_its_interval():
    beats = await Trial().run(1.5)
    each = Counter(beat.node for beat in beats)
    assert len(each) == 20
    assert min(each.values()) >= 5


async def test_starts_are_spread_over_the_ramp():
    beats = await Trial().run(0.8, ramp_ms=4_000)
    assert 2 <= len({beat.node for beat in beats}) <= 18


async def test_everything_that_churn_made_is_receipted():
    trial = Trial(churn=3_000)
    await trial.run(1.0)
    assert trial.counts.items > 20 + 20
    assert trial.counts.waiting == 0


async def test_a_fault_strikes_whom_it_names():
    trial = Trial("reboot site=edge-0001 at=300ms for=300ms")
    beats = await trial.run(1.5)
    boots = {}
    for beat in beats:
        boots.setdefault(beat.node, set()).add(beat.boot_id)
    twice = {node for node, seen in boots.items() if len(seen) == 2}
    assert twice == {"edge-0001.n1", "edge-0001.n2"}


@pytest.mark.parametrize("kind", ["cut", "drop"])
async def test_a_fault_ends(kind):
    trial = Trial(f"{kind} carrier=* at=100ms for=300ms")
    await trial.run(1.0)
    assert trial.counts.lost > 0 or kind == "drop"
    assert all(
        not way.cuts and not way.drops
        for n in trial.fleet.nodes.values()
        for way in n.ways.values()
    )


async def test_a_receipt_for_somebody_else_is_passed_over():
    trial = Trial()
    foreign = Receipt(
        v=VERSION,
        node="lab.n1",
        lane="bulk",
        stream=b"s" * 16,
        seq=1,
        central_epoch=b"epoch-01",
        sent_ms=1,
    )
    trial.fleet.receipt("wan1", foreign)
    assert trial.counts.receipts == 0
