"""A group of real processes: started in order, watched, restarted, stopped and confirmed."""

import asyncio
import os
import signal
import sys

import pytest
from cgroups import STUBBORN, needs_cgroups
from running_group import web
from waiting import until

from roost_agent.guard import cgroup
from roost_agent.ha.services.core import IN_MAINTENANCE
from roost_agent.ha.services.event import Failed, Restarting, Running, StopConfirmed

pytestmark = [pytest.mark.netns, needs_cgroups, pytest.mark.timeout(300)]

# A child that leaves its session and its parent: only the cgroup still knows it.
ESCAPED = (
    sys.executable,
    "-c",
    "import os, time\nif os.fork() == 0:\n  os.setsid()\n  if os.fork() == 0:\n    time.sleep(600)",
)


async def started(path):
    """What the services noted, once there is something."""
    return (await until(lambda: path.exists() and path.read_text(), "a start")).splitlines()


async def test_a_group_starts_with_its_epoch_and_its_stop_is_confirmed(groups, tmp_path):
    group = groups.begun(web(tmp_path / "told"))
    assert group.shell.prepare() == ""
    assert group.shell.is_empty()
    group.shell.start(37)
    assert await group.told(Running) == Running(37)
    (line,) = await started(tmp_path / "told")
    assert line.rpartition(" ")[0] == "37 main main web"
    assert not group.shell.is_empty()
    group.shell.stop()
    assert await group.told(StopConfirmed) == StopConfirmed(37)
    assert group.shell.is_empty()
    assert groups.pids() == []


async def test_a_service_that_is_killed_is_restarted(groups, tmp_path):
    group = groups.begun(web(tmp_path / "told"))
    group.shell.start(37)
    await group.told(Running)
    before = await until(groups.pids, "it runs")
    os.kill(before[0], signal.SIGKILL)
    await group.told(Running, 2)
    assert group.of(Restarting) == [Restarting("web", 0, "killed by SIGKILL")]
    assert await until(groups.pids, "it runs again") != before


async def test_what_a_start_command_leaves_is_watched_by_its_cgroup(groups, tmp_path):
    run = {"start": ["/bin/sh", "-c", "sleep 600 &"]}
    group = groups.begun({"name": "web", "run": run, "passive": ["cgroup-empty"]})
    group.shell.start(5)
    await group.told(Running)
    os.kill(groups.pids()[0], signal.SIGKILL)
    assert (await group.told(Restarting)).why == "all its processes ended"
    await group.told(Running, 2)


async def test_what_left_its_parent_and_its_session_is_killed_all_the_same(groups):
    service = {"name": "web", "run": {"start": list(ESCAPED)}, "passive": ["cgroup-empty"]}
    group = groups.begun(service)
    group.shell.start(5)
    await group.told(Running)
    await until(lambda: len(groups.pids()) == 1, "only the escaped one runs")
    (pid,) = groups.pids()
    group.shell.stop()
    await group.told(StopConfirmed)
    assert pid not in cgroup.pids(cgroup.mount_point())


async def test_what_ignores_its_stop_is_killed_within_its_budget(groups):
    service = {"name": "web", "run": {"start": list(STUBBORN)}, "budget": {"stop_s": 0.3}}
    group = groups.begun(service)
    group.shell.start(5)
    await group.told(Running)
    group.shell.stop()
    await group.told(StopConfirmed)
    assert groups.pids() == []


async def test_what_is_left_at_the_groups_deadline_is_killed(groups):
    service = {"name": "web", "run": {"start": list(STUBBORN)}, "budget": {"stop_s": 20}}
    group = groups.begun(service)
    group.shell.start(5)
    await group.told(Running)
    group.shell.stop(by_ms=1)  # which is past
    await group.told(StopConfirmed)


async def test_a_stop_command_is_asked_first(groups, tmp_path):
    run = {
        "start": ["/bin/sh", "-c", "trap 'exit 0' USR1; while :; do sleep 0.05; done"],
        "stop": ["/bin/sh", "-c", 'echo "asked $HA_EPOCH" > "$0"', str(tmp_path / "asked")],
    }
    group = groups.begun({"name": "web", "run": run})
    group.shell.start(5)
    await group.told(Running)
    group.shell.stop()
    await group.told(StopConfirmed)
    assert (tmp_path / "asked").read_text() == "asked 5\n"


@pytest.mark.parametrize(
    ("run", "why"),
    [
        ({"start": ["/bin/sh", "-c", "exit 3"]}, "its start ended with status 3"),
        ({"start": ["/bin/sleep", "600"]}, "not started within 0.2 s"),
        ({"start": ["/nowhere/x"]}, "its start ended with status 127"),
    ],
)
async def test_a_start_that_fails_is_told_with_its_reason(groups, run, why):
    service = {"name": "web", "run": run, "passive": ["cgroup-empty"], "ladder": []}
    group = groups.begun(service | {"budget": {"start_s": 0.2, "stop_s": 1}})
    group.shell.start(5)
    assert await group.told(Failed) == Failed("web", "critical", "", why)
    assert group.shell.core.status == "failed"


async def test_probes_that_fail_restart_it(groups, tmp_path):
    probe = ["/bin/sh", "-c", 'test ! -e "$0"', str(tmp_path / "sick")]
    active = {"probe": probe, "interval_s": 0.1, "timeout_s": 30, "fail": 2, "pass": 1}
    group = groups.begun(web(tmp_path / "told", active=active))
    group.shell.start(5)
    await group.told(Running)
    (tmp_path / "sick").touch()
    assert (await group.told(Restarting)).why == "2 of 2 probes failed, the last by fail"
    (tmp_path / "sick").unlink()


