"""Units and containers of one group with a lease: put where the guard can end them, or refused."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from roost_agent.ha.config import Group, Service
from roost_agent.ha.services.engine import Container, Engine, Host, Unit
from roost_agent.ha.services.held import Held
from roost_agent.ha.services.populated import Populated
from roost_agent.ha.services.slice import Slice
from roost_agent.ports import Clock

FIT_MS: Final = 30_000  # between two questions whether all is as it must be
UNFIT_MS: Final = 5_000  # the same while it is not


class Placing:
    """See the module.

    Args:
        group: has a lease.
        services: of it that a unit or a container is.
        folder: the group's own cgroup.
        host: where this node has what runs them.
        clock: for when to ask again.
    """

    def __init__(
        self, group: Group, services: Sequence[Service], folder: Path, host: Host, clock: Clock
    ) -> None:
        self._group = group
        self._host = host
        self._clock = clock
        units = {each.run.systemd: each.name for each in services if each.run.systemd}
        self._slice = Slice(group.name, units, host)
        within = (self._slice.folder, folder)
        self._engines = {each.name: _engine(each, within, host) for each in services}
        self._needs_slice = bool(units)
        self._why = ""
        self._due_ms: int | None = None

    @property
    def folders(self) -> tuple[Path, ...]:
        """The cgroups beside the group's own in which something of it may run."""
        is_held = self._needs_slice or self._slice.folder.is_dir()
        return (self._slice.folder,) if is_held else ()

    def driver(self, service: Service, populated: Populated) -> Held:
        """Return what runs a service."""
        file = self._host.notes / f"{service.name}.env"
        return Held(service, self._engines[service.name], self._group.name, file, populated)

    async def unfit(self) -> str:
        """Return why the group cannot run here by its lease; empty: it can."""
        now_ms = self._clock.boot_ms()
        if self._due_ms is None or now_ms >= self._due_ms:
            self._why = await self._fault()
            self._due_ms = now_ms + (UNFIT_MS if self._why else FIT_MS)
        return self._why

    async def _fault(self) -> str:
        why = await self._slice.made()
        if why and self._needs_slice:  # containers may do without, in the group's own folder
            return why
        for engine in self._engines.values():
            if fault := (await engine.found()).fault:
                return fault
        return ""


def _engine(service: Service, within: tuple[Path, Path], host: Host) -> Engine:
    if service.run.systemd is not None:
        return Unit(service.run.systemd, within[0], host)
    return Container(service.run.container or "", service.budget.stop_s, within, host)
