"""Services that another program runs: units and containers, and the way they are asked."""

import asyncio
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from cgroups import needs_cgroups
from running_group import Groups
from waiting import until

from roost_agent.ha.config import Budget, Run, Service
from roost_agent.ha.services.engine import Verbs, container, systemd
from roost_agent.ha.services.event import Restarting, Running, StopConfirmed
from roost_agent.ha.services.unit import Elsewhere

pytestmark = [pytest.mark.netns, pytest.mark.timeout(300)]

UNIT = "[Service]\nType=exec\nExecStart=/bin/sleep 600\nRestart=no\n"


class Files:
    """A program that runs services: one that runs is a file."""

    def __init__(self, folder):
        self.up = folder / "up"
        self.told = folder / "told"
        self.verbs = Verbs(
            start=self.says("start", f"touch {self.up}"),
            stop=self.says("stop", f"rm -f {self.up}"),
            kill=self.says("kill", f"rm -f {self.up}"),
            is_up=("test", "-e", str(self.up)),
        )

    def says(self, word, does):
        return ("sh", "-c", f"echo {word} >> {self.told}; {does}")


@pytest.fixture
def files(tmp_path):
    return Files(tmp_path)


def service(**more):
    budget = Budget(start_s=0.5, stop_s=0.5)
    return Service(name="s", group="g", run=Run(systemd="s.service"), budget=budget, **more)


async def test_it_is_started_looked_at_and_its_end_is_heard(files):
    died = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        driver = Elsewhere(service(), files.verbs, tasks)
        assert await driver.start(0, lambda how: died.set()) == ""
        assert await driver.probe() == "pass"
        files.up.unlink()
        async with asyncio.timeout(60):
            await died.wait()
        assert await driver.probe() == "fail"


@pytest.mark.parametrize("way", ["stop", "clear"])
async def test_an_end_that_is_wanted_is_no_death(files, way):
    async with asyncio.TaskGroup() as tasks:
        driver = Elsewhere(service(), files.verbs, tasks)
        assert await driver.start(0, pytest.fail) == ""
        await getattr(driver, way)()
        assert not files.up.exists()
    assert files.told.read_text().split() == ["start", {"clear": "kill"}.get(way, way)]


async def test_a_start_that_fails_or_hangs_is_told(files):
    async with asyncio.TaskGroup() as tasks:
        broken = files.verbs._replace(start=("false",))
        assert await Elsewhere(service(), broken, tasks).start(0, pytest.fail) == (
            "false ended with status 1"
        )
        hanging = files.verbs._replace(start=("sleep", "600"))
        assert await Elsewhere(service(), hanging, tasks).start(0, pytest.fail) == (
            "not started within 0.5 s"
        )


def test_units_and_containers_are_asked_by_their_own_words():
    assert systemd("x.service").is_up == ("systemctl", "is-active", "--quiet", "x.service")
    assert container("x", 1.5, "podman").stop == ("podman", "stop", "--time", "2", "x")
    assert container("x", 0.1, "docker").stop == ("docker", "stop", "--time", "1", "x")
    assert container("x", 1, "podman").is_up == ("podman", "top", "x", "pid")
    assert container("x", 1, "docker").is_up == ("docker", "top", "x", "-o", "pid")


@needs_cgroups
@pytest.mark.skipif(not Path("/run/systemd/system").is_dir(), reason="no systemd runs here")
async def test_a_unit_of_a_live_systemd_is_restarted_and_stopped(tmp_path, root):
    name = f"roost-test-{os.getpid()}.service"
    file = Path("/run/systemd/system") / name
    file.write_text(UNIT)
    groups = Groups(root)
    try:
        ctl("daemon-reload")
        unit = {"name": "unit", "run": {"systemd": name}}
        group = groups.begun(unit, group={"model": "N"})
        group.shell.start(0)
        await group.told(Running)
        ctl("kill", "--signal=KILL", name)
        await group.told(Restarting)
        await group.told(Running, 2)
        group.shell.stop()
        await group.told(StopConfirmed)
        await until(lambda: ctl("is-active", "--quiet", name) != 0, "the unit is down")
    finally:
        await groups.leave()
        ctl("stop", name)
        file.unlink()
        ctl("daemon-reload")


def told(*words):
    return subprocess.run(words, check=False, capture_output=True).returncode


def ctl(*words):
    return told("systemctl", *words)


IMAGE = os.environ.get("ROOST_TEST_IMAGE", "")


@needs_cgroups
@pytest.mark.skipif(
    not (shutil.which("podman") and IMAGE), reason="no podman with an image ($ROOST_TEST_IMAGE)"
)
async def test_a_container_is_started_and_stopped(root):
    name = f"roost-test-{os.getpid()}"
    assert told("podman", "create", "--name", name, IMAGE, "sleep", "600") == 0
    groups = Groups(root)
    try:
        container = {"name": "c", "run": {"container": name}}
        group = groups.begun(container, group={"model": "N"})
        group.shell.start(0)
        await group.told(Running)
        group.shell.stop()
        await group.told(StopConfirmed)
    finally:
        await groups.leave()
        told("podman", "rm", "--force", name)
