"""The centre's feed of alarms, with its flat objects as the structs that northbound works with."""

from collections.abc import Mapping, Sequence

import msgspec

from roost_central.alarms import feed as alarms
from roost_central.alarms.incident_row import IncidentRow
from roost_central.alarms.row import AlarmRow
from roost_central.alarms.transition import Transition
from roost_central.northbound.feed import FlatAlarm, FlatIncident, FlatSummary
from roost_protocol.alarm import Scalar
from roost_protocol.severity import Severity

_LABEL = "label_"


class BookFeed:
    """See AlarmFeed; ``labels`` of an alarm's site are told with it."""

    def __init__(self, feed: alarms.AlarmFeed, labels: Sequence[str] = ()) -> None:
        self._feed = feed
        self._labels = labels

    @property
    def last_seq(self) -> int:
        """See AlarmFeed."""
        return self._feed.last_seq

    async def transitions(self, after: int, limit: int = 500) -> Sequence[Transition]:
        """See AlarmFeed."""
        return await self._feed.transitions(after, limit)

    async def wait(self, after: int) -> int:
        """See AlarmFeed."""
        return await self._feed.wait(after)

    def active(self) -> Sequence[AlarmRow]:
        """See AlarmFeed."""
        return [row for row in self._feed.active() if row.is_open]

    def incidents(self) -> Sequence[IncidentRow]:
        """See AlarmFeed."""
        return self._feed.open_incidents()

    def flat(self, row: AlarmRow, event: str, seq: int) -> FlatAlarm:
        """See AlarmFeed."""
        flat = self._feed.flat(row, event, seq, self._labels)
        labels = {name: str(flat[_LABEL + name]) for name in self._labels if _LABEL + name in flat}
        return msgspec.convert({**flat, "labels": labels}, FlatAlarm)

    def flat_incident(self, incident: IncidentRow, event: str, seq: int) -> FlatIncident:
        """See AlarmFeed."""
        return msgspec.convert(self._feed.flat_incident(incident, event, seq), FlatIncident)

    def flat_summary(self) -> FlatSummary:
        """See AlarmFeed."""
        return msgspec.convert(self._feed.flat_summary(), FlatSummary)

    def raise_own(
        self,
        type_: str,
        entity: str,
        severity: Severity,
        params: Mapping[str, Scalar],
        *,
        ttl_s: float | None = None,
    ) -> None:
        """See AlarmFeed."""
        self._feed.raise_own(type_, entity, severity, params, ttl_s=ttl_s)

    def clear_own(self, type_: str, entity: str, reason: str = "gone") -> None:
        """See AlarmFeed."""
        self._feed.clear_own(type_, entity, reason)
