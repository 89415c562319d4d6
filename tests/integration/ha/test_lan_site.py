"""A site of three enrolled nodes: its brokers speak TLS, and it is broken as any other site.

One site for all tests, each of which leaves it whole.
"""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from ha_netns import connect, ip, needs_netns
from ha_netns import site as made
from ha_plan import NETWORKS, TLS_PORT, Plan, address
from lan_boxes import Fleet
from waiting import wait_until

from roost_agent.enrolled import LAN_CA, LAN_CERTIFICATE, LAN_KEY, NODE_CERTIFICATE, NODE_KEY

pytestmark = [pytest.mark.netns, needs_netns, pytest.mark.timeout(300)]
SUPPORT = Path(__file__).parents[2] / "support"
MUTE_S = 10
TAP_S = 3
INTRUDER = 99  # its place on the networks
TLS_RECORD = b"\x17\x03\x03"  # application data (RFC 8446, 5.1)
TOPIC = b"roost/ha/v1"


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    with made(tmp_path_factory.mktemp("site"), Plan(has_lan=True)) as site:
        yield site.start()
        assert site.oracle.overlap_ns() == 0
        epochs = [epoch for _, epoch in site.epochs()]
        assert epochs == sorted(set(epochs)), "every turn has a higher epoch"


@pytest.fixture
def site(whole):
    whole.settled()
    return whole


@pytest.fixture(scope="module")
def intruder(whole):
    """A network namespace of somebody else on both networks."""
    space = f"{whole.prefix}x"
    connect(space, whole.switch, (
        (network, f"x{number}", address(network, INTRUDER))
        for number, network in enumerate(NETWORKS)
    ))  # fmt: skip
    yield space
    ip("netns", "del", space, check=False)


def other(name):
    return {"c0": "c1", "c1": "c0"}[name]


