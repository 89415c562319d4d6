"""A rollout as the demo's user does it: a good release, a bad one that halts, the way back.

Every command stands in the block that the demo prints; here it is given to the real programs.
"""

import json
import re

import pytest
from on_demo import roost

from roost_central.brokers.mosquitto import mosquitto

pytestmark = [pytest.mark.broker, pytest.mark.soak, pytest.mark.timeout(900)]
NODES = ("n1", "n2", "n3")
WAIT_S = 300
HALTED = "paused"


@pytest.fixture
def running(demo):
    if mosquitto() is None:
        pytest.skip("mosquitto is not installed: no broker with mTLS")
    return demo("--sites", "12")


def begun(running, version):
    """Start the rollout of a version; return its id."""
    plan = re.search(
        rf"rollout create (\S+sensor-{version}\.toml) --start", running.out.read_text()
    )
    made = json.loads(roost(running, "rollout", "create", plan[1], "--start", "-o", "json"))
    assert made["state"] == "running"
    return made["id"]


def is_at(running, rollout, state):
    running.wait(lambda: running.get(f"/rollouts/{rollout}")["state"] == state, for_s=WAIT_S)


def reads(running, node):
    """What the application of a node wrote last."""
    return (running.folder / f"lab.{node}/machine/run/sensor").read_text()


def test_a_good_release_runs_at_the_real_site_a_bad_one_halts_and_is_undone(running):
    good = begun(running, "2.1.0")
    is_at(running, good, "completed")
    for node in NODES:
        assert reads(running, node).startswith("sensor 2.1.0 reads ")
    bad = begun(running, "2.2.0")
    is_at(running, bad, HALTED)

    def back():
        return {
            job["site"]: job["detail"]
            for job in running.get(f"/rollouts/{bad}/jobs?state=rolled_back")["items"]
        }

    running.wait(lambda: "lab" in back(), for_s=WAIT_S)
    assert "process sensor is " in back()["lab"], "it commits nothing that fails"
    assert not any(
        job["wave"] > 1 for job in running.get(f"/rollouts/{bad}/jobs?state=failed")["items"]
    )
    told = roost(running, "rollout", "failures", bad)
    assert "health" in told
    assert "lab" in told
    roost(running, "rollout", "rollback", bad, "-m", "it ends at once")
    is_at(running, bad, "rolled_back")
    for node in NODES:
        root = running.folder / f"lab.{node}/machine/opt/roost/app/sensor/current"
        assert "sensor 2.1.0" in (root / "bin/sensor").read_text()
    before = {node: reads(running, node) for node in NODES}
    running.wait(lambda: all(reads(running, node) != before[node] for node in NODES))
    assert {reads(running, node)[:12] for node in NODES} == {"sensor 2.1.0"}
