"""How a service is started, stopped, cleared and probed: the seam, and commands and OCF agents.

Both live in a cgroup of their own below their group's, so that what they leave behind is found.
"""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol

from roost_agent.guard import cgroup
from roost_agent.ha.config import Service
from roost_agent.ha.services.populated import Populated
from roost_agent.ha.services.process import Child, done, told

OCF_OK: Final = 0
MONITOR_S: Final = 2.0
OCF_ROOT: Final = "/usr/lib/ocf"
PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

Died = Callable[[str], None]  # how


class Driver(Protocol):
    """One service, whatever runs it. A call may be cancelled at any await."""

    async def start(self, epoch: int, died: Died) -> str:
        """Start it; return what went wrong, if anything. ``died`` is called when it is gone."""

    async def stop(self) -> None:
        """Stop it in its own way; return once nothing of it runs, however long that takes."""

    async def clear(self) -> None:
        """Kill what is left of it; return once nothing is."""

    async def probe(self) -> str:
        """Return ``pass``, ``fail`` or ``timeout``."""

    def leave(self) -> None:
        """Let it run on, unwatched: the agent ends."""


def environment(service: Service, lease: str, epoch: int) -> dict[str, str]:
    """Return what every command of a service finds in its environment."""
    return {
        "PATH": PATH,
        "HA_EPOCH": str(epoch),
        "HA_GROUP": service.group,
        "HA_LEASE": lease,
        "HA_SERVICE": service.name,
    }


class Commands:
    """A service that is a command, or one that commands start and stop.

    Args:
        service: its definition.
        folder: its cgroup; made here.
        lease: the lease's name, for its environment.
        populated: tells when the cgroup is empty.
    """

    def __init__(self, service: Service, folder: Path, lease: str, populated: Populated) -> None:
        self.service = service
        self._folder = folder
        self._lease = lease
        self._populated = populated
        self._child: Child | None = None
        self._epoch = 0

    def environment(self, epoch: int) -> dict[str, str]:
        """Return the environment of everything that is run for the service."""
        return environment(self.service, self._lease, epoch)

    async def start(self, epoch: int, died: Died) -> str:
        """See Driver: one that still runs under this epoch is taken over, as after our restart."""
        self._epoch = epoch
        self._folder.mkdir(parents=True, exist_ok=True)
        if not cgroup.is_empty(str(self._folder)):
            if _epochs(self._folder) == {str(epoch)}:
                return self._watched_by_cgroup(died)
            await self.clear()
        if "pidfd" not in self.service.watches:
            failure = await self._run_start()
            return failure or self._watched_by_cgroup(died)
        try:
            child = Child(self.service.run.start or (), self._folder, self.environment(epoch))
        except OSError as err:
            return f"{err.filename}: {err.strerror}"
        self._child = child
        child.on_end(lambda status: died(told(status)))
        return ""

    async def stop(self) -> None:
        """See Driver: the stop command, or SIGTERM; then until the cgroup is empty."""
        self._forget()
        command = self.service.run.stop
        if command is not None:
            seconds = self.service.budget.stop_s
            await done(command, self.environment(self._epoch), seconds=seconds)
        cgroup.terminate(str(self._folder))
        await self._empty()

    async def clear(self) -> None:
        """See Driver."""
        self._forget()
        cgroup.kill(str(self._folder))
        await self._empty()

    async def probe(self) -> str:
        """See Driver: exit status 0 is a pass."""
        active = self.service.active
        if active is None:
            return "pass"
        status = await done(active.probe, self.environment(self._epoch), seconds=active.timeout_s)
        return "timeout" if status is None else "pass" if status == 0 else "fail"

    def leave(self) -> None:
        """See Driver."""
        if self._child is not None:
            self._child.leave()

    async def _run_start(self) -> str:
        words = self.service.run.start or ()
        seconds = self.service.budget.start_s
        env = self.environment(self._epoch)
        status = await done(words, env, seconds=seconds, group=self._folder)
        if status is None:
            return f"not started within {seconds:g} s"
        return "" if status == 0 else f"its start {told(status)}"

    def _watched_by_cgroup(self, died: Died) -> str:
        try:
            self._populated.watch(self._folder, lambda: died("all its processes ended"))
        except OSError as err:
            return f"{self._folder}: {err.strerror}"
        return ""

    def _forget(self) -> None:
        """Hear no more of an end that is wanted."""
        self._populated.forget(self._folder)
        if self._child is not None:
            self._child.on_end(None)
            self._child = None

    async def _empty(self) -> None:
        await self._populated.emptied(self._folder)


class Ocf(Commands):
    """An OCF agent: start, stop and monitor by its exit codes (OCF 1.1)."""

    def environment(self, epoch: int) -> dict[str, str]:
        """See Commands; with what an OCF agent expects."""
        ocf = {
            "OCF_ROOT": OCF_ROOT,
            "OCF_RESOURCE_INSTANCE": self.service.name,
            "OCF_RA_VERSION_MAJOR": "1",
            "OCF_RA_VERSION_MINOR": "1",
        }
        return super().environment(epoch) | ocf

    async def start(self, epoch: int, died: Died) -> str:
        """See Driver; an agent's start is asked again of what runs already, and says so."""
        self._epoch = epoch
        self._folder.mkdir(parents=True, exist_ok=True)
        if not cgroup.is_empty(str(self._folder)) and _epochs(self._folder) != {str(epoch)}:
            await self.clear()
        seconds = self.service.budget.start_s
        status = await self._asked("start", seconds=seconds, group=self._folder)
        if status is None:
            return f"not started within {seconds:g} s"
        if status != OCF_OK:
            return f"its agent's start {told(status)}"
        is_watched = "cgroup-empty" in self.service.watches
        return self._watched_by_cgroup(died) if is_watched else ""

    async def stop(self) -> None:
        """See Driver."""
        await self._asked("stop", seconds=self.service.budget.stop_s)
        cgroup.terminate(str(self._folder))
        await self._empty()

    async def probe(self) -> str:
        """See Driver: 0 is a pass; 7 says that it does not run, and all else that it failed."""
        seconds = self.service.active.timeout_s if self.service.active else MONITOR_S
        status = await self._asked("monitor", seconds=seconds)
        return "timeout" if status is None else "pass" if status == OCF_OK else "fail"

    async def _asked(self, verb: str, *, seconds: float, group: Path | None = None) -> int | None:
        words = (self.service.run.ocf or "", verb)
        env = self.environment(self._epoch)
        if group is None:
            return await done(words, env, seconds=seconds)
        return await done(words, env, seconds=seconds, group=group)


def _epochs(folder: Path) -> set[str]:
    """Return the epochs under which the processes of a cgroup were started."""
    found = set()
    for pid in cgroup.pids(str(folder)):
        with suppress(OSError):
            raw = Path(f"/proc/{pid}/environ").read_bytes()
            words = raw.decode("utf-8", "replace").split("\0")
            values = [each[9:] for each in words if each.startswith("HA_EPOCH=")]
            found.add(values[0] if values else "")
    return found
