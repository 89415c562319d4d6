"""The two steps of a claim by TPM: a challenge that only one TPM can answer, and its answer.

Nothing is remembered in between. The secret is a MAC over the request, nonces and endorsement
certificate in it, and over the attestation key's name, so it counts for no other ones; the request
comes again with the answer. Invariants:
- a maker vouches for the endorsement key, and that key's TPM holds the attestation key: it gave the
  secret out; that one never leaves the TPM and signs what the TPM itself says, by its name;
- by that key's word the key of the CSR is loaded in the same TPM, asked for this very request.
An answer that comes twice gets the same identity twice: what a request does is tied to its key.
"""

import hmac
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from roost_central.ca.request import key_of_pem, key_of_request
from roost_central.enrol.tpm.attestation import FIELD, read_certified
from roost_central.enrol.tpm.credential import make_credential
from roost_central.enrol.tpm.endorsement import Endorsed, TpmMakers
from roost_protocol.enrol import Activation, Challenge, EnrolRequest, question
from roost_protocol.errors import ProtocolError
from roost_protocol.tpm import attestation_area, name_of, node_key_area

_TAG: Final = b"roost tpm 1\n"


class Activations:
    """Challenges TPMs, and knows their answers.

    Args:
        makers: whose TPMs are believed.
        key: of this centre's nonces; no box knows it.
    """

    def __init__(self, makers: TpmMakers, key: bytes) -> None:
        self._makers = makers
        self._key = key

    def challenge(self, request: EnrolRequest, now_ms: int, *, seed: bytes) -> Challenge:
        """Return what the TPM of a request has to answer; ``seed`` is 32 random bytes.

        Raises:
            ProtocolError: ``chain`` or ``key``.
        """
        endorsed = self._makers.check(request.proof.chain, now_ms)
        name = _attestation_name(key_of_pem(request.proof.public_key))
        return make_credential(endorsed.key, name, self._secret(request, name), seed=seed)

    def check(self, activation: Activation, now_ms: int) -> Endorsed:
        """Return which TPM has answered; its request's signature and nonce are checked elsewhere.

        Raises:
            ProtocolError: ``chain``, ``key``, ``activation`` or ``attestation``.
        """
        request = activation.request
        endorsed = self._makers.check(request.proof.chain, now_ms)
        key = key_of_pem(request.proof.public_key)
        secret = self._secret(request, _attestation_name(key))
        if not hmac.compare_digest(activation.secret, secret):
            detail = "not the secret of this request, which its TPM alone can find: join again"
            raise ProtocolError("activation", field="secret", detail=detail)
        _check_attestation(activation, key)
        return endorsed

    def _secret(self, request: EnrolRequest, name: bytes) -> bytes:
        """Return what follows from a request, its endorsement certificate in it, and a name."""
        return hmac.digest(self._key, _TAG + question(request) + name, sha256)


def _check_attestation(activation: Activation, key: EllipticCurvePublicKey) -> None:
    """Refuse what is not the attestation key's word that the CSR's key is in its TPM.

    Raises:
        ProtocolError: ``attestation``.
    """
    try:
        key.verify(activation.signature, activation.attestation, ECDSA(SHA256()))
    except InvalidSignature as err:
        detail = "the attestation key did not sign this"
        raise ProtocolError("attestation", field="signature", detail=detail) from err
    certified = read_certified(activation.attestation)
    if not hmac.compare_digest(certified.question, question(activation.request)):
        raise ProtocolError("attestation", field=FIELD, detail="it is about another request")
    numbers = key_of_request(activation.request.csr).public_numbers()
    if certified.name != name_of(node_key_area(numbers.x, numbers.y)):
        raise ProtocolError("attestation", field=FIELD, detail="it is about another key")


def _attestation_name(key: EllipticCurvePublicKey) -> bytes:
    """Return the name of an attestation key; one with other attributes has another."""
    numbers = key.public_numbers()
    return name_of(attestation_area(numbers.x, numbers.y))
