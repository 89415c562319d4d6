"""What goes north: committed transitions by number, what is open now, and each as a flat object.

The seam between the alarms and whoever carries them out of the house. A reader keeps the number
of the last transition it has delivered; nothing here waits for it.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from roost_central.alarms.catalogue import Catalogue
from roost_central.alarms.flat import Flat
from roost_central.alarms.incident_row import IncidentRow
from roost_central.alarms.row import AlarmRow
from roost_central.alarms.transition import Transition
from roost_protocol.alarm import Scalar
from roost_protocol.severity import Severity


class AlarmFeed(Protocol):
    """The alarms of this centre, for those who pass them on."""

    @property
    def catalogue(self) -> Catalogue:
        """The types."""

    @property
    def last_seq(self) -> int:
        """The number of the last committed transition."""

    async def transitions(self, after: int, limit: int = 500) -> list[Transition]:
        """Return committed transitions past a number, oldest first."""

    async def wait(self, after: int) -> int:
        """Return the last number as soon as it is past one."""

    def active(self) -> Sequence[AlarmRow]:
        """Return every row: open ones, and cleared ones that wait to be acknowledged."""

    def open_incidents(self) -> Sequence[IncidentRow]:
        """Return the open incidents."""

    def flat(self, row: AlarmRow, event: str, seq: int, chosen: Sequence[str] = ()) -> Flat:
        """Return an alarm as one flat object, with chosen labels of its site."""

    def flat_incident(self, row: IncidentRow, event: str, seq: int) -> Flat:
        """Return an incident as one flat object."""

    def flat_summary(self) -> Flat:
        """Return the counts as one flat object."""

    def raise_own(
        self,
        type_: str,
        entity: str,
        severity: Severity,
        params: Mapping[str, Scalar],
        *,
        ttl_s: float | None = None,
    ) -> None:
        """Raise an alarm of the centre's own with the next transaction."""

    def clear_own(self, type_: str, entity: str, reason: str = "gone") -> None:
        """Clear an alarm of the centre's own with the next transaction."""
