"""The agent's side: it notices that the guard is gone, and an agent's restart stops nothing."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from cgroups import needs_cgroups
from guard_process import CLOCK
from waiting import until, wait_until

from roost_agent.guard import cgroup
from roost_agent.ha.guard_client import GuardClient, GuardGoneError

pytestmark = [pytest.mark.netns, needs_cgroups, pytest.mark.timeout(300)]

# An agent that holds `main` under epoch 5, renews, and runs its group.
AGENT = """
import asyncio, sys, tomllib
from pathlib import Path
sys.path.insert(0, sys.argv[3])
import site_file
from roost_agent.ha.config_file import check
from roost_agent.ha.guard_client import GuardClient
from roost_agent.ha.services.shell import GroupShell
from roost_agent.ports import SystemClock, SystemEntropy

async def main(path, root, d1_ms):
    clock = SystemClock()
    table = site_file.table()
    table["group"] = [table["group"][0] | {"vip": []}]
    run = {"start": ["/bin/sleep", "600"]}
    table["service"] = [{"name": "web", "group": "main", "run": run}]
    config, _ = check(table)
    group = GroupShell(
        config, config.group("main"), Path(root), clock=clock, entropy=SystemEntropy(),
        report=lambda report: print(type(report).__name__, flush=True),
    )
    assert group.prepare() == ""
    client = GuardClient(path, clock)
    async def renew():
        now = clock.boot_ms()
        times = tuple(now + int(d1_ms) + more for more in (0, 1_000, 2_000))
        await client.arm("main", 5, times, cgroups=group.cgroups)
    await renew()
    group.start(5)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(group.run())
        while True:
            await renew()
            await asyncio.sleep(0.2)

asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[4]))
"""
UNIT = Path(__file__).parents[2] / "unit/agent/ha"


def agent(guard, root, d1_ms):
    """An agent that runs its group; its first line says so."""
    process = subprocess.Popen(
        [sys.executable, "-c", AGENT, guard.socket, str(root.parent), str(UNIT), str(d1_ms)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "Running\n"
    return process


@pytest.fixture
def ha_root(root):
    """The guarded folder, where the shells look for it."""
    folder = root / cgroup.EXCLUSIVE
    folder.mkdir()
    return folder


def test_an_agents_restart_stops_nothing_and_its_death_does(guards, ha_root):
    guard = guards("--lease-ms", "600000", "--cgroup-root", str(ha_root))
    guard.start()
    service = str(ha_root / "main/web")
    with agent(guard, ha_root, 120_000) as first:  # a slow machine has its time to start one
        pids = wait_until(lambda: list(cgroup.pids(service)), "the service runs")
        first.kill()
    with agent(guard, ha_root, 4_000) as second:
        assert list(cgroup.pids(service)) == pids
        second.kill()
    wait_until(lambda: cgroup.is_empty(service), "the guard ends it")
    assert "past D1" in guard.logged()


async def test_a_guard_that_is_gone_is_noticed_and_so_is_the_next(guards):
    guard = guards()
    await asyncio.to_thread(guard.start)
    client, heard = GuardClient(guard.socket, CLOCK), []
    running = asyncio.get_running_loop().create_task(client.run(heard.append))
    try:
        assert (await client.state())["ok"]
        assert not client.lost.is_set()
        await until(lambda: heard, "its state is taken in")
        assert heard[0]["pid"] == guard.pid
        guard.kill()
        await asyncio.wait_for(client.lost.wait(), 60)
        with pytest.raises(GuardGoneError, match="no guard answers"):
            await client.state()
        await asyncio.to_thread(guard.start)
        await until(lambda: not client.lost.is_set(), "it is noticed")
        os.kill(guard.pid, signal.SIGSTOP)  # there, and deaf
        await asyncio.wait_for(client.lost.wait(), 60)
        os.kill(guard.pid, signal.SIGCONT)
    finally:
        running.cancel()
        await asyncio.wait([running])
