"""Orders end to end: signer, centre, a real Mosquitto and ``roost-agent``, each a process."""

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest
from loopback_ports import free_port
from mqtt_peer import Peer
from orders import HOUR_MS, OrderPen
from program import Program
from waiting import wait_until

from roost_protocol.certificate import Holder, Kind
from roost_protocol.seal import Seal
from roost_protocol.topics import NodeTopics

pytestmark = [pytest.mark.broker, pytest.mark.timeout(180)]

NODE = "lab.n1"
OPEN = {"pending", "ready", "taken"}


class Agent(Program):
    """``roost-agent run`` on a box's state."""

    def __init__(self, box):
        folder = box.state_dir.parent
        super().__init__(folder / "agent.log")
        self.config = folder / "etc"
        self.config.mkdir(exist_ok=True)
        (self.config / "agent.toml").write_text(
            f'state_dir = "{box.state_dir}"\n[beat]\ninterval_s = 1\n'
        )

    def join_site(self, *names):
        """Let it vote for the leases of a site on loopback, in which no group runs."""
        keys, file = self.config.parent / "ha-keys", self.config.parent / "ha.toml"
        words = (sys.executable, "-m", "roost_agent", "ha", "keygen", *names)
        keys.write_bytes(subprocess.run(words, check=True, capture_output=True).stdout)
        keys.chmod(0o600)
        nodes = "".join(
            f'[[node]]\nname = "{name}"\nindex = {index}\naddress = {{lo="127.0.0.{index + 1}"}}\n'
            for index, name in enumerate(names)
        )
        file.write_text(
            f'voters = {list(names)}\nwitness = "node"\nsingle_network = "accepted"\n'
            f'key_file = "{keys}"\nudp_port = {free_port()}\nmqtt_port = {free_port()}\n'
            f'networks = [{{name="lo"}}]\npaths = [{{driver="udp", network="lo"}}]\n{nodes}'
        )
        with (self.config / "agent.toml").open("a") as stream:
            stream.write(f'[ha]\nfile = "{file}"\n')

    def start(self):
        self._launch(sys.executable, "-m", "roost_agent", "run", "--config", self.config)


@pytest.fixture
def agent(box):
    agent = Agent(box)
    agent.start()
    yield agent
    agent.kill()


def place(stage, verb, reason="", life_s=600, **given):
    body = {"verb": verb, "given": given, "reason": reason, "life_s": life_s}
    return stage.central.post(f"/api/v1/nodes/{NODE}/orders", body)


def look(stage, order):
    return stage.central.get(f"/api/v1/orders/{order['id']}")


def ended(stage, order, agent):
    wait_until(
        lambda: look(stage, order)["state"] not in OPEN,
        f"{look(stage, order)}\n{agent.log.read_text()[-3_000:]}",
    )
    return look(stage, order)


def events(stage, kind="order"):
    rows = stage.central.get("/api/v1/events?limit=500")["items"]
    return [row for row in rows if row["kind"] == kind]


