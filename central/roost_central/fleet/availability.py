"""What the nodes of a site say of its local HA, put side by side: who is active, what is missing.

Nobody is believed about another node's role: a group's active node is one that says so itself, of
several the one with the latest epoch. That it is still there, and that a standby is, takes more
than a last word: testimony says who hears whom now. Pure; leaves storage and answers to others.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from roost_central.fleet.fields import REDUNDANCIES
from roost_central.fleet.testimony import Lack, Testimony
from roost_central.fleet.view import FleetView, NodeRow, SiteRow
from roost_protocol.ha_report import HaGroup, HaRole
from roost_protocol.host import Admin

SITE_LEASE: Final = "site"  # the model of the built-in lease: it runs nothing
EVERYWHERE: Final = "N"  # the model that runs on every host
_HELD: Final = frozenset({HaRole.ACTIVE, HaRole.STOPPING})
_RANK: Final = {word: rank for rank, word in enumerate(REDUNDANCIES)}  # the worst last


@dataclass(frozen=True, slots=True)
class HostSaid:
    """One host's own word on a group; None where it said none.

    Attributes:
        outdated: why it is not so any more; empty where nothing says so.
    """

    node: str
    said: HaGroup | None
    outdated: str = ""


@dataclass(frozen=True, slots=True)
class GroupOf:
    """One group of a site.

    Attributes:
        active: nodes that say that they are; several of model N, of the others at most one.
        epoch: of the active node's turn; 0 where nobody is active, or no lease is needed.
        standby: hosts that could take it, as far as they and the active node say.
        redundancy: one of REDUNDANCIES, but for ``none``.
        lacks: what is missing, where it is not ``ok``.
    """

    name: str
    model: str
    active: tuple[str, ...]
    epoch: int
    standby: tuple[str, ...]
    redundancy: str
    hosts: tuple[HostSaid, ...]
    lacks: tuple[Lack, ...] = ()


def groups_of(nodes: Iterable[NodeRow]) -> list[GroupOf]:
    """Return a site's groups, in the order in which they are first spoken of.

    Args:
        nodes: of one site.
    """
    known = list(nodes)
    told = Testimony(known)
    locked = {node.name for node in known if node.host and node.host.triple[0] == Admin.LOCKED}
    said: dict[str, dict[str, HaGroup]] = {}
    for node, report in told.reports.items():
        for group in report.groups:
            said.setdefault(group.name, {})[node] = group
    groups = [_group(name, by_node, told) for name, by_node in said.items()]
    return [_with_locks(group, locked) for group in groups] if locked else groups


def redundancy_of(site: SiteRow, view: FleetView) -> str:
    """Return the worst redundancy of a site's groups.

    ``none``: the site has no local HA; ``unknown``: it has, and none of its nodes is heard now.
    """
    speakers = [node for each in site.nodes if (node := view.nodes[each]).ha is not None]
    if not speakers:
        return "none"
    return worst(group.redundancy for group in groups_of(speakers))


def role_of(node: NodeRow) -> str | None:
    """Return ``active``, ``standby`` or ``none`` for a node's groups; None where it has no HA."""
    if node.ha is None:
        return None
    roles = {group.role for group in node.ha.groups if group.model not in {SITE_LEASE, EVERYWHERE}}
    if roles & _HELD:
        return "active"
    return "standby" if HaRole.STANDBY in roles else "none"


def worst(found: Iterable[str]) -> str:
    """Return the worst of some redundancies, ``none`` of no one."""
    return max(found, key=_RANK.__getitem__, default="none")


