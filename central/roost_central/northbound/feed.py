"""What northbound is fed with: the centre's alarms, and every transition of theirs in order.

The seam between the alarms and whoever carries them out of the house. A reader keeps the number of
the last transition that it has delivered; nothing here waits for it.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from roost_central.alarms.flat import Flat, FlatAlarm, FlatIncident, FlatSummary
from roost_central.alarms.incident_row import IncidentRow
from roost_central.alarms.row import AlarmRow
from roost_central.alarms.transition import Transition
from roost_protocol.alarm import Scalar
from roost_protocol.severity import Severity


class AlarmFeed(Protocol):
    """The centre's alarms, committed, for readers that keep a cursor."""

    @property
    def last_seq(self) -> int:
        """The newest committed transition."""

    async def transitions(self, after: int, limit: int = 500) -> Sequence[Transition]:
        """Return committed transitions after a number, ascending."""

    async def wait(self, after: int) -> int:
        """Return the newest number as soon as it is greater than ``after``."""

    def open_alarms(self) -> Sequence[AlarmRow]:
        """Return the rows of all open alarms, masked and unknown ones too."""

    def open_incidents(self) -> Sequence[IncidentRow]:
        """Return the open incidents."""

    def stands_out(self, row: AlarmRow) -> bool:
        """Whether an alarm is of an incident whose cause does not explain it; not if hidden too."""

    def is_candidate(self, row: AlarmRow) -> bool:
        """Whether an incident may yet take an alarm that was raised just now."""

    def flat(self, row: AlarmRow, event: str, seq: int) -> FlatAlarm:
        """Return an alarm as a flat object."""

    def flat_incident(self, row: IncidentRow, event: str, seq: int) -> FlatIncident:
        """Return an incident as a flat object."""

    def flat_summary(self, sites: Collection[str] | None = None) -> FlatSummary:
        """Return the fleet as a flat object, or the part of it that some sites are."""

    def raise_own(
        self,
        type_: str,
        entity: str,
        severity: Severity,
        params: Mapping[str, Scalar],
        *,
        ttl_s: float | None = None,
    ) -> None:
        """Raise an alarm of the centre itself with the next transaction."""

    def clear_own(self, type_: str, entity: str, reason: str = "gone") -> None:
        """Clear an alarm of the centre itself with the next transaction."""


async def has_news(feed: AlarmFeed, after: int, within_s: float | None) -> bool:
    """Wait for a transition after a number; false where none came in this time."""
    try:
        async with asyncio.timeout(within_s):
            await feed.wait(after)
    except TimeoutError:
        return False
    return True


def flatten(feed: AlarmFeed, change: Transition) -> Flat | None:
    """Return what a transition is about; None where its alarm is not kept any more."""
    if change.incident is not None:
        event = change.event.removeprefix("incident-")
        return feed.flat_incident(change.incident, event, change.seq)
    if change.alarm is not None:
        return feed.flat(change.alarm, change.event, change.seq)
    return None
