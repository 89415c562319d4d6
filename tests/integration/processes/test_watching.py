"""Processes that die, hang, come back by others, and numbers that are given out again."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from cgroups import needs_cgroups, private
from loopback_ports import free_port
from process_stage import ANSWERS, is_alive, now_s, watched
from waiting import until

from roost_agent.host.processes.looks import AUDIT_MS
from roost_agent.host.processes.script import Scripts
from roost_agent.ports import SystemClock

pytestmark = [pytest.mark.netns, pytest.mark.timeout(120)]

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
QUICK = {"interval": 1, "startuptime": 1, "debounce": 1}


def sleeper():
    return subprocess.Popen(["sleep", "1000"])


def bomber(group):
    return subprocess.Popen([sys.executable, "-c", BOMB, str(group)])


async def test_one_that_is_killed_is_running_again_at_once(services):
    services.add("pump", **QUICK)
    await services.start()
    async with watched(services) as seen:
        before = (await seen.sees("pump", "running")).pid
        assert before == services.pid("pump")
        await asyncio.sleep((AUDIT_MS - SystemClock().boot_ms() % AUDIT_MS) / 1000 + 0.2)
        began_s = now_s()
        os.kill(before, signal.SIGKILL)
        await until(lambda: services.pid("pump") != before, "another process")
        assert now_s() - began_s < 1.5, "the next look would have been later"
        row = await seen.sees("pump", "settling")
        assert (row.pid, row.restarts, row.in_row) == (services.pid("pump"), 1, 1)
        row = await seen.sees("pump", "running")
        assert (row.in_row, row.reason) == (0, "")
    assert services.asked() == ["start pump", "start pump"]


async def test_one_that_falls_again_and_again_is_an_alarm_until_it_has_settled(services):
    services.add("pump", restarts=2, severity="major", **QUICK)
    await services.start()
    key = ("200.006", "process=pump")
    async with watched(services) as seen:
        await seen.sees("pump", "running")
        good = (services.folder / "pump.run").read_text()
        (services.folder / "pump.run").write_text("#!/bin/sh\nexit 3\n")
        os.kill(services.pid("pump"), signal.SIGKILL)
        await seen.sees("pump", "failed")
        assert seen.alarms.stand[key][0].word == "major"
        assert seen.watching.report().degrade == {"process": "major"}
        (services.folder / "pump.run").write_text(good)
        await seen.sees("pump", "settling")
        assert key in seen.alarms.stand
        await seen.sees("pump", "running")
        await until(lambda: key not in seen.alarms.stand, "the alarm is over")
    assert [what for what, *_ in seen.alarms.history] == ["raise", "clear"]


async def test_one_that_hangs_is_stopped_and_started(services):
    port, back = free_port(), free_port()
    program = ANSWERS.replace("PORT", str(port)).replace("BACK", str(back))
    asked = {"mode": "active", "port": port, "period": 1, "timeout": 1, "threshold": 2}
    services.add("web", program, **asked, **QUICK | {"startuptime": 5})  # it is an interpreter
    await services.start()
    async with watched(services, port=back) as seen:
        before = (await seen.sees("web", "running")).pid
        await asyncio.sleep(8)
        assert (await seen.sees("web", "running")).restarts == 0, "it answers"
        os.kill(before, signal.SIGSTOP)
        row = await seen.sees("web", "settling")
        assert row.pid not in (0, before)
        assert not is_alive(before)
    assert services.asked() == ["start web", "stop web", "start web"]


async def test_without_an_entry_of_the_catalogue_it_is_watched_and_not_restarted(services):
    services.helper.start()
    own = sleeper()
    (services.folder / "own.pid").write_text(str(own.pid))
    services.define("own", service="own", severity="minor", **QUICK)
    async with watched(services) as seen:
        await seen.sees("own", "running")
        own.kill()  # and nobody reaps it: a zombie has ended, whatever its number says
        row = await seen.sees("own", "failed", seconds=5)
        assert "no name of the catalogue" in row.reason
        assert ("200.006", "process=own") in seen.alarms.stand
        assert seen.watching.report().degrade == {}
        own.wait()
        other = sleeper()
        (services.folder / "own.pid").write_text(str(other.pid))
        assert (await seen.sees("own", "settling")).pid == other.pid
        other.kill()
        other.wait()


async def test_a_restart_by_others_within_two_seconds_counts_and_is_no_failure(services):
    services.define("own", restarts=3, **QUICK)
    first, second = (sleeper() for _ in range(2))
    pidfile = services.folder / "own.pid"
    pidfile.write_text(str(first.pid))
    async with watched(services) as seen:
        await seen.sees("own", "running")
        first.kill()
        await seen.sees("own", "restarting")
        pidfile.write_text(str(second.pid))
        row = await seen.sees("own", "settling", seconds=2)
        assert (row.pid, row.restarts) == (second.pid, 1)
        assert seen.alarms.history == []
    for each in (first, second):
        each.kill()
        each.wait()


@pytest.fixture
def complaints(monkeypatch):
    """What the scripts were said to say, in order; they are asked one after the other."""
    heard, complaint = [], Scripts.complaint

    async def overheard(self, script, argument, seconds):
        heard.append(await complaint(self, script, argument, seconds))
        return heard[-1]

    monkeypatch.setattr(Scripts, "complaint", overheard)
    return heard


async def test_a_script_speaks_for_what_has_no_process(services, complaints):
    script = services.folder / "ask"
    script.write_text(f"#!/bin/sh\n[ -e {services.folder}/ok ] || {{ echo pump $1; exit 3; }}\n")
    script.chmod(0o755)
    (services.folder / "ok").touch()
    services.define("cell", mode="status", script=str(script), pidfile="", period=1, **QUICK)
    async with watched(services) as seen:
        await seen.sees("cell", "running")
        (services.folder / "ok").unlink()
        row = await seen.sees("cell", "failed")
        assert row.reason == f"{script} ended with status 3: pump status"
        script.chmod(0o777)
        unsafe = f"{script}: others may write to it; chmod go-w"
        await until(lambda: complaints[-1] == unsafe, "no run of before is left")
        (services.folder / "ok").touch()
        asked = len(complaints)
        await until(lambda: len(complaints) >= asked + 2, "it would have been run")
        assert {*complaints[asked:]} == {unsafe}
        assert seen.row("cell").state == "failed", "what others may write to is not run"
        script.chmod(0o755)
        await seen.sees("cell", "running")


REUSE = """
import asyncio, os, sys
from pathlib import Path
from types import SimpleNamespace
from roost_agent.host.processes.definition import Definition
from roost_agent.host.processes.finder import Finder
from roost_agent.host.processes.following import Following

