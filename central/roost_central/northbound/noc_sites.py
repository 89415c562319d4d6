"""What the NOC is told of each site, made anew only where something of it changed."""

from collections.abc import Iterable

from roost_central.alarms.flat import rfc3339
from roost_central.fleet.availability import (
    EVERYWHERE,
    SITE_LEASE,
    groups_of,
    redundancy_of,
)
from roost_central.fleet.view import Changes, FleetView, NodeRow, SiteRow
from roost_central.northbound.noc_tree import SiteState
from roost_central.ports import Clock

# status, nodes, online, paths up, paths, release, redundancy, active
Shown = tuple[str, int, int, int, int, str, str, str]


class SiteStates:
    """The states by site; an object stays the same one until something but its age changes.

    Attributes:
        states: as of the last review.
    """

    def __init__(self, view: FleetView, clock: Clock) -> None:
        self.states: dict[str, SiteState] = {}
        self._view = view
        self._clock = clock
        self._shown: dict[str, Shown] = {}

    def touched(self, changes: Changes) -> dict[str, None]:
        """Return the sites that changes are about, those that are gone too."""
        nodes, sites = self._view.nodes, self._view.sites
        named = dict.fromkeys(nodes[node].site for node in changes.nodes if node in nodes)
        if changes.structure:
            named |= dict.fromkeys(site for site in self.states if site not in sites)
        return named | changes.sites

    def review(self, touched: Iterable[str] | None = None) -> list[str]:
        """Bring some states up to date, or all; return the names of those that are others now."""
        sites, changed = self._view.sites, []
        names = {**self.states, **sites} if touched is None else touched
        for name in names:
            row = sites.get(name)
            if row is None:
                self._shown.pop(name, None)
                if self.states.pop(name, None) is not None:
                    changed.append(name)
                continue
            nodes = [self._view.nodes[node] for node in row.nodes if node in self._view.nodes]
            shown = _shown(row, nodes, self._view)
            if self._shown.get(name) != shown:
                self._shown[name] = shown
                self.states[name] = self._state(row, nodes, shown)
                changed.append(name)
        return changed

    def _state(self, row: SiteRow, nodes: list[NodeRow], shown: Shown) -> SiteState:
        heard_ms = max((node.heard_ms or 0 for node in nodes), default=0)
        status, count, online, paths_up, paths, release, redundancy, active = shown
        return SiteState(
            site=row.site,
            state=status,
            sev={"ok": 0, "maintenance": 0, "degraded": 2, "down": 4}.get(status, 3),
            nodes=count,
            nodes_online=online,
            paths_up=paths_up,
            paths=paths,
            release=release,
            redundancy=redundancy,
            active=active,
            as_of=rfc3339(heard_ms) if heard_ms else "",
            ts=self._clock.wall_ms() // 1000,
        )


def _shown(row: SiteRow, nodes: list[NodeRow], view: FleetView) -> Shown:
    paths = [path for node in nodes for path in node.paths.values() if path.kind == "wan"]
    return (
        row.status,
        len(nodes),
        sum(node.presence in {"online", "degraded"} for node in nodes),
        sum(path.state == "up" for path in paths),
        len(paths),
        ",".join(sorted({node.agent for node in nodes if node.agent})),
        redundancy_of(row, view),
        _active(nodes),
    )


def _active(nodes: list[NodeRow]) -> str:
    """Return who is active of what, of the groups that one node at a time runs."""
    held = (
        f"{group.name}={group.active[0]}"
        for group in groups_of(nodes)
        if group.active and group.model not in {SITE_LEASE, EVERYWHERE}
    )
    return ",".join(sorted(held))
