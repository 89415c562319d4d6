"""Splits an SMBIOS table into its structures, and reads their fields.

DMTF DSP0134 3.7: section 6.1.2 (structure header), 6.1.3 (text strings). Leaves the meaning of a
structure to ``smbios_types``.

Invariants: never raises and never reads past a structure, whatever the bytes; a field that a
structure is too short for, or a string it does not have, is Missing.
"""

import struct
from dataclasses import dataclass
from typing import Final

from roost_agent.discovery.section import ABSENT, UNSUPPORTED, Missing

TABLE_BYTES_MAX: Final = 1 << 20  # large servers have about 64 KiB
STRUCTURES_MAX: Final = 4_096  # as many as a section has items
STRINGS_MAX: Final = 255  # a string is named by one byte
_HEADER: Final = struct.Struct("<BBH")
_END_OF_TABLE: Final = 127
_FORMATS: Final = {1: "<B", 2: "<H", 4: "<I", 8: "<Q"}


@dataclass(frozen=True, slots=True)
class Structure:
    """One structure: its type, handle, formatted area (header included) and strings."""

    kind: int
    handle: int
    area: bytes
    strings: tuple[bytes, ...]

    def number(self, offset: int, size: int) -> int | Missing:
        """Return the little-endian integer of 1, 2, 4 or 8 bytes at an offset."""
        if offset + size > len(self.area):
            return Missing(ABSENT)  # written by firmware of an older specification
        (number,) = struct.unpack_from(_FORMATS[size], self.area, offset)
        return int(number)

    def known(self, offset: int, size: int, *unknown: int) -> int | Missing:
        """Return a number, unless it is one of the values that stand for "unknown"."""
        number = self.number(offset, size)
        return Missing(UNSUPPORTED) if number in unknown else number

    def text(self, offset: int) -> str | Missing:
        """Return the string whose index is at an offset; index 0 is "no string" (6.1.3)."""
        index = self.number(offset, 1)
        if isinstance(index, Missing):
            return index
        if not 0 < index <= len(self.strings):
            return Missing(UNSUPPORTED if index else ABSENT)
        return self.strings[index - 1].decode("utf-8", "replace").strip()


def split_table(table: bytes) -> list[Structure]:
    """Return the structures up to the end mark, the first broken one or STRUCTURES_MAX."""
    structures: list[Structure] = []
    at = 0
    while at + _HEADER.size <= len(table) and len(structures) < STRUCTURES_MAX:
        kind, length, handle = _HEADER.unpack_from(table, at)
        if length < _HEADER.size or at + length > len(table):
            break
        strings, at_next = _split_strings(table, at + length)
        structures.append(Structure(kind, handle, table[at : at + length], strings))
        if kind == _END_OF_TABLE:
            break
        at = at_next
    return structures


def _split_strings(table: bytes, at: int) -> tuple[tuple[bytes, ...], int]:
    """Return the strings at an offset and the offset after them.

    Each ends in a zero byte and the set in one more; a set without strings is two zero bytes.
    """
    end = table.find(b"\0\0", at)
    if end < 0:
        end = len(table)
    strings = table[at:end].split(b"\0", STRINGS_MAX) if end > at else []
    return tuple(strings[:STRINGS_MAX]), end + 2
