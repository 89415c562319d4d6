"""Keyset cursors: the place after the last row of a page, as an opaque text.

A cursor is nothing secret and gives no right, so it is not signed; it is validated instead. It
names the list, the order and the filter it was made for, and is refused for any other.
"""

import binascii
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from typing import Final, Protocol, TypeAlias, TypeVar

import msgspec

from roost_central.api.problem import ApiError, FieldError, blame

CURSOR_CHARS_MAX: Final = 512  # two names and a value, with room


class Numbered(Protocol):
    """A row of a list that is in the order of its numbers."""

    @property
    def seq(self) -> int:
        """The number."""


R = TypeVar("R", bound=Numbered)
Key: TypeAlias = str | int | float | bool | None


class Cursor(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Where a page ended: the sort value and the name of its last row."""

    scope: int
    value: Key
    name: str


def scope_of(*parts: str) -> int:
    """Return a check number of the list, order and filter that a cursor belongs to."""
    return zlib.crc32("\0".join(parts).encode())


def pack(cursor: Cursor) -> str:
    """Return the cursor as text that fits a URL."""
    return urlsafe_b64encode(msgspec.json.encode(cursor)).decode().rstrip("=")


def unpack(text: str, *, scope: int) -> Cursor:
    """Return the cursor in a text.

    Raises:
        ApiError: ``bad-cursor``, when it is damaged or of another list, order or filter.
    """
    if len(text) > CURSOR_CHARS_MAX:
        raise _bad("it is longer than any cursor")
    try:
        raw = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
        cursor = msgspec.json.decode(raw, type=Cursor)
    except (UnicodeError, binascii.Error, msgspec.DecodeError):
        raise _bad("it is damaged") from None
    if cursor.scope != scope:
        raise _bad("it belongs to another list, sort or filter")
    return cursor


def place_of(text: str, *, scope: int) -> int | None:
    """Return the number of the row after which a page of a numbered list begins.

    Args:
        text: the cursor; empty: the first page, which begins after None.
        scope: see ``scope_of``.

    Raises:
        ApiError: ``bad-cursor``.
    """
    if not text:
        return None
    place = unpack(text, scope=scope).value
    if not isinstance(place, int):
        raise _bad("it is damaged")
    return place


def page_of(found: Sequence[R], limit: int, *, scope: int) -> tuple[Sequence[R], str | None]:
    """Return the rows of a page and the cursor of the next one, None where this is the last.

    Args:
        found: what was read of a numbered list, one row past the limit where there is one.
        limit: rows of a page.
        scope: see ``scope_of``.
    """
    shown = found[:limit]
    return shown, pack(Cursor(scope, shown[-1].seq, "")) if len(found) > limit else None


def _bad(reason: str) -> ApiError:
    detail = f"{reason}; start again without one"
    return blame("bad-cursor", FieldError(field="cursor", code="bad-cursor", detail=detail))