def tries(space, site, folder=None, files=(LAN_CERTIFICATE, LAN_KEY), ca=None):
    """Have the intruder try the broker of c0 with files of an identity; what came of it."""
    asked = {
        "host": address(NETWORKS[0], site.nodes["c0"].index), "port": TLS_PORT,
        "name": "lab.c0.brokers.edge.example", "topic": "roost/ha/v1/lab.c1/beat/0",
    }  # fmt: skip
    if folder is not None:
        cert, key = (str(folder / name) for name in files)
        asked |= {"ca": str(ca or folder / LAN_CA), "cert": cert, "key": key}
    done = subprocess.run(
        ("nsenter", f"--net=/run/netns/{space}", sys.executable, SUPPORT / "ha_intruder.py"),
        input=json.dumps(asked) + "\n", capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    return json.loads(done.stdout)


def tapped(node, file, act):
    """What crosses a node's cables while something is done."""
    words = ("nsenter", f"--net=/run/netns/{node.space}", sys.executable, SUPPORT / "ha_sniffer.py")
    with file.open("wb") as sink, subprocess.Popen(words, stdout=sink) as tap:
        try:
            wait_until(lambda: file.stat().st_size, "it taps")
            act()
        finally:
            tap.terminate()
    lines = file.read_text().splitlines()[1:-1]  # the last may be half a line
    return [bytes.fromhex(line) for line in lines]


def test_the_brokers_speak_tls_on_every_network_and_the_node_says_so(site):
    for node in site.nodes.values():
        told = node.told()
        assert {path["tls"] for path in told["paths"] if path["driver"] == "mqtt"} == {True}
        assert all(path["open"] for path in told["paths"])
        assert told["clear_text"] == ""
        assert "400.813" not in node.alarms()
    listening = site.nodes["c0"].inside("ss", "-Hltn").stdout
    mqtt = sorted(line.split()[3] for line in listening.splitlines() if str(TLS_PORT) in line)
    assert mqtt == sorted(f"{address(network, 0)}:{TLS_PORT}" for network in NETWORKS)
    assert len(listening.splitlines()) == len(mqtt), "nothing else listens"


def test_who_taps_the_cable_reads_no_topic_and_no_secret(site, intruder, tmp_path):
    node = site.nodes["c0"]
    packets = tapped(node, tmp_path / "calm", lambda: time.sleep(TAP_S))
    of_broker = [each for each in packets if TLS_PORT.to_bytes(2, "big") in each[34:38]]
    assert sum(TLS_RECORD in each for each in of_broker) > 20, "frames crossed"
    assert not any(TOPIC in each for each in packets)
    identity = node.folder / "state/identity"
    secrets = [(identity / "report.key").read_bytes()]
    secrets += [bytes.fromhex(line.split('"')[3]) for line in site.keys.splitlines()[1:]]
    assert not any(secret in each for secret in secrets for each in packets)
    seen = tapped(node, tmp_path / "clear", lambda: tries(intruder, site))
    assert any(b"roost/ha intruder" in each for each in seen), "the tap reads what is in clear"


def test_one_network_down_for_all_moves_nothing(site):
    active, turns = site.active(), len(site.epochs())
    site.network("mgmt", "down")

    def is_noticed():
        told = site.nodes["w1"].told()
        return not any(path["open"] for path in told["paths"][:4:2])

    site.until(is_noticed, "the paths are down")
    site.network("mgmt", "up")
    assert site.settled() == active
    assert len(site.epochs()) == turns


def test_a_killed_broker_moves_nothing(site):
    active, turns = site.active(), len(site.epochs())
    node = site.nodes[active]
    broker = node.told()["broker"]["pid"]
    os.kill(broker, signal.SIGKILL)
    site.until(lambda: node.told()["broker"]["pid"] not in {None, broker}, "another broker runs")
    assert site.settled() == active
    assert len(site.epochs()) == turns


def test_power_off_of_the_active_node(site):
    active = site.active()
    site.nodes[active].power_off()
    site.until(lambda: site.active() == other(active), "the standby runs it")
    site.nodes[active].start()
    assert site.settled() == other(active), "no preemption"


def test_strangers_are_let_in_nowhere(site, intruder, tmp_path):
    """In clear text, with a node's certificate, with one of another fleet of the same name."""
    folder = site.nodes["c1"].folder / "state/identity"
    theirs = Fleet(tmp_path / "fleet").enrol(tmp_path / "box", "lab", "c1").folder
    assert not tries(intruder, site)["is_in"]
    assert not tries(intruder, site, folder, (NODE_CERTIFICATE, NODE_KEY))["is_in"]
    assert not tries(intruder, site, theirs, ca=folder / LAN_CA)["is_in"]
    assert "certificate verify failed" in tries(intruder, site, theirs)["why"]
    good = tries(intruder, site, folder)
    assert good["is_in"], good
    assert good["heard"], "a member's certificate is let in, so the others were refused for theirs"


def test_an_earlier_box_of_a_node_is_mute_and_deaf(site, intruder, tmp_path):
    """Its certificate has no end: what has changed is that it is no member any more."""
    earlier = site.fleet.enrol(tmp_path, "lab", "c1", box=7).folder
    assert tries(intruder, site, earlier) == {"is_in": True, "heard": []}


def test_a_node_that_is_dropped_is_mute_within_ten_seconds_and_the_site_goes_on(site):
    active = site.active()
    smaller = replace(site.plan, names=("c0", "c1")).text(site.command)
    for name in ("c0", "c1"):
        site.nodes[name].write(smaller, site.keys)

    def is_mute():
        told = [site.nodes[name].told() for name in ("c0", "c1")]
        ways = [path for each in told for member in each["members"] if member["node"] == "w1"
                for path in member["paths"].values()]  # fmt: skip
        return not {"up", "flaky", "oneway-in"} & {way["state"] for way in ways}

    site.until(is_mute, "w1 is heard nowhere", seconds=MUTE_S)
    told = site.nodes["c0"].told()
    assert told["refused"]["member"] > 0, "its datagrams"
    assert told["roster"] == {"boxes": {"c0": 1, "c1": 1}, "fault": ""}
    site.until(lambda: site.active() == active, "who is active stays so")
    for name in ("c0", "c1"):
        site.nodes[name].write(site.plan.text(site.command), site.keys)
    assert site.settled() == active
