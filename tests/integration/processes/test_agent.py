"""The agent as a process that watches: what a person on the node sees, and what a restart keeps."""

import json
import os
import signal
import sys
from pathlib import Path

import pytest
from waiting import wait_until

sys.path.insert(0, str(Path(__file__).parents[1] / "agent"))

from agent_process import AgentProcess

pytestmark = [pytest.mark.netns, pytest.mark.timeout(180)]

CLOSED_PORT = 1


@pytest.fixture
def agent(services, tmp_path):
    """An agent that watches the services, with a broker that is not there."""
    made = AgentProcess(tmp_path, {"wan1": f"mqtt://127.0.0.1:{CLOSED_PORT}"})
    given = services.config()
    with (tmp_path / "agent.toml").open("a") as file:
        file.write(
            f'[processes]\nfolders = ["{given.folders[0]}"]\n'
            f'units = "{given.units}"\nhelper = "{given.helper}"\n'
        )
    yield made
    made.kill()


def processes(agent):
    found = agent.run("host", "processes", "--json")
    return json.loads(found.stdout) if found.returncode == 0 else None


def state(agent):
    report = processes(agent)
    return report["processes"][0]["state"] if report else None


def failed(agent):
    found = agent.run("status", "--json")
    return found.returncode == 0 and json.loads(found.stdout)["alarms"]["severities"]["major"]


def test_what_fails_is_an_alarm_that_stands_over_a_restart_of_the_agent(services, agent):
    services.helper.start()
    services.define("own", service="own", severity="major", startuptime=1, debounce=1)
    agent.start()
    wait_until(lambda: failed(agent) == 1, "nobody starts it: the catalogue does not know it")
    assert state(agent) == "failed"
    assert "no name of the catalogue" in processes(agent)["processes"][0]["reason"]
    assert processes(agent)["degrade"] == {"process": "major"}
    agent.stop()
    agent.start()
    wait_until(lambda: state(agent) == "failed", "it is still away")
    assert failed(agent) == 1
    log = agent.log.read_text()
    assert log.count("alarm raise: 200.006") == 1, "told once, over the restart"
    assert "alarm clear: 200.006" not in log


def test_one_that_died_is_running_again_and_a_person_sees_it(services, agent):
    services.add("pump", startuptime=1, debounce=1, interval=1)
    services.helper.start()
    agent.start()
    wait_until(lambda: state(agent) == "running", "started by the agent, for nobody else did")
    before = services.pid("pump")
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: services.pid("pump") not in (0, before), "another process")
    wait_until(lambda: state(agent) == "running", "it has settled")
    text = agent.run("host", "processes").stdout
    head, row = text.splitlines()
    assert head.split() == ["PROCESS", "STATE", "MODE", "SEVERITY", "PID", "RESTARTS", "WHY"]
    assert row.split()[:4] == ["pump", "running", "passive", "minor"]
    assert not failed(agent)
    assert "processes  1 defined" in agent.run("check-config").stdout
