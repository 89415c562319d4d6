"""NUMA nodes: their memory, CPUs, distances and tier."""

import re
from typing import Final

from roost_agent.discovery.cpuset import read_list
from roost_agent.discovery.meminfo import MemInfo
from roost_agent.discovery.reader import Reader
from roost_agent.discovery.section import ABSENT, UNSUPPORTED, Missing, Section
from roost_agent.discovery.topology import NODE_DIR, node_cpus, node_numbers

_TIER_DIR: Final = "sys/devices/virtual/memory_tiering"
_TIER_NAME: Final = re.compile(r"memory_tier(\d{1,5})", re.ASCII)


def numa(reader: Reader) -> Section:
    """Return one item a node; ``distances`` is in the order of the nodes' numbers."""
    numbers = node_numbers(reader)
    if isinstance(numbers, Missing):
        return Section.empty(numbers.reason)
    section = Section()
    tiers = _tiers(reader)
    for number in numbers:
        cpus = node_cpus(reader, number)
        total = MemInfo(reader, f"{NODE_DIR}/node{number}/meminfo").size_bytes("MemTotal")
        section.put_all(
            str(number),
            {
                "total_bytes": total,
                "cpus": cpus,
                "distances": _distances(reader, number),
                "has_cpu": cpus if isinstance(cpus, Missing) else bool(cpus),
                "has_memory": total if isinstance(total, Missing) else total > 0,
                "tier": tiers.get(number, Missing(ABSENT)),
            },
        )
    return section


def _distances(reader: Reader, number: int) -> list[int] | Missing:
    text = reader.text(f"{NODE_DIR}/node{number}/distance")
    if isinstance(text, Missing):
        return text
    words = text.split()
    if not all(word.isdecimal() and word.isascii() for word in words):
        return Missing(UNSUPPORTED)
    return [int(word) for word in words]


def _tiers(reader: Reader) -> dict[int, int]:
    """Return each node's memory tier: lower is faster (HBM, DRAM, then CXL)."""
    names = reader.names(_TIER_DIR)
    tiers: dict[int, int] = {}
    for name in [] if isinstance(names, Missing) else names:
        if match := _TIER_NAME.fullmatch(name):
            nodes = read_list(reader, f"{_TIER_DIR}/{name}/nodelist")
            tiers.update(dict.fromkeys([] if isinstance(nodes, Missing) else nodes, int(match[1])))
    return tiers
