"""The report key: who said it, whatever broker carried it.

A sealed message is ``0xC1 | 0x01 | generation | mac | body``: two bytes, the generation of the
certificate as an unsigned 32-bit number, 16 bytes of HMAC-SHA256 (RFC 2104, cut as RFC 4868 does),
and what is said. No MessagePack begins with 0xC1, so the first byte tells a sealed message from a
bare one. The mac covers what stands before it, the topic (its length in two bytes, then its text)
and the body *as sent*: nobody encodes again to check, and a message of one node, direction or kind
is none of another. What replays it unchanged is stopped elsewhere, by (node, stream, seq).

Leaves to others: which generations of a node may speak, and keeping the keys.
"""

import hmac
import struct
from typing import Final

from roost_protocol.errors import ProtocolError
from roost_protocol.limits import GENERATION_MAX, REPORT_KEY_BYTES, SEAL_BYTES, SEAL_MAC_BYTES

MAGIC: Final = 0xC1  # the one first byte that MessagePack never uses
SCHEME: Final = 0x01  # HMAC-SHA256-128 with the report key

_HEAD: Final = struct.Struct(">BBI")  # magic, scheme, generation
_TOPIC: Final = struct.Struct(">H")
_CLIENT: Final = "client id"  # where a topic stands otherwise; no topic of ours is like it
_CLIENT_BYTES: Final = 11
_MAC: Final = slice(_HEAD.size, SEAL_BYTES)


def report_key(ingest_key: bytes, node: str, generation: int) -> bytes:
    """Return the report key of a node's certificate generation, 32 bytes.

    The centre derives it anew from its ingest key, so that no list of keys exists anywhere.

    Args:
        ingest_key: the centre's secret, 32 bytes.
        node: node id.
        generation: of the certificate, 1 to GENERATION_MAX.
    """
    if len(ingest_key) != REPORT_KEY_BYTES:
        raise ProtocolError("key", field="ingest key", bound=REPORT_KEY_BYTES, got=len(ingest_key))
    if not 1 <= generation <= GENERATION_MAX:
        raise ProtocolError("key", field="generation", bound=f"1..{GENERATION_MAX}", got=generation)
    said = node.encode() + b"\0" + generation.to_bytes(8, "big")
    return hmac.digest(ingest_key, said, "sha256")


class Seal:
    """Seals and opens the messages of one generation of one node.

    Args:
        key: its report key.
        generation: 1 to GENERATION_MAX.
    """

    __slots__ = ("_head", "_keyed", "generation")

    def __init__(self, key: bytes, generation: int) -> None:
        if len(key) != REPORT_KEY_BYTES:
            raise ProtocolError("key", field="report key", bound=REPORT_KEY_BYTES, got=len(key))
        self.generation = generation
        self._head = _HEAD.pack(MAGIC, SCHEME, generation)
        self._keyed = hmac.new(key, self._head, "sha256")

    def seal(self, topic: str, body: bytes) -> bytes:
        """Return the message to publish on ``topic``."""
        return self._head + self._mac(topic, body) + body

    def open(self, topic: str, message: bytes) -> bytes:
        """Return what was said on ``topic``.

        Raises:
            ProtocolError: ``kid``, sealed for another generation; ``mac``, not said by its node.
        """
        if message[: _HEAD.size] != self._head:
            raise ProtocolError("kid", got=generation_of(message), bound=self.generation)
        body = message[SEAL_BYTES:]
        if not hmac.compare_digest(self._mac(topic, body), message[_MAC]):
            raise ProtocolError("mac", detail="not sealed with its key, or changed on its way")
        return body

    def client_id(self, boot_id: bytes, incarnation: int, path: str) -> str:
        """Return the MQTT client id of one path of one start of the agent.

        Nobody else can guess it, so nobody can take over the connection; the centre can, to close
        that of a node which was revoked. 22 characters: every MQTT 3.1.1 broker takes 23.
        """
        who = boot_id + incarnation.to_bytes(8, "big") + path.encode()
        return self._mac(_CLIENT, who)[:_CLIENT_BYTES].hex()

    def _mac(self, topic: str, body: bytes) -> bytes:
        mac = self._keyed.copy()  # the key's share of the work is done once
        text = topic.encode()
        mac.update(_TOPIC.pack(len(text)) + text)
        mac.update(body)
        return mac.digest()[:SEAL_MAC_BYTES]


def is_sealed(message: bytes) -> bool:
    """Return whether a message is, or pretends to be, a sealed one."""
    return message[:1] == b"\xc1"


def generation_of(message: bytes) -> int:
    """Return the generation that a sealed message names. Nothing is proven by it.

    Raises:
        ProtocolError: ``seal``, no sealed message of this scheme.
    """
    if len(message) < SEAL_BYTES:
        raise ProtocolError("seal", bound=SEAL_BYTES, got=len(message), detail="cut short")
    magic, scheme, generation = _HEAD.unpack_from(message)
    if (magic, scheme) != (MAGIC, SCHEME):
        raise ProtocolError("seal", field="scheme", bound=SCHEME, got=int(scheme))
    return int(generation)
