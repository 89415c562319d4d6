"""From the fleet in memory to answers: one function for each kind of row, pure.

Only the rows that are sent are built: a list of 100 nodes out of 10,000 costs 100 of these.
"""

from collections import Counter
from collections.abc import Iterable
from operator import attrgetter
from typing import Final

from roost_central.api.alarm_sight import AlarmSight
from roost_central.api.answers import (
    ConfigState,
    InventoryState,
    Node,
    NodeCounts,
    NodePath,
    Path,
    Quarantine,
    Site,
    SiteCounts,
    SiteDetail,
)
from roost_central.api.instants import age_s, instant
from roost_central.fleet.availability import redundancy_of, role_of
from roost_central.fleet.sync import is_online, sync_of
from roost_central.fleet.view import FleetView, NodeRow, PathRow, SiteRow

_PRESENCE: Final = attrgetter("presence")
_STATUS: Final = attrgetter("status")


def nodes_of(site: SiteRow, view: FleetView) -> list[NodeRow]:
    """Return the node rows of a site."""
    return [view.nodes[node] for node in site.nodes]


def last_heard(nodes: Iterable[NodeRow]) -> NodeRow | None:
    """Return the node that was heard last, None when none ever was."""
    heard = [node for node in nodes if node.heard_ms is not None]
    return max(heard, key=lambda node: node.heard_ms or 0, default=None)


def count_nodes(nodes: Iterable[NodeRow]) -> NodeCounts:
    """Count nodes by presence."""
    seen = Counter(map(_PRESENCE, nodes))
    return NodeCounts(
        online=seen["online"],
        degraded=seen["degraded"],
        unreachable=seen["unreachable"],
        unknown=seen["unknown"],
        total=seen.total(),
    )


def count_sites(sites: Iterable[SiteRow]) -> SiteCounts:
    """Count sites by status."""
    seen = Counter(map(_STATUS, sites))
    return SiteCounts(
        ok=seen["ok"],
        degraded=seen["degraded"],
        maintenance=seen["maintenance"],
        down=seen["down"],
        unknown=seen["unknown"],
        total=seen.total(),
    )


def site_answer(site: SiteRow, sight: AlarmSight, now_ms: int) -> Site:
    """Return a site as it is known at ``now_ms``."""
    view = sight.view
    nodes = nodes_of(site, view)
    last = last_heard(nodes)
    heard_ms = last.heard_ms if last else None
    return Site(
        site=site.site,
        status=site.status,
        status_since=instant(site.status_since_ms),
        labels=site.labels,
        lat=site.lat,
        lon=site.lon,
        shard=site.shard,
        nodes=count_nodes(nodes),
        heard=instant(heard_ms),
        age_s=age_s(heard_ms, now_ms),
        via=last.via if last else None,
        redundancy=redundancy_of(site, view),
        revision=site.revision,
        managed=site.managed,
        managed_since=instant(site.managed_since_ms),
        managed_why=site.managed_why,
        availability="online" if is_online(site, view) else "offline",
        sync={**sync_of(site, view, sight.types_of(site.site))},
    )


def site_detail(site: SiteRow, sight: AlarmSight, now_ms: int) -> SiteDetail:
    """Return a site with all its nodes."""
    short = site_answer(site, sight, now_ms)
    return SiteDetail(
        **{name: getattr(short, name) for name in Site.__struct_fields__},
        node_list=[node_answer(node, now_ms) for node in nodes_of(site, sight.view)],
    )


def node_answer(node: NodeRow, now_ms: int) -> Node:
    """Return a node as it is known at ``now_ms``."""
    return Node(
        node=node.node,
        site=node.site,
        name=node.name,
        presence=node.presence,
        presence_since=instant(node.presence_since_ms),
        heard=instant(node.heard_ms),
        age_s=age_s(node.heard_ms, now_ms),
        via=node.via,
        agent=node.agent,
        boot_id=node.boot_id,
        incarnation=node.incarnation,
        uptime_s=node.uptime_s,
        interval_s=None if node.interval_ms is None else node.interval_ms / 1000,
        clock_skew_ms=node.clock_skew_ms,
        paths=[_node_path(path, now_ms) for path in node.paths.values()],
        outbox=node.outbox,
        inventory=InventoryState(
            gen=node.inventory_gen,
            digest=node.inventory_digest,
            as_of=instant(node.inventory_as_of_ms),
            age_s=age_s(node.inventory_as_of_ms, now_ms),
            behind=node.inventory_behind,
        ),
        ha=role_of(node),
        ha_as_of=instant(node.ha_at_ms),
        quarantine=_quarantine(node),
        labels=node.labels,
        config=ConfigState(
            state=node.config.state,
            generation=node.config.desired_gen,
            applied=node.config.applied_gen,
            pending_reboot=node.config.pending_reboot,
            drift=node.config.drift,
            held_by=node.config.held_by,
            profiles=node.config.profiles,
        ),
    )


def _quarantine(node: NodeRow) -> Quarantine | None:
    if not node.quarantine:
        return None
    since = instant(node.quarantine_since_ms)
    return Quarantine(node.quarantine, node.quarantine_reason, since)


def path_heard_ms(path: PathRow) -> int | None:
    """Return when a path was last known of: by arrival, or by the node's own word."""
    return path.heard_ms if path.heard_ms is not None else path.reported_ms


def path_answer(node: NodeRow, path: PathRow, now_ms: int) -> Path:
    """Return a path as a row of the list of paths."""
    heard_ms = path_heard_ms(path)
    return Path(
        site=node.site,
        node=node.node,
        path=path.name,
        kind=path.kind,
        state=path.state,
        rtt_us=path.rtt_us,
        loss_permille=path.loss_permille,
        since=instant(path.since_ms),
        heard=instant(heard_ms),
        age_s=age_s(heard_ms, now_ms),
    )


def _node_path(path: PathRow, now_ms: int) -> NodePath:
    heard_ms = path_heard_ms(path)
    return NodePath(
        path=path.name,
        kind=path.kind,
        state=path.state,
        rtt_us=path.rtt_us,
        loss_permille=path.loss_permille,
        since=instant(path.since_ms),
        heard=instant(heard_ms),
        age_s=age_s(heard_ms, now_ms),
    )
