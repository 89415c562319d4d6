"""Passwords: what is stored of one, and the check. Pure, and slow on purpose: 0.2 s.

scrypt with n = 2^15, r = 8, p = 3 (security.md section 6; OWASP's table for scrypt) takes 32 MiB,
for which OpenSSL's default bound does not do.
"""

import hashlib
import hmac
from base64 import b64decode, b64encode
from typing import Final

LOG2_N: Final = 15
R: Final = 8
P: Final = 3
BYTES_MAX: Final = 64 << 20
SALT_BYTES: Final = 16
HASH_BYTES: Final = 32
CHARS: Final = range(12, 129)  # of a password


def hashed(password: str, salt: bytes) -> str:
    """Return what is stored of a password."""
    key = _scrypt(password, salt, LOG2_N, R, P)
    return f"scrypt${LOG2_N}${R}${P}${b64encode(salt).decode()}${b64encode(key).decode()}"


def is_password(password: str, stored: str) -> bool:
    """Say whether a password is the one that something was stored of."""
    kind, log2_n, r, p, salt, key = stored.split("$")
    if kind != "scrypt":
        return False
    found = _scrypt(password, b64decode(salt), int(log2_n), int(r), int(p))
    return hmac.compare_digest(found, b64decode(key))


def _scrypt(password: str, salt: bytes, log2_n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(
        password.encode(),
        salt=salt,
        n=1 << log2_n,
        r=r,
        p=p,
        maxmem=BYTES_MAX,
        dklen=HASH_BYTES,
    )
