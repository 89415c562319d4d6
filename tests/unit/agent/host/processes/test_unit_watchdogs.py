"""systemd is asked through its own tool; here a script in its place says what a file holds."""

import pytest

from roost_agent.host.processes.definition import Definition, Mode
from roost_agent.host.processes.unit_watchdogs import WHOLE, UnitWatchdogs

PUMP = Definition(process="pump", file="f", service="pump", mode=Mode.NOTIFY, period=10)
OTHER = Definition(process="other", file="f", service="x", mode=Mode.NOTIFY, period=10)
GOOD = "ActiveState=active\nResult=success\nWatchdogUSec=30s\nWatchdogTimestampMonotonic=1000000\n"


class Systemd:
    """systemctl, by a file; and a clock."""

    def __init__(self, folder):
        self.folder = folder
        self.now_ms = 1_000
        program = folder / "systemctl"
        program.write_text(f'#!/bin/sh\necho "$@" >> {folder}/asked\n. {folder}/says\n')
        program.chmod(0o755)

    def says(self, *blocks, status=0):
        text = "\n".join(blocks)
        (self.folder / "text").write_text(text)
        (self.folder / "says").write_text(
            f"cat {self.folder}/text\n[ {status} = 0 ] || echo not booted >&2\nexit {status}\n"
        )

    def asked(self):
        return (self.folder / "asked").read_text().splitlines()

    def mono_ms(self):
        return self.now_ms


@pytest.fixture
def systemd(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return Systemd(tmp_path)


def watchdogs(systemd, *followed):
    return UnitWatchdogs({"pump": "pump@1.service"}, systemd, lambda: followed or (PUMP,))


async def test_one_that_is_late_is_not_well_and_one_that_is_not_is(systemd):
    systemd.says(GOOD)
    found = watchdogs(systemd)
    assert await found.complaint(PUMP) == ""
    systemd.now_ms = 40_000
    assert await found.complaint(PUMP) == "it fed its watchdog 39 s ago, due every 30 s"
    assert systemd.asked()[0].endswith("-- pump@1.service")


async def test_all_are_asked_for_together_and_at_most_twice_a_period(systemd):
    systemd.says(GOOD, GOOD)
    found = watchdogs(systemd, PUMP, OTHER)
    for each in (PUMP, OTHER, PUMP, OTHER):
        assert await found.complaint(each) == ""
    assert len(systemd.asked()) == 1
    assert systemd.asked()[0].endswith("-- pump@1.service x.service")
    systemd.now_ms += 5_000
    await found.complaint(PUMP)
    assert len(systemd.asked()) == 2


async def test_a_unit_without_a_watchdog_is_told_and_watched_passively(systemd):
    systemd.says("ActiveState=active\nWatchdogUSec=infinity\n")
    found = watchdogs(systemd)
    assert await found.complaint(PUMP) == ""
    assert found.faults == {"pump": "pump: pump@1.service has no WatchdogSec"}


async def test_where_no_systemd_runs_nobody_is_unwell_for_it(systemd):
    systemd.says(status=1)
    found = watchdogs(systemd)
    assert await found.complaint(PUMP) is None
    assert found.faults[WHOLE].endswith("systemctl show: not booted")
    systemd.says("")
    systemd.now_ms += 5_000
    assert await found.complaint(PUMP) is None
    assert found.faults[WHOLE].endswith("it said something else")
    systemd.says(GOOD)
    systemd.now_ms += 5_000
    assert await found.complaint(PUMP) == ""
    assert found.faults == {}


async def test_why_it_ended_is_asked_at_once(systemd):
    systemd.says(GOOD)
    found = watchdogs(systemd)
    await found.complaint(PUMP)
    systemd.says("ActiveState=failed\nResult=watchdog\n")
    assert await found.why_ended(PUMP) == "its watchdog ran out"
    systemd.says(status=1)
    assert await found.why_ended(PUMP) == ""
