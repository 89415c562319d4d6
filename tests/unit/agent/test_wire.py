"""One path's working end over a fake link."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from roost_agent.config import PathConfig
from roost_agent.errors import LinkError
from roost_agent.paths.core import (
    Answered,
    Cause,
    Connect,
    Connected,
    Lost,
    PathCore,
    Sent,
    Start,
    Tick,
)
from roost_agent.paths.link import Dial, Message
from roost_agent.ports import SystemEntropy
from roost_agent.wire import QUEUE_MAX, Outgoing, Wire
from roost_protocol.beat import PathKind

DIAL = Dial(PathConfig("wan1", PathKind.WAN, "x", 1), "c", "s", None, b"")


class FakeLink:
    """A broker in memory; ``end`` closes the connection from its side."""

    def __init__(self):
        self.sent = []
        self.acks = True
        self.incoming = asyncio.Queue()

    async def publish(self, topic, payload, *, qos):
        self.sent.append((topic, payload, qos))
        return self.acks

    async def messages(self):
        while True:
            message = await self.incoming.get()
            if isinstance(message, Exception):
                raise message
            yield message


class FakeDialer:
    def __init__(self):
        self.links, self.refusal, self.hangs, self.open = [], None, False, 0

    @asynccontextmanager
    async def connect(self, dial):
        assert dial is DIAL
        if self.hangs:
            await asyncio.sleep(60)
        if self.refusal is not None:
            raise self.refusal
        self.links.append(FakeLink())
        self.open += 1
        try:
            yield self.links[-1]
        finally:
            self.open -= 1


class Path:
    """A wire whose core is real and whose owner is this test."""

    def __init__(self):
        self.events, self.heard = [], []
        self.core = PathCore(PathKind.WAN)
        self.core.handle(Start(), 0)
        self.wire = Wire(self.core, tell=self.tell, hear=self.heard.append, entropy=SystemEntropy())

    def tell(self, event):
        self.events.append(event)
        self.core.handle(event, 0)

    async def until(self, kind):
        for _ in range(1_000):
            if found := [event for event in self.events if isinstance(event, kind)]:
                return found[-1]
            await asyncio.sleep(0.005)
        raise AssertionError(f"no {kind.__name__} but {self.events}")


@pytest.fixture
async def dialer():
    return FakeDialer()


@pytest.fixture
async def path(dialer):
    path = Path()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(path.wire.run(dialer, lambda: DIAL))
        yield path
        task.cancel()


async def test_nothing_is_connected_until_it_is_told_to(path, dialer):
    await asyncio.sleep(0.02)
    assert dialer.open == 0
    path.wire.connect()
    await path.until(Connected)
    assert dialer.open == 1


async def test_a_probe_is_noted_when_it_leaves_and_when_it_is_acknowledged(path):
    path.wire.connect()
    await path.until(Connected)
    path.wire.put(Outgoing("t", b"p", qos=1, probe=7))
    assert await path.until(Sent) == Sent(7)
    answer = await path.until(Answered)
    assert (answer.probe, answer.rtt_us > 0) == (7, True)


async def test_a_missing_acknowledgement_is_no_answer(path, dialer):
    path.wire.connect()
    await path.until(Connected)
    dialer.links[0].acks = False
    path.wire.put(Outgoing("t", b"p", qos=1, probe=7))
    await path.until(Sent)
    await path.wire.drained()
    await asyncio.sleep(0.02)
    assert not any(isinstance(event, Answered) for event in path.events)


async def test_messages_leave_in_order(path, dialer):
    path.wire.connect()
    await path.until(Connected)
    for n in range(20):
        path.wire.put(Outgoing("t", b"%d" % n, qos=n % 2))
    await path.wire.drained()
    assert [payload for _, payload, _ in dialer.links[0].sent] == [b"%d" % n for n in range(20)]


async def test_what_comes_in_is_handed_on(path, dialer):
    path.wire.connect()
    await path.until(Connected)
    await dialer.links[0].incoming.put(Message("t", b"x"))
    await asyncio.sleep(0.05)
    assert path.heard == [Message("t", b"x")]


async def test_a_broker_that_closes_ends_the_connection_with_its_reason(path, dialer):
    path.wire.connect()
    await path.until(Connected)
    await dialer.links[0].incoming.put(LinkError("reset by peer"))
    lost = await path.until(Lost)
    assert (lost.cause, lost.why) == (Cause.NETWORK, "reset by peer")
    assert dialer.open == 0


async def test_a_refused_credential_is_told_apart(path, dialer):
    dialer.refusal = LinkError("not authorised", refused=True)
    path.wire.connect()
    assert (await path.until(Lost)).cause is Cause.REFUSED


async def test_an_attempt_that_hangs_can_be_ended(path, dialer):
    dialer.hangs = True
    path.wire.connect()
    await asyncio.sleep(0.02)
    path.wire.disconnect("held")
    assert (await path.until(Lost)).why == "held"


async def test_one_that_is_cancelled_in_the_moment_its_connection_breaks_ends(dialer):
    path = Path()
    task = asyncio.get_running_loop().create_task(path.wire.run(dialer, lambda: DIAL))
    path.wire.connect()
    await path.until(Connected)
    dialer.links[0].incoming.put_nowait(LinkError("reset by peer"))
    await asyncio.sleep(0)  # the reader has it, and its group has not noticed
    await asyncio.sleep(0)
    task.cancel()
    done, _ = await asyncio.wait([task], timeout=5)
    assert done, "the wire goes on"


async def test_one_whose_connection_broke_before_is_not_taken_for_cancelled(path, dialer):
    path.wire.connect()
    await path.until(Connected)
    await dialer.links[0].incoming.put(LinkError("gone"))
    await path.until(Lost)
    path.events.clear()
    path.core.handle(Tick(), 10**9)
    path.wire.connect()
    await path.until(Connected)
    path.wire.disconnect("held")
    assert (await path.until(Lost)).why == "held"


async def test_the_queue_is_bounded_and_what_finds_no_room_is_counted(path):
    full = [path.wire.put(Outgoing("t", b"", qos=0)) for _ in range(QUEUE_MAX + 3)]
    assert full.count(False) == path.wire.dropped == 3


async def test_nothing_of_one_connection_is_sent_on_the_next(path, dialer):
    path.wire.connect()
    await path.until(Connected)
    await dialer.links[0].incoming.put(LinkError("gone"))
    await path.until(Lost)
    path.wire.put(Outgoing("t", b"old", qos=0))
    path.events.clear()
    assert path.core.handle(Tick(), 10**9) == [Connect()]
    path.wire.connect()
    await path.until(Connected)
    path.wire.put(Outgoing("t", b"new", qos=0))
    await path.wire.drained()
    assert [payload for _, payload, _ in dialer.links[1].sent] == [b"new"]
