"""Liveness' decisions as alarms: what is raised, what ends, whose alarms are unknown. Pure.

A WAN path of a site is down when every heard node that has it says so: one node's word is its own
cable. Silence neither raises nor ends a path's alarm, and only hearing ends a silence's.
"""

from typing import TYPE_CHECKING, Final

from roost_central.alarms.facts import Event, NodeBack, NodeDark, OwnCleared, OwnRaised
from roost_central.fleet.entity import entity_of
from roost_central.fleet.view import FleetView, SiteRow
from roost_central.liveness.facts import (
    Action,
    CloneChanged,
    LossChanged,
    PathChanged,
    PathRemoved,
    PresenceChanged,
    QuietChanged,
    SiteChanged,
)
from roost_central.liveness.loss import BEATS
from roost_central.liveness.words import (
    BROKER_LOST,
    CLONE,
    FLEET_SILENT,
    NODE_SILENT,
    PATH_DOWN,
    PATH_LOSS,
    SITE_OFFLINE,
)
from roost_protocol.severity import Severity

if TYPE_CHECKING:
    from roost_protocol.alarm import Scalar

CENTRE_ENTITY: Final = "central=roost"
HEARD: Final = ("online", "degraded")
_OF_SILENCE: Final = frozenset({SITE_OFFLINE, NODE_SILENT, PATH_DOWN, PATH_LOSS})
_SAFE_LEFT: Final = 2  # paths left above which a lost one is only minor


def signals_of(action: Action, view: FleetView, now_ms: int) -> list[Event]:
    """Return what an action means for the alarms; the view shows it already."""
    match action:
        case PresenceChanged():
            return _presence(action, view)
        case PathChanged() | PathRemoved() | LossChanged():
            return _path(action, view)
        case CloneChanged():
            return _clone(action, view)
        case SiteChanged():
            return _site(action, view, now_ms)
        case QuietChanged():
            return _quiet(action)
        case _:
            return []


