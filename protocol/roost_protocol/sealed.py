"""A secret for one node: closed to its sealing key, so that brokers and disks carry it unread.

HPKE in its base mode (RFC 9180 section 6.1), one message a key: DHKEM(X25519, HKDF-SHA256),
HKDF-SHA256, ChaCha20-Poly1305. What is sent is the 32 bytes of the one-time public key and the
ciphertext. Whoever knows the public half can seal: who said it is not this file's business, the
order that a sealed body comes with is signed.

Not for the resident agent: this imports cryptography, so a child opens.
"""

import hmac
import struct
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from roost_protocol.errors import ProtocolError

KEY_BYTES: Final = 32
TAG_BYTES: Final = 16
OVERHEAD_BYTES: Final = KEY_BYTES + TAG_BYTES

_NONCE_BYTES: Final = 12
_BASE: Final = b"\0"  # the mode: the sender is not authenticated
_KEM: Final = b"KEM" + struct.pack(">H", 0x0020)
_SUITE: Final = b"HPKE" + struct.pack(">HHH", 0x0020, 0x0001, 0x0003)


def seal_for(public: bytes, plain: bytes, about: bytes, *, once: bytes) -> bytes:
    """Return a message that only the holder of a sealing key can read.

    Args:
        public: the sealing key's public half, 32 bytes.
        plain: what is said.
        about: what it is and for whom (RFC 9180's info); the reader must name the same.
        once: 32 unpredictable bytes, of this message alone.

    Raises:
        ProtocolError: ``sealed``: a key is none.
    """
    try:
        fresh = X25519PrivateKey.from_private_bytes(once)
        shared = fresh.exchange(X25519PublicKey.from_public_bytes(public))
    except ValueError as err:
        raise ProtocolError("sealed", field="public", bound=KEY_BYTES, got=len(public)) from err
    sent = _raw(fresh.public_key())
    key, nonce = _schedule(shared, sent + public, about)
    return sent + ChaCha20Poly1305(key).encrypt(nonce, plain, b"")


def open_sealed(private: X25519PrivateKey, message: bytes, about: bytes) -> bytes:
    """Return what was sealed for a key.

    Raises:
        ProtocolError: ``sealed``: for another key or about something else, or changed on its way.
    """
    if len(message) < OVERHEAD_BYTES:
        raise ProtocolError("sealed", bound=OVERHEAD_BYTES, got=len(message), detail="cut short")
    sent, closed = message[:KEY_BYTES], message[KEY_BYTES:]
    try:
        shared = private.exchange(X25519PublicKey.from_public_bytes(sent))
        key, nonce = _schedule(shared, sent + _raw(private.public_key()), about)
        return ChaCha20Poly1305(key).decrypt(nonce, closed, b"")
    except (InvalidTag, ValueError) as err:
        detail = "sealed for another key, or changed on its way"
        raise ProtocolError("sealed", detail=detail) from err


def _schedule(dh: bytes, context: bytes, about: bytes) -> tuple[bytes, bytes]:
    """Return key and nonce of the only message (sections 4.1 and 5.1)."""
    first = _extract(_KEM, b"", b"eae_prk", dh)
    shared = _expand(_KEM, first, b"shared_secret", context, KEY_BYTES)
    said = _BASE + _extract(_SUITE, b"", b"psk_id_hash", b"")
    said += _extract(_SUITE, b"", b"info_hash", about)
    secret = _extract(_SUITE, shared, b"secret", b"")
    key = _expand(_SUITE, secret, b"key", said, KEY_BYTES)
    return key, _expand(_SUITE, secret, b"base_nonce", said, _NONCE_BYTES)


def _extract(suite: bytes, salt: bytes, label: bytes, given: bytes) -> bytes:
    return hmac.digest(salt, b"HPKE-v1" + suite + label + given, "sha256")


def _expand(suite: bytes, key: bytes, label: bytes, said: bytes, length: int) -> bytes:
    assert length <= sha256().digest_size  # noqa: S101 - one block of HKDF is all that is asked
    told = struct.pack(">H", length) + b"HPKE-v1" + suite + label + said
    return hmac.digest(key, told + b"\x01", "sha256")[:length]


def _raw(key: X25519PublicKey) -> bytes:
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)
