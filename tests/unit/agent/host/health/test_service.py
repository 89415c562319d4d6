"""Real scripts in a folder, run by the agent's own code."""

import asyncio
import os
from pathlib import Path

import pytest
from process_stage import Alarms, is_alive
from waiting import until

from roost_agent.host.health import run
from roost_agent.host.health.core import Checked
from roost_agent.host.health.run import FLOOD_BYTES_MAX, KEPT_BYTES, complaint
from roost_agent.host.health.scripts import SCRIPTS_MAX, find
from roost_agent.host.health.service import HealthChecks
from roost_agent.ports import SystemClock

OURS = frozenset({0, os.geteuid()})


@pytest.fixture
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("health.d", numbered=True)
    made.chmod(0o755)
    return made


def script(folder: Path, name: str, body: str = "exit 0", mode: int = 0o755) -> Path:
    file = folder / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"#!/bin/sh\n{body}\n")
    file.chmod(mode)
    return file


def found(folder, roles=(), owners=OURS):
    return {each.check: each.distrust for each in find(str(folder), roles, owners=owners)}


def test_scripts_of_the_node_come_first_and_then_those_of_its_roles(folder):
    for name in ("20-b", "10-a", "gateway/30-c", "worker/40-d"):
        script(folder, name)
    assert list(found(folder, ["gateway"])) == ["10-a", "20-b", "gateway/30-c"]


def test_what_is_no_script_by_its_name_is_passed_over(folder):
    for name in (".hidden", "old~", "x.dpkg-old", "x.rpmsave", "a b", "10-a"):
        script(folder, name)
    assert list(found(folder)) == ["10-a"]


def test_no_folder_is_no_script(tmp_path):
    assert found(tmp_path / "none") == {}


def test_a_script_that_others_may_write_to_is_not_run_and_fails(folder):
    script(folder, "10-a", mode=0o757)
    script(folder, "20-b", mode=0o775)
    script(folder, "30-c", mode=0o644)
    (folder / "40-d").symlink_to(folder / "nowhere")
    os.mkfifo(folder / "50-e", 0o700)
    said = found(folder)
    assert "others may write" in said["10-a"]
    assert "others may write" in said["20-b"]
    assert "chmod +x" in said["30-c"]
    assert "No such file" in said["40-d"]
    assert "regular" in said["50-e"]


def test_a_script_of_somebody_else_than_root_is_not_run(folder):
    script(folder, "10-a")
    said = found(folder, owners=frozenset({OTHER}))
    assert "chown root" in said["10-a"]


OTHER = 4_242


def test_those_past_the_bound_fail_and_are_not_forgotten(folder):
    for number in range(SCRIPTS_MAX + 2):
        script(folder, f"s{number:03}")
    said = found(folder)
    bad = [check for check, why in said.items() if why]
    assert bad == [f"s{SCRIPTS_MAX:03}", f"s{SCRIPTS_MAX + 1:03}"]
    assert str(SCRIPTS_MAX) in said[bad[0]]


async def test_a_script_that_passes_has_no_complaint_and_gets_the_stage(folder):
    file = script(folder, "a", 'test "$1" = enable')
    assert await complaint(str(file), "enable") == ""
    assert (await complaint(str(file), "inservice")).startswith("status 1")


async def test_the_end_of_its_output_is_kept(folder):
    file = script(folder, "a", "seq 1 2000; echo last words >&2; exit 3")
    said = await complaint(str(file), "enable")
    assert said.startswith("status 3: ")
    assert said.endswith("2000 last words")
    assert len(said) <= KEPT_BYTES + 10


async def test_a_script_that_hangs_is_killed_with_all_that_it_began(folder):
    file = script(folder, "a", f"sleep 1000 & echo $! > {folder}/pid; wait")
    said = await complaint(str(file), "enable", 1.0)
    assert said == "takes longer than 1 s"
    await gone(folder / "pid")


async def test_what_a_script_leaves_behind_is_killed_when_it_has_ended(folder):
    file = script(folder, "a", f"sleep 1000 >/dev/null 2>&1 & echo $! > {folder}/pid")
    assert await complaint(str(file), "enable") == ""
    await gone(folder / "pid")


async def test_what_holds_its_output_open_does_not_change_its_word(folder):
    file = script(folder, "a", f"sleep 1000 & echo $! > {folder}/pid")
    assert await complaint(str(file), "enable", 1.0) == ""
    await gone(folder / "pid")


async def test_a_script_that_floods_is_killed(folder):
    file = script(folder, "a", "exec yes")
    said = await complaint(str(file), "enable")
    assert said.startswith(f"writes more than {FLOOD_BYTES_MAX} bytes: y y")


async def test_one_that_is_no_program_says_so(folder):
    file = folder / "a"
    file.write_bytes(b"\x7fELF and no more")
    file.chmod(0o755)
    assert (await complaint(str(file), "enable")).startswith("cannot be run")


async def gone(pid_file):
    pid = int(pid_file.read_text())
    await until(lambda: not is_alive(pid), f"{pid} is gone", seconds=10)


class Served:
    """The checks of a folder, running."""

    def __init__(self, folder, roles=()):
        self.alarms = Alarms()
        self.checks = HealthChecks(str(folder), roles, self.alarms, SystemClock(), owners=OURS)
        self._task = None

    async def __aenter__(self):
        self._group = asyncio.TaskGroup()
        await self._group.__aenter__()
        self._task = self._group.create_task(self.checks.run())
        return self

    async def __aexit__(self, *_):
        self._task.cancel()
        await self._group.__aexit__(None, None, None)


async def test_a_failure_while_enabling_is_told_and_raised_until_it_is_mended(folder):
    script(folder, "10-a")
    bad = script(folder, "20-b", "echo no route; exit 1")
    async with Served(folder) as served:
        (failed,) = await served.checks.check("enable")
        assert (failed.check, failed.complaint) == ("20-b", "status 1: no route")
        assert list(served.alarms.stand) == [("200.803", "check=20-b")]
        bad.write_text("#!/bin/sh\n")
        assert await served.checks.check("enable") == ()
        assert not served.alarms.stand


async def test_enabling_does_not_wait_for_a_round_in_service(folder):
    script(folder, "a", '[ "$1" = enable ] || sleep 50')
    async with Served(folder) as served:
        served.checks.begin("inservice")
        await asyncio.sleep(0.3)
        async with asyncio.timeout(20):
            assert await served.checks.check("enable") == ()


async def test_scripts_that_find_no_time_left_fail(folder, monkeypatch):
    monkeypatch.setattr("roost_agent.host.health.service.TOGETHER_S", 0.2)
    script(folder, "10-a", "sleep 30")
    script(folder, "20-b")
    async with Served(folder) as served:
        failed = await served.checks.check("enable")
    assert [each.check for each in failed] == ["10-a", "20-b"]
    assert "those before it" in failed[1].complaint


async def test_no_script_is_well(folder):
    async with Served(folder) as served:
        assert await served.checks.check("enable") == ()
        assert served.checks.report()["checks"] == []


def test_the_word_of_a_check_is_shown_whole():
    assert Checked("a", "b").spent_ms == 0
    assert run.SCRIPT_S == 60
