"""Whether a node has the paths, groups and services that its document names. Pure.

Names are those of its last beat and of its last word on local HA; what it did not tell is not
guessed: the node refuses what it has not, before anything is done.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from roost_protocol.ha_report import HaReport
from roost_protocol.profile.check import Fault, Tree

_SLOT: Final = re.compile(r"-\d+$")  # of an N+M group's leases: GROUP-1 and so on
BUILT_IN: Final = "site"  # the lease that runs nothing, and is none of the file's groups


@dataclass(frozen=True, slots=True)
class HaNames:
    """What a node's HA file has; ``services`` None: it did not tell them."""

    groups: frozenset[str]
    services: frozenset[str] | None
    nodes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Names:
    """What a node has told of itself; None: nothing of that.

    Attributes:
        wan: its paths to the centre.
        ha: of its local HA.
    """

    wan: frozenset[str] | None = None
    ha: HaNames | None = None


UNTOLD: Final = Names()


def needs_names(sections: Tree) -> bool:
    """Say whether a document names what a node has to have."""
    return bool(sections.get("paths", {}).get("wan")) or bool(sections.get("ha"))


def ha_names(report: HaReport) -> HaNames:
    """Return the names that a report has; services only where its agent tells them all."""
    groups = {
        _SLOT.sub("", group.name) if group.model == "N+M" else group.name
        for group in report.groups
        if group.name != BUILT_IN
    }
    services = frozenset(report.services) if report.services else None
    return HaNames(frozenset(groups), services, frozenset(report.nodes))


def unknown_names(sections: Tree, names: Names) -> Iterator[Fault]:
    """Yield what a document names and a node has not."""
    wan = sections.get("paths", {}).get("wan", {})
    if names.wan is not None:
        for path in (each for each in wan if each not in names.wan):
            yield _fault(("paths", "wan", path), "WAN path of that name", names.wan)
    if names.ha is None:
        return
    said = sections.get("ha", {})
    for kind, there in (("groups", names.ha.groups), ("services", names.ha.services)):
        if there is not None:
            for name in (each for each in said.get(kind, {}) if each not in there):
                yield _fault(("ha", kind, name), f"{kind[:-1]} of that name", there)
    for name, group in said.get("groups", {}).items():
        if strangers := [host for host in group.get("hosts", ()) if host not in names.ha.nodes]:
            path = ("ha", "groups", name, "hosts")
            yield _fault(path, f"node {', '.join(strangers)}", names.ha.nodes)


def _fault(path: tuple[str, ...], what: str, there: frozenset[str]) -> Fault:
    known = ", ".join(sorted(there)) or "none"
    return Fault(path, "impossible", f"it has no {what}; it has {known}")
