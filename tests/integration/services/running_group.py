"""A group as an agent runs it, and what it reported."""

import asyncio
from pathlib import Path

import site_file
from waiting import until

from roost_agent.guard import cgroup
from roost_agent.ha.config_file import check
from roost_agent.ha.services.engine import HERE
from roost_agent.ha.services.shell import GroupShell
from roost_agent.ports import SystemClock, SystemEntropy

# Says once under which epoch it runs, then waits to be killed.
SERVICE = 'echo "$HA_EPOCH $HA_GROUP $HA_LEASE $HA_SERVICE $$" >> "$0"; exec sleep 600'


class Running:
    """One group on one agent."""

    def __init__(self, shell, task):
        self.shell = shell
        self.task = task
        self.reports = []

    def of(self, kind):
        """The reports of a kind."""
        return [each for each in self.reports if isinstance(each, kind)]

    async def told(self, kind, count=1):
        """The newest report of a kind, once there are so many."""
        await until(lambda: len(self.of(kind)) >= count, f"{count} times {kind.__name__}")
        return self.of(kind)[-1]


class Groups:
    """Agents on one root."""

    def __init__(self, root, host=HERE):
        self.root = root
        self.host = host
        self._tasks = []

    def begun(self, *services, group=None):
        """An agent that runs group ``main`` with these services, or with the named changes."""
        table = site_file.table()
        table["group"] = [table["group"][0] | {"vip": []} | (group or {})]
        table["service"] = [{"group": "main"} | each for each in services]
        table["timing"] = {"lease_ms": 60_000}
        config, faults = check(table)
        assert config is not None, faults
        running = Running(None, None)
        running.shell = GroupShell(
            config,
            config.group("main"),
            self.root,
            clock=SystemClock(),
            entropy=SystemEntropy(),
            report=running.reports.append,
            host=self.host,
        )
        running.task = asyncio.get_running_loop().create_task(running.shell.run())
        self._tasks.append(running.task)
        return running

    async def leave(self):
        """End the agents, not what they run."""
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks) if self._tasks else None
        self._tasks.clear()

    def pids(self, service="web"):
        """What runs of a service."""
        return list(cgroup.pids(str(self.root / "exclusive/main" / service)))


def web(told: Path, **more):
    """A service that notes each of its starts."""
    return {"name": "web", "run": {"start": ["/bin/sh", "-c", SERVICE, str(told)]}} | more
