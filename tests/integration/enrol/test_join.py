"""A box becomes a node: real signer, centre, Mosquitto, ``roost-agent join`` and the agent."""

import json
import re
import stat
import sys
import time
import urllib.error
from concurrent.futures import ThreadPoolExecutor

import pytest
from ca import Pki
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fleet_stage import Box
from program import Program
from waiting import wait_until

from roost_protocol.certificate import pin
from roost_protocol.join_token import parse_token

pytestmark = [pytest.mark.broker, pytest.mark.timeout(180)]

EFFECTIVE_S = 10  # docs/brokers.md


class Agent(Program):
    """``roost-agent run`` with no configuration but where its state is."""

    def __init__(self, box, folder):
        super().__init__(folder / "agent.log")
        self.config = folder / "etc"
        self.config.mkdir()
        (self.config / "agent.toml").write_text(
            f'state_dir = "{box.state_dir}"\n[beat]\ninterval_s = 1\n'
        )

    def start(self):
        self._launch(sys.executable, "-m", "roost_agent", "run", "--config", self.config)


def state_of(stage, node):
    rows = stage.central.get(f"/api/v1/nodes/{node}/identities")["items"]
    return [(row["generation"], row["state"]) for row in rows]


def waiting(stage):
    return stage.central.get("/api/v1/enrolments")["items"]


def test_a_box_with_a_token_becomes_a_node_that_beats_over_mtls(stage, box, tmp_path):
    stage.add_site("lab", "n1")
    done = box.join(stage.url, token=stage.token("lab"))
    assert done.returncode == 0, done.stderr
    assert "as lab.n1, generation 1" in done.stdout
    assert {stat.S_IMODE(file.stat().st_mode) for file in box.identity.iterdir()} == {0o600}
    agent = Agent(box, tmp_path)
    agent.start()
    try:
        wait_until(
            lambda: stage.central.get("/api/v1/nodes/lab.n1")["presence"] == "online",
            f"lab.n1: {agent.log.read_text()}",
        )
    finally:
        agent.kill()


def test_a_revoked_node_is_out_within_ten_seconds_and_stays_out(stage, box, tmp_path):
    stage.add_site("gone", "n1")
    assert box.join(stage.url, token=stage.token("gone")).returncode == 0
    agent = Agent(box, tmp_path)
    agent.start()
    try:
        wait_until(
            lambda: stage.central.get("/api/v1/nodes/gone.n1")["presence"] == "online",
            f"gone.n1: {agent.log.read_text()}",
        )
        wait_until(lambda: state_of(stage, "gone.n1") == [(1, "active")], "its key was heard")
        began = time.monotonic()
        [after] = stage.central.post("/api/v1/nodes/gone.n1/revoke", {"reason": "lost"})["items"]
        assert (after["state"], after["reason"]) == ("revoked", "lost")
        wait_until(lambda: "up -> down" in agent.log.read_text(), "its session is closed")
        assert time.monotonic() - began < EFFECTIVE_S
        wait_until(lambda: "revoked, or replaced" in agent.log.read_text(), "it is shut out")
        heard = stage.central.get("/api/v1/nodes/gone.n1")["heard"]
        time.sleep(2.5)  # it goes on trying, and beats each second where it can
        assert stage.central.get("/api/v1/nodes/gone.n1")["heard"] == heard
        [act] = [
            row
            for row in stage.central.get("/api/v1/audit")["items"]
            if row["action"] == "node.revoke"
        ]
        assert (act["object"], act["reason"]) == ("gone.n1", "lost")
        rows = stage.central.get("/api/v1/alarms?filter=node=gone.n1")["items"]
        assert "280.814" not in {row["type"] for row in rows}, "its last words are no forgery"
        with pytest.raises(urllib.error.HTTPError, match="409"):
            stage.central.post("/api/v1/nodes/gone.n1/revoke", {"reason": "again"})
    finally:
        agent.kill()
    assert "its sessions go" in stage.central.log.read_text()


def test_an_identity_is_renewed_when_it_is_due_and_the_old_one_ends(stage, box, tmp_path):
    stage.add_site("aged", "n1")
    assert box.join(stage.url, token=stage.token("aged")).returncode == 0
    file = box.identity / "identity.json"
    facts = json.loads(file.read_text())
    lan, lan_ca = ((box.identity / name).read_bytes() for name in ("lan.pem", "lan-ca.pem"))
    (box.identity / "lan-ca.pem").write_bytes(b"of before another LAN CA was made")
    file.write_text(json.dumps(facts | {"enrolled_ms": facts["enrolled_ms"] - 10**11}))
    agent = Agent(box, tmp_path)
    agent.start()
    wait_until(lambda: not agent.is_running(), "the agent ends to come back")
    assert "a new identity" in agent.log.read_text()
    assert json.loads(file.read_text())["generation"] == 2
    assert (box.identity / "lan.pem").read_bytes() == lan
    assert (box.identity / "lan-ca.pem").read_bytes() == lan_ca
    agent.start()
    try:
        wait_until(
            lambda: stage.states("aged.n1") == {1: "replaced", 2: "active"},
            f"aged.n1: {agent.log.read_text()}",
        )
    finally:
        agent.kill()


