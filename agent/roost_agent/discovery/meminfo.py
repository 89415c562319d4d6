"""The ``Key: value kB`` lines of /proc/meminfo and of a NUMA node's meminfo."""

import re
from typing import Final

from roost_agent.discovery.reader import Reader
from roost_agent.discovery.section import ABSENT, Missing

_LINE: Final = re.compile(
    r"^(?:Node \d+ )?(\w+(?:\(\w+\))?):\s+(\d{1,15}) kB$", re.ASCII | re.MULTILINE
)


class MemInfo:
    """Sizes by key, in bytes; a key the kernel does not write is Missing(absent)."""

    def __init__(self, reader: Reader, path: str) -> None:
        text = reader.text(path)
        self._why = text if isinstance(text, Missing) else Missing(ABSENT)
        lines = [] if isinstance(text, Missing) else _LINE.findall(text)
        self._sizes = {key: int(kilobytes) << 10 for key, kilobytes in lines}

    def size_bytes(self, key: str) -> int | Missing:
        """Return one size in bytes."""
        return self._sizes.get(key, self._why)
