"""A strict walk over MessagePack that builds nothing: depth, counts, keys and types.

For the messages that the fast path of codec.py could not vouch for. Iterative, so that no nesting
costs stack; it stops at the first fault and after VALUES_MAX values. The format:
MessagePack specification, section "Formats".
"""

import math
import struct
from typing import Final

from roost_protocol.errors import ProtocolError
from roost_protocol.limits import DEPTH_MAX, ENTRIES_MAX, STRING_BYTES_MAX, VALUES_MAX

_FIXED: Final = {  # first byte -> bytes that follow, for values of fixed size
    0xC0: 0, 0xC2: 0, 0xC3: 0, 0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8,
    0xD0: 1, 0xD1: 2, 0xD2: 4, 0xD3: 8, 0xCA: 4, 0xCB: 8,
}  # fmt: skip
_STRINGS: Final = {0xD9: 1, 0xDA: 2, 0xDB: 4}  # first byte -> width of the length
_BYTES: Final = {0xC4: 1, 0xC5: 2, 0xC6: 4}
_CONTAINERS: Final = {0xDC: 2, 0xDD: 4, 0xDE: 2, 0xDF: 4}
_MAPS: Final = {0xDE, 0xDF}


def scan(payload: bytes) -> None:
    """Check one MessagePack document.

    Raises:
        ProtocolError: ``depth``, ``too-many``, ``duplicate-key``, ``extension``, ``not-finite``,
            ``string`` or ``malformed``.
    """
    walk = _Walk(payload)
    walk.run()


class _Walk:
    """The state of one scan: a cursor and the open containers, innermost last."""

    def __init__(self, payload: bytes) -> None:
        self._payload = payload
        self._at = 0
        self._left: list[int] = [1]  # values still to come in each open container
        self._keys: list[set[bytes] | None] = [None]  # keys seen, for a map; None for an array
        self._is_key: list[bool] = [False]

    def run(self) -> None:
        values = 0
        while self._left:
            if self._left[-1] == 0:
                self._left.pop(), self._keys.pop(), self._is_key.pop()
                continue
            values += 1
            if values > VALUES_MAX:
                raise ProtocolError("too-many", bound=VALUES_MAX, detail="values in one message")
            self._value()
        if self._at != len(self._payload):
            raise ProtocolError("malformed", detail="bytes follow the document")

    def _value(self) -> None:
        self._left[-1] -= 1
        start = self._at
        keys = self._keys[-1]
        key_due = keys is not None and self._is_key[-1]
        first = self._take(1)[0]
        entries = self._entries(first)
        if key_due and entries is not None:
            raise ProtocolError("type", detail="a map's key is a container")
        if entries is None:
            self._scalar(first)
        if keys is not None:
            if key_due:
                key = self._payload[start : self._at]
                if key in keys:
                    raise ProtocolError("duplicate-key", detail=repr(key[:40]))
                keys.add(key)
            self._is_key[-1] = not key_due
        if entries is not None:
            self._open(first, entries)

    def _entries(self, first: int) -> int | None:
        """Return the entry count of a container, None for a scalar."""
        if 0x80 <= first <= 0x9F:
            return first & 0x0F
        width = _CONTAINERS.get(first)
        return int.from_bytes(self._take(width), "big") if width else None

    def _open(self, first: int, entries: int) -> None:
        if entries > ENTRIES_MAX:
            raise ProtocolError("too-many", bound=ENTRIES_MAX, got=entries)
        if len(self._left) > DEPTH_MAX:
            raise ProtocolError("depth", bound=DEPTH_MAX)
        is_map = first <= 0x8F or first in _MAPS
        self._left.append(entries * 2 if is_map else entries)
        self._keys.append(set() if is_map else None)
        self._is_key.append(is_map)

    def _scalar(self, first: int) -> None:
        if first <= 0x7F or first >= 0xE0:
            return
        if 0xA0 <= first <= 0xBF:
            self._string(first & 0x1F)
        elif first in _FIXED:
            raw = self._take(_FIXED[first])
            if first in {0xCA, 0xCB}:
                _finite(raw)
        elif first in _STRINGS:
            self._string(int.from_bytes(self._take(_STRINGS[first]), "big"))
        elif first in _BYTES:
            self._take(int.from_bytes(self._take(_BYTES[first]), "big"))
        else:
            raise ProtocolError("extension", detail=f"first byte 0x{first:02x}")

    def _string(self, size: int) -> None:
        if size > STRING_BYTES_MAX:
            raise ProtocolError("string", bound=STRING_BYTES_MAX, got=size)
        try:
            self._take(size).decode()
        except UnicodeDecodeError as err:
            raise ProtocolError("string", detail="not UTF-8") from err

    def _take(self, size: int) -> bytes:
        end = self._at + size
        if end > len(self._payload):
            raise ProtocolError("malformed", detail="the document is cut")
        raw = self._payload[self._at : end]
        self._at = end
        return raw


def _finite(raw: bytes) -> None:
    number: float = struct.unpack(">f" if len(raw) == 4 else ">d", raw)[0]
    if not math.isfinite(number):
        raise ProtocolError("not-finite")
