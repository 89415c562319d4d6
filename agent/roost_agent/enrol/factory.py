"""The key that the maker put into this box, and its certificate (IDevID, IEEE 802.1AR)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from roost_agent.errors import AgentError
from roost_protocol.enrol import CHAIN_CHARS_MAX

FILE_BYTES_MAX: Final = 64 << 10


@dataclass(frozen=True, slots=True)
class Factory:
    """The factory certificate with its issuers (PEM), and its key."""

    chain: str
    key: EllipticCurvePrivateKey | RSAPrivateKey

    def sign(self, message: bytes) -> bytes:
        """Return the factory key's signature: SHA-256 with ECDSA (DER) or RSA (PKCS #1 v1.5)."""
        if isinstance(self.key, RSAPrivateKey):
            return self.key.sign(message, PKCS1v15(), SHA256())
        return self.key.sign(message, ECDSA(SHA256()))


def load_factory(certificate: str, key: str) -> Factory | None:
    """Return what the maker put into files; None: nothing is configured.

    Raises:
        AgentError: they cannot be used, or are of two keys.
    """
    if not certificate:
        return None
    chain, private = _read(Path(certificate)), _read(Path(key))
    try:
        leaf = x509.load_pem_x509_certificate(chain)
        loaded = load_pem_private_key(private, None)
    except (ValueError, TypeError) as err:
        raise AgentError(f"{certificate}, {key}: no certificate and its key in PEM: {err}") from err
    if not isinstance(loaded, EllipticCurvePrivateKey | RSAPrivateKey):
        raise AgentError(f"{key}: neither an EC nor an RSA key")
    if loaded.public_key() != leaf.public_key():
        raise AgentError(f"{key}: not the key of {certificate}")
    if len(chain) > CHAIN_CHARS_MAX or not chain.isascii():
        raise AgentError(f"{certificate}: {len(chain)} bytes, bound {CHAIN_CHARS_MAX}")
    return Factory(chain.decode(), loaded)


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            return stream.read(FILE_BYTES_MAX)
    except OSError as err:
        raise AgentError(f"{file}: {err.strerror}; see [join] factory_cert, factory_key") from err
