"""What northbound is fed with: the centre's alarms as flat objects, and every transition in order.

One flat JSON object an alarm, an incident, a summary: no nesting, times RFC 3339 beside ``ts`` in
epoch seconds; readers ignore keys that they do not know. The JSON Schemas are made from these
structs (schema.py).
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec

from roost_protocol.severity import Severity


class FlatAlarm(msgspec.Struct, frozen=True, kw_only=True):
    """One alarm as tools outside see it; ``labels`` becomes ``label_<name>`` keys."""

    v: int = 1
    id: str
    key_id: str
    type: str
    name: str
    event: str
    state: str
    op_state: str
    severity: str
    sev: int
    site: str
    node: str
    entity: str
    event_type: str
    cause: str
    text: str
    repair: str
    raised: str
    changed: str
    ts: int
    count: int = 1
    service_affecting: bool = False
    mgmt_affecting: bool = False
    late: bool = False
    flapping: bool = False
    suppressed: bool = False
    masked_by: str = ""
    incident: str = ""
    reason: str = ""
    region: str = ""
    labels: Mapping[str, str] = {}
    url: str = ""
    seq: int = 0


class FlatIncident(msgspec.Struct, frozen=True, kw_only=True):
    """One incident as tools outside see it."""

    v: int = 1
    id: str
    event: str
    state: str
    severity: str
    sev: int
    type: str = ""
    cause: str
    precision: float
    covered: int
    sites: int
    unexplained: int
    dark: int
    recovered: int
    alarms: int = 0
    ack_by: str
    started: str
    ts: int
    url: str = ""
    seq: int = 0


class FlatSummary(msgspec.Struct, frozen=True, kw_only=True):
    """The whole fleet in one object: visible alarms by severity, sites by status."""

    v: int = 1
    critical: int
    major: int
    minor: int
    warning: int
    unknown: int
    shelved: int
    masked: int
    suppressed: int = 0
    sites_ok: int
    sites_degraded: int
    sites_maintenance: int
    sites_down: int
    sites_unknown: int
    incidents: int
    status: str
    ts: int


class Change(Protocol):
    """One transition of an alarm or of an incident."""

    @property
    def seq(self) -> int:
        """Its number: rises by one, is never used again."""

    @property
    def event(self) -> str:
        """What happened: raise change clear ack incident-open and so on."""

    @property
    def alarm(self) -> Any:  # noqa: ANN401 - a row that only the feed reads
        """The alarm's row; None for an incident's transition."""

    @property
    def incident(self) -> Any:  # noqa: ANN401 - as above
        """The incident; None for an alarm's transition."""


class AlarmFeed(Protocol):
    """The centre's alarms, committed, for readers that keep a cursor."""

    @property
    def last_seq(self) -> int:
        """The newest committed transition."""

    async def transitions(self, after: int, limit: int = 500) -> Sequence[Change]:
        """Return committed transitions after a number, ascending."""

    async def wait(self, after: int) -> int:
        """Return the newest number as soon as it is greater than ``after``."""

    def active(self) -> Sequence[Any]:
        """Return the rows of all open alarms, masked and unknown ones too."""

    def incidents(self) -> Sequence[Any]:
        """Return the open incidents."""

    def flat(self, row: Any, event: str, seq: int) -> FlatAlarm:  # noqa: ANN401 - opaque here
        """Return an alarm as a flat object."""

    def flat_incident(self, incident: Any, event: str, seq: int) -> FlatIncident:  # noqa: ANN401
        """Return an incident as a flat object."""

    def flat_summary(self) -> FlatSummary:
        """Return the fleet as a flat object."""

    def raise_own(
        self,
        type_: str,
        entity: str,
        severity: Severity,
        params: Mapping[str, str | float | bool],
        *,
        ttl_s: float | None = None,
    ) -> None:
        """Raise an alarm of the centre itself."""

    def clear_own(self, type_: str, entity: str, reason: str = "gone") -> None:
        """Clear an alarm of the centre itself."""


Flat = FlatAlarm | FlatIncident


def flatten(feed: AlarmFeed, change: Change) -> Flat | None:
    """Return what a transition is about; None where its alarm is not kept any more."""
    if change.incident is not None:
        event = change.event.removeprefix("incident-")
        return feed.flat_incident(change.incident, event, change.seq)
    if change.alarm is not None:
        return feed.flat(change.alarm, change.event, change.seq)
    return None


def encode(flat: Flat | FlatSummary) -> bytes:
    """Return the JSON of a flat object, its labels as keys of their own."""
    if not isinstance(flat, FlatAlarm):
        return msgspec.json.encode(flat)
    plain = msgspec.to_builtins(flat)
    plain |= {f"label_{name}": value for name, value in plain.pop("labels").items()}
    return msgspec.json.encode(plain)
