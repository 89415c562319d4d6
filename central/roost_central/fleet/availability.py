"""What the nodes of a site say of its local HA, put side by side: who is active, what is missing.

Nobody is believed about another node's role: a group's active node is one that says so itself, of
several the one with the latest epoch. That a standby is there is the active node's word, since it
must hear it. Pure; leaves storage and answers to others.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from roost_central.fleet.fields import REDUNDANCIES
from roost_central.fleet.view import FleetView, NodeRow, SiteRow
from roost_protocol.ha_report import HaGroup, HaReport, HaRole

SITE_LEASE: Final = "site"  # the model of the built-in lease: it runs nothing
EVERYWHERE: Final = "N"  # the model that runs on every host
_HELD: Final = frozenset({HaRole.ACTIVE, HaRole.STOPPING})
_THERE: Final = frozenset({"alive", "joining"})
_SPEAKS: Final = frozenset({"online", "degraded"})
_RANK: Final = {word: rank for rank, word in enumerate(REDUNDANCIES)}  # the worst last


@dataclass(frozen=True, slots=True)
class HostSaid:
    """One host's own word on a group; None where it said none."""

    node: str
    said: HaGroup | None


@dataclass(frozen=True, slots=True)
class GroupOf:
    """One group of a site.

    Attributes:
        active: nodes that say that they are; several of model N, of the others at most one.
        epoch: of the active node's turn; 0 where nobody is active, or no lease is needed.
        standby: hosts that could take it, as far as they and the active node say.
        redundancy: one of REDUNDANCIES, but for ``none`` and ``unknown``.
    """

    name: str
    model: str
    active: tuple[str, ...]
    epoch: int
    standby: tuple[str, ...]
    redundancy: str
    hosts: tuple[HostSaid, ...]


def groups_of(reports: Mapping[str, HaReport]) -> list[GroupOf]:
    """Return a site's groups, in the order in which they are first spoken of.

    Args:
        reports: the latest of each node that sent one, by the node's name in the site.
    """
    said: dict[str, dict[str, HaGroup]] = {}
    for node, report in reports.items():
        for group in report.groups:
            said.setdefault(group.name, {})[node] = group
    return [_group(name, by_node, reports) for name, by_node in said.items()]


def redundancy_of(site: SiteRow, view: FleetView) -> str:
    """Return the worst redundancy of a site's groups.

    ``none``: the site has no local HA; ``unknown``: it has, and none of its nodes is heard now.
    """
    nodes = [view.nodes[node] for node in site.nodes]
    speakers = [node for node in nodes if node.ha is not None]
    if not speakers:
        return "none"
    if not any(node.presence in _SPEAKS for node in speakers):
        return "unknown"
    return worst(group.redundancy for group in groups_of(reports_of(speakers)))


def role_of(node: NodeRow) -> str | None:
    """Return ``active``, ``standby`` or ``none`` for a node's groups; None where it has no HA."""
    if node.ha is None:
        return None
    roles = {group.role for group in node.ha.groups if group.model not in {SITE_LEASE, EVERYWHERE}}
    if roles & _HELD:
        return "active"
    return "standby" if HaRole.STANDBY in roles else "none"


def reports_of(nodes: Iterable[NodeRow]) -> dict[str, HaReport]:
    """Return the reports of the nodes that sent one, by name."""
    return {node.name: node.ha for node in nodes if node.ha is not None}


def worst(found: Iterable[str]) -> str:
    """Return the worst of some redundancies, ``none`` of no one."""
    return max(found, key=_RANK.__getitem__, default="none")


def _group(name: str, by_node: Mapping[str, HaGroup], reports: Mapping[str, HaReport]) -> GroupOf:
    any_said = next(iter(by_node.values()))
    hosts = tuple(HostSaid(node, by_node.get(node)) for node in any_said.hosts)
    if any_said.model == EVERYWHERE:
        return _everywhere(name, hosts)
    held = {node: group for node, group in by_node.items() if group.role in _HELD}
    latest = max(held, key=lambda node: held[node].epoch, default=None)
    standby = () if latest is None else _standby(hosts, latest, reports[latest])
    if any_said.model == SITE_LEASE:
        redundancy = "ok" if latest else "down"
    else:
        redundancy = "down" if latest is None else "ok" if standby else "lost"
    return GroupOf(
        name=name,
        model=any_said.model,
        active=() if latest is None else (latest,),
        epoch=0 if latest is None else held[latest].epoch,
        standby=standby,
        redundancy=redundancy,
        hosts=hosts,
    )


def _everywhere(name: str, hosts: tuple[HostSaid, ...]) -> GroupOf:
    active = tuple(host.node for host in hosts if host.said and host.said.role is HaRole.ACTIVE)
    missing = len(active) < len(hosts)
    return GroupOf(
        name=name,
        model=EVERYWHERE,
        active=active,
        epoch=0,
        standby=(),
        redundancy="down" if not active else "lost" if missing else "ok",
        hosts=hosts,
    )


def _standby(hosts: Iterable[HostSaid], active: str, heard: HaReport) -> tuple[str, ...]:
    """Return the hosts that say they may stand, and that the active node hears."""
    there = {peer.node for peer in heard.peers if peer.state in _THERE}
    return tuple(
        host.node
        for host in hosts
        if host.node != active
        and host.node in there
        and host.said is not None
        and host.said.role is HaRole.STANDBY
    )
