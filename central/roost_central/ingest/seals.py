"""Who may speak, and how it is proven: the seals of enrolled nodes (protocol seal.py).

Invariants: a node that was ever enrolled is never heard bare again, on no broker; by a broker that
is not on loopback nobody is; a message counts for a live generation only, looked up anew for each
message, so that a revocation holds from the next one on. What goes down to a node is sealed for the
generation that it spoke with last.

Leaves to others: what makes a generation live (enrolment), and replays: a beat's number, a report's
(stream, seq).
"""

from collections.abc import Iterable
from contextlib import suppress
from typing import Final, Protocol

from roost_protocol.errors import ProtocolError
from roost_protocol.seal import Seal, generation_of, is_sealed, report_key
from roost_protocol.topics import NodeId

SEALS_MAX: Final = 131_072  # keyed hashes kept, 1 kB each; one that went is derived again in 10 us


class Identities(Protocol):
    """The fleet's identities as the database has them; answers from memory."""

    def is_known(self, node: str) -> bool:
        """Return whether the node has or ever had an identity."""

    def is_live(self, node: str, generation: int) -> bool:
        """Return whether a generation may speak: issued or later, and neither ended nor revoked."""

    def heard(self, node: str, generation: int) -> None:
        """Note that the holder of a generation's key has spoken; at least once in this process."""

    def suspect(self, node: str, why: str) -> None:
        """Note that two boxes seem to be one node; as often as it is seen."""

    @property
    def revision(self) -> int:
        """Another number after each change."""


class NobodyEnrolled:
    """A centre without enrolment: the demo on loopback."""

    def is_known(self, node: str) -> bool:  # noqa: ARG002 - see Identities
        """See Identities."""
        return False

    def is_live(self, node: str, generation: int) -> bool:  # noqa: ARG002 - see Identities
        """See Identities."""
        return False

    def heard(self, node: str, generation: int) -> None:
        """See Identities."""

    def suspect(self, node: str, why: str) -> None:
        """See Identities."""

    @property
    def revision(self) -> int:
        """See Identities."""
        return 0


class Seals:
    """Opens what nodes send and seals what they are sent.

    Args:
        identities: who is enrolled.
        ingest_keys: of the centre, 32 bytes each: the present one, then one that still counts.
        bare_brokers: names of the brokers whose listeners nothing but this machine reaches.
    """

    def __init__(
        self, identities: Identities, ingest_keys: Iterable[bytes], bare_brokers: Iterable[str]
    ) -> None:
        self.identities = identities
        self._ingest_keys = tuple(ingest_keys)
        self._bare_brokers = frozenset(bare_brokers)
        self._spoke: dict[NodeId, Seal] = {}  # of each node, the generation that spoke last

    def open(self, broker: str, node: NodeId, topic: str, message: bytes) -> bytes:
        """Return what a node said.

        Raises:
            ProtocolError: ``unsealed`` where it must be sealed; ``seal``, ``kid`` or ``mac``;
                ``ended`` where the seal is right and its generation may not speak any more.
        """
        if not is_sealed(message):
            return self._bare(broker, node, message)
        generation = generation_of(message)
        if not self.identities.is_live(node, generation):
            raise self._not_live(node, generation, topic, message)
        seal = self._spoke.get(node)
        if seal is None or seal.generation != generation:
            return self._meet(node, generation, topic, message)
        try:
            return seal.open(topic, message)
        except ProtocolError:  # sealed with the other ingest key's, perhaps
            return self._meet(node, generation, topic, message)

    def seal(self, node: NodeId, topic: str, body: bytes) -> bytes | None:
        """Return the message to send to a node; None where nobody may hear it."""
        seal = self._spoke.get(node)
        if seal is not None and self.identities.is_live(node, seal.generation):
            return seal.seal(topic, body)
        return None if self.identities.is_known(node) else body

    def speaks_with(self, node: NodeId) -> int | None:
        """Return the generation that a node spoke with last, None where none of it may speak."""
        seal = self._spoke.get(node)
        if seal is None or not self.identities.is_live(node, seal.generation):
            return None
        return seal.generation

    def take_ended(self) -> list[tuple[NodeId, Seal]]:
        """Return, and forget, the seals of those that have spoken and may not any more."""
        is_live = self.identities.is_live
        ended = [
            (node, seal) for node, seal in self._spoke.items() if not is_live(node, seal.generation)
        ]
        for node, _ in ended:
            del self._spoke[node]
        return ended

    def _bare(self, broker: str, node: NodeId, message: bytes) -> bytes:
        if broker not in self._bare_brokers:
            raise ProtocolError("unsealed", bound="a seal, off loopback", detail="enrol the node")
        if self.identities.is_known(node):
            raise ProtocolError("unsealed", bound="a seal, of an enrolled node")
        return message

    def _not_live(self, node: NodeId, generation: int, topic: str, message: bytes) -> ProtocolError:
        """Return what is wrong with it: whose generation ended is another than who never had it."""
        if self._opened(node, generation, topic, message) is None:
            return ProtocolError("kid", got=generation, detail="no identity that may speak")
        return ProtocolError("ended", got=generation, detail="its identity has ended")

    def _opened(
        self, node: NodeId, generation: int, topic: str, message: bytes
    ) -> tuple[Seal, bytes] | None:
        """Return seal and message, by whichever ingest key a generation's report key comes of."""
        for key in self._ingest_keys:
            seal = Seal(report_key(key, node, generation), generation)
            with suppress(ProtocolError):
                return seal, seal.open(topic, message)
        return None

    def _meet(self, node: NodeId, generation: int, topic: str, message: bytes) -> bytes:
        """Open a generation's first message."""
        opened = self._opened(node, generation, topic, message)
        if opened is None:
            raise ProtocolError("mac", detail="not sealed with its key, or changed on its way")
        seal, body = opened
        if len(self._spoke) >= SEALS_MAX:
            del self._spoke[next(iter(self._spoke))]
        self._spoke[node] = seal
        self.identities.heard(node, generation)
        return body
