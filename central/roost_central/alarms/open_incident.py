"""One open incident: which members of which site are open, and who is back. Pure."""

from dataclasses import dataclass, field
from typing import Final

from roost_central.alarms.incident_row import IncidentRow

BACK_MS: Final = 60_000  # no member open for so long: the site is back
HOLD_MS: Final = 20_000  # until receivers outside are told of an incident, with its cause


@dataclass(slots=True)
class OpenIncident:
    """An open incident: its row, and what of each site is open.

    Attributes:
        members: key_ids of open members by site.
        back_ms: since when a site has none; sites that were never hit are in neither.
        told_ms: when it was told last; grown: whether sites came since it was explained.
        apart: sites that its cause does not explain, to be told apart once it is told itself.
    """

    row: IncidentRow
    members: dict[str, set[str]] = field(default_factory=dict)
    back_ms: dict[str, int] = field(default_factory=dict)
    told_ms: int = 0
    grown: bool = True
    apart: tuple[str, ...] = ()

    @property
    def sites(self) -> list[str]:
        """Every site that it hit."""
        return [*self.members, *self.back_ms]

    def has(self, site: str) -> bool:
        """Return whether a site is, or was, one of its own."""
        return site in self.members or site in self.back_ms

    def must_notify(self, now_ms: int) -> bool:
        """Return whether receivers have waited for long enough."""
        return self.row.held and now_ms - self.row.opened_ms >= HOLD_MS

    def back(self, now_ms: int) -> int:
        """Return how many sites are back."""
        return sum(now_ms - since >= BACK_MS for since in self.back_ms.values())
