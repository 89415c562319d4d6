"""How a site stands by its own words: those on its hosts and on what local HA keeps there. Pure.

What its nodes' silence means is the liveness core's to judge, which takes this in: a site that
speaks may be in need all the same, and one that is silent is unknown whatever it said last.
"""

from typing import Final

from roost_central.fleet.availability import groups_of
from roost_central.fleet.view import FleetView, NodeRow, SiteRow
from roost_central.liveness.facts import SiteSaid
from roost_protocol.host import Admin, Avail
from roost_protocol.topics import NodeId, SiteId

_IN_NEED: Final = frozenset({Avail.FAILED, Avail.DEGRADED, Avail.OFFLINE, Avail.POWER_OFF})


def standing_of(site: SiteRow, view: FleetView, now_ms: int) -> SiteSaid:
    """Return what a site says of itself.

    ``down``: a group has no active node; ``degraded``: a host that ought to serve is not well, or a
    group has no second node to go to; ``maintenance``: what is missing is so by an operator's word.

    Args:
        site: of the view.
        view: its nodes.
        now_ms: UTC.
    """
    nodes = [view.nodes[node] for node in site.nodes]
    away = {node.name: node for node in nodes if is_taken_out(node, now_ms)}
    groups = groups_of(node for node in nodes if node.ha is not None)
    lacks = {each.node for group in groups if group.redundancy == "lost" for each in group.lacks}
    ill = {node.name for node in nodes if node.host and node.host.said.avail in _IN_NEED}
    if any(group.redundancy == "down" for group in groups):
        word = "down"
    elif (lacks | ill) - away.keys():
        word = "degraded"
    else:
        word = "maintenance" if away else "ok"
    return SiteSaid(SiteId(site.site), word, frozenset(NodeId(node.node) for node in away.values()))


def is_taken_out(node: NodeRow, now_ms: int) -> bool:
    """Say whether an operator has taken a host out of service, or it is in a maintenance."""
    if node.host is None:
        return False
    said = node.host.said
    return said.admin is Admin.LOCKED or said.maintenance_until_ms > now_ms
