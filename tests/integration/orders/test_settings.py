"""Settings end to end: a profile at the centre becomes what a node is, by processes alone."""

import os

import pytest
from fleet_stage import Box
from settings_node import SettingsNode
from waiting import wait_until

pytestmark = [pytest.mark.broker, pytest.mark.netns, pytest.mark.timeout(180)]

NODE = "edge.n1"
PROFILE = """[profile]
name = "edge"
site = "edge"
[dns]
servers = ["{server}"]
[time]
timezone = "{zone}"
[thresholds."node.cpu.high"]
major = 85
"""
PLAN = """
name = "edge"
profiles = ["edge.toml"]
approvers = 0
uncovered_ok = true
[wave_defaults]
site_soak_s = 0
soak_s = 0
gates = {alarms = "permissive"}
[[wave]]
rest = true
"""


@pytest.fixture
def node(stage, tmp_path):
    """A new box of a site that has a profile; it joins, and runs."""
    if os.geteuid() != 0:
        pytest.skip("mounts of its own: not root")
    stage.add_site("edge", "n1")
    apply(stage, "192.0.2.53", "Europe/Berlin")
    box = Box(tmp_path / "box")
    done = box.join(stage.url, token=stage.token("edge"))
    assert done.returncode == 0, done.stderr
    made = SettingsNode(box)
    made.start()
    yield made
    made.kill()


def apply(stage, server, zone):
    source = PROFILE.format(server=server, zone=zone)
    body = {"files": [{"file": "edge.toml", "source": source}], "remove": [], "reason": "test"}
    return stage.central.post("/api/v1/profiles:apply", body | {"at_once": True})


def roll_out(stage, server, zone):
    """Make a rollout of the profile and start it; return its id."""
    files = [{"file": "edge.toml", "source": PROFILE.format(server=server, zone=zone)}]
    made = stage.central.post("/api/v1/rollouts", {"plan": PLAN, "files": files})
    stage.central.post(f"/api/v1/rollouts/{made['id']}/start", {})
    return made["id"]


def state(stage, rollout):
    return stage.central.get(f"/api/v1/rollouts/{rollout}")["state"]


def text(stage):
    return stage.central.get("/api/v1/profiles/edge")["source"]


def seen(stage):
    return stage.central.get(f"/api/v1/nodes/{NODE}")


def failed(stage):
    """Return the node's alarm that settings could not be applied, None where there is none."""
    alarms = stage.central.get("/api/v1/alarms")["items"]
    return next((each for each in alarms if each["type"] == "250.801"), None)


def test_a_new_box_is_what_its_profile_says_and_follows_it(stage, node):
    resolv = node.etc / "resolv.conf"
    wait_until(lambda: "192.0.2.53" in resolv.read_text(), node.words(), seconds=60)
    assert str((node.etc / "localtime").readlink()).endswith("Europe/Berlin")
    assert not (node.folder / "state/identity/configuration").exists()  # it was taken up
    apply(stage, "192.0.2.54", "UTC")
    wait_until(lambda: "192.0.2.54" in resolv.read_text(), node.words(), seconds=60)
    wait_until(lambda: seen(stage)["config"]["state"] == "in-sync", node.words(), seconds=60)
    wait_until(lambda: "limits of 1 alarm types" in node.log.read_text(), node.words(), seconds=30)
    bad = roll_out(stage, "192.0.2.55", "Mars/Base")  # no such zone: the node says so
    wait_until(lambda: state(stage, bad) == "paused", node.words(), seconds=60)
    (why,) = stage.central.get(f"/api/v1/rollouts/{bad}/failures")["items"]
    assert why["sites"] == ["edge"]
    assert "timezone" in why["reason"]
    alarm = wait_until(lambda: failed(stage), node.words(), seconds=60)
    assert "Mars/Base" in alarm["text"]
    assert "192.0.2.54" in resolv.read_text()
    stage.central.post(f"/api/v1/rollouts/{bad}/roll-back", {"reason": "no such zone"})
    wait_until(lambda: state(stage, bad) == "rolled_back", node.words(), seconds=60)
    wait_until(lambda: "UTC" in text(stage), node.words(), seconds=30)
    good = roll_out(stage, "192.0.2.56", "UTC")
    stage.central.kill()
    stage.start_centre()
    wait_until(lambda: state(stage, good) == "completed", node.words(), seconds=90)
    assert "192.0.2.56" in resolv.read_text()
