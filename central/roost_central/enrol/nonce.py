"""The centre's nonce: fresh and bound to what the box committed to, without being remembered.

Pure. ``<time>.<random>.<mac>``: the MAC over time, random part and commitment makes it ours.
Replay within its life is harmless: what a request does is tied to its key, and done once.
"""

import hmac
from hashlib import sha256
from typing import Final

from roost_protocol.errors import ProtocolError
from roost_protocol.join_token import to_text

LIFE_MS: Final = 300_000
RANDOM_BYTES: Final = 16
KEY_BYTES: Final = 32
_MAC_BYTES: Final = 16


def make_nonce(key: bytes, commit: bytes, rand: bytes, *, now_ms: int) -> str:
    """Return a nonce for who committed to ``commit``."""
    body = f"{now_ms}.{to_text(rand)}"
    return f"{body}.{_mac(key, body, commit)}"


def check_nonce(key: bytes, nonce: str, commit: bytes, *, now_ms: int) -> None:
    """Take a nonce back.

    Raises:
        ProtocolError: ``nonce``: not ours, for another commitment, or too old.
    """
    body, _, mac = nonce.rpartition(".")
    if not hmac.compare_digest(mac.encode(), _mac(key, body, commit).encode()):
        raise ProtocolError("nonce", field="server_nonce", bound="one of ours for this csr")
    age_ms = now_ms - int(body.partition(".")[0])
    if not -LIFE_MS <= age_ms <= LIFE_MS:
        raise ProtocolError("nonce", field="server_nonce", bound=f"{LIFE_MS // 1000} s", got=age_ms)


def _mac(key: bytes, body: str, commit: bytes) -> str:
    return to_text(hmac.digest(key, body.encode() + b"|" + commit, sha256)[:_MAC_BYTES])
