"""ULIDs: 26 characters that sort by time. Made from a time and bytes, so no entropy is needed."""

import hashlib
from typing import Final

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32
_CHARS: Final = 26
_TAIL_BYTES: Final = 10


def ulid(at_ms: int, *parts: str) -> str:
    """Return the ULID of a time (UTC ms) and of what makes it unique."""
    tail = hashlib.blake2b("\0".join(parts).encode(), digest_size=_TAIL_BYTES).digest()
    number = ((at_ms & (1 << 48) - 1) << 8 * _TAIL_BYTES) | int.from_bytes(tail, "big")
    return "".join(_ALPHABET[number >> 5 * place & 31] for place in range(_CHARS - 1, -1, -1))
