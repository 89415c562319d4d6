"""Makes credentials: secrets that a TPM gives out only if it holds two keys at once.

TPM2_MakeCredential without a TPM (TCG TPM 2.0 Library, part 1 section 24, and annexes B.10.3 and
C.6 for how the seed travels): the endorsement key deciphers a seed, from which follow a key for the
secret and one for its integrity, both bound to the *name* of the attestation key. The TPM compares
that with the object that is loaded, so a key with other attributes gets nothing.
"""

import hmac
from hashlib import sha256
from typing import Final

from cryptography.hazmat.decrepit.ciphers.modes import CFB
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    SECP256R1,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES128
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash
from cryptography.hazmat.primitives.kdf.kbkdf import KBKDFHMAC, CounterLocation, Mode

from roost_central.enrol.tpm.endorsement import EndorsementKey
from roost_protocol.enrol import Challenge
from roost_protocol.tpm import COORDINATE_BYTES, sized

SEED_BYTES: Final = 32  # as long as the hash of the endorsement key's name
_IDENTITY: Final = b"IDENTITY\x00"
_AES_BYTES: Final = 16
_COUNTER_BYTES: Final = 4


def make_credential(key: EndorsementKey, name: bytes, secret: bytes, *, seed: bytes) -> Challenge:
    """Return a secret for whoever holds an endorsement key and the key of a name.

    Args:
        key: RSA of 2048 bits, or on P-256; of a template with SHA-256 and AES of 128 bits.
        name: of the attestation key.
        secret: at most 32 bytes.
        seed: 32 random bytes, for RSA; on P-256 it is agreed upon anew each time.
    """
    if isinstance(key, RSAPublicKey):
        padding = OAEP(mgf=MGF1(SHA256()), algorithm=SHA256(), label=_IDENTITY)
        enciphered = key.encrypt(seed, padding)
    else:
        seed, enciphered = _agreed(key)
    cipher = Cipher(AES128(_kdf_a(seed, b"STORAGE", name, _AES_BYTES)), CFB(bytes(_AES_BYTES)))
    identity = cipher.encryptor().update(sized(secret))
    integrity = _kdf_a(seed, b"INTEGRITY", b"", SEED_BYTES)
    outer = hmac.digest(integrity, identity + name, sha256)
    return Challenge(credential=sized(outer) + identity, seed=enciphered)


def _agreed(key: EllipticCurvePublicKey) -> tuple[bytes, bytes]:
    """Return a seed by one-pass ECDH and KDFe, and the ephemeral point that gives it."""
    ephemeral = generate_private_key(SECP256R1())
    ours, theirs = (each.public_numbers() for each in (ephemeral.public_key(), key))
    x, y, x_theirs = (_coordinate(value) for value in (ours.x, ours.y, theirs.x))
    kdf = ConcatKDFHash(SHA256(), SEED_BYTES, _IDENTITY + x + x_theirs)
    return kdf.derive(ephemeral.exchange(ECDH(), key)), sized(x) + sized(y)


def _kdf_a(seed: bytes, label: bytes, context: bytes, length: int) -> bytes:
    """Return a key: SP 800-108 in counter mode, as part 1 section 11.4.10.2 has it."""
    kdf = KBKDFHMAC(
        algorithm=SHA256(),
        mode=Mode.CounterMode,
        length=length,
        rlen=_COUNTER_BYTES,
        llen=_COUNTER_BYTES,
        location=CounterLocation.BeforeFixed,
        label=label,
        context=context,
        fixed=None,
    )
    return kdf.derive(seed)


def _coordinate(value: int) -> bytes:
    return value.to_bytes(COORDINATE_BYTES, "big")
