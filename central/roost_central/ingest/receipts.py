"""Receipts: central's word that a stream is on disk up to a number. Sent after COMMIT only."""

from collections.abc import Iterable
from typing import Final, Protocol

from roost_central.fleet.view import FleetView
from roost_central.ingest.counters import Counters
from roost_central.ingest.seals import Seals
from roost_central.ports import Clock
from roost_protocol.codec import VERSION, encode
from roost_protocol.envelope import Lane, Receipt, Resync, SamplesAsk
from roost_protocol.topics import NodeId, NodeTopics

NOBODYS: Final = bytes(16)  # the stream of a receipt that only asks
NODES_A_SECOND: Final = 100  # that a broker takes back with mTLS on two cores: spreads reconnects


class Publisher(Protocol):
    """Sends to nodes by a broker."""

    def publish(self, broker: str, topic: str, payload: bytes) -> bool:
        """Send at QoS 1; return false where it cannot be sent now: the node will ask again."""


class Receipts:
    """Writes and sends receipts."""

    def __init__(
        self,
        view: FleetView,
        publisher: Publisher,
        seals: Seals,
        *,
        clock: Clock,
        counters: Counters,
    ) -> None:
        self._view = view
        self._publisher = publisher
        self._seals = seals
        self._clock = clock
        self._counters = counters
        self.epoch = b""  # set before the first message is taken

    def send(  # noqa: PLR0913 - a receipt is these words
        self,
        broker: str,
        node: str,
        lane: Lane,
        stream: bytes,
        seq: int,
        *,
        resync: Iterable[str] = (),
    ) -> None:
        """Send one receipt on the broker that brought the report; ``resync``: what to repeat."""
        receipt = Receipt(
            v=VERSION,
            node=node,
            lane=lane,
            stream=stream,
            seq=seq,
            central_epoch=self.epoch,
            sent_ms=self._clock.wall_ms(),
            resync=[Resync(what) for what in resync],
            reconnect_window_s=len(self._view.nodes) // NODES_A_SECOND,
        )
        topic = NodeTopics.of(node).receipt
        message = self._seals.seal(NodeId(node), topic, encode(receipt))
        if message is not None and self._publisher.publish(broker, topic, message):
            self._counters.receipts += 1

    def ask_samples(self, broker: str, node: str, ask: SamplesAsk) -> bool:
        """Ask a node for samples, by a receipt of nothing; false: it cannot be sent now."""
        receipt = Receipt(
            v=VERSION,
            node=node,
            lane=Lane.BULK,
            stream=NOBODYS,
            seq=0,
            central_epoch=self.epoch,
            sent_ms=self._clock.wall_ms(),
            samples=ask,
        )
        topic = NodeTopics.of(node).receipt
        message = self._seals.seal(NodeId(node), topic, encode(receipt))
        return message is not None and self._publisher.publish(broker, topic, message)
