"""TPM 2.0: what a box and its centre both have to know of public areas and names. Pure.

Keys have one form here, all on P-256, so the centre builds the area that a key must have instead of
reading one that it is told: a key with other attributes has another name, and its TPM activates
nothing for it. Source: TCG TPM 2.0 Library, part 2 (structures); TCG EK Credential Profile 2.5.
"""

import struct
from hashlib import sha256
from typing import Final

RSA: Final = 0x0001
AES: Final = 0x0006
SHA256: Final = 0x000B
NULL: Final = 0x0010
ECDSA: Final = 0x0018
ECC: Final = 0x0023
CFB: Final = 0x0043
NIST_P256: Final = 0x0003
ATTEST_CERTIFY: Final = 0x8017  # TPM_ST_ATTEST_CERTIFY
GENERATED: Final = 0xFF544347  # TPM_GENERATED_VALUE: no restricted key signs it but for its own TPM

COORDINATE_BYTES: Final = 32  # of P-256
SECRET_BYTES: Final = 32  # that is activated: as much as SHA-256 is long, the most there may be
CREDENTIAL_BYTES_MAX: Final = 132  # TPMS_ID_OBJECT: two digests of SHA-512 with their lengths
SEED_BYTES_MAX: Final = 512  # TPM2B_ENCRYPTED_SECRET: RSA of 4096 bits
ATTESTATION_BYTES_MAX: Final = 512  # TPMS_ATTEST of a certified key is about 190

# TPMA_OBJECT, part 2 section 8.3
FIXED_TPM: Final = 1 << 1
FIXED_PARENT: Final = 1 << 4
SENSITIVE_DATA_ORIGIN: Final = 1 << 5
USER_WITH_AUTH: Final = 1 << 6
ADMIN_WITH_POLICY: Final = 1 << 7
NO_DA: Final = 1 << 10
RESTRICTED: Final = 1 << 16
DECRYPT: Final = 1 << 17
SIGN: Final = 1 << 18

# A key that its TPM made, that never leaves it, and that signs nothing but what the TPM itself says
ATTESTATION_KEY: Final = (
    FIXED_TPM | FIXED_PARENT | SENSITIVE_DATA_ORIGIN | USER_WITH_AUTH | NO_DA | RESTRICTED | SIGN
)
NODE_KEY: Final = USER_WITH_AUTH | NO_DA | SIGN  # made outside, and loaded to be certified
NO_SCHEME: Final = struct.pack(">H", NULL)
ECDSA_SHA256: Final = struct.pack(">HH", ECDSA, SHA256)


def sized(content: bytes) -> bytes:
    """Return a TPM2B structure: the length in two bytes, then the content."""
    return struct.pack(">H", len(content)) + content


def ecc_area(  # noqa: PLR0913 - what areas differ in
    attributes: int,
    x: bytes,
    y: bytes,
    *,
    policy: bytes = b"",
    symmetric: bytes = NO_SCHEME,
    scheme: bytes = NO_SCHEME,
) -> bytes:
    """Return the public area (TPMT_PUBLIC) of a key on P-256; no point: a template of one."""
    return (
        struct.pack(">HHI", ECC, SHA256, attributes)
        + sized(policy)
        + symmetric
        + scheme
        + struct.pack(">HH", NIST_P256, NULL)
        + sized(x)
        + sized(y)
    )


def attestation_area(x: int, y: int) -> bytes:
    """Return the public area of an attestation key; the point is of P-256."""
    return ecc_area(ATTESTATION_KEY, _coordinate(x), _coordinate(y), scheme=ECDSA_SHA256)


def node_key_area(x: int, y: int) -> bytes:
    """Return the public area of a node's key as a TPM certifies it; the point is of P-256."""
    return ecc_area(NODE_KEY, _coordinate(x), _coordinate(y))


def name_of(area: bytes) -> bytes:
    """Return what a TPM knows an object by: the hash of its public area (part 1 section 16)."""
    return struct.pack(">H", SHA256) + sha256(area).digest()


def _coordinate(value: int) -> bytes:
    return value.to_bytes(COORDINATE_BYTES, "big")
