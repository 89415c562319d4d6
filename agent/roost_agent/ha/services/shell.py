"""Runs one group: gives its core what happened, and does what the core wants done."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Final, assert_never

from roost_agent.guard import cgroup
from roost_agent.ha.config import Active, Group, HaConfig, Service
from roost_agent.ha.config_rules import is_watched
from roost_agent.ha.services.core import GroupCore
from roost_agent.ha.services.driver import Commands, Driver, Ocf, environment
from roost_agent.ha.services.engine import HERE, Host, container, systemd
from roost_agent.ha.services.event import (
    Action,
    Clear,
    Cured,
    Died,
    Emptied,
    End,
    Ended,
    Event,
    Failed,
    KillAll,
    LookEmpty,
    LowerVips,
    Paused,
    Probe,
    Probed,
    RaiseVips,
    Report,
    Restarting,
    Run,
    Running,
    Start,
    Started,
    Stop,
    StopConfirmed,
    Tick,
    VipsDown,
    VipsFailed,
    VipsUp,
)
from roost_agent.ha.services.placing import Placing
from roost_agent.ha.services.populated import Populated
from roost_agent.ha.services.process import done
from roost_agent.ha.services.unit import Elsewhere
from roost_agent.ha.services.vip import Vips
from roost_agent.ports import Clock, Entropy

log = logging.getLogger(__name__)

EVENTS_MAX: Final = 1_024  # waiting for the core: a group has 64 services at the most
SHARED: Final = "shared"  # beside the guarded folder: groups of model N
ELIGIBLE_S: Final = 5.0  # for one service to say whether its data is good enough
KEY_VIPS: Final = "vips"  # of the task that has to do with addresses


class GroupShell:
    """One group on this node.

    Args:
        config: the site's.
        group: which.
        root: our folder of cgroup v2; ``exclusive/`` in it is what the guard guards.
        clock: of the node.
        entropy: for jitter.
        report: hears what came of it; must not wait.
        is_slow: whether the node itself is slow now, so that timeouts of probes mean nothing.
        host: where this node has what runs units and containers.
    """

    def __init__(  # noqa: PLR0913 - what a group touches
        self,
        config: HaConfig,
        group: Group,
        root: Path,
        *,
        clock: Clock,
        entropy: Entropy,
        report: Callable[[Report], None],
        is_slow: Callable[[], bool] = lambda: False,
        host: Host = HERE,
    ) -> None:
        self._config = config
        self._group = group
        self._services = [_monitored(each) for each in config.services_of(group.name)]
        self._core = GroupCore(group, self._services)
        self._folder = root / (cgroup.EXCLUSIVE if group.has_lease else SHARED) / group.name
        self._clock = clock
        self._entropy = entropy
        self._report = report
        self._is_slow = is_slow
        timing = config.timing
        watchdog_ms = timing.watchdog_ms if self.is_hard else 0
        places = [(vip.address, config.network(vip.network).interface or "") for vip in group.vip]
        self._vips = Vips(places, timing.margin_ms + watchdog_ms, clock)
        self._events: asyncio.Queue[Event] = asyncio.Queue(EVENTS_MAX)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._drivers: dict[str, Driver] = {}
        self._host = host
        elsewhere = [each for each in self._services if each.run.systemd or each.run.container]
        self._placing: Placing | None = None
        if group.has_lease and elsewhere:
            self._placing = Placing(group, elsewhere, self._folder, host, clock)

    @property
    def cgroups(self) -> tuple[str, ...]:
        """What the guard kills at D2: all in which something of the group may run."""
        placed = () if self._placing is None else self._placing.folders
        return tuple(map(str, (self._folder, *placed)))

    @property
    def vips(self) -> tuple[tuple[str, str], ...]:
        """What the guard removes at D2."""
        return self._vips.places

    @property
    def is_hard(self) -> bool:
        """Whether it may only run where a watchdog was tested."""
        return is_watched(self._config, self._group)

    @property
    def core(self) -> GroupCore:
        """State and status, to be read."""
        return self._core

    def prepare(self) -> str:
        """Make the group's cgroup, which the guard wants to see; return why not, if so."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as err:
            return no_folder(self._folder, err, cgroup.mount_point())
        return ""

    async def unfit(self) -> str:
        """Return why its units or containers cannot run here by a lease; empty: they can."""
        if self._placing is None or self._core.state == "active":
            return ""
        return await self._placing.unfit()

    def is_empty(self) -> bool:
        """Return whether nothing of the group runs in its cgroups now."""
        return all(map(cgroup.is_empty, self.cgroups))

    def start(self, epoch: int) -> None:
        """Start the group under an epoch."""
        self._put(Start(epoch))

    def stop(self, by_ms: int | None = None, epoch: int = 0) -> None:
        """Stop it, by a time of the boot clock, and confirm this epoch.

        Also what an agent before this one may have left running.
        """
        self._put(Stop(by_ms, epoch))

    def pause(self, *, is_on: bool) -> None:
        """Watch its services no more, or again."""
        self._put(Paused(is_on))

    async def eligible(self) -> bool:
        """Return whether every service says that its data here is good enough."""
        for service in self._services:
            if service.eligible is None:
                continue
            env = environment(service, self._group.name, self._core.epoch)
            if await done(service.eligible, env, seconds=ELIGIBLE_S) != 0:
                return False
        return True

    async def run(self) -> None:
        """Run the group until cancelled; what runs then goes on: the next agent takes it over."""
        populated = Populated()
        try:
            async with asyncio.TaskGroup() as tasks:
                self._drivers = {
                    each.name: self._made(each, populated, tasks) for each in self._services
                }
                while True:
                    event = await self._next()
                    for action in self._core.handle(event, self._clock.boot_ms()):
                        self._act(action, tasks, populated)
        finally:
            for driver in self._drivers.values():
                driver.leave()
            populated.close()

    async def _next(self) -> Event:
        due_ms = self._core.due_ms()
        wait_s = None if due_ms is None else max(0, due_ms - self._clock.boot_ms()) / 1000
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                return await self._events.get()
        return Tick()

    def _put(self, event: Event) -> None:
        self._events.put_nowait(event)

    def _act(self, action: Action, tasks: asyncio.TaskGroup, populated: Populated) -> None:
        match action:
            case Run() | End() | Clear() | Probe():
                self._of_service(action, tasks)
            case RaiseVips():
                self._begin(tasks, KEY_VIPS, self._raise())
            case LowerVips():
                self._begin(tasks, KEY_VIPS, self._lower())
            case KillAll():
                log.warning("ha: %s outlasts its deadline, killed", self._group.name)
                for each in self.cgroups:
                    cgroup.kill(each)
            case LookEmpty():
                self._look(populated)
            case Running() | StopConfirmed() | Failed() | Restarting() | Cured():
                log.info("ha: %s: %s", self._group.name, action)
                self._report(action)
            case _:
                assert_never(action)

    def _of_service(self, action: Run | End | Clear | Probe, tasks: asyncio.TaskGroup) -> None:
        name = action.service
        driver = self._driver(name)
        match action:
            case Run(_, epoch):
                self._begin(tasks, name, self._start(name, driver, epoch))
            case End() | Clear():
                work = driver.stop() if isinstance(action, End) else driver.clear()
                self._begin(tasks, name, self._end(name, work))
                self._cancel(f"{name} probe")  # it would tell of the one that is gone
            case Probe():
                self._begin(tasks, f"{name} probe", self._probe(name, driver))

    def _begin(self, tasks: asyncio.TaskGroup, key: str, work: Coroutine[Any, Any, None]) -> None:
        """Do this for a service instead of what is being done for it."""
        self._cancel(key)
        self._tasks[key] = tasks.create_task(work, name=f"agent.ha.{self._group.name}[{key}]")

    def _cancel(self, key: str) -> None:
        if key in self._tasks:
            self._tasks.pop(key).cancel()

    async def _start(self, name: str, driver: Driver, epoch: int) -> None:
        try:
            failure = self.prepare() or await driver.start(epoch, partial(self._died, name))
        except OSError as err:
            failure = f"{err.filename}: {err.strerror}"
        self._put(Started(name, failure))

    def _died(self, name: str, how: str) -> None:
        self._put(Died(name, how))

    async def _end(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        await work
        self._put(Ended(name))

    async def _probe(self, name: str, driver: Driver) -> None:
        outcome = await driver.probe()
        self._put(Probed(name, outcome, self._entropy.uniform(-1, 1), self._is_slow()))

    async def _raise(self) -> None:
        failure = await self._vips.up()
        self._put(VipsFailed(failure) if failure else VipsUp())
        if failure:
            log.warning("ha: %s: %s", self._group.name, failure)
            return
        await self._vips.keep()

    async def _lower(self) -> None:
        await self._vips.down()
        self._put(VipsDown())

    def _look(self, populated: Populated) -> None:
        left = set(self.cgroups)

        def emptied(folder: str) -> None:
            left.discard(folder)
            if not left:
                self._put(Emptied())

        for folder in tuple(left):
            try:
                populated.watch(Path(folder), partial(emptied, folder))
            except FileNotFoundError:  # nothing of it was ever started here
                emptied(folder)

    def _driver(self, name: str) -> Driver:
        return self._drivers[name]

    def _made(self, service: Service, populated: Populated, tasks: asyncio.TaskGroup) -> Driver:
        run = service.run
        if self._placing is not None and (run.systemd or run.container):
            return self._placing.driver(service, populated)
        if run.systemd is not None:
            return Elsewhere(service, systemd(run.systemd, self._host.systemctl), tasks)
        if run.container is not None:
            return Elsewhere(
                service,
                container(run.container, service.budget.stop_s, self._host.containers),
                tasks,
            )
        kind = Ocf if run.ocf is not None else Commands
        return kind(service, self._folder / service.name, self._group.name, populated)


def no_folder(folder: Path, err: OSError, mount: str | None) -> str:
    """Return why a group has no cgroup, and what to do where there is none at all."""
    if mount is None:
        return (
            "no cgroup v2 is mounted here: boot with systemd.unified_cgroup_hierarchy=1,"
            " or mount one (mount -t cgroup2 none /sys/fs/cgroup/unified)"
        )
    return f"{folder}: {err.strerror}"


def _monitored(service: Service) -> Service:
    """Return the service; an OCF agent without a probe has its own monitor."""
    if service.run.ocf is None or service.active is not None:
        return service
    parts = {name: getattr(service, name) for name in service.__struct_fields__}
    return Service(**parts | {"active": Active(probe=(service.run.ocf, "monitor"))})
