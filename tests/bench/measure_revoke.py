"""``revoke.effective_s``: from an operator's word to a node that is nowhere heard or let in.

Signer, broker and centre are the product's processes, Mosquitto is real, and each node was let in
by ``roost-agent join``. A certificate and a report key are then in the hands of this program, as
a thief would have them: it holds a live session under the node's client id, beats, and tries to
connect anew. In effect is a revocation when the last of three has come: the session is denied,
it is closed, and the certificate opens no other. The centre refuses the next message already.
"""

import ssl
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from figure import QUICK, Figure
from fleet_stage import Box, FleetStage
from mqtt_peer import NOT_AUTHORISED, Peer
from waiting import wait_until

from roost_protocol.beat import Beat, PathKind, PathReport, PathState
from roost_protocol.codec import encode
from roost_protocol.seal import Seal
from roost_protocol.topics import NodeTopics

NODES = 2 if QUICK else 8
SITE = "edge"
BOOT = b"b" * 16
LOOK_S = 0.05
GIVEN_UP_S = 60.0


class Thief:
    """Who has a node's keys."""

    def __init__(self, stage: FleetStage, box: Box, node: str) -> None:
        folder = box.identity
        self.node, self._stage = node, stage
        self._seal = Seal((folder / "report.key").read_bytes(), 1)
        self.files = (folder / "node.pem", folder / "node.key")
        self._said = 0

    def connected(self) -> Peer:
        """Return a session as the node has it."""
        client_id = self._seal.client_id(BOOT, 1, "b1")
        root = self.files[0].parent / "root.pem"
        return Peer(self._stage.broker.port, root, self.files, client_id=client_id)

    def beats(self, peer: Peer) -> int:
        """Say a beat; return the broker's answer."""
        self._said += 1
        topic = NodeTopics.of(self.node).beat
        beat = Beat(
            v=1, node=self.node, boot_id=BOOT, incarnation=1, path="b1",
            sent_ms=time.time_ns() // 1_000_000, n=self._said, interval_ms=1_000, uptime_s=1,
            agent="bench", why="timer",
            paths=[PathReport("b1", PathKind.WAN, PathState.UP, 0)],
        )  # fmt: skip
        return int(peer.publish(topic, self._seal.seal(topic, encode(beat))))

    def is_heard(self) -> bool:
        """Whether the centre has a beat of it."""
        return self._stage.central.get(f"/api/v1/nodes/{self.node}")["presence"] == "online"


def measure(say: Callable[[str], None]) -> Iterator[Figure]:
    """Revoke nodes one after the other; take the slowest."""
    with tempfile.TemporaryDirectory(prefix="roost-revoke-") as text, ExitStack() as stack:
        stage = FleetStage(Path(text))
        stack.callback(stage.stop)
        stage.start()
        names = [f"n{number}" for number in range(1, NODES + 1)]
        stage.add_site(SITE, *names)
        spent = []
        for name in names:
            box = Box(Path(text) / name)
            done = box.join(stage.url, token=stage.token(SITE, node=name))
            if done.returncode:
                raise RuntimeError(done.stderr)
            denied_s, closed_s, shut_s = _revoked(stage, Thief(stage, box, f"{SITE}.{name}"))
            say(f"denied {denied_s:.1f} s, closed {closed_s:.1f} s, shut out {shut_s:.1f} s")
            spent.append(max(denied_s, closed_s, shut_s))
    against = f"the slowest of {NODES}; the median {sorted(spent)[len(spent) // 2]:.1f} s"
    yield Figure("revoke.effective_s", round(max(spent), 1), "s", "<= 10", against)


def _revoked(stage: FleetStage, thief: Thief) -> tuple[float, float, float]:
    with thief.connected() as peer:
        wait_until(lambda: thief.beats(peer) < NOT_AUTHORISED and thief.is_heard(), "it is heard")
        began = time.monotonic()
        stage.central.post(f"/api/v1/nodes/{thief.node}/revoke", {"reason": "measured"})
        denied = closed = shut = 0.0
        while not (denied and closed and shut):
            if time.monotonic() - began > GIVEN_UP_S:
                raise TimeoutError(f"denied {denied}, closed {closed}, shut out {shut}")
            if not denied and not closed:
                try:
                    is_denied = thief.beats(peer) == NOT_AUTHORISED
                except ConnectionError:
                    is_denied = True
                denied = time.monotonic() if is_denied else 0.0
            if denied and not shut:
                shut = time.monotonic() if _is_out(stage, thief) else 0.0
            if peer.ended and not closed:
                closed = time.monotonic()
            time.sleep(LOOK_S)
    return denied - began, closed - began, shut - began


def _is_out(stage: FleetStage, thief: Thief) -> bool:
    """Whether another client id gets in: this one would close the session that is waited for."""
    root = stage.pki.root_file
    try:
        with Peer(stage.broker.port, root, thief.files, client_id="other"):
            return False
    except (ConnectionError, ssl.SSLError):
        return True
