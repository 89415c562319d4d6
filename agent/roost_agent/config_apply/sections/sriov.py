"""``sriov``: how many virtual functions a physical one has, until the next boot; then again.

The kernel's Documentation/PCI/pci-iov-howto.rst: a count can be changed to and from 0 alone, so it
is 0 in between, and all functions that there were end.
"""

from typing import Final

from roost_agent.config_apply.machine import Machine
from roost_agent.config_apply.section import Originals, Plan, Values
from roost_agent.config_apply.step import PutValue, Step
from roost_agent.config_apply.target import Found, numbers
from roost_protocol.profile.check import Tree
from roost_protocol.profile.field import Path

PCI: Final = "sys/bus/pci/devices"
NET: Final = "sys/class/net"
_NONE: Final = b"0\n"


class Sriov:
    """See Section."""

    name: str = "sriov"
    needs_confirm: bool = True  # the last path may be over one of them

    def read(self, wanted: Tree, before: Tree, machine: Machine) -> Found:
        """See Section."""
        paths = [path for tree in (wanted, before) for name in _vfs(tree) for path in _files(name)]
        return {path: machine.read(path) for path in paths}

    def refusals(self, wanted: Tree, found: Found) -> list[str]:
        """See Section."""
        faults = []
        for name, count in _vfs(wanted).items():
            total = numbers(found.get(_files(name)[1]))
            if total is None or found.get(_files(name)[0]) is None:
                faults.append(f"vfs.{name}: this machine has no such physical function")
            elif count > total[0]:
                faults.append(f"vfs.{name}: {count} virtual functions, bound {total[0]}")
        return faults

    def plan(self, wanted: Tree, before: Tree, found: Found, originals: Originals) -> Plan:
        """See Section."""
        kept = {
            path: originals.get(path, found.get(path))
            for name in _vfs(wanted)
            for path in _files(name)[:1]
        }
        aims = {_files(name)[0]: b"%d\n" % count for name, count in _vfs(wanted).items()}
        for path in (_files(name)[0] for name in _vfs(before)):
            if (original := originals.get(path)) is not None:
                aims.setdefault(path, original)
        steps: list[Step] = []
        for path, aim in aims.items():
            there = found.get(path)
            if there is None or there.split() == aim.split():
                continue
            if there.split() != _NONE.split():
                steps.append(PutValue(path, there, _NONE))
                there = _NONE
            if aim.split() != _NONE.split():
                steps.append(PutValue(path, there, aim))
        return Plan(tuple(steps), kept)

    def values(self, wanted: Tree, found: Found) -> Values:
        """See Section."""
        counts = {name: numbers(found.get(_files(name)[0])) for name in _vfs(wanted)}
        return {("vfs", name): count[0] if count else None for name, count in counts.items()}

    def pending(self, wanted: Tree, found: Found) -> frozenset[Path]:  # noqa: ARG002
        """See Section."""
        return frozenset()


def _vfs(tree: Tree) -> dict[str, int]:
    found: dict[str, int] = tree.get("vfs", {})
    return found


def _files(name: str) -> tuple[str, str]:
    """Return where the count of a physical function stands, and its bound."""
    device = f"{PCI}/{name}" if ":" in name else f"{NET}/{name}/device"
    return f"{device}/sriov_numvfs", f"{device}/sriov_totalvfs"
