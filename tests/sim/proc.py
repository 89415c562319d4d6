"""Hosts and the programs on them: starts, kills, power cuts, clocks and entropy.

A *life* is one start of a program. Whatever it does outside its memory goes through a door that
asks whether the life is over: a killed program is cancelled so that its memory goes, and what it
still tries on its way out (a last batch, a good-bye) reaches nothing, as after ``kill -9``.
"""

import asyncio
import contextvars
import random
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roost_agent.errors import AgentError
from roost_central.errors import CentralError

if TYPE_CHECKING:
    from sim.disk import Disk
    from sim.world import World

HERE: contextvars.ContextVar["Life"] = contextvars.ContextVar("life")

EPOCH_MS = 1_750_000_000_000  # where the wall clocks begin
CANCELLED_S = 30.0  # within which a program that is cancelled must have ended
RESTART_S = 2.0  # a service manager's pause before it starts a program that gave up


class Clock:
    """The three clocks of a host: each drifts, the wall clock is off and may step."""

    def __init__(self, now_s: Callable[[], float], *, drift_ppm: float, off_ms: int) -> None:
        self._now_s = now_s
        self._rate = 1000 * (1 + drift_ppm / 1e6)
        self._booted_s = 0.0
        self.off_ms = off_ms

    def wall_ms(self) -> int:
        return EPOCH_MS + self.off_ms + int(self._now_s() * self._rate)

    def mono_ms(self) -> int:
        return self.boot_ms()

    def boot_ms(self) -> int:
        return 1_000 + int((self._now_s() - self._booted_s) * self._rate)

    def reboot(self) -> None:
        """Begin the boot clock anew."""
        self._booted_s = self._now_s()


class Entropy:
    """Seeded, and now and then at the end of its range: jitter that never helps."""

    def __init__(self, rng: random.Random, extreme: Callable[[], bool]) -> None:
        self._rng = rng
        self._extreme = extreme

    def token(self, size: int) -> bytes:
        return self._rng.randbytes(size)

    def uniform(self, low: float, high: float) -> float:
        return low if self._extreme() else self._rng.uniform(low, high)


class Life:
    """One start of the program of a host.

    Attributes:
        at_end: called with whether the power is cut, in order, when the life is over.
        stop: set where the program is asked to end.
    """

    def __init__(self, host: "Host") -> None:
        self.host = host
        self.alive = True
        self.is_paused = False
        self.at_end: dict[Callable[[bool], None], None] = {}
        self.stop = asyncio.Event()
        self.context = contextvars.copy_context()
        self.context.run(HERE.set, self)


def _is_paused(context: contextvars.Context) -> bool:
    life = context.get(HERE)
    return life is not None and life.is_paused


class Host:
    """A machine with one program on it.

    Args:
        name: also the end of its links.
        folder: its disk, which outlives its lives.
        program: run by each life.
    """

    def __init__(
        self, world: "World", name: str, folder: Path, program: Callable[[Life], Awaitable[None]]
    ) -> None:
        self.world = world
        self.name = name
        self.folder = folder
        self.powered = True
        self.life: Life | None = None
        self.boots = 0
        rng = world.dice(name)
        self.clock = Clock(
            world.loop.time, drift_ppm=rng.uniform(-200, 200), off_ms=rng.randint(-3_000, 3_000)
        )
        self.entropy = Entropy(
            world.dice(f"{name}/entropy"), lambda: world.buggify("entropy.extreme")
        )
        self.disk: Disk = world.disk(name)
        self._program = program
        self._task: asyncio.Task[None] | None = None
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def is_up(self) -> bool:
        """Whether its program runs."""
        return self.life is not None

    def start(self) -> None:
        """Begin a life, with power; nothing where there is one."""
        if self.life is not None:
            return
        if not self.powered or not self.boots:
            self.powered = True
            self.boots += 1
            self.clock.reboot()
        self.life = Life(self)
        self.world.trace.note(f"{self.name} starts")
        self._task = self.world.loop.create_task(
            self._live(self.life), name=f"sim.{self.name}", context=self.life.context
        )

    def kill(self, *, power: bool = False) -> None:
        """End the life at once; with ``power`` the whole machine goes dark, without a word."""
        life, self.life = self.life, None
        if power:
            self.powered = False
        self.world.trace.note(f"{self.name} {'loses power' if power else 'is killed'}")
        if life is None:
            return
        self._over(life, power=power)
        assert self._task is not None
        self._task.cancel()
        self.world.loop.call_later(CANCELLED_S, self._check_ended, self._task)

    def pause(self) -> None:
        """Stop the program where it is, as SIGSTOP does; what reaches it waits for it."""
        self.world.trace.note(f"{self.name} is paused")
        if self.life is not None:
            self.life.is_paused = True
            self.world.paused[self.life] = None
            self.world.loop.is_paused = _is_paused

    def resume(self) -> None:
        """Let a paused program go on."""
        self.world.trace.note(f"{self.name} goes on")
        if self.life is not None:
            self._unpause(self.life)

    def stop(self) -> None:
        """Ask the program to end in order, as SIGTERM does."""
        self.world.trace.note(f"{self.name} is told to stop")
        if self.life is not None:
            self.life.stop.set()

    def _check_ended(self, task: asyncio.Task[None]) -> None:
        """See that what is cancelled ends: a killed program need not, one that is told must."""
        if not task.done():
            self.world.violate(f"{self.name} goes on though it was cancelled")

    def _unpause(self, life: Life) -> None:
        if life.is_paused:
            life.is_paused = False
            del self.world.paused[life]
            self.world.loop.release()
            if not self.world.paused:
                self.world.loop.is_paused = None

    def _over(self, life: Life, *, power: bool) -> None:
        life.alive = False
        self._unpause(life)
        for callback in list(life.at_end):
            callback(power)
        life.at_end.clear()

    async def _live(self, life: Life) -> None:
        why: Any = None
        try:
            await self._program(life)
        except* (AgentError, CentralError) as group:
            why = group.exceptions
        except* Exception as group:  # noqa: BLE001 - the program's own fault: whatever it is, it is told
            if life.alive:
                self.world.violate(f"{self.name} crashed: {group.exceptions!r}")
        if not life.alive:
            return
        self.life = None
        self._over(life, power=False)
        self.world.trace.note(f"{self.name} ended {why or ''}".strip())
        if why is not None:
            self.world.trace.met("a program gave up and was started again")
        if not life.stop.is_set():
            self.world.loop.call_later(RESTART_S, self.start)