def signals_of_site(row: SiteRow, view: FleetView, now_ms: int) -> list[Event]:
    """Return what it means that a site is managed now, or is not any more.

    One that is left alone has no alarm of silence or loss. One that is managed again has those of
    the silence that there is now; a loss of beats is counted anew.
    """
    nodes = [view.nodes[node] for node in row.nodes]
    paths = {path.name for node in nodes for path in node.paths.values() if path.kind == "wan"}
    if not row.managed:
        site = entity_of(row.site, None)
        cleared: list[Event] = [OwnCleared(SITE_OFFLINE, site)]
        cleared += [OwnCleared(PATH_DOWN, f"site={row.site},path={path}") for path in paths]
        for node in nodes:
            cleared.append(OwnCleared(NODE_SILENT, entity_of(row.site, node.node)))
            cleared += [
                OwnCleared(PATH_LOSS, entity_of(row.site, node.node, f"path={path}"))
                for path in node.paths
            ]
        return cleared
    raised: list[Event] = []
    if row.status == "unknown" and any(node.heard_ms for node in nodes):
        raised.append(_offline(row.site, view, now_ms))
    raised += [
        _silent(row.site, node.node, (now_ms - node.heard_ms) // 1000)
        for node in nodes
        if node.presence == "unreachable" and node.heard_ms is not None
    ]
    if paths:
        raised += [each for each in _paths(row, min(paths), view) if isinstance(each, OwnRaised)]
    return raised


def muted(event: Event, view: FleetView) -> bool:
    """Say whether it is an alarm of silence or loss of a site that is not managed."""
    if not isinstance(event, OwnRaised) or event.type not in _OF_SILENCE:
        return False
    row = view.sites.get(event.site or "")
    return row is not None and not row.managed


def broker_signal(broker: str, *, is_up: bool) -> Event:
    """Return the alarm of a broker that was lost, or its end."""
    entity = f"{CENTRE_ENTITY},broker={broker}"
    if is_up:
        return OwnCleared(BROKER_LOST, entity)
    return OwnRaised(BROKER_LOST, entity, Severity.MAJOR, {"broker": broker})


def _presence(action: PresenceChanged, view: FleetView) -> list[Event]:
    site = action.node.partition(".")[0]
    if action.new == "unreachable":
        dark: list[Event] = [NodeDark(action.node)]
        if action.announce:
            dark.append(_silent(site, action.node, action.silent_ms // 1000))
        return dark
    if action.new in HEARD and action.old not in HEARD:
        back: list[Event] = [
            NodeBack(action.node),
            OwnCleared(NODE_SILENT, entity_of(site, action.node)),
        ]
        return [*back, *_paths_of(action.node, view)]
    return []


def _paths_of(node: str, view: FleetView) -> list[Event]:
    """Return the alarms of the paths of a node whose word counts from now on."""
    row = view.nodes.get(node)
    site = None if row is None else view.sites.get(row.site)
    if row is None or site is None:
        return []
    wan = [path.name for path in row.paths.values() if path.kind == "wan"]
    return [event for name in wan for event in _paths(site, name, view)]


def _silent(site: str, node: str, seconds: int) -> OwnRaised:
    entity = entity_of(site, node)
    return OwnRaised(NODE_SILENT, entity, Severity.MINOR, {"s": seconds}, site=site, node=node)


def _site(action: SiteChanged, view: FleetView, now_ms: int) -> list[Event]:
    if action.new != "unknown":
        cleared = OwnCleared(SITE_OFFLINE, entity_of(action.site, None))
        return [cleared] if action.old == "unknown" else []
    if not action.announce:
        return []
    return [_offline(action.site, view, now_ms, is_one_of_many=action.is_one_of_many)]


def _offline(site: str, view: FleetView, now_ms: int, *, is_one_of_many: bool = False) -> OwnRaised:
    row = view.sites.get(site)
    heard = [view.nodes[node].heard_ms or 0 for node in row.nodes] if row else []
    seconds = (now_ms - max(heard, default=now_ms)) // 1000
    return OwnRaised(
        SITE_OFFLINE,
        entity_of(site, None),
        Severity.CRITICAL,
        {"s": max(0, seconds)},
        site=site,
        is_one_of_many=is_one_of_many,
    )


def _clone(action: CloneChanged, view: FleetView) -> list[Event]:
    """Raise it; of a node in quarantine it ends with that, not with one box's silence."""
    site = action.node.partition(".")[0]
    entity = entity_of(site, action.node)
    if action.is_suspected:
        return [OwnRaised(CLONE, entity, Severity.CRITICAL, {}, site=site, node=action.node)]
    row = view.nodes.get(action.node)
    return [] if row is not None and row.quarantine else [OwnCleared(CLONE, entity)]


def _path(action: PathChanged | PathRemoved | LossChanged, view: FleetView) -> list[Event]:
    """Return the alarms of a path of one node, and of its site; what is gone loses nothing."""
    site = action.node.partition(".")[0]
    entity = entity_of(site, action.node, f"path={action.path}")
    if isinstance(action, LossChanged) and action.is_lossy:
        params: dict[str, Scalar] = {"lost": action.lost, "count": BEATS}
        return [OwnRaised(PATH_LOSS, entity, Severity.MINOR, params, site=site, node=action.node)]
    if isinstance(action, LossChanged):
        return [OwnCleared(PATH_LOSS, entity)]
    row = view.sites.get(site)
    events = [] if row is None else _paths(row, action.path, view)
    return [*events, OwnCleared(PATH_LOSS, entity)] if isinstance(action, PathRemoved) else events


def _quiet(action: QuietChanged) -> list[Event]:
    """Return the alarm of our doubt; the end of a start ends one that was raised before it, too."""
    if not action.on:
        return [OwnCleared(FLEET_SILENT, CENTRE_ENTITY)]
    if action.why != "silence":
        return []
    params = {"count": action.silent, "sites": action.sites}
    return [OwnRaised(FLEET_SILENT, CENTRE_ENTITY, Severity.CRITICAL, params)]


def _paths(row: SiteRow, changed: str, view: FleetView) -> list[Event]:
    """Return the alarms of a site's WAN paths after one of them changed."""
    said: dict[str, list[str]] = {changed: []}
    for name in row.nodes:
        node = view.nodes[name]
        for path in node.paths.values():
            if path.kind == "wan" and node.presence in HEARD:
                said.setdefault(path.name, []).append(path.state)
    up = {name for name, states in said.items() if any(state in _GOOD for state in states)}
    down = [name for name, states in said.items() if states and set(states) == {"down"}]
    events: list[Event] = []
    for name in down:
        severity = Severity.MINOR if len(up) >= _SAFE_LEFT else Severity.MAJOR
        entity = f"site={row.site},path={name}"
        params: dict[str, Scalar] = {"path": name, "left": len(up)}
        events.append(OwnRaised(PATH_DOWN, entity, severity, params, site=row.site))
    if changed in up or not _has(row, changed, view):
        events.append(OwnCleared(PATH_DOWN, f"site={row.site},path={changed}"))
    return events


_GOOD: Final = ("up", "flaky")


def _has(row: SiteRow, path: str, view: FleetView) -> bool:
    return any(path in view.nodes[node].paths for node in row.nodes)
