"""Where each hardware thread sits: package, die, cluster, core, its siblings, its NUMA node.

Read from sysfs only (Documentation/admin-guide/cputopology.rst of the kernel); what a kernel does
not tell stays Missing. Cores are told apart by their sibling sets, since ``core_id`` repeats
across dies and clusters.
"""

import re
from dataclasses import dataclass
from typing import Final

from roost_agent.discovery.cpuset import read_list, read_set
from roost_agent.discovery.reader import Reader
from roost_agent.discovery.section import UNSUPPORTED, Missing

CPU_DIR: Final = "sys/devices/system/cpu"
NODE_DIR: Final = "sys/devices/system/node"
_CPU_NAME: Final = re.compile(r"cpu(\d{1,5})", re.ASCII)
_NO_ID: Final = 0xFFFF  # (u16)-1
_NODE_NAME: Final = re.compile(r"node(\d{1,5})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Thread:
    """One logical CPU; the ids are the firmware's and need not be dense."""

    number: int
    online: bool
    package: int | Missing
    die: int | Missing
    cluster: int | Missing
    core: int | Missing
    siblings: list[int] | Missing
    node: int | Missing

    @property
    def path(self) -> str:
        """Its directory, below the reader's root."""
        return f"{CPU_DIR}/cpu{self.number}"


def read_threads(reader: Reader) -> list[Thread] | Missing:
    """Return every thread the kernel lists, by number, also those that are offline."""
    names = reader.names(CPU_DIR)
    if isinstance(names, Missing):
        return names
    numbers = sorted(int(match[1]) for name in names if (match := _CPU_NAME.fullmatch(name)))
    online = read_list(reader, f"{CPU_DIR}/online")
    node_of = _nodes_by_cpu(reader)
    return [_read_thread(reader, number, online, node_of) for number in numbers]


def node_numbers(reader: Reader) -> list[int] | Missing:
    """Return the numbers of the NUMA nodes, sorted."""
    names = reader.names(NODE_DIR)
    if isinstance(names, Missing):
        return names
    return sorted(int(match[1]) for name in names if (match := _NODE_NAME.fullmatch(name)))


def node_cpus(reader: Reader, node: int) -> list[int] | Missing:
    """Return the CPUs of one NUMA node."""
    at = f"{NODE_DIR}/node{node}"
    return read_set(reader, f"{at}/cpulist", f"{at}/cpumap")


def cores_of(threads: list[Thread]) -> dict[tuple[int, ...], list[Thread]]:
    """Group threads by core; a thread without siblings is a core of its own."""
    cores: dict[tuple[int, ...], list[Thread]] = {}
    for thread in threads:
        siblings = thread.siblings
        key = (thread.number,) if isinstance(siblings, Missing) else tuple(siblings)
        cores.setdefault(key, []).append(thread)
    return cores


def packages_of(threads: list[Thread]) -> dict[int, list[Thread]]:
    """Group the online threads by package.

    Where no thread tells its package (Arm guests of old kernels say -1) all are in package 0,
    since there must be one; a single thread that does not tell is left out.
    """
    packages: dict[int, list[Thread]] = {}
    for thread in threads:
        if thread.online and isinstance(thread.package, int):
            packages.setdefault(thread.package, []).append(thread)
    online = [thread for thread in threads if thread.online]
    return packages or ({0: online} if online else {})


def _nodes_by_cpu(reader: Reader) -> dict[int, int]:
    """Return the first node that claims each CPU: firmware with bad tables claims some twice."""
    owner: dict[int, int] = {}
    numbers = node_numbers(reader)
    for node in [] if isinstance(numbers, Missing) else numbers:
        cpus = node_cpus(reader, node)
        for cpu in [] if isinstance(cpus, Missing) else cpus:
            owner.setdefault(cpu, node)
    return owner


def _read_thread(
    reader: Reader, number: int, online: list[int] | Missing, node_of: dict[int, int]
) -> Thread:
    at = f"{CPU_DIR}/cpu{number}/topology"
    if isinstance(online, Missing):
        is_online = reader.number(f"{CPU_DIR}/cpu{number}/online") != 0
    else:
        is_online = number in online
    return Thread(
        number=number,
        online=is_online,
        package=_id(reader, f"{at}/physical_package_id"),
        die=_id(reader, f"{at}/die_id"),
        cluster=_id(reader, f"{at}/cluster_id"),
        core=_id(reader, f"{at}/core_id"),
        siblings=read_set(reader, f"{at}/thread_siblings_list", f"{at}/thread_siblings"),
        node=node_of.get(number, Missing(UNSUPPORTED)),
    )


def _id(reader: Reader, path: str) -> int | Missing:
    """Return a topology id; -1, also when truncated to 16 bits (x86 clusters), is none."""
    number = reader.count(path)
    return Missing(UNSUPPORTED) if number == _NO_ID else number
