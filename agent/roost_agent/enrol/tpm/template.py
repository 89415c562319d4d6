"""Templates by which a TPM makes keys, and the public keys in what it made.

Source: TCG EK Credential Profile 2.5, annex B: L-1 and L-2, which makers' certificates are for.
"""

import struct
from hashlib import sha256
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePublicKey,
    EllipticCurvePublicNumbers,
)
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers

from roost_agent.enrol.tpm.command import ENDORSEMENT, Parts
from roost_agent.enrol.tpm.link import TpmError
from roost_protocol.tpm import (
    ADMIN_WITH_POLICY,
    AES,
    ATTESTATION_KEY,
    CFB,
    COORDINATE_BYTES,
    DECRYPT,
    ECDSA_SHA256,
    FIXED_PARENT,
    FIXED_TPM,
    NULL,
    RESTRICTED,
    RSA,
    SENSITIVE_DATA_ORIGIN,
    SHA256,
    ecc_area,
    sized,
)

P256_INDEX: Final = 0x01C0000A  # of the certificate for L-2
RSA_INDEX: Final = 0x01C00002  # for L-1
RSA_BITS: Final = 2048
EXPONENT: Final = 65537  # which templates write as 0

_STORAGE: Final = (
    FIXED_TPM | FIXED_PARENT | SENSITIVE_DATA_ORIGIN | ADMIN_WITH_POLICY | RESTRICTED | DECRYPT
)
_AES_CFB: Final = struct.pack(">HHH", AES, 128, CFB)
_POLICY_SECRET: Final = struct.pack(">II", 0x151, ENDORSEMENT)  # the command, and by whose password
# Policy A: an empty policy, as TPM2_PolicySecret extends it (part 3 section 23.4)
_POLICY_A: Final = sha256(sha256(bytes(32) + _POLICY_SECRET).digest()).digest()
_L1: Final = (
    struct.pack(">HHI", RSA, SHA256, _STORAGE)
    + sized(_POLICY_A)
    + _AES_CFB
    + struct.pack(">HHI", NULL, RSA_BITS, 0)
    + sized(bytes(RSA_BITS // 8))
)
_ZERO: Final = bytes(COORDINATE_BYTES)
_L2: Final = ecc_area(_STORAGE, _ZERO, _ZERO, policy=_POLICY_A, symmetric=_AES_CFB)

ENDORSEMENTS: Final = ((P256_INDEX, _L2), (RSA_INDEX, _L1))  # what is quick to make first
ATTESTATION: Final = ecc_area(ATTESTATION_KEY, b"", b"", scheme=ECDSA_SHA256)


def key_of(area: bytes) -> EllipticCurvePublicKey | RSAPublicKey:
    """Return the public key of an area that was made by one of these templates.

    Raises:
        TpmError: no TPM makes such a key.
    """
    parts = Parts(area)
    kind = parts.number("H")
    parts.skip("HI")  # hash, attributes
    parts.sized()
    if parts.number("H") == AES:
        parts.skip("HH")  # bits and mode
    if parts.number("H") != NULL:
        parts.skip("H")  # hash of the scheme
    try:
        return _rsa(parts) if kind == RSA else _p256(parts)
    except ValueError as err:
        raise TpmError(f"the TPM made a key that is none: {err}") from err


def _rsa(parts: Parts) -> RSAPublicKey:
    parts.skip("HI")  # bits, exponent
    return RSAPublicNumbers(EXPONENT, int.from_bytes(parts.sized(), "big")).public_key()


def _p256(parts: Parts) -> EllipticCurvePublicKey:
    parts.skip("HH")  # curve, derivation
    x, y = (int.from_bytes(parts.sized(), "big") for _ in range(2))
    return EllipticCurvePublicNumbers(x, y, SECP256R1()).public_key()
