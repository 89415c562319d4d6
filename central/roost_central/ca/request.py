"""What a request for a certificate brings: a public key, and proof that its private half is there.

Subject, attributes and wished extensions are not read.
"""

from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)

from roost_protocol.errors import ProtocolError

PEM_CHARS_MAX: Final = 4_096  # a P-256 request has about 400
KEY_RULE: Final = "an EC key on P-256"


def key_of_request(pem: str) -> EllipticCurvePublicKey:
    """Return the public key of a PKCS #10 request that its own key signed.

    Raises:
        ProtocolError: ``csr`` where it cannot be read, ``key`` where the key is of another kind,
            ``signature`` where another key signed it.
    """
    try:
        request = x509.load_pem_x509_csr(_bounded(pem, "csr_pem"))
        key = p256(request.public_key())
        algorithm = request.signature_hash_algorithm
    except ProtocolError:
        raise
    except (ValueError, x509.InvalidVersion, UnsupportedAlgorithm) as err:
        raise ProtocolError("csr", field="csr_pem", detail="not a PKCS #10 request") from err
    if not isinstance(algorithm, SHA256):
        raise ProtocolError("signature", field="csr_pem", bound="ECDSA with SHA-256")
    try:
        key.verify(request.signature, request.tbs_certrequest_bytes, ECDSA(algorithm))
    except InvalidSignature as err:
        raise ProtocolError(
            "signature", field="csr_pem", detail="its own key must have signed it"
        ) from err
    return key


def key_of_pem(pem: str) -> EllipticCurvePublicKey:
    """Return a public key as it stands, where somebody else saw the proof.

    Raises:
        ProtocolError: ``key``.
    """
    try:
        return p256(load_pem_public_key(_bounded(pem, "public_key_pem")))
    except ProtocolError:
        raise
    except (ValueError, UnsupportedAlgorithm) as err:
        raise ProtocolError("key", field="public_key_pem", bound=KEY_RULE) from err


def p256(key: object) -> EllipticCurvePublicKey:
    """Return a key if it is of the one kind that certificates here have.

    Raises:
        ProtocolError: ``key``.
    """
    if isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1):
        return key
    raise ProtocolError("key", bound=KEY_RULE, got=type(key).__name__)


def spki_of(key: PublicKeyTypes) -> bytes:
    """Return the SubjectPublicKeyInfo of a public key, DER: what is pinned and hashed of it."""
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _bounded(pem: str, field: str) -> bytes:
    if len(pem) > PEM_CHARS_MAX or not pem.isascii():
        raise ProtocolError("oversize", field=field, got=len(pem), bound=PEM_CHARS_MAX)
    return pem.encode()
