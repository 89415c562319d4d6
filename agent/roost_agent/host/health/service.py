"""Runs the health scripts of a node when they are due or asked for, and raises what they say.

The folder is looked at for each round, so that a script counts from the round after it was put
there. Scripts run one after another: a node that starts has better to do than all of them at once.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from roost_agent.host.health.core import (
    Abandon,
    Asked,
    Begin,
    Checked,
    Clear,
    Ended,
    Event,
    GivenUp,
    Health,
    Raise,
    Stage,
    Tick,
)
from roost_agent.host.health.run import SCRIPT_S, complaint
from roost_agent.host.health.scripts import ROOT, Script, find
from roost_agent.ports import Clock
from roost_protocol.catalogue import cut
from roost_protocol.entity import escape

if TYPE_CHECKING:
    from roost_agent.host.processes.teller import Alarming

FAILED: Final = "200.803"
TOGETHER_S: Final = 300.0
LOOK_S: Final = 5.0  # for the folder itself
OUTPUT_BYTES_MAX: Final = 256  # of an alarm's parameter; all that is kept is shown on the node
IDLE_S: Final = 3_600.0

log = logging.getLogger(__name__)


class HealthChecks:
    """The health scripts of one node.

    Args:
        folder: of the scripts.
        roles: of this node.
        alarms: of the node.
        clock: for what is due.
        owners: who may own a script.
    """

    def __init__(
        self,
        folder: str,
        roles: Collection[str],
        alarms: "Alarming",
        clock: Clock,
        *,
        owners: Collection[int] = ROOT,
    ) -> None:
        self._find: Callable[[], tuple[Script, ...]] = lambda: find(folder, roles, owners=owners)
        self._alarms = alarms
        self._clock = clock
        self._core = Health(clock.boot_ms())
        self._round: asyncio.Task[None] | None = None
        self._begin: Stage | None = None
        self._waiting: list[tuple[Stage, asyncio.Future[tuple[Checked, ...]]]] = []
        self._is_abandoned = False
        self._is_first = True
        self._wake = asyncio.Event()
        # Its own: a folder that hangs must not take a thread that paths connect by.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="health")

    async def check(self, stage: str) -> tuple[Checked, ...]:
        """Run every script now and return what failed; empty: all is well, or there is none.

        Args:
            stage: ``enable`` or ``inservice``.
        """
        future: asyncio.Future[tuple[Checked, ...]] = asyncio.get_running_loop().create_future()
        self._waiting.append((Stage(stage), future))
        self.begin(stage)
        return await future

    def begin(self, stage: str) -> None:
        """Have every script run, as soon as the round before lets it."""
        self._handle(Asked(Stage(stage)))

    async def run(self) -> None:
        """Run what is due until cancelled."""
        try:
            await self._run()
        finally:
            self._thread.shutdown(wait=False, cancel_futures=True)

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as group:
            while True:
                self._handle(Tick())
                self._wake.clear()  # what woke us is done below, before the next wait
                if self._begin is not None:
                    stage, self._begin = self._begin, None
                    name = f"agent.health.{stage}"
                    self._round = group.create_task(self._take_round(stage), name=name)
                due_ms = self._core.due_ms()
                wait_s = IDLE_S if due_ms is None else (due_ms - self._clock.boot_ms()) / 1000
                with suppress(TimeoutError):
                    async with asyncio.timeout(max(wait_s, 0)):
                        await self._wake.wait()

    def failed(self) -> tuple[Checked, ...]:
        """Return what failed in the last round."""
        return self._core.failed()

    def report(self) -> dict[str, Any]:
        """Return the last round as plain data; ages in s."""
        core = self._core
        ended_ms = core.ended_ms
        age_s = None if ended_ms is None else (self._clock.boot_ms() - ended_ms) // 1000
        return {
            "running": None if core.stage is None else core.stage.value,
            "stage": None if core.last_stage is None else core.last_stage.value,
            "age_s": age_s,
            "checks": [
                {
                    "check": each.check,
                    "state": "failed" if each.complaint else "passed",
                    "spent_ms": each.spent_ms,
                    "output": each.complaint,
                }
                for each in core.last
            ],
        }

    def _handle(self, event: Event) -> None:
        for action in self._core.handle(event, self._clock.boot_ms()):
            match action:
                case Begin(stage):
                    self._begin = stage
                case Abandon():
                    if self._round is None:
                        self._handle(GivenUp())
                    else:
                        self._is_abandoned = True
                        self._round.cancel()
                case Raise(check, severity, text):
                    log.warning("health: %s %s", check, text)
                    said = {"output": cut(text, OUTPUT_BYTES_MAX)}
                    self._alarms.raise_condition(FAILED, said, _entity(check), severity)
                case Clear(check):
                    if self._alarms.is_raised(FAILED, _entity(check)):
                        self._alarms.clear_condition(FAILED, _entity(check))
        self._wake.set()

    async def _take_round(self, stage: Stage) -> None:
        try:
            checked = tuple([each async for each in self._all_of(stage)])
        except asyncio.CancelledError:
            if not self._is_abandoned:
                raise
            self._round, self._is_abandoned = None, False
            self._handle(GivenUp())
            return
        self._round = None
        self._clear_old(checked)
        self._handle(Ended(checked))
        failed = tuple(each for each in checked if each.complaint)
        due = [pair for pair in self._waiting if pair[0] is stage or stage is Stage.ENABLE]
        self._waiting = [pair for pair in self._waiting if pair not in due]
        for _, future in due:
            if not future.done():
                future.set_result(failed)

    async def _all_of(self, stage: Stage) -> AsyncIterator[Checked]:
        """Yield what comes of each script."""
        try:
            async with asyncio.timeout(LOOK_S):
                loop = asyncio.get_running_loop()
                scripts = await loop.run_in_executor(self._thread, self._find)
        except TimeoutError:
            yield Checked("health.d", f"the folder is not readable within {LOOK_S:g} s")
            return
        began_ms = self._clock.boot_ms()
        for script in scripts:
            at_ms = self._clock.boot_ms()
            left_s = TOGETHER_S - (at_ms - began_ms) / 1000
            if script.distrust:
                said = script.distrust
            elif left_s <= 0:
                said = f"is not run: those before it took {TOGETHER_S:g} s together"
            else:
                said = await complaint(script.path, stage.value, min(SCRIPT_S, left_s))
            yield Checked(script.check, said, self._clock.boot_ms() - at_ms)

    def _clear_old(self, checked: Iterable[Checked]) -> None:
        """End alarms of before the agent's start, of checks that are gone since."""
        if not self._is_first or not self._alarms.is_open:
            return
        self._is_first = False
        known = {_entity(each.check) for each in checked}
        for key in self._alarms.standing(FAILED):
            entity = key.partition("|")[2]
            if entity not in known:
                self._alarms.clear_condition(FAILED, entity)


def _entity(check: str) -> str:
    return f"check={escape(check)}"
