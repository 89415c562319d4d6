"""A board controller end to end: its sensors shown at the centre, acts on power ordered there."""

import sys
from pathlib import Path

import pytest
from fleet_stage import roost
from test_orders import NODE, Agent, look
from waiting import wait_until

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))

from board_controllers import PASSWORD, bmc_toml, ipmi_sim, lacks

PROGRAMS = ("ipmi_sim", "sdrcomp", "ipmitool")
pytestmark = [
    pytest.mark.broker,
    pytest.mark.timeout(180),
    pytest.mark.skipif(bool(lacks(*PROGRAMS)), reason=f"needs {', '.join(PROGRAMS)}"),
]
ENTITY = "site=lab,node=n1,bmc=n1"
OPEN = {"pending", "ready", "taken"}


@pytest.fixture
def sim(tmp_path):
    with ipmi_sim(tmp_path) as made:
        made.say("temp", 150)
        yield made


@pytest.fixture
def agent(box, sim, tmp_path):
    file = bmc_toml(tmp_path, type="ipmi", ipmi_port=sim.port, interval_s=10)
    agent = Agent(box)
    with (agent.config / "agent.toml").open("a") as config:
        config.write(f'[bmc]\nfile = "{file}"\n')
    agent.start()
    yield agent
    agent.kill()


def do(stage, action):
    body = {"reason": "it hangs", "force": True, "confirm": NODE}
    found = stage.central.post(f"/api/v1/nodes/{NODE}/host:{action}", body)["order"]
    wait_until(lambda: look(stage, found)["state"] not in OPEN, f"{action} ended", seconds=90)
    return look(stage, found)


def test_sensors_are_shown_and_a_reset_goes_to_the_board_controller(stage, agent, sim, box):
    at = f"/api/v1/nodes/{NODE}"
    wait_until(lambda: stage.central.get(f"{at}/bmc")["as_of"], "its controller is known")
    wait_until(lambda: stage.central.get(f"{at}/host")["admin"], "the host is spoken of")
    alarms = "/api/v1/alarms?filter=type%3D200.813"
    [alarm] = wait_until(lambda: stage.central.get(alarms)["items"], "the threshold is an alarm")
    assert (alarm["severity"], alarm["entity"]) == ("major", f"{ENTITY},sensor=CPU Temp")
    [row] = stage.central.get(f"{at}/sensors")["sensors"]
    assert (row["sensor"], row["value"], row["level"]) == ("CPU Temp", 150.0, "major")
    assert "CPU Temp" in roost(stage, "host", "sensors", NODE)
    assert f"read by    {NODE}" in roost(stage, "bmc", "show", NODE)
    done = do(stage, "reset")
    assert done["state"] == "done", done
    assert "read by its board controller" in done["text"]
    assert [each for each in sim.orders() if each.startswith("reset")] == ["reset 1"]
    sim.pause()
    dead = do(stage, "reset")
    assert dead["state"] == "failed", dead
    assert "unreachable" in dead["text"]
    for written in (agent.log, box.state_dir / "bmc.json", stage.central.log):
        assert PASSWORD not in written.read_text()
