"""Settings end to end: profile, centre, signer, a real Mosquitto, and a node with its identity.

The node is the test: it says in beats what it has, and checks what comes as an agent does.
"""

import json
import time

import pytest
from fleet_stage import Box, roost
from mqtt_peer import Peer
from waiting import wait_until

from roost_agent.enrolled import CONFIGURATION, NODE_CERTIFICATE, NODE_KEY, REPORT_KEY
from roost_agent.orders.verify import fault
from roost_protocol.beat import Beat
from roost_protocol.codec import encode
from roost_protocol.config_report import ConfigReport, ConfigState, Drift
from roost_protocol.envelope import Item, ItemKind, Lane, Report
from roost_protocol.order import (
    OrderKey,
    OrderState,
    OrderTold,
    body_digest,
    check_body,
    read_order,
    read_signed,
)
from roost_protocol.order_verbs import act_of
from roost_protocol.profile.document import decode_settings
from roost_protocol.seal import Seal
from roost_protocol.topics import NodeTopics

pytestmark = [pytest.mark.broker, pytest.mark.timeout(180)]

NODE = "edge.n1"
SWAPPINESS = 'kernel.sysctl."vm.swappiness"'


class Node:
    """One node on the wire."""

    def __init__(self, stage, box):
        self.stage, self.topics = stage, NodeTopics.of(NODE)
        identity = box.identity
        self.seal = Seal((identity / REPORT_KEY).read_bytes(), 1)
        ring = stage.pki.ring().orders[-1]
        self.keys = (OrderKey(ring.public),)
        self.files = (identity / NODE_CERTIFICATE, identity / NODE_KEY)
        self.order = self.settings = None
        self.digest, self.generation, self.seq, self.n = bytes(32), 0, 0, 0

    def connected(self):
        port, root = self.stage.broker.port, self.stage.pki.root_file
        return Peer(port, root, self.files, client_id=f"{NODE}/wan1")

    def take(self, message):
        """Check a SignedOrder as an agent does, and keep what it brings."""
        assert fault(message, self.keys) == ""
        signed = read_signed(message)
        self.order = read_order(signed.order)
        check_body(act_of(self.order.verb, self.order.given), signed.body)
        assert (self.order.node, self.order.verb) == (NODE, "configure")
        self.settings = decode_settings(signed.body)
        return bytes.fromhex(body_digest(signed.body))

    def beat(self, peer):
        self.n += 1
        self._say(peer, self.topics.beat, Beat(
            **self._envelope(), n=self.n, interval_ms=1_000, uptime_s=60, agent="1.0", why="timer",
            config_digest=self.digest[:8], config_gen=self.generation,
        ))  # fmt: skip

    def report(self, peer, *bodies):
        items = []
        for kind, body in bodies:
            self.seq += 1
            items.append(Item(self.seq, kind, time.time_ns() // 1_000_000, encode(body)))
        prev = self.seq - len(items)
        self._say(peer, self.topics.report, Report(
            **self._envelope(), lane=Lane.BULK, stream=b"s" * 16, prev=prev, items=items
        ))  # fmt: skip

    def told(self, state, text=""):
        order = self.order
        return ItemKind.ORDER, OrderTold(v=1, id=order.id, seq=order.seq, state=state, text=text)

    def config(self, digest, drift=()):
        return ItemKind.CONFIG, ConfigReport(
            v=1, desired_gen=int(self.order.given["desired"]), digest=digest,
            state=ConfigState.APPLIED, drift=list(drift), drift_count=len(drift),
        )  # fmt: skip

    def until(self, peer, condition):
        """Beat until something is so: a centre hears of a new identity a moment later."""

        def holds():
            self.beat(peer)
            return condition()

        wait_until(holds, f"{desired(self.stage)['reported']}")

    def heard_order(self, peer):
        """Beat until an order comes; return its message without the seal."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            self.beat(peer)
            while (came := peer.next(within_s=0.5)) is not None:
                topic, payload = came
                if topic != self.topics.order:
                    continue
                message = self.seal.open(topic, payload)
                if read_order(read_signed(message).order).id != self.order.id:
                    return message  # not one that was sent again
        raise AssertionError("no order came")

    def _envelope(self):
        now_ms = time.time_ns() // 1_000_000
        return {"v": 1, "node": NODE, "boot_id": b"b" * 16, "incarnation": 1, "path": "wan1",
                "sent_ms": now_ms}  # fmt: skip

    def _say(self, peer, topic, message):
        assert peer.publish(topic, self.seal.seal(topic, encode(message))) < 128


def desired(stage):
    return stage.central.get(f"/api/v1/nodes/{NODE}/desired")


def source(value):
    return f'[profile]\nname = "fleet"\nfleet = true\n[kernel.sysctl]\n"vm.swappiness" = {value}\n'


def apply(stage, value):
    files = [{"file": "fleet.toml", "source": source(value)}]
    return stage.central.post("/api/v1/profiles:apply", {"files": files, "at_once": True})


def test_a_box_has_its_settings_with_its_identity_and_every_later_change_by_order(stage, tmp_path):
    stage.add_site("edge", "n1")
    apply(stage, 10)
    box = Box(tmp_path / "box")
    done = box.join(stage.url, token=stage.token("edge"))
    assert done.returncode == 0, done.stderr
    node = Node(stage, box)
    digest = node.take((box.identity / CONFIGURATION).read_bytes())
    assert node.settings == {"kernel": {"sysctl": {"vm.swappiness": 10}}}
    with node.connected() as peer:
        assert peer.subscribe(node.topics.order) < 128
        node.until(peer, lambda: desired(stage)["reported"]["config"] == "applying")
        node.report(peer, node.told(OrderState.TAKEN), node.told(OrderState.DONE))
        node.digest, node.generation = digest, 1
        node.until(peer, lambda: desired(stage)["reported"]["config"] == "in-sync")

        apply(stage, 20)
        digest = node.take(node.heard_order(peer))
        assert node.settings == {"kernel": {"sysctl": {"vm.swappiness": 20}}}
        drift = [Drift(SWAPPINESS, "20", "60")]
        node.digest, node.generation = digest, 2
        node.report(
            peer,
            node.told(OrderState.TAKEN),
            node.told(OrderState.DONE),
            node.config(digest, drift),
        )
        node.beat(peer)
        wait_until(lambda: desired(stage)["reported"]["config"] == "in-sync", "it has the second")
        [setting] = desired(stage)["settings"]
        assert (setting["value"], setting["found"]) == (20, "60")
        assert "60" in roost(stage, "drift", "list")

        roost(stage, "node", "reapply", NODE, "-m", "by hand")
        assert node.take(node.heard_order(peer)) == digest
        node.report(peer, node.told(OrderState.REFUSED, "not now"))
        node.until(peer, lambda: desired(stage)["reported"]["outcome"] == "failed")
        assert desired(stage)["reported"]["config"] == "in-sync"  # by its own word, as before
    said = json.loads(roost(stage, "profile", "status", "fleet", "-o", "json"))
    assert (said["nodes"]["total"], said["nodes"]["drifted"]) == (1, 0)
    kinds = {row["type"] for row in stage.central.get("/api/v1/events?limit=500")["items"]}
    assert "250.810" in kinds
