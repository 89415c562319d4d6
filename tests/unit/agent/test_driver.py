"""The whole agent in one loop: real cores, real outbox, a fake broker and a fake probe."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from msgspec.structs import replace

from roost_agent.config import BeatConfig, Config, InventoryConfig, OutboxConfig, PathConfig
from roost_agent.config_apply.for_agent import for_agent
from roost_agent.control.message import PathHold, PathRelease, Reprobe, Status
from roost_agent.control.table import table
from roost_agent.control_node import Control
from roost_agent.driver import DROPPED_TYPE, Driver
from roost_agent.errors import LinkError, ProbeError
from roost_agent.identity import Identity
from roost_agent.outbox.spool import Batch, Spool
from roost_agent.outbox.store import Entry
from roost_agent.paths.link import Message
from roost_agent.ports import SystemClock, SystemEntropy
from roost_agent.survey import Instruments
from roost_agent.wake.child import Document, ProbedSection
from roost_protocol.alarm import Event
from roost_protocol.beat import Beat, PathKind, PathState
from roost_protocol.codec import Decoder, encode, unpack
from roost_protocol.envelope import Gone, ItemKind, Lane, Receipt, Report, Resync
from roost_protocol.inventory import InventoryDocument
from roost_protocol.seal import Seal
from roost_protocol.topics import NodeTopics
from roost_protocol.update import Offer

NODE = "lab.n1"
TOPICS = NodeTopics.of(NODE)
HOUR_MS = 3_600_000
TEN_YEARS_MS = 10 * 365 * 24 * HOUR_MS
BEATS, REPORTS, EVENTS = Decoder[Beat](Beat), Decoder[Report](Report), Decoder[Event](Event)
documents = Decoder[InventoryDocument](InventoryDocument)


class FakeBroker:
    """One broker of each kind in memory, with a central behind it that keeps the mark rule."""

    def __init__(self):
        self.beats, self.gones, self.items, self.marks = [], [], [], {}
        self.resync, self.garbage = [], []
        self.down = set()
        self.seal = None
        self.dials = []
        self.sent_ms = 0

    def opened(self, topic, payload):
        return payload if self.seal is None else self.seal.open(topic, payload)

    @asynccontextmanager
    async def connect(self, dial):
        self.dials.append(dial)
        if dial.path.name in self.down:
            raise LinkError("nobody listens")
        yield FakeLink(self)


class FakeLink:
    def __init__(self, broker):
        self.broker = broker
        self.incoming = asyncio.Queue()

    async def publish(self, topic, payload, *, qos):
        broker = self.broker
        if topic == TOPICS.site_beat:
            self.incoming.put_nowait(Message(topic, payload))
        elif topic == TOPICS.beat:
            broker.beats.append(BEATS.decode(broker.opened(topic, payload)))
        elif topic == TOPICS.gone:
            broker.gones.append(Decoder[Gone](Gone).decode(broker.opened(topic, payload)))
        else:
            self.receipt(REPORTS.decode(broker.opened(topic, payload)))
        return True

    def receipt(self, report):
        broker = self.broker
        report.check_order()
        if report.prev == broker.marks.get(report.stream, 0):
            broker.marks[report.stream] = report.last
            broker.items += [(report.lane, item) for item in report.items]
        resync, broker.resync = broker.resync, []
        receipt = Receipt(
            v=1, node=NODE, lane=report.lane, stream=report.stream,
            seq=broker.marks.get(report.stream, 0), central_epoch=b"epoch--1",
            sent_ms=broker.sent_ms, resync=resync, reconnect_window_s=7,
        )  # fmt: skip
        said = encode(receipt)
        if broker.seal is not None:
            said = broker.seal.seal(TOPICS.receipt, said)
        for payload in (*broker.garbage, said):
            self.incoming.put_nowait(Message(TOPICS.receipt, payload))
        broker.garbage = []

    async def messages(self):
        while True:
            yield await self.incoming.get()


class Machine:
    """The hardware, as the probe finds it."""

    def __init__(self):
        self.cores, self.fault, self.probes = 4, None, []

    async def probe(self, classes):
        self.probes.append(classes)
        if self.fault is not None:
            raise self.fault
        cpu = ProbedSection({"0": {"cores": self.cores}}, {}, 5)
        return Document(1, {"cpu": cpu, "nic": ProbedSection({}, {"*": "absent"}, 5)})


def config(folder):
    return Config(
        site="lab",
        node="n1",
        state_dir=str(folder),
        beat=BeatConfig(30_000, 10_000),
        outbox=OutboxConfig(1 << 20, HOUR_MS, 1 << 20, HOUR_MS),
        inventory=InventoryConfig(HOUR_MS, 60_000),
        paths=(
            PathConfig("wan1", PathKind.WAN, "a", 1),
            PathConfig("wan2", PathKind.WAN, "b", 1),
            PathConfig("lan1", PathKind.SITE, "c", 1),
        ),
    )


class SteppedClock(SystemClock):
    """One that somebody sets."""

    step_ms = 0

    def wall_ms(self):
        return super().wall_ms() + self.step_ms


class Agent:
    """A running agent and its surroundings."""

    def __init__(self, folder, seal=None, clock=None):
        self.broker, self.machine = FakeBroker(), Machine()
        self.broker.seal = seal
        clock, entropy = clock or SystemClock(), SystemEntropy()
        cfg = config(folder)
        self.spool = Spool(folder, cfg.outbox, clock=clock, entropy=entropy)
        self.driver = Driver(
            cfg,
            Identity(NODE, b"b" * 16, 3),
            self.spool,
            Instruments(clock, entropy, self.machine.probe),
            seal=seal,
        )
        self.ask = Control(self.driver)

    @asynccontextmanager
    async def running(self):
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self.driver.carry(name, self.broker))
                for name in self.driver.wires
            ]
            tasks.append(group.create_task(self.driver.tick()))
            tasks.append(group.create_task(self.store()))
            self.driver.start()
            yield self
            for task in tasks:
                task.cancel()
        await self.spool.close()

    async def store(self):
        await self.driver.open()
        async with asyncio.TaskGroup() as group:
            group.create_task(self.driver.deliver())
            group.create_task(self.driver.survey.run())

    def states(self):
        return {name: str(wire.core.state) for name, wire in self.driver.wires.items()}

    async def dials_again(self):
        """Have one path ended and begun."""
        dials = len(self.broker.dials)
        self.ask(PathHold("wan1", 60))
        await until(lambda: self.states()["wan1"] == "down")
        self.ask(PathRelease("wan1"))
        await until(lambda: len(self.broker.dials) > dials)

    def told(self):
        return [
            documents.decode(unpack(item.body, compressed=item.compressed))
            for _, item in self.broker.items
            if item.kind is ItemKind.INVENTORY
        ]


async def until(look):
    for _ in range(2_000):
        if found := look():
            return found
        await asyncio.sleep(0.005)
    raise AssertionError("it does not come to pass")


@pytest.fixture
async def agent(tmp_path):
    async with Agent(tmp_path).running() as agent:
        yield agent


async def test_all_paths_come_up_and_beats_tell_it(agent):
    await until(lambda: set(agent.states().values()) == {"up"})
    await until(lambda: {p.state for p in agent.broker.beats[-1].paths} == {PathState.UP})
    starts = [beat for beat in agent.broker.beats if beat.why == "start"]
    assert {(beat.path, beat.n, beat.incarnation) for beat in starts} == {
        ("wan1", 1, 3),
        ("wan2", 1, 3),
    }


async def test_hardware_is_told_and_its_changes_as_deltas(agent):
    await until(lambda: len(agent.told()) == 1)
    agent.machine.cores = 8
    assert agent.ask(Reprobe(["cpu"])).error == ""
    await until(lambda: len(agent.told()) == 2)
    first, second = agent.told()
    assert (first.gen, second.base_gen, second.gen) == (1, 1, 2)
    assert second.sections["cpu"].put == {"0": {"cores": 8}}
    await until(lambda: (mark := agent.broker.beats[-1].inventory) and mark.gen == 2)
    assert agent.broker.beats[-1].inventory.digest == second.digest


async def test_a_resync_is_answered_by_a_snapshot(agent):
    await until(lambda: len(agent.told()) == 1)
    agent.broker.resync = [Resync("inventory", ["cpu"]), Resync("inventory", ["nic"])]
    agent.machine.cores = 8
    agent.ask(Reprobe(["cpu"]))
    await until(lambda: any(getattr(d, "full", None) is False for d in agent.told()))
    snapshot = next(d for d in agent.told() if getattr(d, "full", None) is False)
    assert snapshot.sections.keys() == {"cpu", "nic"}


async def test_a_doubt_of_which_box_this_is_is_in_status(agent):
    agent.driver.identity = replace(agent.driver.identity, doubt="may be a copy")
    assert agent.ask(Status()).result["faults"] == ["may be a copy"]


async def test_a_probe_that_fails_is_in_status_and_stops_nothing(tmp_path):
    agent = Agent(tmp_path)
    agent.machine.fault = ProbeError("not done after 30 s, killed")
    async with agent.running():
        await until(lambda: agent.ask(Status()).result["faults"])
        assert agent.ask(Status()).result["faults"] == ["not done after 30 s, killed"]


async def test_a_held_path_is_down_alone_until_it_is_released(agent):
    await until(lambda: set(agent.states().values()) == {"up"})
    assert agent.ask(PathHold("wan1", 60)).error == ""
    await until(lambda: agent.states() == {"wan1": "down", "wan2": "up", "lan1": "up"})
    assert "held by an operator" in table(agent.ask(Status()).result)
    assert agent.ask(PathRelease("wan1")).error == ""
    await until(lambda: set(agent.states().values()) == {"up"})
    assert "no path 'x'" in agent.ask(PathHold("x", 60)).error


async def test_garbage_on_the_receipt_topic_is_refused_and_counted(agent):
    other = Receipt(
        v=1, node="lab.n2", lane=Lane.BULK, stream=b"s" * 16, seq=9, central_epoch=b"epoch--1",
        sent_ms=0,
    )  # fmt: skip
    agent.broker.garbage = [b"\xc1", encode(other)]
    await until(lambda: agent.driver.refused == {"malformed": 1, "node": 1})


async def test_what_is_dropped_is_told_by_one_event(agent):
    await until(agent.told)
    agent.broker.down |= {"wan1", "wan2"}
    for name in ("wan1", "wan2"):
        agent.ask(PathHold(name, 60))
    await until(lambda: agent.states()["wan2"] == "down")
    for _ in range(3):
        entry = Entry(Lane.BULK, ItemKind.EVENT, 0, bytes(100_000))
        agent.spool.append(Batch((entry,) * 6, {}))
        await until(lambda: agent.spool.is_idle)
    agent.broker.down.clear()
    for name in ("wan1", "wan2"):
        agent.ask(PathRelease(name))
    gaps = await until(lambda: [i for _, i in agent.broker.items if i.kind is ItemKind.GAP])
    assert gaps
    event = await until(
        lambda: next((i for _, i in agent.broker.items if DROPPED_TYPE.encode() in i.body), None)
    )
    assert EVENTS.decode(event.body).params["items"] > 0


async def test_a_drain_ends_with_a_good_bye_on_every_wan_path(agent):
    await until(lambda: set(agent.states().values()) == {"up"})
    await until(agent.told)
    await agent.driver.drain()
    assert sorted(gone.path for gone in agent.broker.gones) == ["wan1", "wan2"]


async def test_the_next_start_goes_on_where_the_last_one_ended(tmp_path):
    async with Agent(tmp_path).running() as agent:
        await until(agent.told)
        await until(lambda: agent.driver.survey.mark)
    async with Agent(tmp_path).running() as again:
        again.broker.marks = agent.broker.marks
        again.machine.cores = 16
        await until(again.told)
        assert [(type(d).__name__, d.gen) for d in again.told()] == [("Delta", 2)]


async def test_an_enrolled_node_seals_all_that_goes_up_and_believes_sealed_receipts(tmp_path):
    async with Agent(tmp_path, Seal(b"k" * 32, 3)).running() as agent:
        broker = agent.broker
        await until(lambda: broker.beats and agent.told())  # the broker opens each of them
        await until(lambda: agent.spool.lanes[Lane.BULK].waiting_items == 0)
        wills = [dial.will for dial in broker.dials if dial.will_topic]
        assert all(broker.seal.open(TOPICS.gone, will) for will in wills)
        assert agent.driver.refused == {}


async def test_an_enrolled_node_refuses_what_the_centre_did_not_seal(tmp_path):
    seal = Seal(b"k" * 32, 3)
    async with Agent(tmp_path, seal).running() as agent:
        receipt = Receipt(
            v=1, node=NODE, lane=Lane.BULK, stream=b"s" * 16, seq=9, central_epoch=b"epoch--2",
            sent_ms=0,
        )  # fmt: skip
        bare = encode(receipt)
        agent.broker.garbage = [
            bare,
            seal.seal(TOPICS.beat, bare),
            Seal(b"k" * 32, 2).seal(TOPICS.receipt, bare),
        ]
        await until(lambda: agent.driver.refused == {"unsealed": 1, "mac": 1, "kid": 1})


async def test_the_client_id_of_an_enrolled_node_tells_its_name_to_nobody(tmp_path):
    async with Agent(tmp_path, Seal(b"k" * 32, 3)).running() as agent:
        await until(lambda: len(agent.broker.dials) == 3)
        ids = {dial.client_id for dial in agent.broker.dials}
        assert len(ids) == 3
        assert not any("lab" in each for each in ids)


@pytest.mark.parametrize(("off_ms", "checks"), [(0, True), (TEN_YEARS_MS, False)])
async def test_an_enrolled_node_judges_dates_once_the_centre_agrees_with_its_clock(
    tmp_path, off_ms, checks
):
    agent = Agent(tmp_path, Seal(b"k" * 32, 3))
    agent.broker.sent_ms = SystemClock().wall_ms() + off_ms
    async with agent.running():
        await until(lambda: agent.told() and agent.spool.lanes[Lane.BULK].waiting_items == 0)
        assert {dial.checks_dates for dial in agent.broker.dials} == {False}
        await agent.dials_again()
        assert agent.broker.dials[-1].checks_dates is checks


async def test_a_clock_that_steps_after_the_centre_agreed_with_it_judges_no_dates(tmp_path):
    clock = SteppedClock()
    agent = Agent(tmp_path, Seal(b"k" * 32, 3), clock)
    agent.broker.sent_ms = clock.wall_ms()
    async with agent.running():
        await until(lambda: agent.told() and agent.spool.lanes[Lane.BULK].waiting_items == 0)
        for step_ms, checks in ((-TEN_YEARS_MS, False), (TEN_YEARS_MS, False), (0, True)):
            clock.step_ms = step_ms
            await agent.dials_again()
            assert agent.broker.dials[-1].checks_dates is checks


async def test_a_node_without_an_identity_judges_dates_by_its_own_clock(agent):
    await until(lambda: len(agent.broker.dials) == 3)
    assert all(dial.checks_dates for dial in agent.broker.dials)


async def test_what_a_profile_says_of_paths_counts_at_once(agent):
    await until(lambda: set(agent.states().values()) == {"up"})
    assert agent.driver._usable[0] == "wan1"
    said = for_agent(
        {
            "paths": {
                "beat_interval_s": 60,
                "metered_interval_s": 600,
                "wan": {"wan1": {"metered": True}, "wan2": {"interface": "lo"}},
            }
        }
    ).paths
    agent.driver.tune(said)
    assert agent.driver._usable[0] == "wan2"  # wan1 costs
    await until(lambda: agent.broker.dials[-1].source == "lo")  # wan2 alone connects anew
    await until(lambda: set(agent.states().values()) == {"up"})
    assert [dial.path.name for dial in agent.broker.dials[3:]] == ["wan2"]
    await until(lambda: {b.path: b.interval_ms for b in agent.broker.beats}["wan2"] == 60_000)
    agent.driver.changed()
    await until(lambda: {b.path: b.interval_ms for b in agent.broker.beats}["wan1"] == 600_000)
    agent.driver.tune(for_agent({}).paths)
    assert agent.driver._interval_ms("wan1") == 30_000
    assert agent.driver._interval_ms("lan1") == 10_000


class Taking:
    """Stands for the orders and the updates of a node; notes what reaches them."""

    def __init__(self):
        self.came_in, self.is_ours_right = [], True

    def told_time(self, sent_ms):
        """Receipts tell it, too."""

    def __getattr__(self, name):
        return lambda *given: self.came_in.append((name, given))


@pytest.mark.parametrize("seal", [None, Seal(b"k" * 32, 3)])
async def test_a_real_node_neither_asks_for_nor_takes_the_bare_offer_of_simulated_ones(
    tmp_path, seal
):
    offer = Offer(
        v=1, rollout="b" * 32, job="a" * 32, attempt=1, component="app/pump", version="2",
        digest="1" * 64, size=1, nodes=[NODE], not_before_ms=0, not_after_ms=1 << 50,
    )  # fmt: skip
    made = Agent(tmp_path, seal)
    taking = made.driver.orders = made.driver.updates = Taking()
    made.driver.hear_frame = lambda frame: taking.came_in.append(("frame", frame))
    async with made.running() as agent:
        await until(lambda: len(agent.broker.dials) == 3)
        for bare in (encode(offer), b"a" * 32):  # an offer, and the name of a job to give up
            agent.driver._hear("wan1", Message(TOPICS.offer, bare))
        asked = {topic for dial in agent.broker.dials for topic in dial.subscriptions}
        assert asked == {TOPICS.receipt, TOPICS.order, TOPICS.ha_down, TOPICS.site_beat}
    assert agent.driver.refused == {"topic": 2}
    assert taking.came_in == []
