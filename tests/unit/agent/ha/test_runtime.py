"""The runtime's clockwork, around a core that only notes what it is told."""

import asyncio
from types import SimpleNamespace

import site_file

from roost_agent.ha import core_events as ev
from roost_agent.ha.config_file import check
from roost_agent.ha.lease_events import Armed, ArmRefused, GuardLost, Tick
from roost_agent.ha.runtime import Runtime
from roost_agent.ports import SystemClock, SystemEntropy


class NotingCore:
    """Wants to be woken since ten seconds ago."""

    def __init__(self):
        self.told = []

    def due_ms(self, now_ms):
        return now_ms - 10_000

    def handle(self, event, now_ms):
        self.told.append(event)
        return []


async def test_what_was_due_before_it_was_waited_for_is_no_stall_of_ours():
    core = NotingCore()
    shells = SimpleNamespace(paths=[])
    runtime = Runtime(core, shells, SystemClock(), SystemEntropy())
    runtime.core.config = SimpleNamespace(timing=SimpleNamespace(beat_ms=100))
    ticking = asyncio.get_running_loop().create_task(runtime._tick())
    async with asyncio.timeout(30):
        while len(core.told) < 20:  # noqa: ASYNC110 - the loop that is tested sets no event
            await asyncio.sleep(0)
    ticking.cancel()
    lags = [each.lag_ms for each in core.told if isinstance(each, ev.Lagged)]
    assert all(lag_ms < 5_000 for lag_ms in lags)


class ForgettingCore(NotingCore):
    """Wants to look at a silent peer soon; once that moment has passed, a beat later."""

    def __init__(self, look_ms):
        super().__init__()
        self._look_ms = look_ms

    def due_ms(self, now_ms):
        return self._look_ms if now_ms < self._look_ms else now_ms + 3_600_000


async def test_a_look_that_was_asked_for_happens_though_its_moment_has_passed():
    clock = SystemClock()
    core = ForgettingCore(clock.boot_ms() + 50)
    core.config = SimpleNamespace(timing=SimpleNamespace(beat_ms=100))
    runtime = Runtime(core, SimpleNamespace(paths=[]), clock, SystemEntropy())
    ticking = asyncio.get_running_loop().create_task(runtime._tick())
    async with asyncio.timeout(30):
        while not any(isinstance(each, Tick) for each in core.told):  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.005)
    ticking.cancel()


def test_a_refused_order_is_remembered_with_its_reason():
    shells = SimpleNamespace(upward=None)
    runtime = Runtime(NotingCore(), shells, SystemClock(), SystemEntropy())
    runtime.refuse("main runs here already")
    assert runtime.refused_orders == 1
    assert [each.sentence for each in runtime.ring] == ["order refused: main runs here already"]


class LateGuard:
    """Takes every hold; its device bites within half a minute."""

    async def arm(self, lease, epoch, deadlines, **more):
        return 30_000


async def test_a_device_that_bites_later_than_the_promise_covers_is_no_arm():
    core = NotingCore()
    core.watchdogs = {"main": 5_000, "web": 0}
    shells = SimpleNamespace(workload=None, upward=None)
    runtime = Runtime(core, shells, SystemClock(), SystemEntropy())
    for lease in ("main", "web"):
        await runtime._carry(LateGuard(), ev.Arm(lease, 33, (1, 2, 3)))
    late, taken = core.told
    assert late.event == ArmRefused(33, late.event.why, lasts=True)
    assert "30000 ms" in late.event.why
    assert "5000 ms" in late.event.why
    assert taken == ev.OfLease("web", Armed(33, is_timed=True))


def test_what_the_guard_says_of_itself_is_told_when_it_is_news():
    core = NotingCore()
    core.config, _ = check(site_file.table())
    runtime = Runtime(
        core, SimpleNamespace(upward=None, bites=None), SystemClock(), SystemEntropy()
    )
    state = {"pid": 7, "lease_ms": 6_000, "tick_ms": 100, "watchdog_ms": 30_000}
    for each in (state, state, state | {"watchdog_ms": 5_000}):
        runtime.guard_said(each)
    late, well = core.told
    assert set(late.bars) == {"main"}
    assert well == ev.GuardSaid(pid=7)
    runtime._guard_gone()
    runtime.guard_said(state | {"watchdog_ms": 5_000})
    assert core.told[2:] == [GuardLost(), well]
