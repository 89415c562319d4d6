"""The keys of a node: made here, never leaving, kept from the first attempt to the last.

A box that lost the reply comes back with the same key, and so gets the same identity.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from roost_agent.enrol.folder import read_files, write_files
from roost_agent.enrolled import BROKER_KEY, LAN_KEY, NODE_KEY
from roost_agent.errors import AgentError

SEALING_KEY: Final = "sealing.key"
CSR: Final = "node.csr"
_OF_A_NODE: Final = (NODE_KEY, CSR)  # made together: one is of the other
_NAMES: Final = (NODE_KEY, LAN_KEY, BROKER_KEY, SEALING_KEY, CSR)


@dataclass(frozen=True, slots=True)
class Keys:
    """The private keys of one generation, and the request that its public key is in."""

    node: EllipticCurvePrivateKey
    lan: EllipticCurvePrivateKey
    broker: EllipticCurvePrivateKey
    sealing: X25519PrivateKey
    csr: str

    def sign(self, message: bytes) -> bytes:
        """Return the node key's signature (ECDSA, SHA-256, DER)."""
        return self.node.sign(message, ECDSA(SHA256()))

    @property
    def sealing_public(self) -> bytes:
        """The public half of the sealing key, 32 bytes."""
        return self.sealing.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def ready_keys(folder: Path) -> Keys:
    """Return the keys in a folder, made and written there where there are none.

    Raises:
        AgentError: they are there and cannot be used.
        OSError: the folder cannot be used.
    """
    found = read_files(folder, _NAMES)
    if len(found) < len(_NAMES):  # what is there is kept: a renewal brings the box's own keys
        found = _made() | {name: key for name, key in found.items() if name not in _OF_A_NODE}
        write_files(folder, found)
    try:
        return _loaded(found)
    except ValueError as err:
        hint = "join with --new-key to begin again"
        raise AgentError(f"{folder}: the keys there cannot be read: {err}; {hint}") from err


def load_key(file: Path) -> EllipticCurvePrivateKey:
    """Return a key as it is kept.

    Raises:
        AgentError: it is none.
        OSError: it cannot be read.
    """
    try:
        return _ec({file.name: file.read_bytes()}, file.name)
    except ValueError as err:
        raise AgentError(f"{file}: {err}; join with --new-key to begin again") from err


def public_pem(key: EllipticCurvePrivateKey) -> str:
    """Return the public half of a key (SPKI, PEM)."""
    public = key.public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def make_key() -> EllipticCurvePrivateKey:
    """Return a new key on P-256."""
    return generate_private_key(SECP256R1())


def private_pem(key: EllipticCurvePrivateKey | X25519PrivateKey) -> bytes:
    """Return a private key as it is kept: the folder's mode guards it."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def request_pem(key: EllipticCurvePrivateKey) -> bytes:
    """Return a request for a certificate; the centre reads nothing of it but the key."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "node")])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, SHA256())
    return request.public_bytes(Encoding.PEM)


def _made() -> dict[str, bytes]:
    node = make_key()
    return {
        NODE_KEY: private_pem(node),
        LAN_KEY: private_pem(make_key()),
        BROKER_KEY: private_pem(make_key()),
        SEALING_KEY: private_pem(X25519PrivateKey.generate()),
        CSR: request_pem(node),
    }


def _loaded(files: Mapping[str, bytes]) -> Keys:
    sealing = load_pem_private_key(files[SEALING_KEY], None)
    if not isinstance(sealing, X25519PrivateKey):
        raise ValueError(f"{SEALING_KEY} is no X25519 key")  # noqa: TRY004 - the file's fault
    return Keys(
        node=_ec(files, NODE_KEY),
        lan=_ec(files, LAN_KEY),
        broker=_ec(files, BROKER_KEY),
        sealing=sealing,
        csr=files[CSR].decode(),
    )


def _ec(files: Mapping[str, bytes], name: str) -> EllipticCurvePrivateKey:
    key = load_pem_private_key(files[name], None)
    if not isinstance(key, EllipticCurvePrivateKey):
        raise ValueError(f"{name} is no EC key")  # noqa: TRY004 - the file's fault
    return key
