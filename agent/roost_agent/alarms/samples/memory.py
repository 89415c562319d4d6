"""Memory of the node and of each NUMA node, and swap.

Huge pages are not counted: who reserved them meant to.
"""

import re
from collections.abc import Iterator
from typing import Final

from roost_agent.alarms.rules import Reading, Sample
from roost_agent.alarms.samples.sampler import Look, Measured
from roost_agent.discovery.meminfo import MemInfo
from roost_agent.discovery.reader import Reader
from roost_agent.discovery.sysfs import entries, known

MEMORY: Final = "100.103"
SWAP: Final = "100.808"
NODES: Final = "sys/devices/system/node"
NODES_MAX: Final = 64
_NODE: Final = re.compile("node[0-9]{1,4}")
# Of a NUMA node the kernel tells no MemAvailable: what can be had again stands in these.
_AGAIN: Final = ("MemFree", "Active(file)", "Inactive(file)", "SReclaimable")


class Memory:
    """See the module."""

    types = frozenset({MEMORY, SWAP})
    interval_s = 10
    may_hang = False

    def sample(self, look: Look) -> Iterator[Sample | Measured]:
        """Return how it is."""
        reader = look.reader
        info = MemInfo(reader, "proc/meminfo")
        total = known(info.size_bytes("MemTotal"))
        huge = known(info.size_bytes("Hugetlb")) or 0
        available = known(info.size_bytes("MemAvailable"))
        used = _used(total, huge, available)
        yield Reading(MEMORY, "", used)
        yield Measured("memory", "", used)
        swap = known(info.size_bytes("SwapTotal"))
        free = known(info.size_bytes("SwapFree"))
        swapped = _used(swap, 0, free) if swap else (None if swap is None else 0.0)
        yield Reading(SWAP, "", swapped)
        yield Measured("swap", "", swapped)
        nodes = [name for name in entries(reader, NODES) if _NODE.fullmatch(name)][:NODES_MAX]
        for name in nodes if len(nodes) > 1 else ():
            entity, used = f"numa={name.removeprefix('node')}", _of_node(reader, name)
            yield Reading(MEMORY, entity, used)
            yield Measured("memory", entity, used)


def _of_node(reader: Reader, name: str) -> float | None:
    info = MemInfo(reader, f"{NODES}/{name}/meminfo")
    sizes = [known(info.size_bytes(key)) for key in _AGAIN]
    available = sum(size or 0 for size in sizes)
    huge = reader.count(f"{NODES}/{name}/hugepages/hugepages-2048kB/nr_hugepages")
    total = known(info.size_bytes("MemTotal"))
    reserved = (known(huge) or 0) * (2 << 20)
    return _used(total, reserved, None if sizes[0] is None else available)


def _used(total: int | None, reserved: int, available: int | None) -> float | None:
    """Return used memory in percent of what is not reserved."""
    if total is None or available is None or total <= reserved:
        return None
    whole = total - reserved
    return 100 * max(whole - available, 0) / whole
