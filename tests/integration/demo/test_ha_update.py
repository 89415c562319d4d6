"""A release that takes each node down, over a real site of three, with the WAN gone in the middle.

Real agents with local HA, guards, services in cgroups, helpers and installers; the release is
built and signed here, by the holders' keys of the demo.
"""

import json
import os
import re
import signal
import subprocess
import sys

import pytest
from cgroups import needs_cgroups
from on_demo import changed_alone, roost, steps

pytestmark = [pytest.mark.broker, pytest.mark.soak, pytest.mark.timeout(1_200)]
NODES = ("n1", "n2", "n3")
WAIT_S = 400
WANS = ("wan1-broker.toml", "wan2-broker.toml", "central.toml")  # on the command lines
PLAN = """\
name = "sensor 3.0.0"
component = "app/sensor"
version = "3.0.0"
approvers = 0
uncovered_ok = true
ignore_alarms = ["100.101", "100.103", "100.104", "100.809", "100.810"]
[wave_defaults]
site_soak_s = 0
soak_s = 0
gates = {alarms = "permissive"}
[[wave]]
sites = ["lab"]
"""


def published(running):
    """Build, sign and publish a release that drains each node, as two holders do it."""
    folder = running.folder / "releases"
    source = folder / "src/sensor-2.1.0"
    program = source / "bin/sensor"
    program.write_text(program.read_text().replace("2.1.0", "3.0.0"))
    bundle, draft = folder / "bundle-3.0.0", folder / "third"
    roost(
        running, "release", "build", str(source), "--to", str(bundle), "--component", "app/sensor",
        "--version", "3.0.0", "--counter", "3", "--installer", "files", "--drain",
    )  # fmt: skip
    roost(running, "release", "add", str(bundle), "--draft", str(draft))
    for holder in ("ann", "cy"):
        with (folder / "passphrase").open("rb") as passphrase:
            fd = passphrase.fileno()
            command = [sys.executable, "-m", "roost_central.cli", "release", "sign", str(draft)]
            command += ["--key", str(folder / f"keys/{holder}.key"), "--bundle", str(bundle)]
            subprocess.run(
                [*command, "--passphrase-fd", str(fd)], check=True, pass_fds=(fd,), timeout=60
            )
    roost(running, "release", "publish", str(draft), "--bundle", str(bundle))


def active(running):
    """Who serves group web, by the word of the service itself."""
    text = (running.folder / "lab.active").read_text()
    return re.match(r"n\d", text)[0], int(re.search(r"epoch (\d+)", text)[1])


def runs(running, node):
    file = running.folder / f"lab.{node}/machine/run/sensor"
    return file.read_text()[:12] if file.exists() else ""


def wan(running, number):
    """Send a signal to the fleet's brokers and to the centre: nobody beyond the site answers."""
    for file in WANS:
        for pid, line in running.family().items():
            if file in line or ("mosquitto" in line and file.removesuffix("-broker.toml") in line):
                os.kill(pid, number)


def waited(running, rollout, look):
    """Wait; what is missing is told with where the site and its nodes stand."""
    try:
        running.wait(look, for_s=WAIT_S)
    except AssertionError as err:
        jobs = running.get(f"/rollouts/{rollout}/jobs")["items"]
        raise AssertionError(f"{jobs}\n{[steps(running, node) for node in NODES]}") from err


@needs_cgroups
def test_each_node_goes_in_its_turn_the_active_last_and_the_wan_may_be_gone_meanwhile(demo):
    running = demo("--sites", "0")
    running.wait(lambda: settled(running), for_s=WAIT_S)
    before, epoch = active(running)
    published(running)
    plan = running.folder / "third.toml"
    plan.write_text(PLAN)
    made = json.loads(roost(running, "rollout", "create", str(plan), "--start", "-o", "json"))["id"]

    def have(step):
        return [node for node in NODES if step in [each for _, each in steps(running, node)]]

    waited(running, made, lambda: have("install"))
    wan(running, signal.SIGSTOP)
    try:
        running.wait(lambda: len(have("end")) == len(NODES), for_s=WAIT_S)
    finally:
        wan(running, signal.SIGCONT)
    assert {runs(running, node) for node in NODES} == {"sensor 3.0.0"}
    order = changed_alone(running, NODES)
    assert sorted(order) == list(NODES)
    assert order.index(before) > order.index({"n1": "n2", "n2": "n1"}[before]), order
    now, later = active(running)
    assert now != before, "its services went to the node that was done"
    assert later > epoch
    waited(running, made, lambda: running.get(f"/rollouts/{made}")["state"] == "completed")


def settled(running):
    groups = running.get("/sites/lab/ha")["groups"]
    web = next((group for group in groups if group["group"] == "web"), None)
    return web if web and web["redundancy"] == "ok" else None