def spawn(pid=None):
    if pid:
        Path("/proc/sys/kernel/ns_last_pid").write_text(str(pid - 1))
    return os.posix_spawn("/bin/sleep", ["sleep", "1000"], {})

async def main(has_pidfd, pidfile):
    if not has_pidfd:
        def none(pid):
            raise OSError(38, "no pidfd here")
        os.pidfd_open = none
    died = []
    finder = Finder({}, "/nowhere")
    following = Following(finder, lambda name, pid: died.append(pid))
    pump = Definition(process="pump", file="f", pidfile=pidfile)
    first = spawn()
    Path(pidfile).write_text(str(first))
    assert following.follow("pump", finder.find(pump))
    await asyncio.sleep(0.05)
    os.kill(first, 9)
    os.waitpid(first, 0)
    assert spawn(first) == first, "the number is given out again"
    await asyncio.sleep(0.05)
    following.audit("pump")
    assert died == [first], died
    assert finder.find(pump) is None, "the file was not written anew"
    Path(pidfile).write_text(str(first))
    assert finder.find(pump).pid == first, "now it means the other"
    os.kill(first, 9)
    print("ok")

asyncio.run(main(sys.argv[1] == "pidfd", sys.argv[2]))
"""


@needs_root
@pytest.mark.parametrize("how", ["pidfd", "audit"])
def test_a_number_that_is_given_out_again_is_another_process(services, how):
    script = services.folder / "reuse.py"
    script.write_text(REUSE)
    alone = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child")
    done = subprocess.run(
        [*alone, sys.executable, str(script), how, str(services.folder / "p.pid")],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert done.stdout == "ok\n", done.stderr


BOMB = """
import os, sys, time
open(sys.argv[1] + "/cgroup.procs", "w").write(str(os.getpid()))
ends = time.monotonic() + 60
while time.monotonic() < ends:
    for _ in range(20):
        if os.fork() == 0:
            time.sleep(0.01)
            os._exit(0)
    for _ in range(20):
        os.wait()
