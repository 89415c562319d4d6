"""Units and containers of a group with a lease: in a slice of the guard's, by an epoch.

What starts them is a fake (fake_engine.py): no systemd runs on a test machine. The processes, the
cgroups and the guard are real.
"""

import asyncio
import os
import signal
from functools import partial
from pathlib import Path

import pytest
from cgroups import STUBBORN, needs_cgroups, started_in
from fake_engine import Engines
from guard_process import Guard
from running_group import SERVICE, Groups
from waiting import until

from roost_agent.guard import cgroup
from roost_agent.ha.services.engine import HERE, Host, asked
from roost_agent.ha.services.event import Failed, Restarting, Running, StopConfirmed
from roost_agent.ha.services.slice import DROP_IN, forget_others, slice_name

pytestmark = [pytest.mark.netns, needs_cgroups, pytest.mark.timeout(300)]

DB = {"name": "db", "run": {"systemd": "db.service"}}
BOX = {"name": "box", "run": {"container": "box"}, "passive": ["cgroup-empty"]}
MOUNT = Path(cgroup.mount_point() or "/sys/fs/cgroup")
MAIN = "roost-ha-main.slice"


class Node:
    """A node whose units and containers are fakes, and the agents on it."""

    def __init__(self, folder, root):
        self.engines = Engines(folder, root, MOUNT)
        self.host = Host(
            MOUNT,
            self.engines.slices,
            str(folder / "systemctl"),
            str(folder / "podman"),
            self.engines.units,
            folder / "notes",
        )
        self.groups = Groups(root / "roost-ha", self.host)
        self.told = folder / "service"

    def begun(self, *services, **more):
        return self.groups.begun(*services, **more)

    def db(self, *words, **more):
        """The unit db.service, which notes under which epoch it was started."""
        self.engines.unit("db.service", words or ("/bin/sh", "-c", SERVICE, str(self.told)), **more)

    def epochs(self):
        return [line.split()[0] for line in self.told.read_text().splitlines()]

    def runs(self):
        return [*cgroup.pids(str(self.engines.slices / MAIN))]


@pytest.fixture
async def node(tmp_path, root):
    made = Node(tmp_path, root)
    yield made
    await made.groups.leave()


async def ready(node, *services, **more):
    """An agent whose group could run here."""
    group = node.begun(*services, **more)
    assert group.shell.prepare() == ""
    assert await group.shell.unfit() == ""
    return group


async def test_a_unit_runs_in_the_slice_under_its_epoch_and_its_end_is_confirmed_there(node):
    node.db()
    group = await ready(node, DB)
    assert group.shell.cgroups == (
        str(node.groups.root / "exclusive/main"),
        str(node.engines.slices / MAIN),
    )
    group.shell.start(37)
    await group.told(Running)
    (pid,) = await until(node.runs, "it runs in the slice")
    os.kill(pid, signal.SIGKILL)
    assert (await group.told(Restarting)).why == "all its processes ended"
    await group.told(Running, 2)
    assert node.epochs() == ["37", "37"]
    assert not group.shell.is_empty()
    group.shell.stop(epoch=37)
    assert await group.told(StopConfirmed) == StopConfirmed(37)
    assert group.shell.is_empty()
    assert "systemctl stop db.service" in node.engines.told()


async def test_the_next_agent_takes_over_its_own_epoch_and_no_other(node):
    node.db()
    first = await ready(node, DB)
    first.shell.start(37)
    await first.told(Running)
    before = node.runs()
    await node.groups.leave()
    second = await ready(node, DB)
    second.shell.start(37)
    await second.told(Running)
    assert node.runs() == before
    await node.groups.leave()
    third = await ready(node, DB)
    third.shell.start(69)
    await third.told(Running)
    assert node.runs() != before
    assert node.epochs() == ["37", "69"]


async def test_a_unit_that_outlasts_its_stop_is_killed(node):
    node.db(*STUBBORN)
    group = await ready(node, DB | {"budget": {"stop_s": 0.3}})
    group.shell.start(5)
    await group.told(Running)
    group.shell.stop()
    await group.told(StopConfirmed)
    assert node.runs() == []


async def test_what_else_runs_in_the_slice_holds_up_the_confirmation_of_a_stop(node):
    node.db()
    group = await ready(node, DB)
    group.shell.start(5)
    await group.told(Running)
    beside = started_in(node.engines.slices / MAIN / "beside.scope", *STUBBORN)
    group.shell.stop()
    await until(lambda: node.runs() == [beside.pid], "the unit is down")
    await asyncio.sleep(0.2)
    assert group.of(StopConfirmed) == []
    beside.kill()
    await group.told(StopConfirmed)
    beside.wait()


async def test_units_are_put_in_the_slice_once_and_systemd_reloads_once(node):
    node.db()
    await ready(node, DB)
    await ready(node, DB)
    told = node.engines.told()
    assert told.count("systemctl daemon-reload") == 1
    assert told.count(f"systemctl start {MAIN}") == 1
    assert not forget_others({"db.service"}, node.host)
    assert forget_others(set(), node.host)
    assert not (node.engines.units / "db.service.d" / DROP_IN).exists()


@pytest.mark.parametrize(
    ("unit", "why"),
    [
        ({"UnitFileState": "enabled"}, "is enabled, so it would start without a lease"),
        (None, "there is no such unit"),
    ],
)
async def test_a_unit_that_a_lease_cannot_be_in_charge_of_is_refused(node, unit, why):
    if unit is not None:
        node.db(**unit)
    group = node.begun(DB)
    assert why in await group.shell.unfit()


