"""Counts of alarms, kept along with the set instead of counted at each look. Pure."""

from dataclasses import dataclass, field

from roost_central.alarms.row import ACTIVE, CLEARED, UNKNOWN, AlarmRow
from roost_protocol.severity import Severity


@dataclass(slots=True)
class Tally:
    """How many there are.

    Attributes:
        visible: active ones in the default list, by severity.
        unknown: those whose reporter is dark.
        shelved, masked, suppressed, in_incident: of the open ones; one may be in several.
        latched: cleared ones that wait to be acknowledged.
    """

    visible: dict[Severity, int] = field(
        default_factory=lambda: {severity: 0 for severity in Severity if severity}
    )
    unknown: int = 0
    shelved: int = 0
    masked: int = 0
    suppressed: int = 0
    in_incident: int = 0
    latched: int = 0

    def add(self, row: AlarmRow, sign: int) -> None:
        """Count an alarm in (1) or out (-1)."""
        if row.state == CLEARED:
            self.latched += sign
            return
        self.shelved += sign * (row.shelf is not None)
        self.masked += sign * bool(row.masked_by)
        self.suppressed += sign * bool(row.suppressed_by)
        self.in_incident += sign * bool(row.incident)
        self.unknown += sign * (row.state == UNKNOWN)
        if row.state == ACTIVE and row.is_visible:
            self.visible[row.severity] += sign

    @property
    def status(self) -> str:
        """``critical`` if any is, ``degraded`` if any is major or minor, else ``ok``."""
        if self.visible[Severity.CRITICAL]:
            return "critical"
        if self.visible[Severity.MAJOR] or self.visible[Severity.MINOR]:
            return "degraded"
        return "ok"
