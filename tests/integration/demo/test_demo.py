"""The whole loop, as a newcomer sees it: real brokers, real agents, a real centre."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import pytest

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]


def test_a_bounded_demo_shows_this_machine_and_ends_by_itself(demo):
    running = demo("--sites", "20", "--for", "8")
    lab = running.wait(lambda: running.node("n1")["inventory"]["gen"] and running.node("n1"))
    assert [path["path"] for path in lab["paths"]] == ["wan1", "wan2", "lan-a", "lan-b"]
    shown = running.get("/nodes/lab.n1/inventory")["sections"]
    listed = json.loads(subprocess.check_output(["lscpu", "-J"], text=True))["lscpu"]
    told = {row["field"]: row["data"] for row in listed}
    assert len(shown["cpu_thread"]["items"]) == int(told["CPU(s):"])
    assert shown["cpu"]["items"]["0"]["model_name"] == told["Model name:"]
    disks = json.loads(subprocess.check_output(["lsblk", "-J", "-b", "-d"], text=True))
    sizes = {row["name"]: row["size"] for row in disks["blockdevices"] if row["size"]}
    found = {row["name"]: row["size_bytes"] for row in shown["disk"]["items"].values()}
    assert sizes.items() <= found.items()
    status = running.get("/status")
    assert (status["sites"]["total"], status["nodes"]["total"]) == (21, 63)
    assert running.process.wait(60) == 0
    assert "21 sites and 63 nodes" in running.out.read_text()


def test_a_killed_agent_is_missed_and_comes_back_with_nothing_lost(demo):
    running = demo("--sites", "0")
    before = running.wait(lambda: running.node("n2")["inventory"]["gen"] and running.node("n2"))
    os.kill(running.pid_of("n2.toml"), signal.SIGKILL)
    running.wait(lambda: running.node("n2")["presence"] == "unreachable")
    assert running.node("n1")["presence"] == "online"
    after = running.wait(
        lambda: running.node("n2")["presence"] == "online" and running.node("n2"), for_s=90
    )
    assert after["incarnation"] == before["incarnation"] + 1
    assert after["boot_id"] == before["boot_id"]
    assert after["inventory"]["digest"] == before["inventory"]["digest"]


def test_one_path_that_is_cut_turns_one_cell_and_not_the_node(demo):
    running = demo("--sites", "0")
    cut = [sys.executable, "-m", "roost_agent", "path", "hold", "lan-a", "--for", "2m"]
    state = str(running.folder / "lab.n1")
    subprocess.run([*cut, "--state-dir", state], check=True, timeout=20)

    def cells():
        return {
            (node, path["path"]): path["state"]
            for node in ("n1", "n2", "n3")
            for path in running.node(node)["paths"]
        }

    running.wait(lambda: cells()["n1", "lan-a"] == "down")
    time.sleep(6)  # more than a beat: whatever else the cut does would show by now
    others = {cell: state for cell, state in cells().items() if cell != ("n1", "lan-a")}
    assert set(others.values()) == {"up"}
    assert running.node("n1")["presence"] in {"online", "degraded"}


def test_a_centre_that_is_away_and_killed_loses_nothing(demo):
    running = demo("--sites", "10")
    centre = running.pid_of("central.toml")
    os.kill(centre, signal.SIGSTOP)
    time.sleep(15)
    os.kill(centre, signal.SIGKILL)
    running.wait(lambda: running.get("/status")["nodes"]["online"] == 33, for_s=90)

    def waiting():
        nodes = running.get("/nodes?limit=100")["items"]
        return sum(lane["waiting_items"] for node in nodes for lane in node["outbox"].values())

    running.wait(lambda: waiting() == 0)
    assert running.get("/status")["ingest"]["dead_letters"] == 0
    assert not [
        event for event in running.get("/events?limit=1000")["items"] if event["type"] == "280.804"
    ]
    running.end()
    said = told(running.folder / "logs" / "simulator.log")
    assert said["waiting"] == 0
    assert said["items"] == said["receipted"] == committed(running.folder / "central" / "roost.db")


def test_a_fault_that_cannot_be_read_ends_the_demo_before_it_begins():
    command = [sys.executable, "-m", "roost_central.cli", "demo", "--port", "0"]
    done = subprocess.run(
        [*command, "--fault", "cut at=soon"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 1
    assert "such as 30s" in done.stderr
    assert "first beats" not in done.stderr


def told(log):
    """What the simulator counted, from its last words."""
    rows = (line.split() for line in log.read_text().splitlines())
    return {row[0]: float(row[1].replace(",", "")) for row in rows if len(row) == 2}


def committed(database):
    """How many items of simulated nodes the centre has on disk: its marks, one a stream."""
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute("SELECT sum(seq) FROM mark WHERE node GLOB 'edge-*'").fetchone()[
            0
        ]


def test_a_killed_demo_leaves_no_process_behind(demo):
    running = demo("--sites", "5")
    assert len(running.family()) >= 6
    running.process.kill()
    running.process.wait(10)
    running.wait(lambda: not running.family(), for_s=15)


def test_a_port_that_is_taken_is_named_with_the_way_out(demo, tmp_path):
    running = demo("--sites", "0")
    port = running.url.rsplit(":", 1)[1]
    command = [sys.executable, "-m", "roost_central.cli", "demo", "--port", port]
    second = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert second.returncode == 1
    assert f"port {port}" in second.stderr
    assert "--port 0" in second.stderr
