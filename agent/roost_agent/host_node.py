"""The agent around its host: what keeps it from being enabled, and what is wrong with it."""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from roost_agent.control.message import Answer, HostAct, HostShow
from roost_agent.driver import Driver
from roost_agent.errors import AgentError
from roost_agent.host.act import ActRefusedError, Wanted
from roost_agent.host.around import Alone, Power, Site
from roost_agent.host.coordinator import Coordinator
from roost_agent.host.enable import Facts
from roost_agent.host.on_demand import ActsOnDemand
from roost_agent.host.reasons import Degraded
from roost_agent.host.shell import HostShell, Who
from roost_agent.ports import Entropy
from roost_protocol.config_report import ConfigState

if TYPE_CHECKING:
    from roost_agent.ha.runtime import Runtime

NONCE_BYTES: Final = 16  # as an order's

log = logging.getLogger(__name__)

_UNSETTLED: Final = frozenset({ConfigState.ROLLED_BACK, ConfigState.REFUSED})


class DriverAround:
    """See Around.

    Args:
        driver: the running agent.
        ha: its local HA, which knows the guard; None: it has none.
    """

    def __init__(self, driver: Driver, ha: "Runtime | None" = None) -> None:
        self._driver = driver
        self._ha = ha

    def facts(self) -> Facts:
        """See Around."""
        return Facts(config=self._config(), processes=self._processes())

    def reasons(self) -> Mapping[str, Degraded]:
        """See Around."""
        return self._driver.reasons()

    async def check(self) -> str:
        """See Around."""
        failed = await self._driver.health.check("enable")
        return "; ".join(f"{each.check}: {each.complaint}"[:200] for each in failed[:3])

    async def reboot(self, reason: str, nonce: str) -> None:
        """See Around."""
        from roost_agent.helper_client import HelperError, ask  # noqa: PLC0415 - brings json

        try:
            socket = self._driver.config.settings.helper
            await ask("reboot", socket=socket, reason=reason, nonce=nonce)
        except HelperError as err:
            raise ActRefusedError(err.error, str(err)) from err
        except AgentError as err:
            raise ActRefusedError("helper", str(err)) from err

    def quorum(self) -> str:
        """See Around."""
        processes = self._driver.processes
        return "" if processes is None else processes.quorum()

    def has_board(self, node: str) -> bool:
        """See Around."""
        boards = self._driver.boards
        return boards is not None and boards.has(node)

    def spent(self) -> str:
        """See Around."""
        boards = self._driver.boards
        return "" if boards is None else boards.budget.refusal()

    async def reset(self, node: str, may: Callable[[], str]) -> str:
        """See Around."""
        boards = self._driver.boards
        return "no board controller" if boards is None else await boards.act(node, "reset", may)

    def power(self, node: str) -> Power | None:
        """See Around."""
        boards = self._driver.boards
        read = None if boards is None else boards.power(node)
        return None if read is None else Power(is_on=read[0], at_ms=read[1])

    def ill(self, node: str) -> str:
        """See Around."""
        boards = self._driver.boards
        return "" if boards is None else boards.ill(node)

    def look_at_power(self, node: str) -> None:
        """See Around."""
        if (boards := self._driver.boards) is not None:
            boards.look_soon(node)

    async def starve(self) -> str:
        """See Around; the guard refuses while something runs by a lease, and without a device."""
        guard = None if self._ha is None else self._ha.shells.guard
        if guard is None:
            return "no guard has a watchdog here"
        try:
            await guard.bite()
        except AgentError as err:
            return str(err)
        return ""

    def _config(self) -> str:
        """Return why the settings that the centre told are not applied."""
        settings = self._driver.settings
        told = None if settings is None else settings.told
        if told is None or told.state not in _UNSETTLED:
            return ""
        return f"settings are {told.state}: {told.text}"

    def _processes(self) -> str:
        """Return which process that this host cannot do without does not run."""
        processes = self._driver.processes
        return "" if processes is None else processes.missing()


def host_answer(host: HostShell, acts: ActsOnDemand, request: HostShow | HostAct) -> Answer:
    """Say how the host stands, or begin an act on it; what is refused at once says why."""
    if isinstance(request, HostShow):
        return Answer(result=host.report() | {"act": acts.latest})
    wanted = Wanted(
        verb=request.verb,
        by=request.by,
        reason=request.reason,
        expect=request.expect,
        force=request.force,
        seconds=request.seconds,
        node=request.node if request.node != host.who.name else "",
    )
    try:
        acts.begin(wanted)
    except ActRefusedError as err:
        return Answer(error=str(err))
    return Answer()


def host_of(
    driver: Driver, ha: "Runtime | None", entropy: Entropy
) -> tuple[HostShell, ActsOnDemand]:
    """Return the host of a running agent, begun: what was kept counts from here.

    Raises:
        StorageError: what was kept cannot be read: a locked host is not to serve by that.
    """
    folder = Path(driver.config.state_dir)
    site: Site = Alone()
    policy = None
    if ha is not None:
        from roost_agent.host.ha_site import HaSite  # noqa: PLC0415 - only where it is configured
        from roost_agent.host.policy import Failure, Policy  # noqa: PLC0415 - as above

        site, said = HaSite(ha), driver.config.hosts
        action = Failure(said.heartbeat_failure_action)
        policy = Policy(action, said.mnfa_threshold, said.mnfa_timeout_s * 1000)
    who = Who(driver.config.node, driver.identity.boot_id.hex())
    coordinator = Coordinator(driver.identity.node, site, driver.spool, folder, policy)
    shell = HostShell(
        folder, who, driver.clock, DriverAround(driver, ha), site, coordinator=coordinator
    )
    shell.begin()
    return shell, ActsOnDemand(shell, lambda: entropy.token(NONCE_BYTES).hex())
