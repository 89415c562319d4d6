"""A rollout as an operator does it, over a real centre, signer and broker, onto a real node."""

import json
import os
import sqlite3
import subprocess
import sys
import textwrap

import pytest
from broker import PROGRAM
from fleet_stage import Box, FleetStage
from release_stage import ReleaseDesk, roost
from updated_agent import UpdatedAgent
from waiting import wait_until

from roost_protocol.codec import Decoder
from roost_protocol.install_receipt import read_receipt
from roost_protocol.update import JobReport

pytestmark = [pytest.mark.broker, pytest.mark.timeout(240)]

UPDATE = Decoder[JobReport](JobReport)
PLAN = """\
name = "web {version}"
component = "app/web"
version = "{version}"
approvers = 0
uncovered_ok = true
[wave_defaults]
site_soak_s = 0
soak_s = 0
[[wave]]
rest = true
"""


@pytest.fixture
def stage(tmp_path):
    if PROGRAM is None:
        pytest.skip("mosquitto is not installed")
    made = FleetStage(tmp_path / "fleet")
    made.desk = ReleaseDesk(made, tmp_path / "desk")
    first = made.desk.ceremony()
    with made.running():
        roost(made, "release", "publish", first)
        yield made


@pytest.fixture
def node(stage, tmp_path):
    stage.add_site("edge", "n1")
    box = Box(tmp_path / "node")
    joined = box.join(stage.url, token=stage.token("edge"))
    assert joined.returncode == 0, joined.stderr
    made = UpdatedAgent(box)
    words = ["--image-root", stage.desk.folder / "anchors/image-root.json"]
    words += ["--state-dir", box.state_dir, "--trust-dir", made.trust]
    subprocess.run(
        [sys.executable, "-m", "roost_agent", "verify", "anchor", *map(str, words)], check=True
    )
    made.start()
    yield made
    made.stop()


def rolled(stage, version, folder):
    """Start a rollout of a version; return its id."""
    plan = folder / f"{version}.toml"
    plan.write_text(textwrap.dedent(PLAN.format(version=version)))
    made = roost(stage, "rollout", "create", plan, "--expect", "1", "-o", "json")
    rollout = json.loads(made)
    rollout = rollout[0] if isinstance(rollout, list) else rollout
    roost(stage, "rollout", "start", rollout["id"])
    return rollout["id"]


def state(stage, rollout):
    return stage.central.get(f"/api/v1/rollouts/{rollout}")["state"]


def test_a_release_is_rolled_onto_a_node_and_a_bad_one_halts_and_is_undone(stage, node, tmp_path):
    stage.desk.publish(stage.desk.build("1.0", 1, {"bin/run": b"one", "data": os.urandom(50_000)}))
    first = rolled(stage, "1.0", tmp_path)
    wait_until(lambda: has(node, "install"), "it is let go on")
    stage.cut_wan()
    try:
        wait_until(lambda: has(node, "end"), "it ends with nobody beyond it")
    finally:
        stage.mend_wan()
    wait_until(lambda: state(stage, first) == "completed", node.words, seconds=150)
    assert node.current()["bin/run"] == b"one"
    first = wait_until(lambda: vouched(stage), "the node has signed how it ended")
    assert (first.outcome, first.component, len(first.digest)) == ("succeeded", "app/web", 64)
    node.health(f"[ ! -e {node.place}/current/bad ] || exit 1")
    stage.desk.publish(stage.desk.build("2.0", 2, {"bin/run": b"two", "bad": b""}))
    second = rolled(stage, "2.0", tmp_path)
    wait_until(lambda: state(stage, second) == "paused", node.words, seconds=150)
    assert node.current()["bin/run"] == b"one"
    told = roost(stage, "rollout", "failures", second)
    wait_until(lambda: vouched(stage).counter > first.counter, "it has signed the second, too")
    assert (vouched(stage).outcome, vouched(stage).digest) == ("rolled_back", first.digest)
    assert "health" in told
    assert "app/web" in on_node(node, "status")
    assert "rolled_back" in told or "rollback" in on_node(node, "history")
    on_node(node, "hold", "--until", "2099-01-01T00:00Z", "--reason", "stocktaking")
    held = json.loads(on_node(node, "status", "--json"))
    assert held["hold"]["why"] == "stocktaking"
    assert held["components"]["app/web"]["running"]["version"] == "1.0"
    on_node(node, "release")
    assert "held" not in on_node(node, "status")


def has(node, step):
    return any(line.step == step for line in node.lines())


def vouched(stage):
    """The newest receipt that the centre knows of the node; None: there is none."""
    with sqlite3.connect(f"file:{stage.central.data_dir}/roost.db?mode=ro", uri=True) as base:
        rows = base.execute("SELECT body FROM update_report").fetchall()
    base.close()
    install = UPDATE.decode(rows[0][0]).install if rows else None
    return None if install is None else read_receipt(install)


def on_node(node, *words):
    """What a person on the node does."""
    where = ["--state-dir", str(node.folder / "state")]
    done = subprocess.run(
        [sys.executable, "-m", "roost_agent", "update", *where, *words],
        check=True, capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    return done.stdout
