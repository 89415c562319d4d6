"""What an operator may ask on the node itself, of the running agent."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec import to_builtins

from roost_agent.control.message import (
    Answer,
    HaRequest,
    HostAct,
    HostHealth,
    HostProcesses,
    HostRequest,
    HostShow,
    PathHold,
    PathRelease,
    Reprobe,
    Request,
    Status,
    UpdateHold,
    UpdateRelease,
    UpdateRequest,
    UpdateStatus,
)
from roost_agent.driver import Driver
from roost_agent.host_node import host_answer
from roost_agent.paths import core as paths
from roost_agent.status import status

if TYPE_CHECKING:
    from roost_agent.ha.runtime import Runtime


class Control:
    """Answers one request at a time."""

    def __init__(self, driver: Driver, ha: "Runtime | None" = None) -> None:
        self._driver = driver
        self._ha = ha

    def __call__(self, request: Request) -> Answer:
        """Do what is asked and say how it went."""
        match request:
            case Status():
                return Answer(result=status(self._driver) | self._roles())
            case PathHold(name, seconds):
                until_ms = self._driver.clock.boot_ms() + seconds * 1000
                return self._path(name, lambda: paths.Hold(until_ms))
            case PathRelease(name):
                return self._path(name, paths.Release)
            case HostProcesses() | HostHealth() | HostShow() | HostAct():
                return self._host(request)
            case Reprobe(classes):
                self._driver.survey.reprobe(classes)
                return Answer()
            case _:
                return self._order(request)

    def _host(self, request: HostRequest) -> Answer:
        if isinstance(request, HostProcesses):
            return self._processes()
        if isinstance(request, HostShow | HostAct):
            host, acts = self._driver.host, self._driver.acts
            if host is None or acts is None:
                return Answer(error="the agent only starts")
            return host_answer(host, acts, request)
        if request.is_run:
            self._driver.health.begin("inservice")
        return Answer(result=self._driver.health.report())

    def _processes(self) -> Answer:
        """Return the state of the watched processes."""
        if self._driver.processes is None:
            where = ", ".join(self._driver.config.processes.folders)
            return Answer(error=f"no process is watched: no file in {where}, and no profile")
        return Answer(result=to_builtins(self._driver.processes.report()))

    def _update(self, request: UpdateRequest) -> Answer:
        updates = self._driver.updates
        if updates is None:
            where = self._driver.config.updates.trust
            return Answer(error=f"nothing installs updates here: no roost-helper, or no {where}")
        match request:
            case UpdateHold(until_ms, why):
                updates.hold(until_ms, why)
            case UpdateRelease():
                updates.hold(0, "")
            case UpdateStatus():
                pass
        return Answer(result=updates.status())

    def _roles(self) -> dict[str, object]:
        """Return what this node is for the site's groups, where it takes part in local HA."""
        if self._ha is None:
            return {}
        from roost_agent.ha.report import roles  # noqa: PLC0415 - only where it is configured

        return {"ha": roles(self._ha)}

    def _order(self, request: UpdateRequest | HaRequest) -> Answer:
        if isinstance(request, UpdateRequest):
            return self._update(request)
        if self._ha is None:
            return Answer(error="this node takes no part in local HA: ha.file is not configured")
        from roost_agent.ha.orders import answer  # noqa: PLC0415 - only where it is configured

        return answer(self._ha, request)

    def _path(self, name: str, event: Callable[[], paths.Event]) -> Answer:
        if name not in self._driver.wires:
            known = ", ".join(self._driver.wires)
            return Answer(error=f"no path {name!r}; there are {known}")
        self._driver.path_event(name, event())
        return Answer()