def _group(name: str, by_node: Mapping[str, HaGroup], told: Testimony) -> GroupOf:
    any_said = next(iter(by_node.values()))
    hosts = tuple(HostSaid(node, by_node.get(node)) for node in any_said.hosts)
    if any_said.model == EVERYWHERE:
        return _everywhere(name, hosts, told)
    held = {node: group for node, group in by_node.items() if group.role in _HELD}
    latest = max(held, key=lambda node: held[node].epoch, default=None)
    standby: tuple[str, ...] = ()
    if latest is None:
        redundancy, lacks = _of_nobody(hosts, told)
    elif not told.is_there(latest):
        redundancy, lacks = ("lost" if told.heard else "unknown"), (told.absence(latest),)
    elif any_said.model == SITE_LEASE:
        redundancy, lacks = "ok", ()
    else:
        missing = {host.node: _lack(host, latest, told) for host in hosts if host.node != latest}
        standby = tuple(node for node, lack in missing.items() if lack is None)
        redundancy = "ok" if standby else "lost"
        lacks = () if standby else tuple(lack for lack in missing.values() if lack is not None)
    return GroupOf(
        name=name,
        model=any_said.model,
        active=() if latest is None else (latest,),
        epoch=0 if latest is None else held[latest].epoch,
        standby=standby,
        redundancy=redundancy,
        hosts=tuple(_judged(host, latest, told) for host in hosts),
        lacks=lacks,
    )


def _with_locks(group: GroupOf, locked: Collection[str]) -> GroupOf:
    """Say of hosts that are locked just that: an operator's word is why they lack."""
    lacks = tuple(
        replace(each, why=f"{each.node} is locked") if each.node in locked else each
        for each in group.lacks
    )
    return replace(group, lacks=lacks)


def _judged(host: HostSaid, latest: str | None, told: Testimony) -> HostSaid:
    """Return a host's word with why it holds no longer: nobody hears it, or another took over."""
    said = host.said
    if said is None:
        return host
    if latest not in {host.node, None} and said.role in _HELD:
        return replace(host, outdated=f"it said that it was active before {latest} was")
    if not told.is_there(host.node):
        return replace(host, outdated=f"it is not heard; it said last: {said.role}")
    return host


def _of_nobody(hosts: Iterable[HostSaid], told: Testimony) -> tuple[str, tuple[Lack, ...]]:
    """Return how it stands where nobody says that it is active; who is not heard may be."""
    if not told.heard:
        return "unknown", tuple(told.absence(host.node) for host in hosts)
    silent = [host.node for host in hosts if host.node not in told.heard]
    if any(map(told.is_there, silent)):
        return "unknown", tuple(map(told.absence, silent))
    return "down", tuple(Lack(host.node, _why_not(host), None) for host in hosts)


def _everywhere(name: str, hosts: tuple[HostSaid, ...], told: Testimony) -> GroupOf:
    said = [host.node for host in hosts if host.said and host.said.role is HaRole.ACTIVE]
    active = tuple(filter(told.is_there, said)) if told.heard else tuple(said)
    lacks = [told.absence(node) for node in said if node not in active]
    lacks += [Lack(host.node, _why_not(host), None) for host in hosts if host.node not in said]
    redundancy = "down" if not active else "lost" if lacks else "ok"
    return GroupOf(
        name=name,
        model=EVERYWHERE,
        active=active,
        epoch=0,
        standby=(),
        redundancy=redundancy if told.heard else "unknown",
        hosts=tuple(_judged(host, None, told) for host in hosts),
        lacks=tuple(lacks),
    )


def _lack(host: HostSaid, active: str, told: Testimony) -> Lack | None:
    """Return why a host could not take a group; None: it says it may, and both hear each other."""
    if host.said is None:
        return Lack(host.node, _why_not(host), None)
    if (lack := told.cut(host.node, active)) is not None:
        return lack  # before its role: who died may have said last that it is active
    return None if host.said.role is HaRole.STANDBY else Lack(host.node, _why_not(host), None)


def _why_not(host: HostSaid) -> str:
    if host.said is None:
        return f"{host.node} told nothing of it yet"
    return f"{host.node}: {host.said.bar or host.said.state or host.said.role}"
