"""What udev found out about a block device, from its database: identity, path, partition, rpm.

The kernel does not keep what udev read from the disk (file-system label, ATA identify data).
The database is a text file a device: ``S:`` a link below /dev, ``E:KEY=value`` a property.
"""

from typing import Final

from roost_agent.discovery.reader import Reader
from roost_agent.discovery.section import ABSENT, UNSUPPORTED, Missing
from roost_agent.discovery.sysfs import fitted

UDEV_DATA: Final = "run/udev/data"
ENTRY_BYTES_MAX: Final = 64 * 1024  # a disk with many links has 8 KiB
DEVICE_NUMBER_CHARS: Final = frozenset("0123456789:")


class Udev:
    """The properties of one block device; without a database every one is missing, with why."""

    def __init__(self, reader: Reader, number: str | Missing) -> None:
        self._properties: dict[str, str] = {}
        self._missing = Missing(ABSENT)
        if isinstance(number, Missing) or not set(number) <= DEVICE_NUMBER_CHARS:
            return
        entry = reader.text(f"{UDEV_DATA}/b{number}", ENTRY_BYTES_MAX)
        if isinstance(entry, Missing):
            self._missing = entry
            return
        for line in entry.splitlines():
            key, _, value = line.removeprefix("E:").partition("=")
            if line.startswith("E:"):
                self._properties[key] = value

    def text(self, *keys: str) -> str | Missing:
        """Return the first of these properties that is there."""
        for key in keys:
            if value := self._properties.get(key):
                return fitted(value)
        return self._missing

    def number(self, key: str) -> int | Missing:
        """Return a property that is a decimal number."""
        text = self.text(key)
        if isinstance(text, Missing):
            return text
        return int(text) if text.isascii() and text.isdecimal() else Missing(UNSUPPORTED)
