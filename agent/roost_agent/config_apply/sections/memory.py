"""``memory``: huge pages by NUMA node and size, and transparent huge pages.

Counts are the kernel's to keep until the next boot (Documentation/admin-guide/mm/hugetlbpage), so
they are written again at each. Pages of a size that memory is soon too broken for (512 MiB and
more) are asked for at the boot as well, by arguments of the kernel's command line where GRUB is.
"""

from typing import Final

from roost_agent.config_apply.machine import Machine
from roost_agent.config_apply.section import Originals, Plan, Values
from roost_agent.config_apply.sections.kernel import GRUB_PROGRAM, grub_file
from roost_agent.config_apply.target import Found, Kind, Target, Targets, numbers, plan
from roost_protocol.profile.check import Tree
from roost_protocol.profile.field import Mark, Path
from roost_protocol.profile.schema import PAGE_BYTES, SECTIONS

NODES: Final = "sys/devices/system/node"
THP_FILE: Final = "sys/kernel/mm/transparent_hugepage/enabled"
BOOT_FILE: Final = "etc/default/grub.d/61-roost-hugepages.cfg"
KEPT_BYTES: Final = 512 * 1024**2  # for all that is no huge page, as the centre has it
_THP: Final = "thp"


class Memory:
    """See Section."""

    name: str = "memory"
    needs_confirm: bool = False

    def read(self, wanted: Tree, before: Tree, machine: Machine) -> Found:
        """See Section."""
        paths = {*_targets(wanted), *_targets(before), BOOT_FILE}
        nodes = {node for tree in (wanted, before) for node, _, _ in _pages(tree)}
        paths |= {f"{NODES}/{node}/meminfo" for node in nodes}
        found = {path: machine.read(path) for path in paths}
        found[GRUB_PROGRAM] = b"" if machine.is_there(GRUB_PROGRAM) else None
        found[THP_FILE] = _chosen(machine.read(THP_FILE))
        return found

    def refusals(self, wanted: Tree, found: Found) -> list[str]:
        """See Section."""
        faults = []
        asked: dict[str, int] = {}
        for node, size, count in _pages(wanted):
            asked[node] = asked.get(node, 0) + count * PAGE_BYTES[size]
            if found.get(f"{NODES}/{node}/meminfo") is None:
                faults.append(f"hugepages.{size}.{node}: this machine has no such NUMA node")
            elif found.get(_count_file(node, size)) is None:
                faults.append(f"hugepages.{size}.{node}: this machine has no pages of that size")
        faults += [
            f"hugepages of {node}: {asked[node]} bytes, bound {most} with {KEPT_BYTES} kept"
            for node in asked
            if (most := _total_bytes(node, found) - KEPT_BYTES) < asked[node]
            and found.get(f"{NODES}/{node}/meminfo") is not None
        ]
        if _THP in wanted and found.get(THP_FILE) is None:
            faults.append("thp: this kernel has no transparent huge pages")
        return faults

    def plan(self, wanted: Tree, before: Tree, found: Found, originals: Originals) -> Plan:
        """See Section."""
        return plan(_for_boot(wanted, found), _for_boot(before, found), found, originals)

    def values(self, wanted: Tree, found: Found) -> Values:
        """See Section."""
        waits = self.pending(wanted, found)
        values: Values = {}
        for node, size, count in _pages(wanted):
            path = ("hugepages", size, node)
            there = numbers(found.get(_count_file(node, size)))
            values[path] = count if path in waits else there[0] if there else None
        if _THP in wanted:
            raw = found.get(THP_FILE)
            values[_THP,] = None if raw is None else raw.decode()
        return values

    def pending(self, wanted: Tree, found: Found) -> frozenset[Path]:
        """See Section."""
        targets = _for_boot(wanted, found)
        if BOOT_FILE not in targets or found.get(BOOT_FILE) != targets[BOOT_FILE].content:
            return frozenset()
        return frozenset(
            ("hugepages", size, node)
            for node, size, count in _pages(wanted)
            if _is_gigantic(size) and numbers(found.get(_count_file(node, size))) != [count]
        )


def _targets(tree: Tree) -> Targets:
    targets = {
        _count_file(node, size): Target(Kind.VALUE, f"{count}\n".encode())
        for node, size, count in _pages(tree)
    }
    if _THP in tree:
        targets[THP_FILE] = Target(Kind.VALUE, str(tree[_THP]).encode())
    return targets


def _for_boot(tree: Tree, found: Found) -> Targets:
    """Return the targets, with the file for the boot where there is a boot loader to read it."""
    targets = dict(_targets(tree))
    sizes: dict[str, list[str]] = {}
    for node, size, count in _pages(tree):
        if _is_gigantic(size):
            sizes.setdefault(size, []).append(f"{node.removeprefix('node')}:{count}")
    if sizes and found.get(GRUB_PROGRAM) is not None:
        each = [f"hugepagesz={size} hugepages={','.join(counts)}" for size, counts in sizes.items()]
        targets[BOOT_FILE] = grub_file(each)
    return targets


def _pages(tree: Tree) -> list[tuple[str, str, int]]:
    """Return NUMA node, size and count of all huge pages in a tree, in their order."""
    return [
        (node, size, count)
        for size, nodes in sorted(tree.get("hugepages", {}).items())
        for node, count in sorted(nodes.items())
    ]


def _count_file(node: str, size: str) -> str:
    return f"{NODES}/{node}/hugepages/hugepages-{PAGE_BYTES[size] // 1024}kB/nr_hugepages"


def _is_gigantic(size: str) -> bool:
    part = SECTIONS["memory"].parts["hugepages"]
    keyed = part.parts[size]  # type: ignore[union-attr]  # the schema has a group there
    return keyed.each.mark is Mark.REBOOT  # type: ignore[union-attr]  # and a field under each node


def _total_bytes(node: str, found: Found) -> int:
    """Return a node's memory: the line ``Node 0 MemTotal: 16311404 kB``."""
    raw = found.get(f"{NODES}/{node}/meminfo") or b""
    for line in raw.decode("ascii", "replace").splitlines():
        if "MemTotal:" in line:
            return int(line.split()[-2]) * 1024
    return 0


def _chosen(raw: bytes | None) -> bytes | None:
    """Return the word in brackets of a choice such as ``always [madvise] never``."""
    if raw is None or b"[" not in raw:
        return raw
    return raw[raw.index(b"[") + 1 : raw.index(b"]")]
