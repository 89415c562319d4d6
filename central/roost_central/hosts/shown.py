"""A host's state as the centre may say it now. Pure.

The coordinator's word counts as long as somebody of its site is heard. Of a dark site nothing is
known but what was said last: ``oper`` and ``avail`` are unknown, and the last triple stands apart.
"""

from dataclasses import dataclass
from typing import Final

from roost_central.fleet.view import FleetView, NodeRow
from roost_central.hosts.core import HostWord, Triple

UNKNOWN: Final = "unknown"
_HEARD: Final = frozenset({"online", "degraded"})


@dataclass(frozen=True, slots=True)
class Shown:
    """A host now; ``last`` is the triple that was said last, where it is not known any more."""

    admin: str
    oper: str
    avail: str
    word: HostWord
    last: Triple | None = None


def shown(node: NodeRow, view: FleetView) -> Shown | None:
    """Return the state of a host; None: no coordinator ever spoke of it."""
    word = node.host
    if word is None:
        return None
    admin, oper, avail = word.triple
    if is_dark(node.site, view):
        return Shown(admin, UNKNOWN, UNKNOWN, word, last=word.triple)
    return Shown(admin, oper, avail, word)


def is_dark(site: str, view: FleetView) -> bool:
    """Say whether nobody of a site is heard; so it is of each for the centre's first moments."""
    nodes = view.nodes
    return not any(nodes[name].presence in _HEARD for name in view.sites[site].nodes)


def in_maintenance(node: NodeRow, now_ms: int) -> bool:
    """Say whether a host is in a maintenance window, by its coordinator's word."""
    return node.host is not None and node.host.said.maintenance_until_ms > now_ms


def reasons(node: NodeRow) -> list[str]:
    """Return why a host is degraded, by its coordinator's last word."""
    return [] if node.host is None else sorted(node.host.said.reasons)
