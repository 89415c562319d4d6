"""One alarm as the centre keeps it: an open episode, and what operators did with it. Pure."""

from functools import lru_cache
from typing import Final, Literal

import msgspec

from roost_protocol.alarm import Scalar
from roost_protocol.entity import Pairs, parse
from roost_protocol.severity import Severity

ACTIVE: Final = "active"
UNKNOWN: Final = "unknown"  # its reporter is dark: neither here nor gone
CLEARED: Final = "cleared"
CENTRE: Final = ""  # the reporter of the centre's own alarms

State = Literal["active", "unknown", "cleared"]


class Ack(msgspec.Struct, frozen=True):
    """Who has seen it."""

    by: str
    ms: int
    note: str = ""


class Shelved(msgspec.Struct, frozen=True):
    """Who put it aside, until when, and why."""

    id: str
    by: str
    until_ms: int
    reason: str


class AlarmRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One episode, from raise to clear.

    Attributes:
        key_id: of (type, entity), the identity.
        id: ULID of this episode.
        entity: from ``site=`` on.
        site, node: ids; None where it is about neither.
        reporter: node id, or CENTRE.
        said: the entity as its reporter says it, for the digest.
        severity: of a cleared one the last it had.
        raised_ms, changed_ms, cleared_ms: the reporter's clock.
        received_ms: the last change, by our clock.
        late: raised long before it reached us.
        seq: number of its last transition.
        held_ms: cleared by its reporter while flapping; shown until then.
        expires_ms: one of ours that ends unless it is raised again.
        calm_ms: flapping ends then, unless it changes before.
        unknown_ms: since when it is unknown.
        explained: whether the cause of its incident explains it; None: not looked at yet.
        apart: told outside though it is of an incident.
    """

    key_id: str
    id: str
    type: str
    entity: str
    site: str | None = None
    node: str | None = None
    reporter: str = CENTRE
    said: str = ""
    severity: Severity
    state: State = "active"
    flapping: bool = False
    count: int = 1
    text: str = ""
    params: dict[str, Scalar] = {}
    raised_ms: int
    changed_ms: int
    cleared_ms: int | None = None
    received_ms: int
    unsynced: bool = False
    late: bool = False
    seq: int = 0
    reason: str = ""
    held_ms: int | None = None
    expires_ms: int | None = None
    calm_ms: int | None = None
    unknown_ms: int | None = None
    ack: Ack | None = None
    shelf: Shelved | None = None
    assignee: str = ""
    ticket: str = ""
    notes: int = 0
    masked_by: str = ""
    suppressed_by: str = ""
    incident: str = ""
    explained: bool | None = None
    apart: bool = False

    @property
    def is_open(self) -> bool:
        """Whether the condition may still be there."""
        return self.state != CLEARED

    @property
    def is_visible(self) -> bool:
        """Whether it belongs to the default list."""
        return not (self.masked_by or self.suppressed_by or self.shelf)

    @property
    def is_withheld(self) -> bool:
        """Whether receivers outside do not hear of it: it is hidden, or its incident is told."""
        return not self.is_visible or (bool(self.incident) and not self.apart)

    @property
    def op_state(self) -> str:
        """What an operator did with it: ``none``, ``acked`` or ``shelved``."""
        if self.shelf is not None:
            return "shelved"
        return "none" if self.ack is None else "acked"

    @property
    def pairs(self) -> Pairs:
        """The entity taken apart."""
        return _pairs(self.entity)

    @property
    def order(self) -> str:
        """The place in the default list, the last first: severity, then the newest."""
        return f"{self.severity}{self.id}"

    @property
    def due_ms(self) -> int | None:
        """When time alone changes it; None: never."""
        dues = (
            self.held_ms,
            self.expires_ms,
            self.calm_ms,
            self.shelf.until_ms if self.shelf else None,
        )
        return min((due for due in dues if due is not None), default=None)


_pairs: Final = lru_cache(200_000)(parse)


def isa_state(row: AlarmRow, *, latch: bool, in_maintenance: bool = False) -> str:
    """Return the ISA-18.2 state; the first that holds counts.

    Args:
        row: the episode.
        latch: of its type: it is to be acknowledged even after its end.
        in_maintenance: its host is, or its site where it is of the whole site.
    """
    if row.suppressed_by or in_maintenance:
        return "OOSRV"
    if row.masked_by:
        return "DSUPR"
    if row.shelf is not None:
        return "SHLVD"
    if row.state == CLEARED:
        return "RTNUN" if latch and row.ack is None else "NORM"
    return "ACKED" if row.ack else "UNACK"
