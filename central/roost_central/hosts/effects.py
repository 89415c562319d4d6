"""What an action on a host would do beside what it is for: its blast radius. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from roost_central.fleet.availability import EVERYWHERE, SITE_LEASE, GroupOf, groups_of
from roost_central.fleet.view import FleetView, NodeRow
from roost_central.hosts.actions import Action
from roost_protocol.host import Admin, Oper

_ENABLED: Final = Oper.ENABLED.value


@dataclass(frozen=True, slots=True)
class Effect:
    """One thing that the action would do beside what it is for.

    Attributes:
        kind: ``moves``, ``stops``, ``site``.
        text: a sentence.
        services: that it is about.
    """

    kind: str
    text: str
    services: tuple[str, ...] = ()


def effects_of(
    action: Action, row: NodeRow, view: FleetView, groups: Sequence[GroupOf]
) -> list[Effect]:
    """Return the blast radius: what moves, what stops, what is left of the site."""
    effects = []
    for group in groups:
        services = tuple(
            sorted({name for host in group.hosts if host.said for name in host.said.services})
        )
        named = f"{group.name} ({', '.join(services)})" if services else group.name
        if group.model == EVERYWHERE:
            effects.append(Effect("stops", f"{named} stops on {row.name}", services))
        elif group.standby:
            effects.append(Effect("moves", f"{named} moves to {group.standby[0]}", services))
        elif action.takes_down:
            effects.append(Effect("stops", f"{named} stops: no other host can take it", services))
    if action.takes_down and serves(row):
        nodes = [view.nodes[name] for name in view.sites[row.site].nodes]
        left = sum(serves(node) for node in nodes) - 1
        text = f"{left} of {len(nodes)} hosts of {row.site} stay enabled"
        effects.append(Effect("site", text))
        goes_away = Admin.UNLOCKED in action.forced_admin  # a lock leaves its agent where it is
        if goes_away and row.host is not None and row.host.by == row.node and len(nodes) > 1:
            effects.append(Effect("site", f"another node becomes the coordinator of {row.site}"))
    return effects + (_of_deletion(row, view) if action.name == "delete" else [])


def _of_deletion(row: NodeRow, view: FleetView) -> list[Effect]:
    nodes = len(view.sites[row.site].nodes)
    texts = [
        f"the certificate of {row.name} is revoked, and its alarms are cleared",
        f"{nodes - 1} of {nodes} nodes of {row.site} are left",
    ]
    if row.ha is not None and row.name in row.ha.voters:
        texts.append(f"{row.name} is one of the {len(row.ha.voters)} voters of {row.site}")
    return [Effect("site", text) for text in texts]


def held_groups(action: Action, row: NodeRow, view: FleetView) -> list[GroupOf]:
    """Return the groups of local HA that are active on a host and concern an action.

    The built-in lease runs nothing, and what runs everywhere cannot be given away.
    """
    if not (action.takes_down or action.gives_away):
        return []
    without = {SITE_LEASE, EVERYWHERE} if action.gives_away else {SITE_LEASE}
    nodes = [view.nodes[name] for name in view.sites[row.site].nodes]
    speakers = [node for node in nodes if node.ha is not None]
    return [
        group
        for group in groups_of(speakers)
        if group.model not in without and row.name in group.active
    ]


def serves(node: NodeRow) -> bool:
    """Say whether a host is enabled, as far as the centre knows."""
    return node.host is not None and node.host.triple[1] == _ENABLED
