"""Orders for tests: an order key, and what it signs; nothing here is the product's."""

import time
from hashlib import sha256

import msgpack
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from roost_protocol.order import OrderKey

NODE = "lab.n1"
GENERATION = 2
NOW_MS = 1_800_000_000_000
HOUR_MS = 3_600_000


class OrderPen:
    """Writes orders as the centre does, by msgpack and cryptography alone."""

    def __init__(self, seed: bytes = bytes(32)) -> None:
        self.key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = self.key.public_key().public_bytes_raw()
        self.key_id = sha256(self.public).hexdigest()[:16]

    def known(self, **more: int) -> OrderKey:
        """Return the public half, as nodes are told it."""
        return OrderKey(self.public, **more)

    def write(self, **changes: object) -> bytes:
        """Return the bytes of an order; ``changes`` are made to a good one."""
        return msgpack.packb(dict(sorted(fields(**changes).items())))

    def sign(self, order: bytes, *, domain: bytes = b"roost order 1\n") -> bytes:
        """Return the message of signed bytes, before its seal."""
        signed = {
            "key_id": self.key_id,
            "order": order,
            "signature": self.key.sign(domain + order),
            "v": 1,
        }
        return msgpack.packb(signed)

    def message(self, **changes: object) -> bytes:
        """Return the message of an order."""
        return self.sign(self.write(**changes))


def fields(**changes: object) -> dict[str, object]:
    """Return what stands in an order."""
    good = {
        "approved_by": "",
        "by": "ada",
        "generation": GENERATION,
        "given": {"what": "alarms"},
        "id": bytes(16),
        "node": NODE,
        "not_after_ms": NOW_MS + HOUR_MS,
        "not_before_ms": NOW_MS,
        "reason": "",
        "seq": NOW_MS,
        "v": 1,
        "verb": "resync",
    }
    return good | changes


def order_now(**changes: object) -> bytes:
    """Return the bytes of an order that begins now."""
    now_ms = time.time_ns() // 1_000_000
    span = {"not_before_ms": now_ms, "not_after_ms": now_ms + HOUR_MS}
    return OrderPen().write(**(span | changes))
