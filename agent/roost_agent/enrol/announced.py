"""A key that was announced to the centre beforehand: its hash is on the centre's list.

Leaves the node's own keys to keys.py: this one only proves who asks, and may stay in the image.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from roost_agent.enrol.keys import public_pem
from roost_agent.errors import AgentError

FILE_BYTES_MAX: Final = 16 << 10  # a P-256 key in PEM has 300


@dataclass(frozen=True, slots=True)
class Announced:
    """The key."""

    key: EllipticCurvePrivateKey

    @property
    def public(self) -> str:
        """The public half (SPKI, PEM)."""
        return public_pem(self.key)

    def sign(self, message: bytes) -> bytes:
        """Return the key's signature (ECDSA, SHA-256, DER)."""
        return self.key.sign(message, ECDSA(SHA256()))


def load_announced(file: str) -> Announced | None:
    """Return the key in a file; None: none is configured.

    Raises:
        AgentError: it cannot be used.
    """
    if not file:
        return None
    try:
        with Path(file).open("rb") as stream:
            key = load_pem_private_key(stream.read(FILE_BYTES_MAX), None)
    except OSError as err:
        raise AgentError(f"{file}: {err.strerror}; see [join] key_file") from err
    except (ValueError, TypeError, UnsupportedAlgorithm) as err:
        raise AgentError(f"{file}: no private key in PEM without a passphrase: {err}") from err
    if not isinstance(key, EllipticCurvePrivateKey) or not isinstance(key.curve, SECP256R1):
        raise AgentError(f"{file}: another kind of key; it must be an EC key on P-256")
    return Announced(key)
