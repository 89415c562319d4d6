"""Units and containers of a group with a lease: started by their engine, ended by the guard.

They run in a cgroup that the guard holds: the group's slice, or its own folder. What runs under
an epoch is known by the note that was written before it was started.
"""

from pathlib import Path
from typing import Final

from roost_agent.guard import cgroup
from roost_agent.ha.config import Service
from roost_agent.ha.services.driver import Died, environment
from roost_agent.ha.services.engine import ANSWER_S, Engine, asked
from roost_agent.ha.services.populated import Populated
from roost_agent.ha.services.process import done, told
from roost_agent.ha.services.slice import note

ENDED: Final = "all its processes ended"


class Held:
    """One such service.

    Args:
        service: its definition.
        engine: what runs it.
        lease: the lease's name, for its environment.
        file: the note of its epoch.
        populated: tells when its cgroup is empty.
    """

    def __init__(
        self, service: Service, engine: Engine, lease: str, file: Path, populated: Populated
    ) -> None:
        self._service = service
        self._engine = engine
        self._lease = lease
        self._file = file
        self._populated = populated
        self._cgroup: Path | None = None
        self._epoch = 0

    async def start(self, epoch: int, died: Died) -> str:
        """See Driver: what runs under this epoch is taken over, as after our restart."""
        self._epoch = epoch
        found = await self._engine.found()
        if found.fault:
            return found.fault
        if found.cgroup is not None:
            if self._noted() == epoch:
                return self._watch(found.cgroup, died)
            await self.clear()
        note(self._file, environment(self._service, self._lease, epoch))
        seconds = self._service.budget.start_s
        status = await asked(self._engine.verbs.start, seconds)
        if status is None:
            return f"not started within {seconds:g} s"
        words = " ".join(self._engine.verbs.start)
        if status != 0:
            return f"{words} {told(status)}"
        found = await self._engine.found()
        if found.cgroup is None and not found.fault:
            return f"{words}: done, and no process of it runs"
        return found.fault or self._watch(found.cgroup, died)

    async def stop(self) -> None:
        """See Driver."""
        await self._where()
        await asked(self._engine.verbs.stop, self._service.budget.stop_s + ANSWER_S)
        await self._empty()

    async def clear(self) -> None:
        """See Driver; a start that systemd has not come to yet is called off as well."""
        await self._where()
        if self._cgroup is not None:
            cgroup.kill(str(self._cgroup))
        await asked(self._engine.verbs.kill, ANSWER_S)
        await asked(self._engine.verbs.stop, ANSWER_S)
        await self._empty()

    async def probe(self) -> str:
        """See Driver: the service's own probe, else whether anything of it runs."""
        active = self._service.active
        if active is None:
            is_up = self._cgroup is not None and not cgroup.is_empty(str(self._cgroup))
            return "pass" if is_up else "fail"
        env = environment(self._service, self._lease, self._epoch)
        status = await done(active.probe, env, seconds=active.timeout_s)
        return "timeout" if status is None else "pass" if status == 0 else "fail"

    def leave(self) -> None:
        """See Driver."""

    def _noted(self) -> int:
        """Return the epoch of the last start; 0: none is known."""
        try:
            lines = self._file.read_text("utf-8").splitlines()
        except OSError:
            return 0
        values = [line[9:] for line in lines if line.startswith("HA_EPOCH=")]
        return int(values[0]) if values and values[0].isdecimal() else 0

    def _watch(self, group: Path | None, died: Died) -> str:
        if group is None:
            return "nothing says where it runs"
        self._cgroup = group
        try:
            self._populated.watch(group, lambda: died(ENDED))
        except OSError as err:
            return f"{group}: {err.strerror}"
        return ""

    async def _where(self) -> None:
        """Hear no more of an end that is wanted, and know where to look for it."""
        if self._cgroup is None:
            self._cgroup = (await self._engine.found()).cgroup
        if self._cgroup is not None:
            self._populated.forget(self._cgroup)

    async def _empty(self) -> None:
        group = self._cgroup or (await self._engine.found()).cgroup
        if group is not None:
            await self._populated.emptied(group)
        self._cgroup = None
