"""Simulator, agent, broker, centre as programs: a threshold is crossed, and the centre shows it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "agent"))

from agent_process import AgentProcess
from board_controllers import PASSWORD, bmc_toml, ipmi_sim, lacks
from broker import mosquitto
from central_process import CentralProcess
from waiting import wait_until

__all__ = ["mosquitto"]

ENTITY = "site=lab,node=n1,bmc=n1,sensor=CPU Temp"
PROGRAMS = ("ipmi_sim", "sdrcomp", "ipmitool")
pytestmark = [
    pytest.mark.broker,
    pytest.mark.timeout(180),
    pytest.mark.skipif(bool(lacks(*PROGRAMS)), reason=f"needs {', '.join(PROGRAMS)}"),
]


@pytest.fixture
def centre(tmp_path, mosquitto):
    process = CentralProcess(tmp_path, mosquitto.url)
    process.start()
    process.ready()
    yield process
    process.kill()


@pytest.fixture
def agent(tmp_path, mosquitto):
    process = AgentProcess(tmp_path, {"wan1": mosquitto.url})
    yield process
    process.kill()


def roost(centre, *words):
    return subprocess.run(
        (sys.executable, "-m", "roost_central.cli", *words),
        env=os.environ | {"ROOST_URL": centre.url, "ROOST_TOKEN": centre.token},
        capture_output=True, text=True, timeout=30, check=False,
    ).stdout  # fmt: skip


def test_a_threshold_that_is_crossed_is_an_alarm_and_a_row_at_the_centre(tmp_path, agent, centre):
    (tmp_path / "sim").mkdir()
    with ipmi_sim(tmp_path / "sim") as sim:
        sim.say("temp", 150)
        file = bmc_toml(tmp_path, type="ipmi", ipmi_port=sim.port, interval_s=10)
        with (tmp_path / "agent.toml").open("a") as config:
            config.write(f'[bmc]\nfile = "{file}"\n')
        agent.start()

        def stands():
            found = centre.get("/api/v1/alarms")["items"]
            return next((each for each in found if each["type"] == "200.813"), None)

        alarm = wait_until(stands, f"an alarm: {agent.log}", seconds=60)
        assert (alarm["severity"], alarm["entity"]) == (
            "major",
            ENTITY,
        )
        at = "/api/v1/nodes/lab.n1"
        found = wait_until(lambda: centre.get(f"{at}/sensors")["sensors"], "a row", seconds=30)
        assert [(each["sensor"], each["value"], each["level"]) for each in found] == [
            ("CPU Temp", 150.0, "major")
        ]
        board = centre.get(f"{at}/bmc")
        assert (board["speaker"], board["protocol"], board["power"]) == ("lab.n1", "ipmi", "on")
        assert "CPU Temp" in roost(centre, "host", "sensors", "lab.n1")
        assert "read by    lab.n1" in roost(centre, "bmc", "show", "lab.n1")
        sim.say("temp", 48)
        wait_until(lambda: stands() is None, "it is over", seconds=60)
        for written in (agent.log, tmp_path / "state/bmc.json", centre.log):
            assert PASSWORD not in written.read_text()
