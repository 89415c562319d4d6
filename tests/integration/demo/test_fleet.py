"""The demo's site is a fleet of its own: orders, settings and one more box, as its user tries them.

Every command stands in the block that the demo prints; here it is given to the real programs.
"""

import json
import re
import subprocess
import sys

import pytest
from on_demo import changed_alone, roost

from roost_central.brokers.mosquitto import mosquitto

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]


@pytest.fixture
def running(demo):
    if mosquitto() is None:
        pytest.skip("mosquitto is not installed: no broker with mTLS")
    return demo("--sites", "0")


def test_orders_settings_and_one_more_box_go_as_the_block_says(running):
    block = running.out.read_text()
    plan = str(running.folder / "sensor-2.1.0.toml")
    assert f"rollout create {plan} --start" in block
    assert (
        json.loads(roost(running, "rollout", "create", plan, "--start", "-o", "json"))["sites"] == 1
    )
    order = json.loads(
        roost(running, "node", "order", "lab.n1", "refresh-inventory", "--wait", "-o", "json")
    )
    assert order["state"] == "done"

    machine = running.folder / "lab.n1/machine"
    swappiness = machine / "proc/sys/vm/swappiness"
    assert f"echo 60 > {swappiness}" in block
    roost(running, "profile", "apply", str(running.folder / "lab-profile.toml"))
    running.wait(lambda: running.node("n1")["config"]["state"] == "in-sync")
    assert swappiness.read_text().strip() == "10"
    assert "192.0.2.53" in (machine / "etc/resolv.conf").read_text()
    swappiness.write_text("60\n")
    words = ["config", "diff", "--told", running.folder / "lab.n1/told", "--root", machine]
    diff = subprocess.run(
        [sys.executable, "-m", "roost_agent", *words],
        capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip
    assert "vm.swappiness" in diff.stdout
    roost(running, "node", "reapply", "lab.n1", "-m", "changed by hand")
    running.wait(lambda: swappiness.read_text().strip() == "10")

    url = re.search(r"join (https://\S+)", block)[1]
    line = roost(
        running, "enrol", "token", "create", "--site", "lab", "--node", "n4", "--auto-approve"
    )
    token = re.search(r"rst1[^'\s]+", line)[0]
    config = str(running.folder / "n4.toml")
    assert f"join {url} --config {config} --token -" in block
    agent = [sys.executable, "-m", "roost_agent"]
    joined = subprocess.run(
        [*agent, "join", url, "--config", config, "--token", "-"],
        input=f"{token}\n", capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert "as lab.n4" in joined.stdout, joined.stderr
    newcomer = subprocess.Popen([*agent, "run", "--config", config], stderr=subprocess.DEVNULL)
    try:
        running.wait(lambda: running.node("n4")["presence"] == "online")
    finally:
        newcomer.terminate()
        newcomer.wait(20)

    nodes = ("n1", "n2", "n3")  # of the rollout, which goes on beside all this
    readings = [running.folder / f"lab.{node}/machine/run/sensor" for node in nodes]
    running.wait(
        lambda: any(it.exists() and "sensor 2.1.0 reads" in it.read_text() for it in readings)
    )
    assert changed_alone(running, nodes), "the release runs, so somebody installed it"


def test_the_nodes_of_the_site_speak_by_mtls_alone_and_nothing_secret_is_left_about(running):
    brokers = {each["name"]: each["url"] for each in running.get("/status")["brokers"]}
    assert brokers["wan1"].startswith("mqtts://")
    assert brokers["wan2"].startswith("mqtts://")
    facts = json.loads((running.folder / "lab.n1/identity/identity.json").read_text())
    assert {each["url"] for each in facts["brokers"]} == {brokers["wan1"], brokers["wan2"]}
    assert not (running.folder / "lab.token").exists()
    lines = " ".join(running.family().values())
    assert "rst1" not in lines
    assert "passphrase" not in lines
