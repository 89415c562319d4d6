"""The memory the kernel manages: RAM, swap and compressed swap; its use is a metric."""

import re
from typing import Final

from roost_agent.discovery.meminfo import MemInfo
from roost_agent.discovery.reader import Reader
from roost_agent.discovery.section import ABSENT, Missing, Section

_ZRAM_NAME: Final = re.compile(r"zram\d+", re.ASCII)


def memory(reader: Reader) -> Section:
    """Return the single item ``memory``."""
    meminfo = MemInfo(reader, "proc/meminfo")
    section = Section()
    section.put_all(
        "memory",
        {
            "total_bytes": meminfo.size_bytes("MemTotal"),
            "swap_bytes": meminfo.size_bytes("SwapTotal"),
            "zram_bytes": _zram_bytes(reader),
        },
    )
    return section


def _zram_bytes(reader: Reader) -> int | Missing:
    """Return the size of all zram devices together; Missing where there is none."""
    names = reader.names("sys/block")
    if isinstance(names, Missing):
        return names
    sizes = [
        reader.count(f"sys/block/{name}/disksize") for name in names if _ZRAM_NAME.fullmatch(name)
    ]
    known = [size for size in sizes if isinstance(size, int)]
    return sum(known) if known else next(iter(sizes), Missing(ABSENT))
