"""The fleet's names in order, sorted again only after a row came or went."""

from collections.abc import Iterator
from contextlib import contextmanager

from roost_central.api.readers import NodePath
from roost_central.fleet.view import Changes, FleetView, NodeRow, SiteRow


class NameOrder:
    """Rows by name, which is the default order of every list."""

    def __init__(self, view: FleetView) -> None:
        self._view = view
        self._sites: list[SiteRow] = []
        self._nodes: list[NodeRow] = []
        self._changes: Changes | None = None

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Keep the order between calls while the context lasts; outside, each call sorts."""
        with self._view.listen() as self._changes:
            self._changes.structure = True
            yield
        self._changes = None

    def sites(self) -> list[SiteRow]:
        """Return all sites."""
        self._refresh()
        return self._sites

    def nodes(self) -> list[NodeRow]:
        """Return all nodes."""
        self._refresh()
        return self._nodes

    def paths(self) -> list[NodePath]:
        """Return all paths with their nodes, by node and path."""
        return [(node, node.paths[name]) for node in self.nodes() for name in sorted(node.paths)]

    def _refresh(self) -> None:
        if self._changes is not None and not self._changes.drain().structure:
            return
        self._sites = sorted(self._view.sites.values(), key=lambda row: row.site)
        self._nodes = sorted(self._view.nodes.values(), key=lambda row: row.node)
