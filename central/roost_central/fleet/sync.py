"""Whether a site is reached, and by subject whether it is as the centre has it. Pure.

As the subclouds of StarlingX's Distributed Cloud have it (dcmanager): a subject is in sync, out of
sync, or unknown. Invariant: unknown wherever nothing was observed: of a site that is left alone, of
one that is not heard, of a node that cannot tell.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from enum import StrEnum
from typing import Final

from roost_central.fleet.view import FleetView, NodeRow, SiteRow
from roost_protocol.update import Running

HEARD: Final = ("online", "degraded")
CLOCK_WRONG: Final = "100.805"
CERTIFICATE_ALARMS: Final = frozenset({"500.200", "500.210"})


class Sync(StrEnum):
    """What is known of one subject, the best first."""

    IN_SYNC = "in-sync"
    UNKNOWN = "unknown"
    OUT_OF_SYNC = "out-of-sync"


def is_online(site: SiteRow, view: FleetView) -> bool:
    """Say whether any of its nodes is heard."""
    return any(view.nodes[node].presence in HEARD for node in site.nodes)


def sync_of(site: SiteRow, view: FleetView, alarms: Collection[str]) -> dict[str, Sync]:
    """Return how a site stands, by subject.

    Args:
        site: of the view.
        view: its nodes.
        alarms: types of the site's open alarms.
    """
    nodes = [view.nodes[node] for node in site.nodes]
    if not site.managed or not nodes:
        return dict.fromkeys(SUBJECTS, Sync.UNKNOWN)
    is_heard = all(node.presence in HEARD for node in nodes)
    by_alarm = {"certificates": CERTIFICATE_ALARMS, "time": frozenset({CLOCK_WRONG})}
    return {
        **{name: _worst(map(of_node, nodes)) for name, of_node in _BY_NODE.items()},
        "release": _worst(_release(node, site.wanted) for node in nodes),
        **{name: _told(alarms, types, is_heard=is_heard) for name, types in by_alarm.items()},
    }


def worst(states: Iterable[Sync]) -> Sync:
    """Return the one word for several subjects."""
    return _worst(states)


def _worst(states: Iterable[Sync]) -> Sync:
    return max(states, key=_RANK.index)


def _inventory(node: NodeRow) -> Sync:
    if node.inventory_gen is None or node.presence not in HEARD:
        return Sync.UNKNOWN
    return Sync.OUT_OF_SYNC if node.inventory_behind else Sync.IN_SYNC


def _configuration(node: NodeRow) -> Sync:
    """Return what its own word comes to; who has no profile is what it should be."""
    if node.config.state in {"none", "in-sync"} and node.presence in HEARD:
        return Sync.IN_SYNC
    if node.config.state in {"pending", "applying", "waiting", "failed"} and node.presence in HEARD:
        return Sync.OUT_OF_SYNC
    return Sync.UNKNOWN


def _release(node: NodeRow, wanted: Mapping[str, Running]) -> Sync:
    """Return whether it says that it runs what rollouts want; who is wanted nothing of does."""
    if node.presence not in HEARD or (wanted and node.software is None):
        return Sync.UNKNOWN
    runs = node.software or {}
    for component, release in wanted.items():
        running = runs.get(component)
        if running is None or running.digest != release.digest:
            return Sync.OUT_OF_SYNC
    return Sync.IN_SYNC


def _told(alarms: Collection[str], types: Collection[str], *, is_heard: bool) -> Sync:
    """Return what open alarms say; who is not heard may have more to say."""
    if any(each in types for each in alarms):
        return Sync.OUT_OF_SYNC
    return Sync.IN_SYNC if is_heard else Sync.UNKNOWN


_RANK: Final = (Sync.IN_SYNC, Sync.UNKNOWN, Sync.OUT_OF_SYNC)
_BY_NODE: Final[dict[str, Callable[[NodeRow], Sync]]] = {
    "inventory": _inventory,
    "configuration": _configuration,
}
SUBJECTS: Final = ("inventory", "configuration", "release", "certificates", "time")
