"""Watches processes: gives the core what is seen, and does what it says.

Leaves to others: the decisions (core), what is told of them (teller). Reading pid files and cgroups
is a thread's work, one look at a time, so that a file system that hangs holds up nothing else:
deaths come by pidfd.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Protocol, assert_never

from roost_agent.host.processes.connecting import Connections
from roost_agent.host.processes.core import Processes
from roost_agent.host.processes.definition import Definition, Mode
from roost_agent.host.processes.event import (
    Action,
    Answered,
    Check,
    Checked,
    Died,
    Explained,
    Look,
    Looked,
    Ping,
    Restart,
    Restarted,
    Say,
    Told,
)
from roost_agent.host.processes.finder import Finder, Found
from roost_agent.host.processes.following import Following
from roost_agent.host.processes.groups import Groups
from roost_agent.host.processes.ping import Pings
from roost_agent.host.processes.script import Scripts
from roost_agent.host.processes.unit_watchdogs import UnitWatchdogs
from roost_agent.ports import Clock

log = logging.getLogger(__name__)

IDLE_S: Final = 3_600.0
LOOK_MS: Final = 5_000  # that a look may take before it is told


class Restarting(Protocol):
    """Whoever restarts services."""

    async def restart(self, name: str, service: str, *, is_hard: bool) -> Restarted:
        """Start the unit of a service."""


class Shell:
    """The watching of one node.

    Args:
        core: decides.
        finder: knows which process it is.
        restarts: the way to the helper.
        clock: for what is due.
        told: called when something may have changed.
    """

    def __init__(
        self,
        core: Processes,
        finder: Finder,
        restarts: Restarting,
        clock: Clock,
        told: Callable[[], None],
    ) -> None:
        self._core = core
        self._finder = finder
        self._restarts = restarts
        self._clock = clock
        self._told = told
        self._following = Following(finder, self._died)
        self._pings = Pings(lambda name, seq: self.take(Answered(name, seq)))
        self._scripts = Scripts()
        self._connections = Connections()
        self._watchdogs = UnitWatchdogs(finder.units, clock, lambda: self._of_mode(Mode.NOTIFY))
        self._groups = Groups(lambda name: self._do([Look(name)]))
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="processes")
        self._wanted: dict[str, None] = {}  # to be looked for, in order
        self._looks_since_ms: int | None = None
        self._tasks: asyncio.TaskGroup | None = None
        self._port = 0  # for answers to pings; 0: it does not run yet
        self._wake = asyncio.Event()

    @property
    def faults(self) -> list[str]:
        """What is wrong with the watching itself."""
        since_ms = self._looks_since_ms
        hangs = since_ms is not None and self._clock.boot_ms() - since_ms > LOOK_MS
        hung = "a pid file or cgroup cannot be read: the look hangs" if hangs else ""
        of_shell = (self._following.fault, self._pings.fault, hung)
        asks = (self._scripts, self._connections, self._watchdogs)
        of_asking = [each for ask in asks for each in ask.faults.values()]
        return [each for each in (*of_shell, *of_asking) if each]

    async def run(self, *, port: int) -> None:
        """Watch until cancelled.

        Args:
            port: for answers to pings.
        """
        try:
            async with asyncio.TaskGroup() as self._tasks:
                self._port = port
                self._groups.begin()
                if self._of_mode(Mode.ACTIVE):
                    await self._pings.open(port)
                while True:
                    self._do(self._core.tick(self._clock.boot_ms()))
                    self._told()
                    await self._until_due()
        finally:
            self._following.leave_all()
            self._groups.close()
            self._pings.close()
            self._thread.shutdown(wait=False, cancel_futures=True)

    def take(self, event: Told) -> None:
        """Take in one event, and do what follows at once."""
        self._do(self._core.handle(event, self._clock.boot_ms()))
        self._wake.set()

    def _died(self, name: str, pid: int) -> None:
        one = self._core.watched.get(name)
        if one is not None and one.definition.mode is Mode.NOTIFY:
            self._start(f"why[{name}]", self._explain(one.definition))
        self.take(Died(name, pid))

    def define(self, definitions: Iterable[Definition], spared: Mapping[str, str]) -> list[str]:
        """Watch these from now on, and return who is watched no more or anew, see the core."""
        left = self._core.define(definitions, self._clock.boot_ms(), spared)
        for name in left:
            self._wanted.pop(name, None)
            self._following.leave(name)
            self._groups.leave(name)
            self._connections.faults.pop(name, None)
            self._watchdogs.faults.pop(name, None)
        if self._port and self._of_mode(Mode.ACTIVE) and not self._pings.is_open:
            self._start("pings", self._pings.open(self._port))
        self._wake.set()
        return left

    def _of_mode(self, mode: Mode) -> list[Definition]:
        every = (one.definition for one in self._core.watched.values())
        return [each for each in every if each.mode is mode]

    async def _until_due(self) -> None:
        due_ms = self._core.due_ms()
        now_ms = self._clock.boot_ms()
        wait_s = IDLE_S if due_ms is None else max(due_ms - now_ms, 0) / 1000
        try:
            async with asyncio.timeout(wait_s):
                await self._wake.wait()
        except TimeoutError:
            pass
        self._wake.clear()

    def _do(self, actions: Iterable[Action]) -> None:
        for action in actions:
            match action:
                case Look(name):
                    self._wanted[name] = None
                case Restart(name, is_hard):
                    given = self._definition(name)
                    self._start(f"restart[{name}]", self._restart(given, is_hard=is_hard))
                case Ping(name, seq):
                    self._ask(self._definition(name), seq)
                case Check(name):
                    self._start(f"check[{name}]", self._check(self._definition(name)))
                case Say(name, text, is_bad):
                    log.log(logging.WARNING if is_bad else logging.INFO, "%s: %s", name, text)
                case _:
                    assert_never(action)
        if self._wanted and self._looks_since_ms is None:
            self._looks_since_ms = self._clock.boot_ms()
            self._start("look", self._look())

    def _start(self, name: str, work: Coroutine[None, None, None]) -> None:
        assert self._tasks is not None  # noqa: S101 - nothing is due before it runs
        self._tasks.create_task(work, name=f"agent.processes.{name}")

    async def _look(self) -> None:
        """Look for all that are wanted, and for those that are wanted meanwhile."""
        loop = asyncio.get_running_loop()
        while self._wanted:
            sought = {name: self._definition(name) for name in self._wanted}
            self._wanted.clear()
            self._looks_since_ms = self._clock.boot_ms()
            found = await loop.run_in_executor(self._thread, self._find, [*sought.values()])
            for name, each in found.items():
                one = self._core.watched.get(name)
                if one is None or one.definition != sought[name]:
                    continue  # it is another, or nobody's, since then
                self._following.audit(name)
                self._groups.watch(name, self._finder.group(sought[name]))
                is_there = each is not None and self._following.follow(name, each)
                self.take(Looked(name, each.pid if each is not None and is_there else 0))
        self._looks_since_ms = None

    def _find(self, definitions: list[Definition]) -> dict[str, Found | None]:
        return {each.process: self._finder.find(each) for each in definitions}

    async def _restart(self, given: Definition, *, is_hard: bool) -> None:
        name, service = given.process, given.service
        self.take(await self._restarts.restart(name, service, is_hard=is_hard))

    async def _check(self, given: Definition) -> None:
        complaint = await self._scripts.complaint(given.script, given.status_arg, given.timeout)
        self.take(Checked(given.process, complaint))

    def _ask(self, given: Definition, seq: int) -> None:
        """Ask whoever says by its mode whether a process is well."""
        name = given.process
        match given.mode:
            case Mode.PROBE:
                asked = self._scripts.complaint(given.script, given.status_arg, given.timeout)
            case Mode.SOCKET:
                asked = self._connections.complaint(given)
            case Mode.NOTIFY:
                asked = self._watchdogs.complaint(given)
            case _ if self._pings.is_open:
                self._pings.send(name, given.port, seq)
                return
            case _:
                self.take(Answered(name, seq))  # watched passively: the fault says so
                return
        self._start(f"ask[{name}]", self._answer(name, seq, asked))

    async def _answer(self, name: str, seq: int, asked: Coroutine[None, None, str | None]) -> None:
        self.take(Answered(name, seq, await asked))

    async def _explain(self, given: Definition) -> None:
        if why := await self._watchdogs.why_ended(given):
            self.take(Explained(given.process, why))

    def _definition(self, name: str) -> Definition:
        return self._core.watched[name].definition