def roost(stage, *words):
    return subprocess.run(
        [sys.executable, "-m", "roost_central.cli", *words],
        env={
            "ROOST_URL": stage.central.url, "ROOST_TOKEN": stage.central.token,
            "HOME": "/nonexistent",
        },
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_an_order_is_signed_sent_checked_done_and_told_once(stage, agent):
    order = place(stage, "refresh-inventory", classes="cpu,memory")
    done = ended(stage, order, agent)
    assert done["state"] == "done", done
    assert "cpu, memory discovered" in done["text"]
    assert done["sends"] >= 1
    [told] = [
        each
        for each in events(stage)
        if each["params"]["order"] == order["id"] and each["params"]["state"] == "done"
    ]
    assert told["node"] == NODE
    acts = [
        row
        for row in stage.central.get("/api/v1/audit")["items"]
        if row["action"].startswith("order.")
    ]
    assert [act["action"] for act in acts] == ["order.sign", "order.place"]
    record = [
        json.loads(line.partition(" ")[2])
        for line in (stage.pki.signer_dir / "signatures.log").read_text().splitlines()
    ]
    [row] = [each for each in record if each["verb"] == "order"]
    assert (row["name"], row["act"], row["order"]) == (
        NODE,
        "refresh-inventory",
        acts[0]["detail"]["order"],
    )


def test_an_order_that_waited_for_its_node_outlives_both_being_killed(stage, box):
    order = place(stage, "resync", what="alarms")
    stage.central.kill()
    stage.central.start()
    stage.central.ready()
    agent = Agent(box)
    agent.start()
    try:
        wait_until(lambda: look(stage, order)["sends"] > 0, "it is sent")
        agent.kill()
        agent.start()
        done = ended(stage, order, agent)
    finally:
        agent.kill()
    assert done["state"] in {"done", "failed"}  # killed between taken and done nobody can know
    assert (
        len(
            [
                e
                for e in events(stage)
                if e["params"]["order"] == order["id"] and e["params"]["state"] != "taken"
            ]
        )
        == 1
    )


def test_a_reboot_takes_two_people_and_a_helper(stage, agent, grace):
    with pytest.raises(urllib.error.HTTPError, match="422"):
        place(stage, "reboot")
    order = place(stage, "reboot", reason="new kernel")
    assert (order["state"], order["by_two"]) == ("pending", True)
    with pytest.raises(urllib.error.HTTPError, match="409"):
        stage.central.post(f"/api/v1/orders/{order['id']}/approve")
    answered = ask(stage, "POST", f"/api/v1/orders/{order['id']}/approve", grace)
    assert (answered["state"], answered["approved_by"]) == ("ready", "grace")
    done = ended(stage, order, agent)
    assert (done["state"], done["code"]) == ("failed", "helper")  # none runs here
    refused = [
        row for row in stage.central.get("/api/v1/audit")["items"] if row["outcome"] == "refused"
    ]
    assert {row["action"] for row in refused} == {"order.place", "order.approve"}


def test_a_node_that_its_site_cannot_spare_is_not_rebooted(stage, box, grace):
    agent = Agent(box)
    agent.join_site("n1", "n2", "n3")  # of which it is the only one there
    agent.start()
    try:
        order = place(stage, "reboot", reason="new kernel")
        ask(stage, "POST", f"/api/v1/orders/{order['id']}/approve", grace)
        done = ended(stage, order, agent)
    finally:
        agent.kill()
    assert (done["state"], done["code"]) == ("failed", "ha")
    assert "0 of 3 voters would be left" in done["text"]


def test_a_renewal_ends_the_agent_and_is_told_by_the_next(stage, box, agent):
    order = place(stage, "renew-identity")
    wait_until(lambda: not agent.is_running(), agent.log.read_text()[-2_000:])
    agent.start()
    done = ended(stage, order, agent)
    assert done["state"] == "done", done
    facts = json.loads((box.identity / "identity.json").read_text())
    assert facts["generation"] == 2
    assert (box.identity / "order-keys.json").stat().st_mode & 0o777 == 0o600


def test_the_command_orders_waits_and_lists(stage, agent):
    shown = roost(stage, "order", "verbs")
    assert shown.returncode == 0, shown.stderr
    assert "a second person" in shown.stdout
    done = roost(stage, "node", "order", NODE, "resync", "what=inventory", "--wait")
    assert done.returncode == 0, done.stderr + done.stdout
    assert "done" in done.stdout
    wrong = roost(stage, "node", "order", NODE, "resync", "what=disks")
    assert wrong.returncode == 2
    assert "what" in wrong.stderr
    assert NODE in roost(stage, "order", "list", "--node", NODE).stdout


def test_a_hostile_broker_has_nothing_done(stage, box, agent):
    """It holds the fleet's broker, and even the node's report key; not the order key."""
    assert (
        ended(stage, place(stage, "resync"), agent)["state"] == "done"
    )  # it hears, and knows the time
    facts = json.loads((box.identity / "identity.json").read_text())
    generation = facts["generation"]
    seal = Seal((box.identity / "report.key").read_bytes(), generation)
    topic = NodeTopics.of(NODE).order
    pen = OrderPen(b"\x07" * 32)
    now_ms = time.time_ns() // 1_000_000
    good = {
        "node": NODE,
        "generation": generation,
        "not_before_ms": now_ms,
        "seq": now_ms + 10**6,
        "not_after_ms": now_ms + HOUR_MS,
    }
    hostile = [
        pen.message(**good),  # bare
        seal.seal(NodeTopics.of("lab.n2").order, pen.message(**good)),  # of another topic
        seal.seal(topic, pen.message(**good, id=b"1" * 16)),  # by a key of its own
        seal.seal(topic, pen.message(**good | {"node": "lab.n2"}, id=b"2" * 16)),
        seal.seal(topic, pen.message(**good | {"generation": generation + 1}, id=b"3" * 16)),
        seal.seal(topic, pen.message(**good | {"verb": "wipe", "given": {}}, id=b"4" * 16)),
        seal.seal(
            topic,
            pen.message(
                **good | {"not_before_ms": now_ms - 2 * HOUR_MS, "not_after_ms": now_ms - HOUR_MS},
                id=b"5" * 16,
            ),
        ),
    ]
    before = len(agent.log.read_text())
    credentials = stage.pki.issue(Holder(Kind.SERVICE, "ingest"))
    files = (credentials.chain_file, credentials.key_file)
    with Peer(stage.broker.port, stage.pki.root_file, files) as broker:
        for message in hostile:
            assert broker.publish(topic, message) < 128
    wanted = {"unsealed": 1, "mac": 1}
    told = {"signature": 1, "audience": 2, "verb": 1, "expired": 1}
    wait_until(lambda: counts(box)["orders"]["refused"] == told, f"{counts(box)}")
    assert wanted.items() <= counts(box)["refused"].items()
    assert "resync, by" not in agent.log.read_text()[before:]
    wait_until(
        lambda: len([e for e in events(stage) if e["type"] == "200.811"]) == 5,
        "the centre is told of each",
    )
    wait_until(
        lambda: any(e["type"] == "200.811" for e in events(stage, "node")),
        "and of what had no seal",
    )


def counts(box):
    done = subprocess.run(
        [
            sys.executable, "-m", "roost_agent", "status", "--json",
            "--state-dir", str(box.state_dir),
        ],
        capture_output=True, text=True, timeout=30, check=True,
    )  # fmt: skip
    return json.loads(done.stdout)


PASSWORD = "a password that is long enough"


@pytest.fixture(scope="module")
def grace(stage):
    """Make grace, an operator; return the headers of her session."""
    grants = [{"role": "operator", "on": ""}]
    stage.central.post("/api/v1/users", {"name": "grace", "grants": grants, "password": PASSWORD})
    body = json.dumps({"user": "grace", "password": PASSWORD}).encode()
    request = urllib.request.Request(  # noqa: S310 - a test's own centre
        f"{stage.central.url}/api/v1/session", body, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - as above
        cookie = answer.headers["Set-Cookie"].partition(";")[0]
    return {"Cookie": cookie, "X-Roost-CSRF": "1"}


def ask(stage, method, path, headers):
    url = f"{stage.central.url}{path}"
    request = urllib.request.Request(url, None, headers, method=method)  # noqa: S310 - as above
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - as above
        return json.load(answer)
