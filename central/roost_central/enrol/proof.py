"""Checks what a request proves, before anything is read or written for it.

Invariants: a request counts only if the key that it wants a certificate for signed all of it, in
every kind of claim (the answer holds the report key); and only if it answers one of our nonces.
"""

from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from roost_central.ca.request import key_of_pem, key_of_request, spki_of
from roost_central.enrol.factory import Makers, Vouched
from roost_central.enrol.nonce import check_nonce
from roost_central.enrol.tpm.endorsement import Endorsed
from roost_central.storage.enrolments import EnrolmentRecord
from roost_protocol.enrol import ClaimKind, EnrolRequest, commitment, transcript
from roost_protocol.errors import ProtocolError


@dataclass(frozen=True, slots=True)
class Proven:
    """What holds of a request.

    Attributes:
        key_hash: of the key that it wants a certificate for.
        certified: of all keys that it wants certificates for, as an audit row has them.
        announced: of the key that the claim is for, hexadecimal; empty for other claims.
        vouched: what the maker of the box or of its TPM says; None: neither was proven.
    """

    request: EnrolRequest
    key_hash: bytes
    certified: tuple[str, ...]
    announced: str = ""
    vouched: Vouched | Endorsed | None = None


def check_request(
    request: EnrolRequest, nonce_key: bytes, *, now_ms: int, makers: Makers | None = None
) -> Proven:
    """Return what a request proves; of a TPM it proves nothing before its answer.

    Raises:
        ProtocolError: ``nonce``, ``csr``, ``key``, ``signature``, ``chain`` or ``oversize``.
    """
    commit = commitment(request.node_nonce, request.csr)
    check_nonce(nonce_key, request.server_nonce, commit, now_ms=now_ms)
    key = key_of_request(request.csr)
    check_signature(key, request.signature, request, field="signature")
    wanted = (key, *(key_of_pem(pem) for pem in (request.lan_key, request.broker_key)))
    certified = tuple(key_hash(each).hex() for each in wanted)
    announced = ""
    if request.kind in {ClaimKind.KEY, ClaimKind.EXPIRED}:
        other = key_of_pem(request.proof.public_key)
        check_signature(other, request.proof.signature, request, field="proof.signature")
        announced = key_hash(other).hex()
    vouched = None
    if request.kind is ClaimKind.FACTORY:
        vouched = (makers or Makers()).check(request.proof.chain, now_ms)
        vouched.check(request.proof.signature, transcript(request))
    return Proven(request, key_hash(key), certified, announced, vouched)


def check_signature(
    key: EllipticCurvePublicKey, signature: bytes, request: EnrolRequest, *, field: str
) -> None:
    """Refuse a request that a key did not sign.

    Raises:
        ProtocolError: ``signature``.
    """
    try:
        key.verify(signature, transcript(request), ECDSA(SHA256()))
    except InvalidSignature as err:
        raise ProtocolError("signature", field=field, detail="the key did not sign this") from err


def key_hash(key: EllipticCurvePublicKey) -> bytes:
    """Return SHA-256 of a public key (SPKI)."""
    return sha256(spki_of(key)).digest()


def certified_keys(box: EnrolmentRecord) -> list[str]:
    """Return the hashes of all keys that a box gets certificates for, as an audit row has them."""
    others = (key_hash(key_of_pem(pem)).hex() for pem in (box.lan_key, box.broker_key))
    return [box.key_hash.hex(), *others]