async def test_while_it_is_paused_it_is_not_probed_and_what_is_killed_stays_down(groups, tmp_path):
    asked = tmp_path / "asked"
    probe = ["/bin/sh", "-c", 'echo >> "$0"', str(asked)]
    active = {"probe": probe, "interval_s": 0.1, "timeout_s": 30}
    group = groups.begun(web(tmp_path / "told", active=active))
    group.shell.start(5)
    await group.told(Running)
    await until(asked.exists, "a probe")
    group.shell.pause(is_on=True)
    os.kill((await until(groups.pids, "it runs"))[0], signal.SIGKILL)
    await until(lambda: group.shell.core.services == {"web": "disabled"}, "its end is noted")
    before = len(asked.read_text())
    await asyncio.sleep(0.5)
    assert (groups.pids(), group.reports) == ([], [Running(5)])
    assert len(asked.read_text()) <= before + 1, "one may have been on its way"
    group.shell.pause(is_on=False)
    await group.told(Running, 2)
    assert group.of(Restarting) == [Restarting("web", 0, IN_MAINTENANCE)]
    await until(groups.pids, "it runs again")


async def test_a_probe_that_hangs_is_a_timeout(groups, tmp_path):
    active = {"probe": ["/bin/sleep", "600"], "interval_s": 0.1, "timeout_s": 0.1, "fail": 1}
    group = groups.begun(web(tmp_path / "told", active=active))
    group.shell.start(5)
    assert (await group.told(Restarting)).why == "1 of 1 probes failed, the last by timeout"


OCF = """#!/bin/sh
# A resource agent: its state is a file, its process a sleep.
state=@FOLDER@/state
case $1 in
  start) [ -e $state ] && exit 0; sleep 600 & echo $OCF_RESOURCE_INSTANCE $HA_EPOCH > $state ;;
  stop) rm -f $state; echo stopped >> @FOLDER@/told ;;
  monitor) [ -e $state ] || exit 7 ;;
  *) exit 3 ;;
esac
"""


async def test_an_ocf_agent_is_asked_by_its_exit_codes(groups, tmp_path):
    agent = tmp_path / "agent"
    agent.write_text(OCF.replace("@FOLDER@", str(tmp_path)))
    agent.chmod(0o755)
    active = {"probe": ["/unused"], "interval_s": 0.1, "timeout_s": 30, "fail": 1}
    group = groups.begun({"name": "web", "run": {"ocf": str(agent)}, "active": active})
    group.shell.start(5)
    await group.told(Running)
    assert (tmp_path / "state").read_text() == "web 5\n"
    (tmp_path / "state").unlink()  # its monitor says 7 now
    assert (await group.told(Restarting)).why == "1 of 1 probes failed, the last by fail"
    await group.told(Running, 2)
    group.shell.stop()
    await group.told(StopConfirmed)
    assert (tmp_path / "told").read_text() == "stopped\n"
    assert groups.pids() == []


async def test_the_next_agent_takes_over_what_runs_under_the_same_epoch(groups, tmp_path):
    first = groups.begun(web(tmp_path / "told"))
    first.shell.start(5)
    await first.told(Running)
    before = await until(groups.pids, "it runs")
    await started(tmp_path / "told")
    await groups.leave()
    assert groups.pids() == before
    second = groups.begun(web(tmp_path / "told"))
    second.shell.start(5)
    await second.told(Running)
    assert groups.pids() == before
    os.kill(before[0], signal.SIGKILL)  # and watches it
    await second.told(Restarting)


async def test_the_next_agent_takes_nothing_over_from_another_epoch(groups, tmp_path):
    first = groups.begun(web(tmp_path / "told"))
    first.shell.start(5)
    await first.told(Running)
    before = await until(groups.pids, "it runs")
    await groups.leave()
    second = groups.begun(web(tmp_path / "told"))
    second.shell.start(37)
    await second.told(Running)
    assert not set(before) & set(groups.pids())
    lines = await until(
        lambda: [x for x in (tmp_path / "told").read_text().splitlines() if x.startswith("37")],
        "the new one says its epoch",
    )
    assert len(lines) == 1


async def test_the_next_agent_stops_what_it_never_started(groups, tmp_path):
    first = groups.begun(web(tmp_path / "told"))
    first.shell.start(5)
    await first.told(Running)
    await until(groups.pids, "it runs")
    await groups.leave()
    second = groups.begun(web(tmp_path / "told"))
    second.shell.stop(epoch=5)
    assert await second.told(StopConfirmed) == StopConfirmed(5)
    assert groups.pids() == []


async def test_a_group_that_was_never_started_is_confirmed_once_looked_at(groups, tmp_path):
    group = groups.begun(web(tmp_path / "told"))
    group.shell.stop(epoch=5)
    assert await group.told(StopConfirmed) == StopConfirmed(5)


async def test_who_may_not_is_not_eligible(groups, tmp_path):
    for words, may in ((["/bin/true"], True), (["/bin/false"], False), (["/nowhere"], False)):
        group = groups.begun(web(tmp_path / "told", eligible=words))
        assert await group.shell.eligible() is may


def test_the_folder_of_a_group_without_cgroups_is_told(tmp_path):
    assert cgroup.kill(str(tmp_path / "gone")) == ""
