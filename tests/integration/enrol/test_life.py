"""The life of an identity: real signer, centre, Mosquitto and agents; an end, a copy, a new box."""

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from fleet_stage import Box
from program import Program
from waiting import wait_until
from wall_clock import TEN_YEARS_S, WHY_NONE, WallClock

from roost_central.ca.profiles import Authority, Fresh, leaf
from roost_protocol.certificate import Holder, Kind

pytestmark = [pytest.mark.broker, pytest.mark.timeout(180)]


class Agent(Program):
    """``roost-agent run`` on a state directory; it comes back when it ends, as under systemd."""

    def __init__(self, state_dir, folder):
        super().__init__(folder / "agent.log")
        self.config = folder / "etc"
        self.config.mkdir(parents=True)
        (self.config / "agent.toml").write_text(
            f'state_dir = "{state_dir}"\n[beat]\ninterval_s = 1\n'
        )

    def start(self, environ=None):
        words = (sys.executable, "-m", "roost_agent", "run", "--config", self.config)
        self._launch(*words, env=os.environ | (environ or {}))


def roost(stage, *words, fails=False):
    done = subprocess.run(
        [sys.executable, "-m", "roost_central.cli", *words],
        env=os.environ | {"ROOST_URL": stage.central.url, "ROOST_TOKEN": stage.central.token},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert bool(done.returncode) is fails, done.stderr
    return done.stderr if fails else done.stdout


def node(stage, name):
    return stage.central.get(f"/api/v1/nodes/{name}")


def alarms(stage, name):
    rows = stage.central.get(f"/api/v1/alarms?filter=node={name}")["items"]
    return {row["type"] for row in rows}


def end_certificate(stage, box, name, *, days=200):
    """Give a box the certificate that it would have had, had it joined ``days`` + 90 ago."""
    begun = datetime.now(UTC) - timedelta(days=days + 90)
    key = load_pem_private_key((box.identity / "node.key").read_bytes(), None)
    by, chain = stage.pki.issuer(Authority.NODE)
    fresh = Fresh(int.from_bytes(os.urandom(15), "big") | 1 << 100, begun)
    made = leaf(Holder(Kind.NODE, name), key.public_key(), by=by, fresh=fresh, days=90)
    pem = made.public_bytes(Encoding.PEM).decode()
    (box.identity / "node.pem").write_text(pem + chain)
    file = box.identity / "identity.json"
    ended_ms = int(made.not_valid_after_utc.timestamp() * 1000)
    began = {"enrolled_ms": int(begun.timestamp() * 1000), "not_after_ms": ended_ms}
    file.write_text(json.dumps(json.loads(file.read_text()) | began))
    with sqlite3.connect(stage.central.data_dir / "roost.db", timeout=30) as base:
        base.execute(
            "UPDATE identity SET certificate = ?, fingerprint = ?, not_after_ms = ?,"
            " state = 'expired_grace' WHERE node = ? AND generation = 1",
            [pem + chain, made.fingerprint(SHA256()), ended_ms, name],
        )
    base.close()


@pytest.fixture
def joined(stage, tmp_path):
    """Return what makes a node of a site of its own."""

    def joined(site):
        stage.add_site(site, "n1")
        box = Box(tmp_path / site)
        assert box.join(stage.url, token=stage.token(site)).returncode == 0
        return box

    return joined


def test_a_node_that_was_off_for_months_comes_back_by_itself(stage, joined, tmp_path):
    box = joined("dark")
    end_certificate(stage, box, "dark.n1", days=100)
    agent = Agent(box.state_dir, tmp_path / "agent")
    agent.start()
    try:
        wait_until(lambda: not agent.is_running(), f"a new identity: {agent.log.read_text()}")
        assert stage.states("dark.n1") == {1: "expired_grace", 2: "issued"}
        agent.start()
        wait_until(
            lambda: stage.states("dark.n1") == {1: "replaced", 2: "quarantined"},
            f"dark.n1: {agent.log.read_text()}",
        )
        wait_until(lambda: node(stage, "dark.n1")["presence"] == "online", "it is heard")
        held = node(stage, "dark.n1")["quarantine"]
        assert (held["cause"], held["reason"]) == (
            "grace", "its certificate had ended, 100 days ago",
        )  # fmt: skip
        wait_until(lambda: "280.815" in alarms(stage, "dark.n1"), "its alarm")
        assert "in quarantine: its certificate had ended" in roost(stage, "node", "show", "dark.n1")
        renewed = _renew(box)
        assert renewed.returncode == 1
        assert "in quarantine" in renewed.stderr
        roost(stage, "node", "release", "dark.n1", "--reason", "looked at it")
        wait_until(lambda: node(stage, "dark.n1")["quarantine"] is None, "out of quarantine")
        wait_until(lambda: "280.815" not in alarms(stage, "dark.n1"), "its alarm ends")
        assert _renew(box).returncode == 0
    finally:
        agent.kill()


def test_after_half_a_year_a_human_lets_it_back(stage, joined):
    box = joined("sold")
    end_certificate(stage, box, "sold.n1", days=181)
    first = _renew(box)
    assert first.returncode == 1
    assert "a human decides at the centre (roost enrol list)" in first.stderr
    rows = json.loads(roost(stage, "enrol", "list", "-o", "json"))
    [row] = [each for each in rows if each["site"] == "sold"]
    assert row["kind"] == "expired"
    approve = ("enrol", "approve", row["id"], "--site", "sold", "--node", "n1")
    assert "say replace" in roost(stage, *approve, fails=True)
    roost(stage, *approve, "--replace")
    assert _renew(box).returncode == 0
    assert json.loads((box.identity / "identity.json").read_text())["box"] == 2
    assert stage.states("sold.n1") == {1: "replaced", 2: "issued"}


def test_an_answer_that_got_lost_to_a_kill_is_given_again(stage, joined):
    box = joined("torn")
    end_certificate(stage, box, "torn.n1", days=9)
    log = stage.central.log
    seen = log.read_text().count("POST /api/v1/enrol/expired")
    process = subprocess.Popen(
        [sys.executable, "-m", "roost_agent", "renew", "--state-dir", box.state_dir],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    while log.read_text().count("POST /api/v1/enrol/expired") == seen and process.poll() is None:
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert _renew(box).returncode == 0
    assert stage.states("torn.n1").keys() in ({1, 2}, {1, 2, 3})
    live = [state for state in stage.states("torn.n1").values() if state == "issued"]
    assert len(live) == 1, "one certificate is out, however often it was asked for"


@pytest.mark.skipif(bool(WHY_NONE), reason=WHY_NONE or "it can")
@pytest.mark.parametrize(("site", "ahead_s"), [("ahead", TEN_YEARS_S), ("behind", -TEN_YEARS_S)])
def test_a_node_whose_clock_is_ten_years_off_is_renewed_no_more_than_others(
    stage, joined, tmp_path, site, ahead_s
):
    box, clock = joined(site), WallClock(tmp_path / "wall")
    clock.set(ahead_s)
    agent = Agent(box.state_dir, tmp_path / "agent")
    agent.start(clock.environ)
    try:
        wait_until(lambda: node(stage, f"{site}.n1")["presence"] == "online", "it is heard")
        wait_until(lambda: "not due yet" in agent.log.read_text(), "it asked the centre's clock")
        assert agent.is_running()
        wait_until(lambda: stage.states(f"{site}.n1") == {1: "active"}, "no other generation")
    finally:
        agent.kill()
        clock.close()


@pytest.mark.soak
def test_a_disk_image_started_twice_is_put_in_quarantine_and_a_human_chooses(
    stage, joined, tmp_path
):
    box = joined("twin")
    first = Agent(box.state_dir, tmp_path / "first")
    first.start()
    second = None
    try:
        wait_until(lambda: node(stage, "twin.n1")["presence"] == "online", "the first")
        copy = tmp_path / "copy"
        shutil.copytree(box.state_dir, copy, ignore=shutil.ignore_patterns("*.sock"))
        second = Agent(copy, tmp_path / "second")
        second.start()
        wait_until(lambda: stage.states("twin.n1") == {1: "quarantined"}, "found")
        held = wait_until(lambda: node(stage, "twin.n1")["quarantine"], "shown")
        assert held["cause"] == "clone"
        wait_until(lambda: "280.805" in alarms(stage, "twin.n1"), "its alarm")
        assert "two boxes" in roost(stage, "node", "show", "twin.n1")
        for state_dir in (box.state_dir, copy):
            refused = _renew(Box(state_dir.parent), state_dir)
            assert refused.returncode == 1
            assert "in quarantine" in refused.stderr
        assert node(stage, "twin.n1")["presence"] == "online", "what serves goes on"
        # released while both still speak: it is found again
        roost(stage, "node", "release", "twin.n1", "--reason", "a mistake")
        wait_until(lambda: stage.states("twin.n1") == {1: "quarantined"}, "found again")
        refused = roost(stage, "node", "replace", "twin.n1", fails=True)
        assert "turn it off, or say why with a reason" in refused
        line = roost(stage, "node", "replace", "twin.n1", "--reason", "two boxes").strip()
        token = line.partition("'")[2].partition("'")[0]
        assert Box(tmp_path / "third").join(stage.url, token=token).returncode == 0
        assert stage.states("twin.n1") == {1: "replaced", 2: "issued"}
        wait_until(lambda: "revoked, or replaced" in first.log.read_text(), "the first is out")
        wait_until(lambda: "revoked, or replaced" in second.log.read_text(), "the copy too")
    finally:
        first.kill()
        if second is not None:
            second.kill()
    acts = [row["action"] for row in stage.central.get("/api/v1/audit?limit=100")["items"]
            if row["object"] == "twin.n1"]  # fmt: skip
    assert {"node.quarantine", "node.release", "node.replace"} <= {*acts}


def test_an_image_in_another_box_is_moved_aside_and_asks_to_be_let_in(stage, joined, tmp_path):
    box = joined("image")
    file = box.identity / "identity.json"
    facts = json.loads(file.read_text())
    other = {**facts["hw_fp"], "uuid": "", "board": "", "disks": ["S-OTHER"], "macs": []}
    file.write_text(json.dumps(facts | {"hw_fp": other}))  # as if the image were of another box
    agent = Agent(box.state_dir, tmp_path / "agent")
    agent.start()
    try:
        said = wait_until(
            lambda: re.search(r"Words: ([a-z ]{35})", agent.log.read_text()), "it waits"
        )
        assert "this is another box than image.n1" in agent.log.read_text()
        agent.kill()  # and begins again where it was
        agent.start()
        rows = wait_until(
            lambda: [
                each
                for each in json.loads(roost(stage, "enrol", "list", "-o", "json"))
                if each["words"] != said[1] and each["kind"] == "bare"
            ],
            "it waits again",
        )
        words = ("--site", "image", "--node", "n2", "--words", rows[0]["words"])
        roost(stage, "enrol", "approve", rows[0]["id"], *words)
        wait_until(
            lambda: stage.states("image.n2") == {1: "active"}, f"image.n2: {agent.log.read_text()}"
        )
        assert stage.states("image.n1") == {1: "issued"}
        assert node(stage, "image.n1")["heard"] is None, "nothing was said in its name"
    finally:
        agent.kill()


def test_what_a_node_says_in_quarantine_is_kept_apart_until_it_is_let_out(stage, joined, tmp_path):
    box = joined("apart")
    agent = Agent(box.state_dir, tmp_path / "agent")
    agent.start()

    def says(change, app, *more):
        words = ("alarm", change, "750.801", "--entity", f"app={app}", *more)
        command = (sys.executable, "-m", "roost_agent", *words, "--config", agent.config)
        subprocess.run(command, check=True, timeout=60)

    def shown():
        rows = stage.central.get("/api/v1/alarms?filter=node=apart.n1%20type=750.801")["items"]
        return [row["entity"].rpartition("app=")[2] for row in rows]

    try:
        wait_until(lambda: node(stage, "apart.n1")["presence"] == "online", "it is heard")
        says("raise", "pump", "--severity", "minor")
        wait_until(lambda: shown() == ["pump"], "its alarm")
        roost(stage, "node", "quarantine", "apart.n1", "--reason", "strange")
        wait_until(lambda: node(stage, "apart.n1")["quarantine"], "shown")
        says("clear", "pump")
        says("raise", "fan", "--severity", "major")
        held = wait_until(
            lambda: [row for row in _held(stage, "apart.n1") if "750.801 raise" in row["text"]],
            "it is kept apart",
        )
        assert held[0]["boot_id"] == node(stage, "apart.n1")["boot_id"]
        wait_until(lambda: not node(stage, "apart.n1")["outbox"]["alarm"]["waiting_items"], "taken")
        assert shown() == ["pump"]
        assert "750.801 raise major" in roost(stage, "node", "held", "apart.n1")
        roost(stage, "node", "release", "apart.n1", "--reason", "it is well")
        wait_until(lambda: shown() == ["fan"], "its alarms are asked for")
    finally:
        agent.kill()


def test_a_quarantine_survives_a_centre_that_is_killed(stage, joined):
    joined("kept")
    roost(stage, "node", "quarantine", "kept.n1", "--reason", "strange")
    wait_until(lambda: node(stage, "kept.n1")["quarantine"], "shown")
    stage.central.kill()
    stage.central.start()
    stage.central.ready()
    held = wait_until(lambda: node(stage, "kept.n1")["quarantine"], "shown again")
    assert (held["cause"], held["reason"]) == ("operator", "strange")


def _held(stage, name):
    return stage.central.get(f"/api/v1/nodes/{name}/held")["items"]


def _renew(box, state_dir=None):
    return subprocess.run(
        [sys.executable, "-m", "roost_agent", "renew", "--state-dir", state_dir or box.state_dir],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
