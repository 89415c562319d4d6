"""Processes that are asked whether they are well: by a probe, a connection, systemd's watchdog."""

import os
import signal
import socket
import subprocess
import sys

import pytest
from process_stage import is_alive, watched
from waiting import until

pytestmark = [pytest.mark.netns, pytest.mark.timeout(120)]

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
QUICK = {"interval": 1, "startuptime": 1, "debounce": 1}
EACH_SECOND = {"period": 1, "timeout": 1, "threshold": 2}
LISTENS = f"""\
#!{sys.executable}
import os, socket
place = "PLACE"
if os.path.exists(place):
    os.unlink(place)
sock = socket.socket(socket.AF_UNIX)
sock.bind(place)
sock.listen(0)
while True:
    sock.accept()[0].close()
"""
FED = "ActiveState=active\nResult=success\nWatchdogUSec=2s\nWatchdogTimestampMonotonic={}\n"


def script(file, text):
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
    return file


def listens(place):
    """Whether one listens there already."""
    with socket.socket(socket.AF_UNIX) as sock:
        return sock.connect_ex(str(place)) == 0


async def falls(seen, why):
    """Wait until the pump is down for this."""
    return await until(
        lambda: row if why in (row := seen.row("pump")).reason else None,
        f"{why}: {seen.row('pump')}",
    )


async def test_one_that_its_probe_finds_unwell_so_often_is_stopped_and_started(services):
    bad = services.folder / "bad"
    probe = script(services.folder / "probe", f"[ ! -e {bad} ] || {{ echo no $1; exit 2; }}")
    services.add("pump", mode="probe", script=str(probe), status_arg="-q", **EACH_SECOND, **QUICK)
    await services.start()
    async with watched(services) as seen:
        before = (await seen.sees("pump", "running")).pid
        assert (before, seen.row("pump").mode) == (services.pid("pump"), "probe")
        bad.touch()
        await falls(seen, f"2 times in a row: {probe} ended with status 2: no -q")
        bad.unlink()
        row = await seen.sees("pump", "running")
        assert row.pid not in (0, before)
        assert not is_alive(before)
        os.kill(row.pid, signal.SIGKILL)  # its death is a fall, whatever a probe would say
        assert (await seen.sees("pump", "settling")).pid not in (0, row.pid)


async def test_one_that_takes_no_connection_any_more_is_stopped_and_started(services):
    place = services.folder / "pump.sock"
    program = LISTENS.replace("PLACE", str(place))
    services.add("pump", program, mode="socket", socket=str(place), **EACH_SECOND, **QUICK)
    await services.start()
    async with watched(services) as seen:
        before = (await seen.sees("pump", "running")).pid
        await until(lambda: listens(place), "its program is there")
        os.kill(before, signal.SIGSTOP)
        await falls(seen, f"2 times in a row: {place}: no connection within 1 s")
        assert (await seen.sees("pump", "running")).pid not in (0, before)
        assert not is_alive(before)


async def test_one_that_does_not_feed_its_watchdog_is_restarted_with_systemds_word(
    services, monkeypatch
):
    says = services.folder / "says"
    said = script(services.folder / "bin-systemctl", f"cat {says}")
    (services.folder / "bin").mkdir()
    said.rename(services.folder / "bin/systemctl")
    monkeypatch.setenv("PATH", f"{services.folder}/bin:{os.environ['PATH']}")
    says.write_text(FED.format(1 << 60))
    services.add("pump", mode="notify", **EACH_SECOND, **QUICK)
    await services.start()
    async with watched(services) as seen:
        before = (await seen.sees("pump", "running")).pid
        says.write_text(FED.format(1_000))
        await falls(seen, "2 times in a row: it fed its watchdog")
        says.write_text(FED.format(1 << 60))
        after = (await seen.sees("pump", "running")).pid
        assert after not in (0, before)
        says.write_text("ActiveState=failed\nResult=watchdog\nWatchdogUSec=2s\n")
        (services.folder / "pump.run").rename(services.folder / "away")
        os.kill(after, signal.SIGABRT)
        await falls(seen, f"process {after} ended: its watchdog ran out")


NO_PROCESS_MORE = """
import asyncio, concurrent.futures.thread, os, resource, sys
from roost_agent.host.processes.script import Scripts

async def main():
    scripts = Scripts()
    if sys.argv[1] == "fork":  # there is a thread by then
        assert await scripts.complaint("/bin/true", "", 5) == ""
    _, hard = resource.getrlimit(resource.RLIMIT_NPROC)
    resource.setrlimit(resource.RLIMIT_NPROC, (1, hard))
    os.setuid(65534)
    for _ in range(3):
        assert await scripts.complaint("/bin/false", "", 5) is None, "it is not what is unwell"
        assert "/bin/false cannot be run" in scripts.faults["/bin/false"]
    resource.setrlimit(resource.RLIMIT_NPROC, (hard, hard))
    assert (await scripts.complaint("/bin/false", "", 5)).endswith("ended with status 1")
    assert not scripts.faults
    print("ok")

asyncio.run(main())
"""


@needs_root
@pytest.mark.parametrize("lacks", ["thread", "fork"])
def test_where_no_process_can_be_started_no_script_says_that_it_is_unwell(lacks):
    done = subprocess.run(
        [sys.executable, "-c", NO_PROCESS_MORE, lacks],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.stdout == "ok\n", done.stderr
