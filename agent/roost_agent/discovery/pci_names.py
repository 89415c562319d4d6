"""Names of PCI vendors, devices, subsystems and classes, from the pci.ids file of the system.

Finds the lines that are asked for in the file's bytes: nothing is parsed ahead. Without the file
every name is Missing(absent).

Format (pci.ids): ``vendor  name``, tab ``device  name``, two tabs ``subvendor subdevice  name``;
classes are the blocks that begin with ``C ``.
"""

import re
from typing import Final

from roost_agent.discovery.reader import Reader
from roost_agent.discovery.section import ABSENT, Missing
from roost_agent.discovery.sysfs import first, fitted, hex_id

PCI_IDS: Final = ("usr/share/misc/pci.ids", "usr/share/hwdata/pci.ids")
PCI_IDS_BYTES_MAX: Final = 8 << 20  # the file of 2023 has 1.3 MiB

# What ends the lines below an entry: the next entry as shallow as it, or shallower.
_NEXT: Final = tuple(re.compile(rb"\n\t{0,%d}(?=[^\t#\n])" % depth) for depth in range(3))

Span = tuple[int, int]
Entry = tuple[str, Span]  # a name, and where the lines below it are


class PciNames:
    """Looks names up; reads the file at the first question."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._ids: bytes | Missing | None = None
        self._entries: dict[tuple[str, ...], Entry | None] = {}

    def vendor(self, vendor: str | Missing) -> str | Missing:
        """Return a vendor's name."""
        return self._name(vendor)

    def device(self, vendor: str | Missing, device: str | Missing) -> str | Missing:
        """Return a device's name."""
        return self._name(vendor, device)

    def subsystem(
        self,
        vendor: str | Missing,
        device: str | Missing,
        subvendor: str | Missing,
        subdevice: str | Missing,
    ) -> str | Missing:
        """Return the name that the maker of the board gave it."""
        for part in (subvendor, subdevice):
            if isinstance(part, Missing):
                return part
        return self._name(vendor, device, f"{subvendor} {subdevice}")

    def board(self, base: str) -> str | Missing:
        """Return what a function is sold as: the board's name, else its chip's."""
        vendor, device, subvendor, subdevice = (
            hex_id(self._reader, f"{base}/{name}")
            for name in ("vendor", "device", "subsystem_vendor", "subsystem_device")
        )
        return first(
            self.subsystem(vendor, device, subvendor, subdevice), self.device(vendor, device)
        )

    def device_class(self, class_id: str | Missing) -> str | Missing:
        """Return the most special name of a class: programming interface, subclass, class."""
        if isinstance(class_id, Missing):
            return class_id
        parts = [f"C {class_id[:2]}", class_id[2:4], class_id[4:]]
        for depth in (3, 2, 1):
            name = self._name(*parts[:depth])
            if isinstance(name, str):
                return name
        return Missing(ABSENT)

    def _name(self, *keys: str | Missing) -> str | Missing:
        """Return the name under keys of increasing depth."""
        texts = []
        for key in keys:
            if isinstance(key, Missing):
                return key
            texts.append(key)
        ids = self._file()
        if isinstance(ids, Missing):
            return ids
        entry = self._entry(ids, tuple(texts))
        return Missing(ABSENT) if entry is None else fitted(entry[0])

    def _entry(self, ids: bytes, keys: tuple[str, ...]) -> Entry | None:
        """Return the entry under these keys, each looked for once inside the one before."""
        if keys not in self._entries:
            above = ("", (0, len(ids))) if len(keys) == 1 else self._entry(ids, keys[:-1])
            self._entries[keys] = above and _find(ids, above[1], len(keys) - 1, keys[-1])
        return self._entries[keys]

    def _file(self) -> bytes | Missing:
        if self._ids is None:
            self._ids = Missing(ABSENT)
            for path in PCI_IDS:
                ids = self._reader.raw(path, PCI_IDS_BYTES_MAX)
                if isinstance(ids, bytes):
                    self._ids = b"\n" + ids + b"\n"  # every line begins and ends with one
                    break
        return self._ids


def _find(ids: bytes, span: Span, depth: int, key: str) -> Entry | None:
    """Return the name of a key at a depth inside a span, and the span of what is below it."""
    mark = b"\n" + b"\t" * depth + key.encode() + b"  "
    at = ids.find(mark, *span)
    if at < 0:
        return None
    end = ids.index(b"\n", at + 1)
    following = _NEXT[depth].search(ids, end, span[1])
    below = (end, following.end() if following else span[1])
    return ids[at + len(mark) : end].decode("utf-8", "replace"), below
