"""``roost-claim.json``: what a medium brings to a new box, so that nobody has to type there.

Pure. It says where the centre is and whom to trust, and never a command. Written by
``roost enrol token create --claim-file``, or by hand; read by ``roost-agent join``. The pin (alone,
or within the token) is what makes the box believe the centre: a file without one is a hint only.
"""

import json
from typing import Annotated, Any, Final

import msgspec

from roost_protocol.certificate import check_pin
from roost_protocol.errors import ProtocolError
from roost_protocol.join_token import JoinToken, parse_token

NAME: Final = "roost-claim.json"
BYTES_MAX: Final = 4 * 1024  # a full one is below 1 KiB
_BOM: Final = b"\xef\xbb\xbf"  # what some editors put first


class ClaimFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What the file says; each may be left out.

    Attributes:
        url: of the centre's enrolment listener, ``https://HOST[:PORT]``.
        token: lets a box in; it holds a pin too.
        pin: of the fleet's root, where there is no token.
        name: the node name that the box would like.
        keep: for several boxes: the file is left as it is after one has used it.
    """

    url: Annotated[str, msgspec.Meta(max_length=256)] = ""
    token: Annotated[str, msgspec.Meta(max_length=512)] = ""
    pin: Annotated[str, msgspec.Meta(max_length=64)] = ""
    name: Annotated[str, msgspec.Meta(max_length=32)] = ""
    keep: bool = False

    @property
    def join_token(self) -> JoinToken | None:
        """The token, taken apart."""
        return parse_token(self.token) if self.token else None

    @property
    def trusted(self) -> bytes | None:
        """The pin of the root, alone or of the token; None: the file says nothing of it."""
        token = self.join_token
        if token is not None:
            return token.pin
        return check_pin(self.pin) if self.pin else None


def decode(raw: bytes) -> ClaimFile:
    """Return what a file says; it never repeats a secret in an error.

    Raises:
        ProtocolError: ``oversize``, or ``claim-file`` with the field and what belongs there.
    """
    if len(raw) > BYTES_MAX:
        raise ProtocolError("oversize", got=len(raw), bound=BYTES_MAX)
    try:
        text = raw.removeprefix(_BOM).decode()
        found = msgspec.convert(json.loads(text, object_pairs_hook=_once), ClaimFile)
    except (ValueError, RecursionError, msgspec.ValidationError) as err:
        raise ProtocolError("claim-file", detail=_why(err)) from None
    for field, check in (("token", parse_token), ("pin", check_pin)):
        text = getattr(found, field)
        try:
            if text:
                check(text)
        except ProtocolError as err:
            raise ProtocolError("claim-file", field=field, bound=err.bound) from None
    token = found.join_token
    if token is not None and found.pin and token.pin != check_pin(found.pin):
        raise ProtocolError("claim-file", field="pin", detail="the token is of another fleet")
    return found


def encode(claim: ClaimFile) -> bytes:
    """Return a file's content."""
    return msgspec.json.format(msgspec.json.encode(claim), indent=2) + b"\n"


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object whose keys stand once each: of two, readers would differ on which counts."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _why(err: Exception) -> str:
    """Return what is wrong, without what stood there."""
    if isinstance(err, json.JSONDecodeError):
        return f"not JSON: {err.msg} at line {err.lineno}, column {err.colno}"
    if isinstance(err, UnicodeDecodeError):
        return "not UTF-8"
    if isinstance(err, RecursionError):
        return "nested too deep"
    return str(err)