"""


@needs_cgroups
async def test_beside_a_fork_bomb_of_its_unit_the_head_is_followed(services):
    with private() as group:
        relative = str(group.relative_to(Path(group).parents[0]))
        services.define("bomb", pidfile="", cgroup=relative, **QUICK)
        services.add("pump", **QUICK)
        await services.start()
        bomb = bomber(group)
        async with watched(services) as seen:
            assert (await seen.sees("bomb", "running")).pid == bomb.pid
            before = (await seen.sees("pump", "running")).pid
            await asyncio.sleep(3)
            assert (seen.row("bomb").pid, seen.row("bomb").restarts) == (bomb.pid, 0)
            began_s = now_s()
            os.kill(before, signal.SIGKILL)
            await until(lambda: services.pid("pump") != before, "another process")
            assert now_s() - began_s < 2
            bomb.kill()
            bomb.wait()
            await seen.sees("bomb", "failed", seconds=10)


async def test_what_local_ha_runs_is_never_started_here(services):
    services.add("pump", **QUICK)
    services.helper.start()
    async with watched(services, held={"pump.service"}) as seen:
        assert seen.row("pump").state == "ignored"
        await asyncio.sleep(3)
        assert seen.row("pump").reason.startswith("local HA runs pump.service")
    assert services.asked() == []


async def test_what_wants_the_host_enabled_is_watched_from_then_on(services):
    services.add("late", full_init_reqd="yes", **QUICK)
    services.add("pump", **QUICK)
    services.helper.start()
    async with watched(services, is_enabled=False) as seen:
        await seen.sees("pump", "settling")
        assert seen.row("late").reason.startswith("full_init_reqd")
        assert "start late" not in services.asked()
        seen.is_enabled = True
        await seen.sees("late", "settling")
        seen.is_enabled = False  # it stays watched
        await seen.sees("late", "running")


async def test_a_bad_file_loses_itself_alone_and_says_so(services):
    services.add("pump", **QUICK)
    (services.files / "broken.conf").write_text("[process]\nprocess = x\nseverity = huge\n")
    await services.start()
    async with watched(services) as seen:
        await seen.sees("pump", "running")
        ((key, (_, params)),) = seen.alarms.stand.items()
        assert key == ("200.806", f"file={services.files / 'broken.conf'}")
        assert ":3: severity: 'huge': one of minor, major, critical" in params["reason"]
        assert any("broken.conf:3" in each for each in seen.watching.report().faults)


async def test_a_profile_that_comes_or_goes_is_gone_by_at_once_and_others_are_left_alone(services):
    services.add("pump", **QUICK)
    services.add("valve", **QUICK)
    await services.start()
    async with watched(services) as seen:
        valve = await seen.sees("valve", "running")
        await seen.sees("pump", "running")
        seen.watching.define({"pump": {"mode": "ignore"}, "other": {"service": "nosuch"}})
        assert (await seen.sees("pump", "ignored")).reason == "its definition says mode = ignore"
        await seen.sees("other", "starting")
        os.kill(services.pid("pump"), signal.SIGKILL)
        await asyncio.sleep(1)
        assert services.asked() == ["start pump", "start valve"], "nobody starts it again"
        assert (seen.row("valve").pid, seen.row("valve").restarts) == (valve.pid, 0)
        seen.watching.define({})
        await seen.sees("pump", "running")
        assert services.asked()[2:] == ["start pump"]
        assert {row.name for row in seen.watching.report().processes} == {"pump", "valve"}
