"""A board controller set at the centre: sealed to its site's node, read there, tested in words."""

import sys
from pathlib import Path

import pytest
from fleet_stage import roost
from test_orders import NODE, Agent
from waiting import wait_until

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))

from board_controllers import PASSWORD, USER, ipmi_sim, lacks

PROGRAMS = ("ipmi_sim", "sdrcomp", "ipmitool")
pytestmark = [
    pytest.mark.broker,
    pytest.mark.timeout(180),
    pytest.mark.skipif(bool(lacks(*PROGRAMS)), reason=f"needs {', '.join(PROGRAMS)}"),
]
AT = f"/api/v1/nodes/{NODE}"
WRONG = "canary-of-a-slip"


@pytest.fixture
def sim(tmp_path):
    with ipmi_sim(tmp_path) as made:
        made.say("temp", 48)
        yield made


@pytest.fixture
def agent(box):
    agent = Agent(box)
    agent.start()
    yield agent
    agent.kill()


def put(stage, sim, password, tmp_path):
    """Set it with the command, and wait until the node knows; return what it was told by."""
    file = tmp_path / "password"
    file.write_text(f"{password}\n")
    file.chmod(0o600)
    before = stage.central.get(f"{AT}/bmc")["configured"]
    roost(
        stage, "bmc", "set", NODE, "--host", "127.0.0.1", "--type", "ipmi", "--user", USER,
        "--ipmi-port", str(sim.port), "--interval-s", "10", "--password-file", str(file),
        "-m", "a new rack",
    )  # fmt: skip
    was = [] if before is None else before["told"]

    def told():
        found = stage.central.get(f"{AT}/bmc")["configured"]["told"]
        return found != was and all(each["state"] == "done" for each in found) and found

    return wait_until(told, "the node knows its controller", seconds=60)


def test_what_is_set_at_the_centre_is_read_by_the_node_and_is_nowhere_in_the_clear(
    stage, agent, sim, box, tmp_path
):
    [told] = put(stage, sim, WRONG, tmp_path)
    assert told["text"] == "board controllers of the centre: n1"
    bad = stage.central.post(f"{AT}/bmc:test", None)["order"]
    bad = wait_until(lambda: _end(stage, bad), "the test has ended", seconds=60)
    assert (bad["state"], bad["code"]) == ("failed", "credential"), bad
    put(stage, sim, PASSWORD, tmp_path)
    good = roost(stage, "bmc", "test", NODE)
    assert "by ipmi, power on, reached by lab.n1" in good
    wait_until(lambda: stage.central.get(f"{AT}/sensors")["sensors"], "its sensor is shown")
    shown = roost(stage, "bmc", "show", NODE)
    assert f"ipmi at 127.0.0.1 as {USER}" in shown
    assert "told       lab.n1: done" in shown
    assert "by ipmi" in roost(stage, "bmc", "relearn", NODE, "-m", "a new board")
    assert (box.state_dir / "boards.json").stat().st_mode & 0o777 == 0o600
    files = [agent.log, stage.central.log, *box.state_dir.rglob("*"), *stage.folder.rglob("*")]
    for file in files:
        if file.is_file():
            raw = file.read_bytes()
            assert PASSWORD.encode() not in raw, file
            assert WRONG.encode() not in raw, file


def _end(stage, order):
    found = stage.central.get(f"/api/v1/orders/{order['id']}")
    return found if found["state"] not in {"pending", "ready", "taken"} else None
