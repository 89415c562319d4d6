"""Acts on a host end to end: the centre asks, a real agent does, and what it says is seen."""

import pytest
from test_orders import NODE, Agent, look
from waiting import wait_until

pytestmark = [pytest.mark.broker, pytest.mark.timeout(180)]

HOST = f"/api/v1/nodes/{NODE}/host"
OPEN = {"pending", "ready", "taken"}


@pytest.fixture
def agent(box):
    agent = Agent(box)
    agent.start()
    yield agent
    agent.kill()


def state(stage):
    found = stage.central.get(HOST)
    return found["admin"], found["oper"], found["avail"]


def do(stage, action, **body):
    found = stage.central.post(f"{HOST}:{action}", {"reason": "a fan is changed"} | body)["order"]
    wait_until(lambda: look(stage, found)["state"] not in OPEN, f"{action} ended", seconds=90)
    return look(stage, found)


def test_a_host_is_locked_and_unlocked_from_the_centre_and_each_step_is_seen(stage, agent):
    wait_until(lambda: state(stage)[0] == "unlocked", "the host is spoken of")
    generation = stage.central.get(f"{HOST}/actions")["generation"]
    expect = {"admin": "unlocked", "generation": generation}
    locked = do(stage, "force-lock", confirm=NODE, expect=expect)
    assert (locked["state"], locked["verb"]) == ("done", "host-force-lock"), locked
    wait_until(lambda: state(stage) == ("locked", "disabled", "online"), "it is locked")
    alarms = "/api/v1/alarms?filter=type%3D200.001"
    [alarm] = wait_until(lambda: stage.central.get(alarms)["items"], "the lock is an alarm")
    assert "a fan is changed" in alarm["text"]
    unlocked = do(stage, "unlock")
    assert unlocked["state"] == "done", unlocked
    wait_until(lambda: state(stage)[1] == "enabled", "it serves again", seconds=90)
    wait_until(lambda: stage.central.get(alarms)["items"] == [], "the alarm is over")
    moves = [each["avail"] for each in stage.central.get(f"{HOST}/history")["items"]]
    assert moves[:3] == ["available", "intest", "online"]
