"""What the NOC is told of each site, made anew only where something of it changed."""

from collections.abc import Mapping

from roost_central.alarms.flat import rfc3339
from roost_central.fleet.view import FleetView, NodeRow, SiteRow
from roost_central.northbound.noc_tree import SiteState
from roost_central.ports import Clock

Shown = tuple[str, int, int, int, int, str]  # status, nodes, online, paths up, paths, release


class SiteStates:
    """The states by site; an object stays the same one until something but its age changes."""

    def __init__(self, view: FleetView, clock: Clock) -> None:
        self._view = view
        self._clock = clock
        self._shown: dict[str, Shown] = {}
        self._states: dict[str, SiteState] = {}

    def review(self) -> Mapping[str, SiteState]:
        """Return the states as they are now."""
        sites = self._view.sites
        for site in self._states.keys() - sites.keys():
            del self._states[site], self._shown[site]
        for row in sites.values():
            nodes = [self._view.nodes[node] for node in row.nodes if node in self._view.nodes]
            shown = _shown(row, nodes)
            if self._shown.get(row.site) != shown:
                self._shown[row.site] = shown
                self._states[row.site] = self._state(row, nodes, shown)
        return self._states

    def _state(self, row: SiteRow, nodes: list[NodeRow], shown: Shown) -> SiteState:
        heard_ms = max((node.heard_ms or 0 for node in nodes), default=0)
        status, count, online, paths_up, paths, release = shown
        return SiteState(
            site=row.site,
            state=status,
            sev={"ok": 0, "maintenance": 0, "degraded": 2, "down": 4}.get(status, 3),
            nodes=count,
            nodes_online=online,
            paths_up=paths_up,
            paths=paths,
            release=release,
            as_of=rfc3339(heard_ms) if heard_ms else "",
            ts=self._clock.wall_ms() // 1000,
        )


def _shown(row: SiteRow, nodes: list[NodeRow]) -> Shown:
    paths = [path for node in nodes for path in node.paths.values() if path.kind == "wan"]
    return (
        row.status,
        len(nodes),
        sum(node.presence in {"online", "degraded"} for node in nodes),
        sum(path.state == "up" for path in paths),
        len(paths),
        ",".join(sorted({node.agent for node in nodes if node.agent})),
    )
