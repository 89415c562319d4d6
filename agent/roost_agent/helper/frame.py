"""The wire of the helper's socket: one request and one answer a connection.

A frame is four bytes of length, big-endian, and a JSON object of at most FRAME_BYTES_MAX. All of
its values are text, so numbers, arrays and nesting do not exist here; a key that is there twice,
unknown or missing is refused by its name (security.md 7, 9).
"""

import json
import re
import struct
from collections.abc import Mapping
from typing import Any, Final

from roost_agent.helper.core import INSTALL_VERBS

HEADER: Final = struct.Struct(">I")
FRAME_BYTES_MAX: Final = 4_096
DETAIL_CHARS_MAX: Final = 400  # of an answer

VERBS: Final[Mapping[str, tuple[str, ...]]] = {
    "unit_start": ("name",),
    "unit_stop": ("name",),
    "facts": ("name",),
    "reboot": ("reason", "nonce"),
    "config_apply": ("digest",),
    "config_confirm": ("digest",),
    **dict.fromkeys(INSTALL_VERBS, ("digest",)),
}
_FORMS: Final = {
    "name": (re.compile(r"[a-z0-9][a-z0-9_-]{0,63}"), "a-z 0-9 _ -, at most 64 characters"),
    "digest": (re.compile(r"[0-9a-f]{64}"), "64 of 0-9 a-f"),
    "nonce": (re.compile(r"[0-9a-f]{32}"), "32 of 0-9 a-f"),
    "reason": (
        # No line breaks, control characters or lone surrogates: it is written to a log.
        re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]{1,200}"),
        "one line of 1 to 200 characters",
    ),
}


class FrameError(Exception):
    """The peer sent what is no request; the text names the field and its bound."""


def encode(table: Mapping[str, Any]) -> bytes:
    """Return a frame, header included.

    Raises:
        FrameError: it is too long.
    """
    body = json.dumps(table).encode()
    check_size(len(body))
    return HEADER.pack(len(body)) + body


def check_size(size: int) -> None:
    """Refuse a length before anything of it is read.

    Raises:
        FrameError: it is out of 2..FRAME_BYTES_MAX.
    """
    if not 2 <= size <= FRAME_BYTES_MAX:  # noqa: PLR2004 - `{}`
        raise FrameError(f"length {size}: bound 2..{FRAME_BYTES_MAX} bytes")


def decode(body: bytes) -> tuple[str, dict[str, str]]:
    """Return the verb and the fields of a request.

    Raises:
        FrameError: it is no request.
    """
    given = parse(body)
    verb = given.pop("verb", None)
    if not isinstance(verb, str):
        raise FrameError("verb: missing")
    if verb not in VERBS:
        raise FrameError(f"verb: none of {', '.join(VERBS)}")
    for key in VERBS[verb]:
        form, bound = _FORMS[key]
        value = given.get(key)
        if not isinstance(value, str) or form.fullmatch(value) is None:  # not `true`
            raise FrameError(f"{key}: bound {bound}")
    if len(given) > len(VERBS[verb]):
        raise FrameError(f"{verb}: takes {', '.join(VERBS[verb])} and nothing else")
    return verb, given


def parse(body: bytes) -> dict[str, Any]:
    """Return a flat object of text and truth values.

    Raises:
        FrameError: it is anything else.
    """
    try:
        table = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_flat,
            parse_int=_no_number,
            parse_float=_no_number,
            parse_constant=_no_number,
        )
    except RecursionError:
        raise FrameError("depth: bound 1") from None
    except ValueError as err:
        raise FrameError(f"JSON: {err}") from err
    if not isinstance(table, dict):
        raise FrameError("JSON: an object is wanted")
    return table


def _flat(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        raise FrameError("JSON: a key is there twice")
    if not all(isinstance(value, str | bool) for value in table.values()):
        raise FrameError("JSON: every value is text")
    return table


def _no_number(_text: str) -> None:
    raise FrameError("JSON: no numbers here")
