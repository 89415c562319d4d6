"""The one string that lets a box in and shows it whom to trust: ``rst1.<claim>.<secret>.<pin>``.

The pin is of the fleet's root certificate, so who holds the token needs no other trust. The secret
is never logged, never stored in clear: the centre keeps ``secret_hash``.
"""

import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from roost_protocol.errors import ProtocolError
from roost_protocol.patterns import END

PREFIX: Final = "rst1"
CLAIM_BYTES: Final = 9
SECRET_BYTES: Final = 32
CLAIM_PATTERN: Final = r"^[A-Za-z0-9_-]{12}" + END
_TOKEN: Final = re.compile(
    r"rst1\.([A-Za-z0-9_-]{12})\.([A-Za-z0-9_-]{43})\.([A-Za-z0-9_-]{22})", re.ASCII
)


@dataclass(frozen=True, slots=True)
class JoinToken:
    """A token taken apart; ``repr`` shows no secret."""

    claim: str
    secret: bytes = field(repr=False)
    pin: bytes

    def __str__(self) -> str:
        return ".".join((PREFIX, self.claim, to_text(self.secret), to_text(self.pin)))


def parse_token(text: str) -> JoinToken:
    """Return the parts of a token; spaces around it are forgiven, anything else is not.

    Raises:
        ProtocolError: ``token``; it does not repeat the text.
    """
    found = _TOKEN.fullmatch(text.strip())
    if found is None:
        raise ProtocolError("token", bound="rst1.<12>.<43>.<22 characters>, copied whole")
    claim, secret, pin = found.groups()
    return JoinToken(claim, from_text(secret), from_text(pin))


def claim_id(raw: bytes) -> str:
    """Return the id of a new claim, of CLAIM_BYTES; never like an option of a command."""
    text = to_text(raw)
    return text if text[0] != "-" else f"_{text[1:]}"


def secret_hash(secret: bytes) -> bytes:
    """Return what the centre keeps: 256 random bits need no slow hash."""
    return sha256(secret).digest()


def is_secret(kept: bytes, secret: bytes) -> bool:
    """Whether a secret is the one that is kept, in constant time."""
    return hmac.compare_digest(kept, secret_hash(secret))


def to_text(raw: bytes) -> str:
    """Return bytes as base64url without padding."""
    return urlsafe_b64encode(raw).decode().rstrip("=")


def from_text(text: str) -> bytes:
    """Return the bytes of base64url without padding.

    Raises:
        ProtocolError: ``base64``.
    """
    try:
        raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError as err:
        raise ProtocolError("base64", bound="base64url without padding") from err
    if to_text(raw) != text:
        raise ProtocolError("base64", bound="base64url without padding")
    return raw
