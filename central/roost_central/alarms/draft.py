"""A change of the alarm set that is not committed yet, over the set that is.

Readers see the committed set only: a draft keeps its own rows beside it, and is taken over by
``AlarmSet.adopt`` after COMMIT or dropped. One draft at a time, under the storage's write lock.
"""

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from roost_central.alarms.facts import Shelf, Suppression
from roost_central.alarms.incident_row import IncidentRow
from roost_central.alarms.index import AlarmIndex
from roost_central.alarms.row import AlarmRow
from roost_central.alarms.transition import Transition


class Draft:
    """Rows and transitions of one transaction.

    Attributes:
        shelves, suppressions: all of them, by id.
        rows: by key_id what is different; None: the alarm is gone.
        transitions: in their order.
        touched: sites of which a mask may have changed; "" for what is of no site.
        stormy: types of which those who raised them saw a storm.
    """

    def __init__(
        self,
        index: AlarmIndex,
        seq: int,
        shelves: Mapping[str, Shelf],
        suppressions: Mapping[str, Suppression],
    ) -> None:
        self._index = index
        self.seq = seq
        self.shelves = dict(shelves)
        self.suppressions = dict(suppressions)
        self.rows: dict[str, AlarmRow | None] = {}
        self.incidents: dict[str, IncidentRow] = {}
        self.transitions: list[Transition] = []
        self.touched: dict[str, None] = {}
        self.stormy: set[str] = set()
        self._steps: dict[str, list[int]] = {}  # places in transitions by key_id
        self._by_site: dict[str, dict[str, None]] = {}
        self._by_reporter: dict[str, dict[str, None]] = {}

    def get(self, key_id: str) -> AlarmRow | None:
        """Return an alarm as this draft has it."""
        if key_id in self.rows:
            return self.rows[key_id]
        return self._index.rows.get(key_id)

    def put(self, row: AlarmRow) -> None:
        """Set an alarm without a step in its life."""
        self.rows[row.key_id] = row
        self._by_site.setdefault(row.site or "", {})[row.key_id] = None
        self._by_reporter.setdefault(row.reporter, {})[row.key_id] = None

    def tell(  # noqa: PLR0913 - a step is these words
        self,
        event: str,
        row: AlarmRow,
        now_ms: int,
        *,
        at_ms: int | None = None,
        actor: str = "",
        note: str = "",
        gone: bool = False,
    ) -> None:
        """Set an alarm by a step in its life; ``gone``: it is no row any more after it."""
        self.seq += 1
        row = replace(row, seq=self.seq, received_ms=now_ms)
        self.put(row)
        if gone:
            self.rows[row.key_id] = None
        self._steps.setdefault(row.key_id, []).append(len(self.transitions))
        self.transitions.append(
            Transition(
                seq=self.seq,
                at_ms=now_ms if at_ms is None else at_ms,
                received_ms=now_ms,
                event=event,
                actor=actor,
                note=note,
                alarm=row,
            )
        )

    def amend(self, row: AlarmRow) -> bool:
        """Have an alarm's steps of this very draft tell of its incident; false: there are none.

        Nobody saw them yet: so one that joins as it is raised is told once, as a member.
        """
        places = self._steps.get(row.key_id, [])
        for place in places:
            step = self.transitions[place]
            if step.alarm is not None:
                told = replace(step.alarm, incident=row.incident, explained=row.explained)
                self.transitions[place] = replace(step, alarm=told)
        return bool(places)

    def tell_incident(
        self, event: str, row: IncidentRow, now_ms: int, *, actor: str = "", note: str = ""
    ) -> None:
        """Set an incident by a step in its life."""
        self.seq += 1
        row = replace(row, seq=self.seq, changed_ms=now_ms)
        self.incidents[row.id] = row
        self.transitions.append(
            Transition(
                seq=self.seq,
                at_ms=now_ms,
                received_ms=now_ms,
                event=event,
                actor=actor,
                note=note,
                incident=row,
            )
        )

    def of_site(self, site: str) -> list[AlarmRow]:
        """Return the alarms of a site; of "": those of none."""
        return self._present(self._index.by_site.get(site), self._by_site.get(site))

    def of_reporter(self, reporter: str) -> list[AlarmRow]:
        """Return the alarms that one reporter holds."""
        return self._present(self._index.by_reporter.get(reporter), self._by_reporter.get(reporter))

    def all(self) -> list[AlarmRow]:
        """Return every alarm."""
        return self._present(self._index.rows, self.rows)

    def _present(self, *keys: Iterable[str] | None) -> list[AlarmRow]:
        found: dict[str, AlarmRow] = {}
        for some in keys:
            for key_id in some or ():
                row = self.get(key_id)
                if row is not None:
                    found[key_id] = row
        return list(found.values())
