"""Looks when they are due, and those that hang or fail."""

import asyncio
import threading
from contextlib import asynccontextmanager

import pytest

from roost_agent.alarms import watch as watching
from roost_agent.alarms.rules import Finding
from roost_agent.alarms.watch import Watch
from roost_agent.errors import ProbeError
from roost_protocol.severity import Severity

CLOCK, UNIT = "100.114", "400.001"


class Eye:
    """A sampler that does what it is told to."""

    interval_s = 1
    may_hang = True

    def __init__(self, *types, severity=Severity.MAJOR, fault=None, gate=None):
        self.types, self.severity = frozenset(types), severity
        self.fault, self.gate, self.looks = fault, gate, 0

    def sample(self, look):
        self.looks += 1
        if self.gate is not None:
            self.gate.wait(20)
        if self.fault is not None:
            raise self.fault
        for type_ in sorted(self.types):
            yield Finding(type_, "", self.severity)


class Ears:
    """Hears rounds as the alarms do."""

    def __init__(self):
        self.rounds, self.is_unsynced = [], False

    def observe(self, seen):
        self.rounds.append(seen)


@asynccontextmanager
async def watched(*eyes, clock, **more):
    ears = Ears()
    watch = Watch(ears, eyes, clock, **more)
    task = asyncio.get_running_loop().create_task(watch.run())
    try:
        yield watch, ears
    finally:
        task.cancel()
        await asyncio.wait([task])


@pytest.fixture
def clock(make_node):
    return make_node().clock


async def test_what_is_seen_is_heard_and_what_is_off_is_not(clock, wait):
    eye = Eye(CLOCK, UNIT)
    async with watched(eye, clock=clock, off=frozenset({UNIT})) as (watch, ears):
        await wait(lambda: ears.rounds, "a round")
        assert watch.types == ears.rounds[0].types == {CLOCK}
        assert [each.type for each in ears.rounds[0].samples] == [CLOCK]
        assert ears.is_unsynced
        eye.severity = None
        await wait(lambda: len(ears.rounds) > 1, "another round")
        assert ears.is_unsynced  # not known: as before
        eye.severity = Severity.CLEARED
        await wait(lambda: not ears.is_unsynced, "the clock is well")


@pytest.mark.parametrize("fault", [ProbeError("no such program"), ValueError("odd text")])
async def test_a_look_that_fails_has_seen_nothing_and_harms_no_other(clock, wait, fault, caplog):
    bad, good = Eye(CLOCK, fault=fault), Eye(UNIT)
    async with watched(bad, good, clock=clock) as (_, ears):
        await wait(lambda: bad.looks > 1 and len(ears.rounds) > 1, "two looks of each")
        assert all(each.types == {UNIT} for each in ears.rounds)
    told = [each for each in caplog.records if "Eye" in each.getMessage()]
    assert len(told) == (1 if isinstance(fault, ProbeError) else bad.looks)


async def test_a_look_that_hangs_is_left_alone_until_it_ends(clock, wait, monkeypatch):
    monkeypatch.setattr(watching, "LOOK_S", 0.05)
    gate = threading.Event()
    slow, good = Eye(CLOCK, gate=gate), Eye(UNIT)
    good.may_hang = False
    try:
        async with watched(slow, good, clock=clock) as (watch, ears):
            await wait(lambda: watch.fault, "its fault")
            await wait(lambda: len(ears.rounds) > 2, "rounds of the other")
            assert slow.looks == 1
            slow.gate = None
            gate.set()
            await wait(lambda: slow.looks > 1 and not watch.fault, "a look again")
    finally:
        gate.set()


async def test_looks_that_have_stopped_are_said(clock, wait):
    eye = Eye(UNIT)
    async with watched(eye, clock=clock) as (watch, _):
        await wait(lambda: eye.looks, "a look")
        now_ms = clock.boot_ms()
        assert watch.undone(now_ms) == ""
        assert "the looks are" in watch.undone(now_ms + 200_000)
    assert Watch(Ears(), [eye], clock).undone(10**12) == ""  # it has not begun
