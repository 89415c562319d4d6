"""A simulated node on fake connections, and a centre that keeps marks as the wire asks."""

import random
from dataclasses import dataclass, field

import pytest

from roost_agent.sim.counts import Counts
from roost_agent.sim.node import Node, World
from roost_agent.sim.places import Plan, places
from roost_protocol.beat import Beat
from roost_protocol.codec import VERSION, Decoder
from roost_protocol.envelope import Receipt, Report, Resync
from roost_protocol.topics import parse_up

_DECODERS = {"beat": Decoder(Beat), "report": Decoder(Report)}


@dataclass
class FakeClock:
    now_ms: int = 1_000_000_000

    def wall_ms(self):
        return 1_700_000_000_000 + self.now_ms

    def mono_ms(self):
        return self.now_ms

    boot_ms = mono_ms


@dataclass
class Centre:
    """What came over all links; receipts are handed out when the test asks."""

    marks: dict = field(default_factory=dict)
    beats: list = field(default_factory=list)
    reports: list = field(default_factory=list)
    gone: list = field(default_factory=list)
    items: list = field(default_factory=list)
    owed: list = field(default_factory=list)
    epoch: bytes = b"epoch-01"
    resync: bool = False

    def take(self, path, topic, payload):
        leaf = parse_up(topic).leaf
        if leaf == "gone":
            self.gone.append(path)
            return
        message = _DECODERS[leaf].decode(payload)
        if leaf == "beat":
            self.beats.append(message)
            return
        message.check_order()
        self.reports.append(message)
        key = (message.node, message.stream)
        if self.marks.get(key, 0) == message.prev:
            self.marks[key] = message.last
            self.items += message.items
        self.owed.append((path, message))


class FakeLink:
    def __init__(self, path, centre):
        self.path = path
        self.centre = centre
        self.is_up = True
        self.answers = []

    def publish(self, topic, payload):
        if self.is_up:
            self.centre.take(self.path, topic, payload)
        return self.is_up

    def report(self, topic, payload, answer):
        if self.is_up:
            self.centre.take(self.path, topic, payload)
            self.answers.append(answer)
        return self.is_up


class Rig:
    """One node, its links and its centre, moved on by hand."""

    def __init__(self, interval_ms=10_000):
        self.clock = FakeClock()
        self.centre = Centre()
        self.counts = Counts()
        self.links = {path: FakeLink(path, self.centre) for path in ("wan1", "wan2")}
        seeded = random.Random(1)  # noqa: S311 - the same trace each time
        self.world = World(self.clock, seeded, self.counts, interval_ms, 1)
        (place,) = places(Plan(sites=1, nodes=1))
        self.node = Node(place, "n1", dict(self.links), self.world)

    def start(self):
        self.node.start(self.clock.now_ms)
        self.answer()

    def answer(self):
        """Acknowledge and receipt until nothing is open."""
        while self.centre.owed or any(link.answers for link in self.links.values()):
            for link in self.links.values():
                answers, link.answers = link.answers, []
                for answer in answers:
                    self.node.answered(answer, 900, self.clock.now_ms)
            owed, self.centre.owed = self.centre.owed, []
            for path, report in owed:
                self.node.hear(path, self.receipt(report), self.clock.now_ms)

    def receipt(self, report):
        resync, self.centre.resync = self.centre.resync, False
        return Receipt(
            v=VERSION,
            node=report.node,
            lane=report.lane,
            stream=report.stream,
            seq=self.centre.marks.get((report.node, report.stream), 0),
            central_epoch=self.centre.epoch,
            sent_ms=1,
            resync=[Resync("inventory"), Resync("alarms")] if resync else [],
        )

    def pass_time(self, ms, *, answers=True):
        """Wake the node whenever it asked for it, for so long."""
        until_ms = self.clock.now_ms + ms
        while (due_ms := self.node.due_ms()) is not None and due_ms <= until_ms:
            self.clock.now_ms = max(self.clock.now_ms, due_ms)
            self.node.wake(self.clock.now_ms)
            if answers:
                self.answer()
        self.clock.now_ms = until_ms


@pytest.fixture
def rig():
    return Rig()
