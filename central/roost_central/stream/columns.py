"""The fleet as columns: what a snapshot holds, and which cells a change touches.

Pure over FleetView. Leaves numbering to core.py and encoding to api/snapshot.py.

Invariants: between two calls of ``lay_out`` neither the rows nor the fields change, so that a cell
is addressed by (row index, field index); a value is reported only when it differs from the column.
"""

from collections.abc import Iterable
from typing import Final

from roost_central.fleet.view import FleetView, SiteRow
from roost_central.stream.core import Cell, Value

FIXED_FIELDS: Final = (
    "row",
    "site",
    "status",
    "heard_ms",
    "online",
    "degraded",
    "unreachable",
    "unknown",
)
LABELS_FIRST: Final = ("region", "carrier")  # always there: every view groups by one of them
LABEL_FIELDS_MAX: Final = 64  # more label keys than that are no columns any more
_PRESENCE_AT: Final = {
    name: FIXED_FIELDS.index(name) for name in ("online", "degraded", "unreachable", "unknown")
}


class FleetColumns:
    """The columns as of the last ``lay_out`` and ``update``; ``version`` counts their changes."""

    def __init__(self, view: FleetView) -> None:
        self._view = view
        self.version = 0
        self.fields: list[str] = []
        self.cols: list[list[Value]] = []
        self._labels: tuple[str, ...] = ()
        self._place: dict[str, int] = {}
        self.lay_out()

    def lay_out(self) -> None:
        """Take up the rows and label keys that there are now; new rows alone cost only themselves.

        Rows that are there must have been brought up to date.
        """
        labels = self._label_keys()
        if labels != self._labels or not self._place.keys() <= self._view.sites.keys():
            self._labels = labels
            self.fields = [*FIXED_FIELDS, *(f"label.{key}" for key in labels)]
            self.cols = [[] for _ in self.fields]
            self._place = {}
        for site, row in self._view.sites.items():
            if site not in self._place:
                self._place[site] = len(self._place)
                for col, value in zip(self.cols, self._values(row), strict=True):
                    col.append(value)
        self.version += 1

    def has_new_labels(self, sites: Iterable[str]) -> bool:
        """Say whether one of the sites has a label key that is no field yet and may become one."""
        room = len(self._labels) < LABEL_FIELDS_MAX
        return room and any(
            key not in self._labels
            for site in sites
            if site in self._view.sites
            for key in self._view.sites[site].labels
        )

    def update(self, sites: Iterable[str]) -> list[Cell]:
        """Bring the rows of these sites up to date; return the cells that differ."""
        cells: list[Cell] = []
        for site in sites:
            place, row = self._place.get(site), self._view.sites.get(site)
            if place is None or row is None:  # comes or goes with the next layout
                continue
            for field, value in enumerate(self._values(row)):
                if self.cols[field][place] != value:
                    self.cols[field][place] = value
                    cells.append(Cell(row.index, field, value))
        self.version += bool(cells)
        return cells

    def _values(self, row: SiteRow) -> list[Value]:
        values: list[Value] = [row.index, row.site, row.status, None, 0, 0, 0, 0]
        counts = [0] * len(FIXED_FIELDS)
        heard_ms: int | None = None
        for name in row.nodes:
            node = self._view.nodes[name]
            counts[_PRESENCE_AT[node.presence]] += 1
            if node.heard_ms is not None and (heard_ms is None or node.heard_ms > heard_ms):
                heard_ms = node.heard_ms
        values[3] = heard_ms
        values[4:] = counts[4:]
        labels = row.labels
        values += [labels.get(key) for key in self._labels]
        return values

    def _label_keys(self) -> tuple[str, ...]:
        keys = {key for row in self._view.sites.values() for key in row.labels}
        return (*LABELS_FIRST, *sorted(keys.difference(LABELS_FIRST)))[:LABEL_FIELDS_MAX]
