"""Our own message and back: what it says of a broker, and when it says nothing."""

import asyncio
import contextlib

import pytest

from roost_central.ingest import canary as rules
from roost_central.ingest.canary import Canary
from roost_central.ingest.config import BrokerAddress
from roost_central.ports import SystemEntropy

ADDRESS = BrokerAddress.parse("b1", "mqtt://127.0.0.1")
DEADLINE_S = 30


class Way:
    """A broker that carries, loses or refuses what it is sent."""

    def __init__(self):
        self.mood = "carries"
        self.sent = 0
        self.told = []
        self.canary = Canary(
            ADDRESS, "t", entropy=SystemEntropy(), tell=self.told.append, send=self.send
        )

    async def send(self, _address, topic, payload):
        assert topic == "t"
        self.sent += 1
        if self.mood == "refuses":
            raise ConnectionRefusedError
        self.canary.heard(b"another's")
        if self.mood == "carries":
            self.canary.heard(payload)

    async def flies(self, times):
        """Wait until it was sent so often, and what came of it is noted."""
        wanted = self.sent + times + 1
        async with asyncio.timeout(DEADLINE_S):
            while self.sent < wanted:  # noqa: ASYNC110 - looks from outside
                await asyncio.sleep(0.001)


@pytest.fixture
async def way(monkeypatch):
    monkeypatch.setattr(rules, "EVERY_S", 0.001)
    monkeypatch.setattr(rules, "BACK_S_MAX", 0.01)
    way = Way()
    task = asyncio.create_task(way.canary.run())
    yield way
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("mood", ["loses", "refuses"])
async def test_one_that_does_not_come_back_any_more_is_told_and_so_is_its_return(way, mood):
    way.canary.up()
    await way.flies(2)
    assert way.told == []
    way.mood = mood
    await way.flies(4)
    assert way.told == [False]
    way.mood = "carries"
    await way.flies(3)
    assert way.told == [False, True]


async def test_one_that_never_came_back_proves_nothing(way):
    way.mood = "loses"
    way.canary.up()
    await way.flies(5)
    way.mood = "carries"
    await way.flies(2)
    assert way.told == []


async def test_while_the_broker_is_lost_nothing_is_sent_and_then_all_begins_anew(way):
    way.canary.up()
    await way.flies(2)
    way.canary.down()
    way.mood = "loses"
    way.canary.up()
    await way.flies(4)
    assert way.told == []
    way.canary.down()
    sent = way.sent
    await asyncio.sleep(0.05)
    assert way.sent <= sent + 1