def test_nobody_renews_without_a_certificate(stage):
    body = {"csr": "x", "agent": "1"}
    assert stage.ask_boxes("/api/v1/renew", body)[0] == 401


def test_a_spent_token_lets_nobody_in(stage, box, tmp_path):
    stage.add_site("spent", "n1", "n2")
    token = stage.token("spent")
    assert box.join(stage.url, token=token).returncode == 0
    other = Box(tmp_path / "other").join(stage.url, token=token)
    assert (other.returncode, other.stderr) == (
        1,
        "roost-agent: the claim let in 1 of 1 boxes: ask for another\n",
    )


def test_a_box_that_lost_the_reply_gets_the_same_certificate(stage, box):
    stage.add_site("lost", "n1", "n2")
    token = stage.token("lost", nodes_max=2)
    assert box.join(stage.url, token=token).returncode == 0
    first = (box.identity / "node.pem").read_bytes()
    (box.identity / "identity.json").unlink()
    box.identity.rename(box.state_dir / "identity.new")  # as if the reply had never come
    assert box.join(stage.url, token=token).returncode == 0
    assert (box.identity / "node.pem").read_bytes() == first
    [claim] = [c for c in stage.central.get("/api/v1/claims")["items"] if c["site"] == "lost"]
    assert claim["used"] == 1


def test_a_box_that_is_a_node_stays_it(stage, box):
    stage.add_site("twice", "n1", "n2")
    token = stage.token("twice", nodes_max=2)
    assert box.join(stage.url, token=token).returncode == 0
    again = box.join(stage.url, token=token)
    assert again.returncode == 1
    assert "this box is twice.n1, generation 1 already" in again.stderr


def test_a_token_of_another_fleet_trusts_this_centre_with_nothing(stage, box, tmp_path):
    stage.add_site("pinned", "n1")
    token = parse_token(stage.token("pinned"))
    other = Pki(tmp_path / "other-fleet").root_file.read_bytes()
    key = x509.load_pem_x509_certificate(other).public_key()
    wrong = pin(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    foreign = ".".join([*str(token).split(".")[:3], wrong])
    before = stage.central.log.read_text().count("POST /api/v1/enrol ")
    done = box.join(stage.url, token=foreign)
    assert done.returncode == 1
    assert "has another root than the fleet that this box is to join" in done.stderr
    assert stage.central.log.read_text().count("POST /api/v1/enrol ") == before
    assert not box.identity.exists()


def test_six_words_let_a_box_in_that_brings_nothing(stage, box):
    stage.add_site("bare")
    root = _pin_of(stage)
    join = box.start_join(stage.url, "--pin", root)
    said = wait_until(lambda: re.search(r"Words: ([a-z ]{35})", box.log.read_text()), "words")
    [item] = [each for each in waiting(stage) if each["kind"] == "bare"]
    assert item["words"] == said[1]
    approve = f"/api/v1/enrolments/{item['id']}/approve"
    with pytest.raises(urllib.error.HTTPError) as refused:
        stage.central.post(approve, {"site": "bare", "node": "n1", "words": "ba " * 6})
    assert refused.value.code == 409
    refused.value.close()
    stage.central.post(approve, {"site": "bare", "node": "n1", "words": said[1]})
    out, _ = join.communicate(timeout=60)
    assert (join.returncode, out.splitlines()[0]) == (
        0,
        "joined edge.example as bare.n1, generation 1",
    ), box.log.read_text()


def test_a_denied_box_is_told_why(stage, box):
    join = box.start_join(stage.url, "--pin", _pin_of(stage))
    [item] = wait_until(
        lambda: [each for each in waiting(stage) if each["state"] == "pending"], "the box"
    )
    stage.central.post(f"/api/v1/enrolments/{item['id']}/deny", {"reason": "not one of ours"})
    join.communicate(timeout=60)
    assert join.returncode == 1
    assert "not one of ours" in box.log.read_text()
    assert not box.identity.exists()


def test_a_token_stands_nowhere_in_clear(stage, box):
    stage.add_site("canary", "n1")
    token = stage.token("canary")
    assert box.join(stage.url, token=token).returncode == 0
    secret = token.split(".")[2]
    raw = parse_token(token).secret
    for file in [*stage.central.data_dir.rglob("*"), *stage.folder.glob("*.log")]:
        if file.is_file():
            content = file.read_bytes()
            assert secret.encode() not in content, file
            assert raw not in content, file


def test_one_token_raced_by_many_boxes_lets_in_one(stage, tmp_path):
    stage.add_site("race", *(f"n{n}" for n in range(1, 9)))
    token = stage.token("race")
    boxes = [Box(tmp_path / str(n)) for n in range(8)]
    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(lambda each: each.join(stage.url, token=token).returncode, boxes))
    assert sorted(codes) == [0] + [1] * 7


def test_each_decision_is_one_row_of_the_audit(stage, box):
    stage.add_site("audited", "n1")
    assert box.join(stage.url, token=stage.token("audited")).returncode == 0
    rows = stage.central.get("/api/v1/audit?limit=100")["items"]
    acts = [(row["action"], row["object"]) for row in rows]
    assert acts.count(("enrol.approve", "audited.n1")) == 1


def _pin_of(stage):
    return stage.token("lab").rpartition(".")[2]
