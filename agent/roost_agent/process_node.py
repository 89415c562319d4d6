"""The agent around its watched processes, where a file or a profile defines any."""

from functools import partial
from typing import TYPE_CHECKING

from roost_agent.driver import Driver
from roost_agent.host.processes.folders import any_there
from roost_agent.host.processes.on_demand import OnDemand
from roost_protocol.host import Oper

if TYPE_CHECKING:
    from roost_agent.ha.runtime import Runtime
    from roost_agent.host.processes.launch import Watching


def watch_processes(driver: Driver, ha: "Runtime | None") -> None:
    """Watch processes, where a file or a profile defines any; the code is imported only there.

    What local HA runs is left to it: to start a unit on a node that stands by would be a second
    active one.
    """
    config = driver.config.processes
    services = () if ha is None else ha.config.services
    held = {unit for each in services if (unit := each.run.systemd) is not None}

    def make() -> "Watching":
        from roost_agent.host.processes.launch import Watching  # noqa: PLC0415 - see above

        return Watching(
            config,
            driver.spool,
            driver.alarms,
            driver.clock,
            held=held,
            is_enabled=lambda: _is_enabled(driver),
        )

    driver.watching = OnDemand(make, partial(setattr, driver, "processes"))
    said = {} if driver.settings is None else driver.settings.own().processes
    if said or any_there(config.folders):
        driver.watching.begin(said)


def _is_enabled(driver: Driver) -> bool:
    """Return whether this host is in service; one that decides nothing of itself always is."""
    return driver.host is None or driver.host.core.state[1] is Oper.ENABLED
