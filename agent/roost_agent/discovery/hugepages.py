"""Huge pages: what the machine can do, and what is set aside by size and by NUMA node.

Free, reserved and surplus pages are metrics and not here.
"""

import re
from typing import Final

from roost_agent.discovery.meminfo import MemInfo
from roost_agent.discovery.reader import Reader
from roost_agent.discovery.section import UNSUPPORTED, Missing, Section
from roost_agent.discovery.topology import NODE_DIR, node_numbers

_MM_DIR: Final = "sys/kernel/mm"
_SIZE_NAME: Final = re.compile(r"hugepages-(\d{1,12})kB", re.ASCII)
_CHOSEN: Final = re.compile(r"\[([\w-]+)\]")


def hugepages(reader: Reader) -> Section:
    """Return the item ``machine``, then one a size (``all/SIZE``) and one a node and size.

    SIZE is in bytes. Kernels before 2.6.30 tell of no sizes below /sys/kernel/mm.
    """
    section = Section()
    sizes = _sizes(reader, f"{_MM_DIR}/hugepages")
    section.put_all(
        "machine",
        {
            "sizes_bytes": sizes if isinstance(sizes, Missing) else list(sizes),
            "default_bytes": MemInfo(reader, "proc/meminfo").size_bytes("Hugepagesize"),
            "thp_mode": _chosen(reader, f"{_MM_DIR}/transparent_hugepage/enabled"),
            "thp_defrag": _chosen(reader, f"{_MM_DIR}/transparent_hugepage/defrag"),
        },
    )
    for size, name in {} if isinstance(sizes, Missing) else sizes.items():
        at = f"{_MM_DIR}/hugepages/{name}"
        section.put_all(
            f"all/{size}",
            {
                "size_bytes": size,
                "count": reader.count(f"{at}/nr_hugepages"),
                "overcommit": reader.count(f"{at}/nr_overcommit_hugepages"),
            },
        )
    _put_nodes(reader, section)
    return section


def _put_nodes(reader: Reader, section: Section) -> None:
    numbers = node_numbers(reader)
    for node in [] if isinstance(numbers, Missing) else numbers:
        at = f"{NODE_DIR}/node{node}/hugepages"
        sizes = _sizes(reader, at)
        for size, name in {} if isinstance(sizes, Missing) else sizes.items():
            count = reader.count(f"{at}/{name}/nr_hugepages")
            section.put_all(
                f"node{node}/{size}", {"node": node, "size_bytes": size, "count": count}
            )


def _sizes(reader: Reader, path: str) -> dict[int, str] | Missing:
    """Return the page sizes in bytes, ascending, each with its directory's name."""
    names = reader.names(path)
    if isinstance(names, Missing):
        return names
    sizes = [(int(m[1]) << 10, name) for name in names if (m := _SIZE_NAME.fullmatch(name))]
    return dict(sorted(sizes))


def _chosen(reader: Reader, path: str) -> str | Missing:
    """Return the word in brackets: ``always [madvise] never``."""
    text = reader.text(path)
    if isinstance(text, Missing):
        return text
    match = _CHOSEN.search(text)
    return match[1] if match else Missing(UNSUPPORTED)
