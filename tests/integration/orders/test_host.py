"""A host end to end: a real agent tells how it stands, and is acted on by signed orders."""

import sys
from urllib.error import HTTPError

import pytest
from fleet_stage import roost
from program import Program
from waiting import wait_until

pytestmark = [pytest.mark.broker, pytest.mark.timeout(180)]


NODE = "lab.n1"
OPEN = {"pending", "ready", "taken"}


class Agent(Program):
    """``roost-agent run`` on a box's state."""

    def __init__(self, box):
        folder = box.state_dir.parent
        super().__init__(folder / "agent.log")
        self.config = folder / "etc"
        self.config.mkdir(exist_ok=True)
        (self.config / "agent.toml").write_text(
            f'state_dir = "{box.state_dir}"\n[beat]\ninterval_s = 1\n'
        )

    def start(self):
        self._launch(sys.executable, "-m", "roost_agent", "run", "--config", self.config)


@pytest.fixture(scope="module")
def agent(box):
    agent = Agent(box)
    agent.start()
    yield agent
    agent.kill()


def host(stage):
    return stage.central.get(f"/api/v1/nodes/{NODE}/host")


def is_now(stage, *wanted):
    told = host(stage)
    return (told["admin"], told["oper"], told["avail"]) == wanted


def place(stage, action, **more):
    """Order an act as people do: its checks come first."""
    body = {"reason": "fan"} | more
    return stage.central.post(f"/api/v1/nodes/{NODE}/host:{action}", body)["order"]


def ended(stage, order, agent):
    def look():
        return stage.central.get(f"/api/v1/orders/{order['id']}")

    wait_until(lambda: look()["state"] not in OPEN, f"{order}\n{agent.log}")
    return look()


def refusal(stage, action, agent):
    """Return why an act is not done: by the centre's word, or by the node's where it passed."""
    try:
        order = place(stage, action)
    except HTTPError as err:
        return err.read().decode()
    done = ended(stage, order, agent)
    assert done["state"] == "failed", done
    return done["text"]


def test_a_node_that_starts_is_seen_in_its_state_within_seconds(stage, agent):
    wait_until(lambda: is_now(stage, "unlocked", "disabled", "intest"), agent.log.read_text())
    assert "intest" in roost(stage, "host", "list")


def test_the_only_host_is_locked_by_force_alone_and_says_by_whom(stage, agent):
    assert "force-lock" in refusal(stage, "lock", agent)
    done = ended(stage, place(stage, "force-lock", confirm=NODE), agent)
    assert (done["state"], done["node"]) == ("done", NODE), done
    wait_until(lambda: is_now(stage, "locked", "disabled", "online"), "it is locked")
    assert "fan" in host(stage)["cause"]


def test_a_locked_host_stays_locked_when_its_agent_starts_again(stage, agent):
    agent.kill()
    agent.start()
    assert "n1 is locked: `roost host unlock lab.n1` first" in refusal(stage, "recover", agent)
    assert is_now(stage, "locked", "disabled", "online")


def test_an_unlock_goes_on_in_the_next_agent_when_one_is_killed_in_the_middle(stage, agent):
    order = place(stage, "unlock")
    wait_until(lambda: is_now(stage, "unlocked", "disabled", "intest"), "it is being enabled")
    agent.kill()
    agent.start()
    done = ended(stage, order, agent)
    assert done["state"] == "done", done
    wait_until(lambda: is_now(stage, "unlocked", "enabled", "available"), "it serves again")
    assert host(stage)["cause"] == "its enable sequence is through"


def test_what_needs_a_board_is_refused_where_none_is_known(stage, agent):
    assert "no board controller of n1 is known" in refusal(stage, "power-off", agent)


def test_an_act_on_a_host_is_no_order_of_the_plain_kind(stage, agent):
    words = ("node", "order", NODE, "host-lock", "node=n1", "--reason", "fan")
    assert "roost host lock lab.n1" in roost(stage, *words, fails=True)
    assert "host-lock" not in roost(stage, "order", "verbs")
