"""Puts the watching of processes together from its files, where a node has any."""

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping
from typing import Final

from roost_agent.config import ProcessesConfig
from roost_agent.guard import cgroup
from roost_agent.helper import catalogue
from roost_agent.host.processes.core import Processes
from roost_agent.host.processes.desired import with_settings
from roost_agent.host.processes.files import Found, load
from roost_agent.host.processes.finder import Finder
from roost_agent.host.processes.on_demand import Said
from roost_agent.host.processes.ping import PORT
from roost_agent.host.processes.restart import Restarts
from roost_agent.host.processes.shell import Shell
from roost_agent.host.processes.teller import Alarming, Teller
from roost_agent.outbox.latest import Outbox
from roost_agent.ports import Clock
from roost_protocol.host_report import HostReport, ProcessState

CGROUPS: Final = "/sys/fs/cgroup"
READY_S: Final = 2.0  # from one look at whether the host is enabled to the next

log = logging.getLogger(__name__)


class Watching:
    """The processes of one node, watched.

    Args:
        config: where the files are, and this node's roles.
        outbox: of the node.
        alarms: of the node.
        clock: for times.
        held: units that local HA starts and stops: nobody else does.
        is_enabled: whether this host is; what wants it so is watched from the first time on.
    """

    def __init__(  # noqa: PLR0913 - what it is put together from
        self,
        config: ProcessesConfig,
        outbox: Outbox,
        alarms: Alarming,
        clock: Clock,
        *,
        held: Collection[str] = (),
        is_enabled: Callable[[], bool] = lambda: True,
    ) -> None:
        self._is_enabled = is_enabled
        self._was_enabled = is_enabled()
        self._files = load(config.folders)
        self._said: Said = {}
        self._held = held
        found = self._found()
        known = catalogue.load(config.units)
        if known.why_not:
            log.info("processes: watched, and restarted by nobody here: %s", known.why_not)
        self._units = dict(known.units)
        self._core = Processes(
            found.processes.values(), config.roles, clock.boot_ms(), spared=self._spared(found)
        )
        self._teller = Teller(self._core, found.faults, outbox, alarms, clock)
        groups = cgroup.mount_point() or CGROUPS
        restarts = Restarts(self._units, config.helper)
        self._shell = Shell(self._core, Finder(self._units, groups), restarts, clock, self._look)
        log.info("processes: %d watched", len(self._core.watched))

    async def run(self, *, port: int = PORT) -> None:
        """Watch until cancelled.

        Args:
            port: for answers to pings.
        """
        async with asyncio.TaskGroup() as group:
            group.create_task(self._shell.run(port=port), name="agent.processes.shell")
            while not self._was_enabled:
                await asyncio.sleep(READY_S)
                if self._is_enabled():
                    self._was_enabled = True
                    self._define("the host is enabled")

    def define(self, said: Said) -> None:
        """Go by what a profile says from now on; files are as they were at the start."""
        if said == self._said:
            return
        self._said = said
        self._define("as the profile says")

    def report(self) -> HostReport:
        """Return the state of all."""
        return self._teller.report(self._shell.faults)

    def stands(self) -> Mapping[str, tuple[ProcessState, int, str]]:
        """Return of each process its state, since when by the boot clock (ms), and why."""
        return self._core.stands()

    def missing(self) -> str:
        """Return which process that this host cannot do without does not run; or nothing."""
        return self._core.missing()

    def quorum(self) -> str:
        """Return which process of the quorum has failed, and how; or nothing."""
        return self._core.quorum()

    def confirmed(self) -> frozenset[str]:
        """Return the entities of 200.006 that are of this start of the agent, not of before."""
        return self._teller.confirmed()

    def pids(self) -> Mapping[str, int]:
        """Return the processes by name; 0: it does not run, as far as one can see."""
        return {name: one.pid for name, one in self._core.watched.items()}

    def _define(self, why: str) -> None:
        found = self._found()
        left = self._shell.define(found.processes.values(), self._spared(found))
        self._teller.define(left, found.faults)
        log.info("processes: %d watched, %s", len(self._core.watched), why)

    def _found(self) -> Found:
        found = with_settings(self._files, self._said)
        for line in (line for lines in found.faults.values() for line in lines):
            log.warning("processes: not taken: %s", line)
        return found

    def _spared(self, found: Found) -> dict[str, str]:
        early = {
            name: "full_init_reqd: it waits until the host is enabled"
            for name, each in found.processes.items()
            if each.full_init_reqd and not self._was_enabled
        }
        return early | {
            name: f"local HA runs {unit}: it alone starts and stops it"
            for name, each in found.processes.items()
            if (unit := self._units.get(each.service, f"{each.service}.service")) in self._held
        }

    def _look(self) -> None:
        self._teller.look(self._shell.faults)
