"""The committed alarm set, findable by key, id, site, reporter and rank; counts kept along.

Invariants: every index holds exactly the rows; ``ranked`` is sorted by ``AlarmRow.order``; the
tally is the sum over the rows.
"""

import heapq
from bisect import bisect_left
from collections.abc import Iterable, Mapping

from roost_central.alarms.row import ACTIVE, CENTRE, AlarmRow
from roost_central.alarms.tally import Tally
from roost_protocol.digest import EMPTY_SET, alarm_digest


class AlarmIndex:
    """All alarms that are rows: open ones, and cleared ones that wait to be acknowledged."""

    def __init__(self) -> None:
        self.rows: dict[str, AlarmRow] = {}
        self.by_site: dict[str, dict[str, None]] = {}
        self.by_reporter: dict[str, dict[str, None]] = {}
        self.ranked: list[AlarmRow] = []
        self.tally = Tally()
        self._keys: dict[str, str] = {}  # episode id -> key_id
        self._digests: dict[str, bytes] = {}
        self._due: list[tuple[int, str]] = []
        self._due_of: dict[str, int] = {}

    def load(self, rows: Iterable[AlarmRow]) -> None:
        """Begin again with these rows."""
        self.__init__()  # type: ignore[misc] # what it was before matters no more
        for row in rows:
            self._enter(row)
        self.ranked = sorted(self.rows.values(), key=_order)

    def find(self, name: str) -> AlarmRow | None:
        """Return an alarm by key_id or by the id of its episode."""
        return self.rows.get(self._keys.get(name, name))

    def adopt(self, changed: Mapping[str, AlarmRow | None]) -> None:
        """Take over the rows of a draft."""
        for key_id, row in changed.items():
            old = self.rows.get(key_id)
            if old is not None:
                self._leave(old)
                del self.ranked[bisect_left(self.ranked, old.order, key=_order)]
            if row is not None:
                self._enter(row)
                self.ranked.insert(bisect_left(self.ranked, row.order, key=_order), row)

    def digest(self, reporter: str) -> bytes:
        """Return the digest of what a node holds, as we know it."""
        known = self._digests.get(reporter)
        if known is None:
            rows = (self.rows[key_id] for key_id in self.by_reporter.get(reporter, ()))
            held = [(row.type, row.said, int(row.severity)) for row in rows if _counts(row)]
            known = alarm_digest(held) if held else EMPTY_SET
            self._digests[reporter] = known
        return known

    def tally_of(self, sites: Iterable[str]) -> tuple[Tally, set[str]]:
        """Return the counts of some sites' alarms, and the incidents that they are of."""
        tally, incidents = Tally(), set[str]()
        for site in sites:
            for key_id in self.by_site.get(site, ()):
                row = self.rows[key_id]
                tally.add(row, 1)
                if row.incident and row.is_open:
                    incidents.add(row.incident)
        return tally, incidents

    def is_due(self, now_ms: int) -> bool:
        """Return whether time may have changed something."""
        return bool(self._due) and self._due[0][0] <= now_ms

    def due(self, now_ms: int) -> list[str]:
        """Return the keys that time may have changed, and forget when."""
        found: dict[str, None] = {}
        while self._due and self._due[0][0] <= now_ms:
            due_ms, key_id = heapq.heappop(self._due)
            if self._due_of.get(key_id) == due_ms:
                del self._due_of[key_id]
                found[key_id] = None
        return list(found)

    def check_invariants(self) -> None:
        """Assert what must hold between two events."""
        assert self.ranked == sorted(self.rows.values(), key=_order)  # noqa: S101  an invariant, checked by tests
        assert set(self._keys.values()) == set(self.rows)  # noqa: S101  as above
        for index in (self.by_site, self.by_reporter):
            assert sorted(k for keys in index.values() for k in keys) == sorted(self.rows)  # noqa: S101  as above
        tally = Tally()
        for row in self.rows.values():
            tally.add(row, 1)
        assert tally == self.tally  # noqa: S101  as above

    def _enter(self, row: AlarmRow) -> None:
        self.rows[row.key_id] = row
        self.by_site.setdefault(row.site or "", {})[row.key_id] = None
        self.by_reporter.setdefault(row.reporter, {})[row.key_id] = None
        self._keys[row.id] = row.key_id
        self._digests.pop(row.reporter, None)
        self.tally.add(row, 1)
        due_ms = row.due_ms
        if due_ms is None:
            self._due_of.pop(row.key_id, None)
        elif self._due_of.get(row.key_id) != due_ms:
            self._due_of[row.key_id] = due_ms
            heapq.heappush(self._due, (due_ms, row.key_id))

    def _leave(self, row: AlarmRow) -> None:
        del self.rows[row.key_id]
        self._keys.pop(row.id, None)
        self._digests.pop(row.reporter, None)
        self.tally.add(row, -1)
        for index, name in ((self.by_site, row.site or ""), (self.by_reporter, row.reporter)):
            keys = index[name]
            del keys[row.key_id]
            if not keys:
                del index[name]


def _order(row: AlarmRow) -> str:
    return row.order


def _counts(row: AlarmRow) -> bool:
    return row.reporter != CENTRE and row.state in {ACTIVE, "unknown"} and row.held_ms is None
