"""All groups of services of this node: what they report becomes what the core is told.

Leaves to others: one group's ways (services), who may run it (lease), deadlines (guard).
"""

import asyncio
import logging
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from roost_agent.ha import core_events as ev
from roost_agent.ha import lease_events as le
from roost_agent.ha.config import Group, HaConfig
from roost_agent.ha.lease_holding import NO_MAJORITY
from roost_agent.ha.moves import HELD_BACK
from roost_agent.ha.services.core import ACTIVE, VIP
from roost_agent.ha.services.damping import Damping
from roost_agent.ha.services.engine import ANSWER_S, HERE, Host, asked
from roost_agent.ha.services.event import Cured, Failed, Report, Restarting, Running, StopConfirmed
from roost_agent.ha.services.shell import GroupShell
from roost_agent.ha.services.slice import forget_others
from roost_agent.ha.services.vip import CONFLICT
from roost_agent.ports import Clock, Entropy

if TYPE_CHECKING:
    from collections.abc import Callable

    from roost_agent.ha.last_rung import LastRung

LOOK_S: Final = 1.0  # between two questions whether a group could run here
TOO_OFTEN: Final = "it left this node too often of late"
AT_REST: Final = frozenset({"initial", "standby"})
REBOOT: Final = "reboot"
FAILOVER: Final = "failover"  # of one group; later steps are the whole node's
SLOW_LHM: Final = 2  # above it a probe's timeout says more of this node than of the service

log = logging.getLogger(__name__)


