"""Whether a node can be what its document says, by what its inventory tells of it. Pure.

What the inventory does not tell is not guessed: the node checks again before it applies anything.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from roost_central.profiles import possible_network
from roost_central.profiles.possible_names import UNTOLD, Names, needs_names, unknown_names
from roost_central.profiles.possible_network import (
    UNKNOWN,
    Ports,
    impossible_network,
    needs_ports,
    ports_of,
)
from roost_protocol.profile.check import Fault, Tree
from roost_protocol.profile.schema import PAGE_BYTES

SECTIONS_READ: Final = ("memory", "numa", "hugepages", *possible_network.SECTIONS_READ)
KEPT_BYTES: Final = 512 * 1024**2  # for Linux, the agent and what a node is for
_MIB: Final = 1024**2

Items = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Machine:
    """What counts of a node's inventory; None: not known.

    Attributes:
        memory_bytes: all of it.
        numa_bytes: by NUMA node.
        page_sizes: of huge pages, in bytes.
        ports: its interfaces and functions.
        names: of paths, groups and services, by its own word.
    """

    memory_bytes: int | None = None
    numa_bytes: Mapping[str, int | None] | None = None
    page_sizes: frozenset[int] | None = None
    ports: Ports = UNKNOWN
    names: Names = UNTOLD


def needs_machine(sections: Tree) -> bool:
    """Say whether a document has a setting that not every machine can have."""
    return needs_inventory(sections) or needs_names(sections)


def needs_inventory(sections: Tree) -> bool:
    """Say whether the inventory has to tell whether a machine can have it."""
    return bool(_pages(sections)) or needs_ports(sections)


def machine_of(inventory: Mapping[str, Items]) -> Machine:
    """Return what counts of the items of SECTIONS_READ, by section."""
    memory = next(iter(inventory.get("memory", {}).values()), {})
    numa = {
        f"node{item}": _whole(fields.get("total_bytes"))
        for item, fields in inventory.get("numa", {}).items()
    }
    sizes = inventory.get("hugepages", {}).get("machine", {}).get("sizes_bytes")
    return Machine(
        memory_bytes=_whole(memory.get("total_bytes")),
        numa_bytes=numa or None,
        page_sizes=frozenset(sizes) if isinstance(sizes, list) else None,
        ports=ports_of(inventory),
    )


def impossible(sections: Tree, machine: Machine) -> list[Fault]:
    """Return what a machine cannot be."""
    pages = _pages(sections)
    return [
        *_sizes(pages, machine),
        *_nodes(pages, machine),
        *_whole_memory(pages, machine),
        *impossible_network(sections, machine.ports),
        *unknown_names(sections, machine.names),
    ]


def _sizes(pages: Items, machine: Machine) -> Iterator[Fault]:
    if machine.page_sizes is None:
        return
    names = [name for name, size in PAGE_BYTES.items() if size in machine.page_sizes]
    for size in pages:
        if size not in names and any(pages[size].values()):
            bound = f"it has huge pages of {', '.join(names) or 'no size'} only"
            yield Fault(("memory", "hugepages", size), "impossible", bound)


def _nodes(pages: Items, machine: Machine) -> Iterator[Fault]:
    if machine.numa_bytes is None:
        return
    asked: dict[str, int] = {}
    for size, by_node in pages.items():
        for node, count in by_node.items():
            path = ("memory", "hugepages", size, node)
            if node not in machine.numa_bytes:
                bound = f"it has the NUMA nodes {', '.join(machine.numa_bytes)} only"
                yield Fault(path, "impossible", bound)
                continue
            asked[node] = asked.get(node, 0) + count * PAGE_BYTES[size]
            there = machine.numa_bytes[node]
            if there is not None and asked[node] > there:
                bound = f"{asked[node] // _MIB} MiB of huge pages: {node} has {there // _MIB} MiB"
                yield Fault(path, "impossible", bound)


def _whole_memory(pages: Items, machine: Machine) -> Iterator[Fault]:
    if machine.memory_bytes is None:
        return
    asked = sum(
        count * PAGE_BYTES[size] for size, by_node in pages.items() for count in by_node.values()
    )
    room = max(machine.memory_bytes - KEPT_BYTES, 0)
    if asked > room:
        bound = (
            f"{asked // _MIB} MiB of huge pages: it has {machine.memory_bytes // _MIB} MiB, "
            f"of which {KEPT_BYTES // _MIB} are kept for what runs"
        )
        yield Fault(("memory", "hugepages"), "impossible", bound)


def _pages(sections: Tree) -> Items:
    pages: Items = sections.get("memory", {}).get("hugepages", {})
    return pages


def _whole(value: object) -> int | None:
    return value if type(value) is int else None
