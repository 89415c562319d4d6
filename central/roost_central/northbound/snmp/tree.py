"""The active alarms and the newest events as an SNMP tree: GET and GETNEXT over sorted keys.

No cell is made before it is asked for: a walk costs what it reads. Pure, but for what it is given.
"""

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from roost_central.alarms.flat import FlatAlarm, FlatSummary
from roost_central.northbound.snmp import mib
from roost_central.northbound.snmp.mib import Oid

EVENTS_MAX: Final = 1_000  # rows of the event table
NOTHING: Final[Oid] = ()  # before every index

Rows = tuple[Sequence[Oid], Callable[[int, int], Any]]  # sorted indexes; cell of (place, column)


class AlarmTree:
    """A snapshot that answers; ``refresh`` gives it another one."""

    def __init__(self) -> None:
        self._indexes: list[Oid] = []
        self._alarms: list[FlatAlarm] = []
        self._events: deque[FlatAlarm] = deque(maxlen=EVENTS_MAX)
        self._summary: FlatSummary | None = None

    def refresh(self, alarms: Iterable[FlatAlarm], summary: FlatSummary) -> None:
        """Take another set of active alarms."""
        found = sorted((mib.key_index(alarm.key_id), alarm.id, alarm) for alarm in alarms)
        self._indexes = [index for index, _, _ in found]
        self._alarms = [alarm for _, _, alarm in found]
        self._summary = summary

    def happened(self, alarm: FlatAlarm) -> None:
        """Add an event; their numbers rise."""
        self._events.append(alarm)

    def get(self, oid: Oid) -> Any:  # noqa: ANN401 - a type of pysnmp
        """Return the value at an OID, None where there is none."""
        for entry, columns, (indexes, cell) in self._tables():
            if oid[: len(entry)] != entry or len(oid) <= len(entry):
                continue
            column, index = oid[len(entry)], oid[len(entry) + 1 :]
            place = bisect_left(indexes, index)
            if column in columns and place < len(indexes) and indexes[place] == index:
                return cell(place, column)
        return None

    def after(self, oid: Oid) -> tuple[Oid, Any] | None:
        """Return the first OID after one, and its value; None at the end."""
        for entry, columns, (indexes, cell) in self._tables():
            if not indexes or oid >= (*entry, columns[-1] + 1):
                continue
            column, index = columns[0], NOTHING
            if oid > (*entry, columns[0]):
                column, index = oid[len(entry)], oid[len(entry) + 1 :]
                if column not in columns:
                    column, index = columns[bisect_right(columns, column)], NOTHING
            place = bisect_right(indexes, index)
            if place == len(indexes):
                following = bisect_right(columns, column)
                if following == len(columns):
                    continue
                column, place = columns[following], 0
            return (*entry, column, *indexes[place]), cell(place, column)
        return None

    def _tables(self) -> list[tuple[Oid, list[int], Rows]]:
        """Return the subtrees in the order of their OIDs: entry, columns, rows."""
        events = list(self._events)
        event_columns = [*mib.ALARM_COLUMNS, mib.EVENT_NAME]
        return [
            (mib.ACTIVE_ENTRY, list(mib.ALARM_COLUMNS), (self._indexes, self._active_cell)),
            (
                mib.EVENT_ENTRY,
                event_columns,
                (
                    [(alarm.seq & mib.UNSIGNED_MAX,) for alarm in events],
                    lambda place, column: _event_cell(events[place], column),
                ),
            ),
            (
                mib.SUMMARY,
                list(mib.SUMMARY_SCALARS),
                ([(0,)] if self._summary is not None else [], self._summary_cell),
            ),
        ]

    def _active_cell(self, place: int, column: int) -> Any:  # noqa: ANN401 - a type of pysnmp
        return mib.ALARM_COLUMNS[column](self._alarms[place])

    def _summary_cell(self, _place: int, column: int) -> Any:  # noqa: ANN401 - a type of pysnmp
        assert self._summary is not None  # noqa: S101 - there is a row only then
        return mib.SUMMARY_SCALARS[column](self._summary)


def _event_cell(alarm: FlatAlarm, column: int) -> Any:  # noqa: ANN401 - a type of pysnmp
    if column == mib.EVENT_NAME:
        return mib.text(alarm.event)
    return mib.ALARM_COLUMNS[column](alarm)