@pytest.mark.parametrize(
    ("line", "has"),
    [
        ("Slice=system.slice", "Slice=system.slice and Restart=no"),
        ("Restart=always", f"Slice={MAIN} and Restart=always"),
    ],
)
async def test_a_unit_that_another_drop_in_places_elsewhere_or_restarts_is_refused(node, line, has):
    node.db()
    await ready(node, DB)
    (node.engines.units / "db.service.d/zzz.conf").write_text(f"{line}\n")
    other = node.begun(DB)
    assert f"has {has}, must be {MAIN} and no" in await other.shell.unfit()
    other.shell.start(5)
    assert "must be" in (await other.told(Restarting)).why


async def test_a_unit_that_runs_outside_of_the_slice_is_refused_and_not_touched(node):
    node.db()
    await asked((node.host.systemctl, "start", "db.service"), 5)
    group = node.begun(DB | {"ladder": []})
    assert "system.slice/db.service without a lease: stop it" in await group.shell.unfit()
    group.shell.start(5)
    assert "without a lease" in (await group.told(Failed)).why
    slice_ = str(node.engines.root / "system.slice")
    await until(lambda: [*cgroup.pids(slice_)], "it still runs")


async def test_a_restart_under_the_lease_brings_a_unit_from_outside_into_the_slice(node):
    node.db()
    await asked((node.host.systemctl, "start", "db.service"), 5)
    group = node.begun(DB)
    assert "without a lease" in await group.shell.unfit()
    group.shell.start(5)
    assert "without a lease" in (await group.told(Restarting)).why
    await group.told(Running)
    assert [*cgroup.pids(str(node.engines.root / "system.slice"))] == []
    assert len(node.runs()) == 1


async def test_what_starts_and_leaves_nothing_to_kill_is_a_failure(node):
    node.db("/bin/true")
    group = await ready(node, DB | {"ladder": []})
    group.shell.start(5)
    assert "no process of it runs" in (await group.told(Failed)).why


async def test_a_node_whose_guard_knows_no_slices_is_refused(node):
    node.groups.host = node.host._replace(slices=None)
    node.db()
    assert "restart roost-guard" in await node.begun(DB).shell.unfit()


async def test_a_node_without_systemd_is_refused(node):
    node.groups.host = node.host._replace(systemctl="/nowhere/systemctl")
    node.db()
    assert "exit status 127" in await node.begun(DB).shell.unfit()


async def test_a_container_runs_in_the_slice_or_in_the_groups_own_folder(node):
    own = (node.groups.root / "exclusive/main").relative_to(MOUNT)
    for parent in (MAIN, f"/{own}"):
        node.engines.container("box", ("/bin/sleep", "600"), parent=parent)
        group = await ready(node, BOX)
        group.shell.start(5)
        await group.told(Running)
        assert any(map(cgroup.pids, group.shell.cgroups))
        assert (node.host.notes / "box.env").read_text().startswith("HA_EPOCH=5\n")
        group.shell.stop(epoch=5)
        await group.told(StopConfirmed)
        assert group.shell.is_empty()
        await node.groups.leave()


@pytest.mark.parametrize(
    ("made", "why"),
    [
        ({"parent": "machine.slice"}, f"must be {MAIN} (or /"),
        ({"parent": MAIN, "policy": "always"}, "its --restart is 'always', must be 'no'"),
        (None, "exit status 125: Error: no such object"),
    ],
)
async def test_a_container_that_a_lease_cannot_be_in_charge_of_is_refused(node, made, why):
    if made is not None:
        node.engines.container("box", ("/bin/sleep", "600"), **made)
    assert why in await node.begun(BOX).shell.unfit()


async def test_the_guard_kills_a_unit_by_its_deadline_and_what_was_on_its_way_never_runs(
    node, tmp_path
):
    """The agent is gone in the middle of a start, which systemd comes to after the kill."""
    root = node.groups.root / "exclusive"
    root.mkdir(parents=True)
    guard = Guard(tmp_path, root, "--slice-root", str(node.engines.slices), "--tick-ms", "20")
    assert (await asyncio.to_thread(guard.start))["slices"] == str(node.engines.slices)
    try:
        node.db(Delay=4.0)
        node.engines.unit("web.service", ("/bin/sleep", "600"))
        web = {"name": "web", "run": {"systemd": "web.service"}}
        group = await ready(node, web, DB | {"depends": ["web"]})
        held = {"deadlines": (2_000, 2_500, 3_000), "cgroups": group.shell.cgroups}
        await asyncio.to_thread(partial(guard.arm, **held))
        group.shell.start(5)
        await until(lambda: "job db.service" in node.engines.told(), "systemd has the start")
        assert node.runs()
        await node.groups.leave()
        await until(lambda: guard.state()["holds"] == [], "the hold ends")
        assert not node.told.exists()
        await until(lambda: f"{MAIN}: runs without a hold, killed" in guard.logged(), "it came")
        await until(lambda: not node.runs(), "it is swept")
        assert not node.told.exists()
    finally:
        guard.kill()


def test_a_dash_in_a_groups_name_is_no_slice_of_its_own():
    assert slice_name("a-b") == r"roost-ha-a\x2db.slice"
    assert HERE.units == Path("/run/systemd/system")