class Workload:
    """The groups that this node hosts.

    Args:
        config: of the site.
        node: this node's name.
        root: our folder of cgroup v2.
        clock: the boot clock.
        entropy: for jitter.
        host: where this node has what runs units and containers.
    """

    def __init__(  # noqa: PLR0913 - what groups touch
        self,
        config: HaConfig,
        node: str,
        root: Path,
        *,
        clock: Clock,
        entropy: Entropy,
        host: Host = HERE,
    ) -> None:
        self.tell: Callable[[ev.Event], le.Answer | None] = lambda _event: None
        self.is_sole: Callable[[str], bool] = lambda _group: False
        self.lhm: Callable[[], int] = lambda: 1
        self.last_rung: LastRung | None = None
        self._config = config
        self._clock = clock
        self._host = host
        self._damping: dict[str, Damping] = {}
        self._told: dict[str, ev.Eligible] = {}
        self._stays: dict[str, str] = {}  # groups whose move was held back, until they are well
        self._host_bar = ""  # why this node, as a host, may run no service
        self._conflicts: dict[str, str] = {}  # group -> what its address met
        self._is_running = False
        self._leased: dict[str, GroupShell] = {}
        self._everywhere: dict[str, GroupShell] = {}
        for group in config.groups:
            if node not in group.hosts:
                continue
            shell = GroupShell(
                config,
                group,
                root,
                clock=clock,
                entropy=entropy,
                report=partial(self._reported, group),
                is_slow=lambda: self.lhm() > SLOW_LHM,
                host=host,
            )
            (self._leased if group.has_lease else self._everywhere)[group.name] = shell
            self._damping[group.name] = Damping()

    async def run(self) -> None:
        """Look after all groups, until cancelled; what runs then goes on."""
        units = {each.run.systemd for each in self._config.services if each.run.systemd}
        if forget_others(units, self._host):
            await asked((self._host.systemctl, "daemon-reload"), ANSWER_S)
        async with asyncio.TaskGroup() as group:
            for name, shell in (self._leased | self._everywhere).items():
                group.create_task(shell.run(), name=f"agent.ha.group[{name}]")
            if self.last_rung is not None:
                group.create_task(self.last_rung.run(), name="agent.ha.reboot")
            self._is_running = True
            if not self._host_bar:
                self._start_everywhere()
            for name, shell in self._leased.items():
                group.create_task(self._look(name, shell), name=f"agent.ha.eligible[{name}]")

    def cgroups(self, lease: str) -> list[str]:
        """Return what the guard kills at its deadline; made here, if they were not there."""
        shell = self._leased.get(lease)
        if shell is None:
            return []
        if why := shell.prepare():
            log.warning("ha: %s: %s", lease, why)
        return list(shell.cgroups)

    def vips(self, lease: str) -> list[tuple[str, str]]:
        """Return what the guard removes at its deadline."""
        shell = self._leased.get(lease)
        return [] if shell is None else list(shell.vips)

    def is_hard(self, lease: str) -> bool:
        """Return whether it needs a tested watchdog."""
        shell = self._leased.get(lease)
        return shell is not None and shell.is_hard

    def start(self, lease: str, epoch: int) -> None:
        """Start a group under an epoch."""
        if (shell := self._leased.get(lease)) is not None:
            shell.start(epoch)

    def stop(self, lease: str, epoch: int, by_ms: int | None, why: str = "") -> None:
        """Stop a group; what runs at ``by_ms`` is killed. Ends in the epoch's StopConfirmed."""
        if (shell := self._leased.get(lease)) is None:
            return
        shell.stop(by_ms, epoch=epoch)
        if why == NO_MAJORITY and self._config.group(lease).without_quorum == REBOOT:
            self._reboot(f"{lease}: {why}")

    def pause(self, lease: str, *, is_on: bool) -> None:
        """Watch a group's services no more, or again: maintenance."""
        if (shell := self._leased.get(lease)) is not None:
            shell.pause(is_on=is_on)

    def bar(self, why: str) -> None:
        """Stop what each node runs for itself while there is a reason, and start it again after.

        What fails over is barred as a candidate (candidacy), and given away by whoever bars.
        """
        was, self._host_bar = self._host_bar, why
        if bool(was) == bool(why) or not self._is_running:
            return
        if not why:
            self._start_everywhere()
            return
        for name, shell in self._everywhere.items():
            log.info("ha: %s stops here: %s", name, why)
            shell.stop()

    def missing(self) -> str:
        """Return what each node should run for itself and does not here, empty where all does."""
        for name, shell in self._everywhere.items():
            if shell.core.state != ACTIVE:
                return f"{name} is {shell.core.state}"
        return ""

    def runs_nothing(self) -> bool:
        """Whether no group runs here at all."""
        shells = (self._leased | self._everywhere).values()
        return all(shell.core.state in AT_REST for shell in shells)

    def _start_everywhere(self) -> None:
        for name, shell in self._everywhere.items():
            if why := shell.prepare():
                log.warning("ha: %s: %s", name, why)
            shell.start(0)

    def status(self) -> dict[str, Any]:
        """Return the groups' states, for people."""
        return {
            name: {
                "state": shell.core.state,
                "status": shell.core.status,
                "services": dict(shell.core.services),
            }
            for name, shell in (self._leased | self._everywhere).items()
        }

    def held_back(self) -> dict[str, str]:
        """Return the groups that do not move though they should, and why."""
        damped = (name for name in self._damping if self._is_damped(name))
        return dict.fromkeys(damped, TOO_OFTEN) | self._stays

    def failures(self) -> int:
        """Return how many services failed with impact major, and are not cured."""
        shells = (self._leased | self._everywhere).values()
        return sum(shell.core.failed("major") for shell in shells)

    def _is_damped(self, name: str) -> bool:
        """Whether the node is left out for what it lost; never where no other host is there."""
        is_left_out = self._damping[name].is_suppressed(self._clock.boot_ms())
        return is_left_out and not self.is_sole(name)

    def conflict(self) -> str:
        """Return the address that another box answers for; empty: none."""
        return next(iter(self._conflicts.values()), "")

    async def _look(self, name: str, shell: GroupShell) -> None:
        """Tell again and again whether the group could run here."""
        while True:
            why = shell.prepare()
            if not why and self._is_damped(name):
                why = TOO_OFTEN
            why = why or await shell.unfit()
            if not why and not await shell.eligible():
                why = "a service says that its data here is not good enough"
            told = ev.Eligible(name, ok=not why, why=why, lacks=self._lacks(name))
            if told != self._told.get(name):
                self._told[name] = told
                self.tell(told)
            await asyncio.sleep(LOOK_S)

    def _lacks(self, name: str) -> str:
        """Return a group beside it that it requires, and that is not active here."""
        for needed in self._config.group(name).requires_active:
            shell = self._everywhere.get(needed)
            if shell is not None and shell.core.state != ACTIVE:
                return needed
        return ""

    def _reported(self, group: Group, report: Report) -> None:
        name = group.name
        match report:
            case StopConfirmed(epoch):
                self._well(name)
                if group.has_lease:
                    self.tell(ev.OfLease(name, le.StopConfirmed(epoch)))
            case Failed(service, _, step, why):
                if service == VIP and why.startswith(CONFLICT):
                    other, _, place = why.removeprefix(CONFLICT).partition(" has ")
                    self._conflicts[name] = f"{place}: {other}"
                if step == FAILOVER:
                    self._failed([name], f"{service}: {why}")
                elif step:
                    self._failed(list(self._leased), f"{service}: {why}")
                if step == REBOOT:
                    self._reboot(f"{service}: {why}")
            case Running() | Cured():
                self._well(name)
            case Restarting():
                pass

    def _reboot(self, why: str) -> None:
        if self.last_rung is not None:
            self.last_rung.ask(why)

    def no_reboot(self) -> str:
        """Return why the last reboot that was wanted was not done; empty otherwise."""
        return "" if self.last_rung is None else self.last_rung.refused

    def is_at_rest(self) -> bool:
        """Whether no group with a lease runs here."""
        return all(shell.core.state in AT_REST for shell in self._leased.values())

    def _well(self, name: str) -> None:
        self._stays.pop(name, None)
        self._conflicts.pop(name, None)

    def _failed(self, names: list[str], why: str) -> None:
        """Have another node try, unless a group moved too often of late."""
        for name in names:
            self._damping[name].lost(self._clock.boot_ms())
            answer = self.tell(ev.Give(name, why, is_chosen=True))
            if answer is not None and answer.sentence == HELD_BACK:
                self._stays[name] = f"{HELD_BACK}; {why}"
