"""One incident as it is kept: a storm, what its sites share, and how it ends. Pure."""

from typing import Final, Literal

import msgspec

from roost_central.alarms.row import Ack
from roost_protocol.severity import Severity

OPEN: Final = "open"
CLOSED: Final = "closed"


class Cause(msgspec.Struct, frozen=True):
    """A shared cause: what its sites have in common.

    Attributes:
        terms: values by attribute; a site is covered when each attribute has one of them.
        precision: share of the sites with these attributes that are hit.
        covers: hit sites it explains that no cause before it did.
        of: sites with these attributes.
    """

    text: str
    terms: dict[str, list[str]]
    precision: float
    covers: int
    of: int


class IncidentNote(msgspec.Struct, frozen=True):
    """Words of an operator."""

    ms: int
    by: str
    text: str


class IncidentRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One incident.

    Attributes:
        kind: ``types``: one type at many sites at once; ``rate``: far more of it than usual.
        region: of a ``rate`` storm; empty: everywhere.
        causes: found so far, the one that explains most first; none: not found.
        rejected: the best of those that do not explain it.
        sites: sites hit; ``covered`` of them are explained, ``recovered`` are back.
        not_back: by name, of those that are not.
        alarms: members.
        held: receivers outside are not told of it yet: they are told once, with its cause.
        split_from: the incident that an operator made it from.
    """

    id: str
    state: Literal["open", "closed"] = "open"
    kind: Literal["types", "rate"] = "types"
    type: str
    region: str = ""
    severity: Severity
    opened_ms: int
    changed_ms: int
    closed_ms: int | None = None
    causes: list[Cause] = []
    rejected: list[Cause] = []
    sites: int = 0
    covered: int = 0
    dark: int = 0
    recovered: int = 0
    not_back: list[str] = []
    alarms: int = 0
    held: bool = False
    split_from: str = ""
    ack: Ack | None = None
    notes: list[IncidentNote] = []
    reason: str = ""
    seq: int = 0

    @property
    def cause(self) -> str:
        """The causes as one sentence; empty when none was found."""
        return "; ".join(cause.text for cause in self.causes)

    @property
    def unexplained(self) -> int:
        """Sites hit that no cause explains."""
        return self.sites - self.covered
