"""Takes samples when they are due, in threads of its own, and hands them to the alarms.

A look that hangs (a dead disk, a slow bus) costs its own samples: what cannot be seen is not
decided, and the look is not begun again before it has ended.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Final

from roost_agent.alarms.rules import Finding, Round
from roost_agent.alarms.samples.clock import UNSYNCED
from roost_agent.alarms.samples.sampler import Look, Measured, Sampler
from roost_agent.alarms.service import Alarms
from roost_agent.discovery.reader import Reader
from roost_agent.errors import ProbeError
from roost_agent.ports import Clock
from roost_protocol.severity import Severity

log = logging.getLogger(__name__)

LOOK_S: Final = 5.0  # that a look may take
THREADS: Final = 2  # one may hang
TOGETHER_MS: Final = 2_500  # looks that are due within are taken at once
SAMPLES_MAX: Final = 1_024  # of one look
OVERDUE_MS_MAX: Final = 120_000  # every look hangs, one after another, and each is waited for

Seen = tuple[list[Round], list[Measured]]
Places = tuple[int, ...]  # samplers by their place, one after another in one thread


class Watch:
    """Every sampler of one node.

    Args:
        alarms: takes the rounds.
        samplers: what is looked at.
        clock: for when.
        off: types that are left alone.
        root: the machine; a test has its own.
    """

    def __init__(
        self,
        alarms: Alarms,
        samplers: Sequence[Sampler],
        clock: Clock,
        *,
        off: frozenset[str] = frozenset(),
        root: str = "/",
    ) -> None:
        self.fault = ""
        self._alarms = alarms
        # Takes what is to be remembered, where somebody does.
        self.keep: Callable[[Sequence[Measured]], None] | None = None
        self._samplers = tuple(samplers)
        self._clock = clock
        self._off = off
        self._root = root
        self._is_running = False
        self._due_ms = dict.fromkeys(range(len(self._samplers)), 0)
        self._hanging: dict[int, asyncio.Future[Seen]] = {}
        self._blind: dict[str, str] = {}  # by sampler: why its last look saw nothing
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="samples")

    @property
    def types(self) -> frozenset[str]:
        """All types that are sampled."""
        return frozenset(type_ for each in self._samplers for type_ in each.types) - self._off

    def undone(self, now_ms: int) -> str:
        """Return that nothing was looked at for long, in a sentence; empty where it was."""
        if not self._is_running:
            return ""
        late_ms = now_ms - min(self._due_ms.values())
        return f"the looks are {late_ms // 1000} s late" if late_ms > OVERDUE_MS_MAX else ""

    async def run(self) -> None:
        """Look until cancelled."""
        self._is_running = True
        self._due_ms = dict.fromkeys(self._due_ms, self._clock.boot_ms())
        reader = Reader(self._root)
        try:
            while True:
                for places in self._due_looks(self._clock.boot_ms()):
                    await self._look(places, reader)
                next_ms = min(self._due_ms.values())
                await asyncio.sleep(max(next_ms - self._clock.boot_ms(), 1) / 1000)
        finally:
            self._threads.shutdown(wait=False, cancel_futures=True)
            if not self._hanging:
                reader.close()

    def _due_looks(self, now_ms: int) -> Iterable[Places]:
        due = [index for index, due_ms in self._due_ms.items() if due_ms <= now_ms + TOGETHER_MS]
        for index in due:
            self._due_ms[index] = now_ms + self._samplers[index].interval_s * 1000
        if quick := tuple(index for index in due if not self._samplers[index].may_hang):
            yield quick
        for index in due:
            if self._samplers[index].may_hang:
                yield (index,)

    async def _look(self, places: Places, reader: Reader) -> None:
        """Have samplers look, and hand over what they saw."""
        for index in places:
            if index in self._hanging and self._hanging[index].done():
                del self._hanging[index]
        places = tuple(index for index in places if index not in self._hanging)
        if not places:
            return
        samplers = [self._samplers[index] for index in places]
        future = asyncio.get_running_loop().run_in_executor(
            self._threads, self._take, samplers, Look(reader, self._clock.boot_ms())
        )
        try:
            async with asyncio.timeout(LOOK_S):
                rounds, measured = await asyncio.shield(future)
        except TimeoutError:
            self._hanging |= dict.fromkeys(places, future)
            self._blame(samplers, f"longer than {LOOK_S:g} s")
            return
        if not self._hanging:
            self.fault = ""
        for seen in rounds:
            self._hear(seen)
        if self.keep is not None:
            self.keep(measured)

    def _take(self, samplers: Sequence[Sampler], look: Look) -> Seen:
        """Look, in a thread; a sampler that fails has seen nothing."""
        rounds, measured = list[Round](), list[Measured]()
        for sampler in samplers:
            try:
                samples = tuple(islice(sampler.sample(look), SAMPLES_MAX))
            except ProbeError as err:
                self._tell_once(type(sampler).__name__, str(err))
                continue
            except Exception:
                # Whatever a kernel writes must not end the agent: told, and looked at again.
                log.exception("alarms: the look of %s failed", type(sampler).__name__)
                continue
            judged = [each for each in samples if not isinstance(each, Measured)]
            measured += [each for each in samples if isinstance(each, Measured)]
            kept = tuple(each for each in judged if each.type not in self._off)
            rounds.append(Round(sampler.types - self._off, kept))
        return rounds, measured

    def _tell_once(self, name: str, why: str) -> None:
        """Log a look that saw nothing, once until its reason is another."""
        if self._blind.get(name) != why:
            self._blind[name] = why
            log.warning("alarms: the look of %s saw nothing: %s", name, why)

    def _hear(self, seen: Round) -> None:
        for sample in seen.samples:
            if isinstance(sample, Finding) and sample.type == UNSYNCED:
                self._note_clock(sample)
        self._alarms.observe(seen)

    def _note_clock(self, sample: Finding) -> None:
        if sample.severity is not None:
            self._alarms.is_unsynced = sample.severity is not Severity.CLEARED

    def _blame(self, samplers: Iterable[Sampler], what: str) -> None:
        names = ", ".join(type(each).__name__ for each in samplers)
        self.fault = f"alarms: the look of {names} takes {what}"
        log.warning("%s; left alone until it ends", self.fault)
