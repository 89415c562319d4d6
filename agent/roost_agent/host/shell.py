"""This host at work: looks once a second, keeps what must be kept, tells its site how it stands.

What the core decided is told to the site only once what it is to remember is on the disk; while the
disk refuses, nothing more is decided. So nobody acts on what a restart would forget.

Leaves to others: the states (core), the other hosts (coordinator), acts of operators (acts).
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import msgspec

from roost_agent.errors import StorageError
from roost_agent.host import kept
from roost_agent.host import transitions as tr
from roost_agent.host.act import LOCKS, ActRefusedError, Wanted
from roost_agent.host.action import Action, Check, Keep, Moved, Reboot
from roost_agent.host.around import Around, Site
from roost_agent.host.coordinator import Coordinator
from roost_agent.host.core import HostCore
from roost_agent.host.enable import Facts
from roost_agent.host.event import Begin, Event, Look, LostOften
from roost_agent.host.moment import Moment
from roost_agent.ports import Clock
from roost_protocol.catalogue import cut
from roost_protocol.host import Admin, HostSaid
from roost_protocol.host_word import Going, HostWord, pack

log = logging.getLogger(__name__)

LOOK_S: Final = 1.0
SETTLING_S: Final = 0.1  # between looks while a stage without a service is under way
RETRY_S: Final = 1.0  # after a disk that refused
AWAY_MS: Final = 10_000  # between two attempts of a host that failed to give away what it runs
MINUTE_MS: Final = 60_000


class Who(msgspec.Struct, frozen=True):
    """Which host this is.

    Attributes:
        name: in its site.
        boot_id: of this boot, in hexadecimal digits.
    """

    name: str
    boot_id: str


class HostShell:
    """See the module.

    Args:
        folder: of the agent's state.
        who: this host.
        clock: both clocks are asked.
        around: the rest of the agent.
        site: that it is of.
        coordinator: of the same site.
    """

    def __init__(  # noqa: PLR0913 - what a host touches
        self,
        folder: Path,
        who: Who,
        clock: Clock,
        around: Around,
        site: Site,
        *,
        coordinator: Coordinator,
    ) -> None:
        self.core = HostCore(who.boot_id)
        self.who = who
        self.site = site
        self.around = around
        self.coordinator = coordinator
        self.going = Going.NO
        self.fault = ""  # why what must be kept is not
        self._folder = folder
        self._clock = clock
        self._health: str | None = None
        self._asked = 0  # how often health was asked for
        self._todo: deque[Action] = deque()
        self._told: tuple[int, str, str, frozenset[str], frozenset[str]] | None = None
        self._one = asyncio.Lock()  # event at a time, up to its disk
        self._checks: asyncio.Task[None] | None = None
        self._away_ms = 0
        self.reboot: Callable[[Reboot], None] = lambda _asked: None  # of who does acts
        self.take_up: Callable[[str], None] = lambda _by: None  # as above: a lock in absence
        self._take_up_ms = 0
        # Its own: a disk that hangs must not take a thread that paths connect by.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="host")

    def now(self) -> Moment:
        """Return both clocks."""
        return Moment(self._clock.boot_ms(), max(self._clock.wall_ms(), 0))

    def begin(self) -> None:
        """Read what was kept, before local HA starts: a locked host runs nothing meanwhile.

        Raises:
            StorageError: what was kept cannot be read.
        """
        now = self.now()
        self.coordinator.begin(now)
        self.coordinator.ill = self.around.ill
        self._watch_silent()
        self._todo.extend(self.core.handle(Begin(kept.read(self._folder)), now))
        pending = self.core.pending
        self.going = Going.GOES if pending is not None and pending.verb in LOCKS else Going.NO
        self._tell()

    async def run(self) -> None:
        """Look until cancelled; what watches alarms and health is open."""
        try:
            async with asyncio.TaskGroup() as group:
                while True:
                    await self.look(group)
                    await asyncio.sleep(SETTLING_S if self.core.is_settling else LOOK_S)
        finally:
            self._thread.shutdown(wait=False, cancel_futures=True)

    async def look(self, group: asyncio.TaskGroup) -> None:
        """Take in what is the case now, and do what follows."""
        await self._do(self._look)  # as it is after what was done before it
        if self._health is None and self._checks is None and self.core.state == tr.INTEST:
            self._checks = group.create_task(self._check(), name="agent.host.health")
        now = self.now()
        self._give_away(now)
        self._look_for_a_lock(now)
        if (by := self.site.anew()) and self.core.state in tr.ENABLED:
            await self.do(LostOften(by, is_last=self.is_last()))
        if self.coordinator.resetting is not None:
            self.coordinator.resetting.look(group)
        locked = self.coordinator.look(self.said, now)
        if locked is not None and await self._write(kept.write_locked, locked):
            self.coordinator.locked = locked

    async def do(self, event: Event) -> None:
        """Give the core an event; back once all that follows is done, the disk included."""
        await self._do(lambda: event)

    async def _do(self, event: Callable[[], Event]) -> None:
        async with self._one:
            await self._settle()
            self._todo.extend(self.core.handle(event(), self.now()))
            await self._settle()

    def said(self) -> HostSaid:
        """Return how this host stands."""
        return self.core.said(self.who.name, self.now().ms // 1000)

    def go(self, going: Going) -> None:
        """Tell the site that this host is to leave service, or is not."""
        self.going = going
        self._tell()

    def is_last(self) -> bool:
        """Whether no other host could serve in its place, as far as the deciding side sees.

        Who is cut off from the others is not the last: they are.
        """
        coordinator = self.coordinator
        if not coordinator.may_tell(self.now()):
            return False  # it has not listened for long enough
        return not coordinator.serving() and self.site.is_with_most()

    def is_spared(self) -> bool:
        """Whether another host is known to serve, and the site can do without this one now."""
        coordinator = self.coordinator
        if not coordinator.may_tell(self.now()) or coordinator.is_mnfa:
            return False
        return bool(coordinator.serving()) and not self.site.may_go()

    def report(self) -> dict[str, Any]:
        """Return this host and what it knows of the others, as plain data."""
        core, coordinator = self.core, self.coordinator
        said = [self.said(), *coordinator.others()]
        pending = core.pending
        return {
            "node": self.who.name,
            "bar": core.bar,
            "coordinates": self.site.turn() is not None,
            "fault": self.fault,
            "alarms": core.alarms,
            "pending": None if pending is None else pending.verb,
            "is_mnfa": coordinator.is_mnfa,
            "hosts": [
                {
                    "node": each.node,
                    "state": tr.in_words((each.admin, each.oper, each.avail)),
                    "since_ms": each.since_ms,
                    "task": each.task,
                    "reasons": each.reasons,
                    "cause": each.cause,
                    "maintenance_until_ms": each.maintenance_until_ms,
                }
                for each in said
            ],
        }

    # -- the parts -----------------------------------------------------------------------------

    def _watch_silent(self) -> None:
        """Have what is done about silent hosts ready, where there are others."""
        if (hosts := self.coordinator.hosts) is None:
            return
        from roost_agent.host.power import Powers  # noqa: PLC0415 - as SiteHosts
        from roost_agent.host.resetting import Resetting  # noqa: PLC0415 - as above

        self.coordinator.powers = Powers(hosts, self.site, self.around, self.now)
        self.coordinator.resetting = Resetting(hosts, self.site, self.around, self.now)

    def _failed_by(self) -> list[str]:
        """Return the reasons that are worth a failure of the host."""
        return [name for name, each in self.around.reasons().items() if each.is_fatal]

    def _look(self) -> Look:
        found = self.around.reasons()
        fatal = (f"{name}: {found[name].alarm_key}" for name in self._failed_by())
        return Look(
            facts=self.facts(),
            reasons=self.coordinator.own_reasons(self.who.name, self.now())
            | {name: each.since_ms for name, each in found.items()},
            critical=next(fatal, ""),
            quorum=self.around.quorum(),
            is_last=self.is_last(),
            is_spared=self.core.state == tr.FAILED and self.is_spared(),
        )

    def facts(self) -> Facts:
        """Return what keeps this host from being enabled."""
        return msgspec.structs.replace(
            self.around.facts(), health=self._health, services=self.site.missing()
        )

    async def _check(self) -> None:
        asked = self._asked
        found = await self.around.check()
        self._checks = None
        if asked == self._asked:  # else it began before what is asked now
            self._health = found

    async def _settle(self) -> None:
        """Do what is to be done, in order; then tell the site."""
        while self._todo:
            match self._todo[0]:
                case Keep(what):
                    if not await self._write(kept.write, what):
                        await asyncio.sleep(RETRY_S)
                        continue
                case Check():
                    self._health = None
                    self._asked += 1
                case Reboot() as asked:
                    log.warning("host: is to restart: %s", asked.why)
                    self.reboot(asked)
                case Moved(before, after, cause):
                    log.info("host: %s -> %s: %s", tr.in_words(before), tr.in_words(after), cause)
            self._todo.popleft()
        self._tell()

    async def _write(self, write: Any, what: object) -> bool:  # noqa: ANN401 - of kept.py
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._thread, write, self._folder, what)
        except StorageError as err:
            if not self.fault:
                log.warning("host: not kept: %s", err)
            self.fault = str(err)
            return False
        self.fault = ""
        return True

    def _tell(self) -> None:
        core = self.core
        left_ms = max(core.maintenance_until_ms - self.now().wall_ms, 0)
        word = HostWord(
            state=core.state,
            going=self.going,
            reasons=frozenset(self._failed_by() if core.state == tr.FAILED else core.reasons),
            maintenance_min=-(-left_ms // MINUTE_MS),
            is_exhausted=core.is_exhausted,
            stage=core.stage,
        )
        bar = core.bar
        if not bar and self.going is Going.GOES:
            bar = "the host is to leave service"
        absent, anew = frozenset(self.coordinator.absent()), self.coordinator.anew(self.now())
        told = pack(word), bar, core.bar, absent, anew
        if told != self._told:
            self._told = told
            self.site.tell(*told)

    def _look_for_a_lock(self, now: Moment) -> None:
        """Take up a lock that was ordered while this host was silent."""
        told = self.site.absent()
        if told is None or self.who.name not in told[1]:
            return
        if self.core.state[0] is Admin.UNLOCKED and now.ms >= self._take_up_ms:
            self._take_up_ms = now.ms + AWAY_MS
            self.take_up(told[0])

    async def lock_silent(self, wanted: Wanted, node: str) -> str:
        """Lock another host that is silent, as the coordinator; back once that is kept.

        Raises:
            ActRefusedError: it cannot be.
        """
        hosts = self.coordinator.hosts
        if hosts is None or self.site.turn() is None:
            text = f"{self.who.name} does not coordinate its site: order it of who has"
            text += " the lease site (`roost-agent ha status`)"
            raise ActRefusedError("not-coordinator", text)
        async with self._one:
            if why := hosts.why_not_lock(node):
                raise ActRefusedError("state", why)
            before, now = next(each for each in hosts.hosts() if each.node == node), self.now()
            state = before.admin, before.oper, before.avail
            if wanted.expect and wanted.expect != tr.in_words(state):
                text = f"it was decided on {wanted.expect}, and {node} is {tr.in_words(state)}"
                raise ActRefusedError("expect", f"{text}: look again")
            hosts.lock(node, cut(f"locked by {wanted.by}: {wanted.reason}"), now)
            locked = hosts.memory()
            if not await self._write(kept.write_locked, locked):
                hosts.unlock(node, state, before.cause, now)
                raise ActRefusedError("storage", f"not locked, for it cannot be kept: {self.fault}")
            self.coordinator.locked = locked
        return f"{node} is locked, and is told so when it is heard again"

    def _give_away(self, now: Moment) -> None:
        """Have others take what a host that failed still runs."""
        is_out = self.core.state == tr.FAILED or self.core.state[0] is Admin.LOCKED
        if not is_out or self.going is not Going.NO or now.ms < self._away_ms:
            return
        held = self.site.held()
        if held:
            self._away_ms = now.ms + AWAY_MS
        for each in held:
            if each.to or self.core.state != tr.FAILED:
                self.site.give(each.group, each.to, self.core.bar, is_chosen=bool(each.to))
