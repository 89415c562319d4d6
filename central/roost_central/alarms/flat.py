"""Alarms, incidents and counts as one flat JSON object each: what leaves the house. Pure.

No nesting; unknown values are the empty text, times RFC 3339 in UTC with ``ts`` in seconds beside
them; readers ignore keys that they do not know (the contract of the northbound feed). The JSON
Schemas are made from these structs (northbound/schema.py).
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, TypeAlias

import msgspec

from roost_central.alarms.catalogue import Catalogue
from roost_central.alarms.incident_row import CLOSED, IncidentRow
from roost_central.alarms.row import CLEARED, AlarmRow
from roost_central.alarms.tally import Tally
from roost_protocol.severity import Severity

LABELS_MAX: Final = 8
_MS_MAX: Final = 253_402_300_799_000  # the end of year 9999


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
    suppressible: bool = True
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
    held: bool = False
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


Flat: TypeAlias = FlatAlarm | FlatIncident


def flat_alarm(  # noqa: PLR0913 - an object of many sources
    row: AlarmRow,
    event: str,
    seq: int,
    *,
    catalogue: Catalogue,
    labels: Mapping[str, str],
    chosen: Sequence[str] = (),
    url: str = "",
) -> FlatAlarm:
    """Return an alarm after a step of its life.

    Args:
        row: as it is after the step.
        event: the step.
        seq: of the step.
        catalogue: for name, cause and repair.
        labels: of the alarm's site.
        chosen: labels that are told, at most LABELS_MAX.
        url: of the console; empty: no link.
    """
    record = catalogue.record(row.type)
    is_over = row.state == CLEARED
    return FlatAlarm(
        id=row.id,
        key_id=row.key_id,
        type=row.type,
        name=record.name,
        event=event,
        state=row.state,
        op_state=row.op_state,
        severity="cleared" if is_over else row.severity.word,
        sev=0 if is_over else int(row.severity),
        site=row.site or "",
        node=(row.node or "").partition(".")[2],
        entity=row.entity,
        event_type=record.event_type,
        cause=record.cause,
        text=row.text,
        repair=record.repair,
        raised=rfc3339(row.raised_ms),
        changed=rfc3339(row.changed_ms),
        ts=row.changed_ms // 1000,
        count=row.count,
        service_affecting=row.severity in record.service_affecting,
        mgmt_affecting=row.severity >= record.mgmt_affecting,
        suppressible=record.suppressible,
        late=row.late,
        flapping=row.flapping,
        suppressed=row.is_withheld,
        masked_by=row.masked_by,
        incident=row.incident,
        reason=row.reason if is_over else "",
        region=labels.get("region", ""),
        labels={name: labels.get(name, "") for name in chosen[:LABELS_MAX]},
        url=alarm_link(url, row.id),
        seq=seq,
    )


def alarm_link(url: str, id_: str) -> str:
    """Return where the console at ``url`` shows an alarm; empty where it has no address."""
    return f"{url}/a/{id_}" if url else ""


def incident_link(url: str, id_: str) -> str:
    """Return where the console at ``url`` shows an incident; empty where it has no address."""
    return f"{url}/i/{id_}" if url else ""


def flat_incident(row: IncidentRow, event: str, seq: int, *, url: str = "") -> FlatIncident:
    """Return an incident after a step of its life.

    While it is ``held`` it is shown, and nobody is notified; the end of that is its "open" again.
    """
    event = event.removeprefix("incident-")
    precision = min((cause.precision for cause in row.causes), default=0.0)
    return FlatIncident(
        id=row.id,
        event="open" if event == "notify" else event,
        state=row.state,
        severity="cleared" if row.state == CLOSED else row.severity.word,
        sev=0 if row.state == CLOSED else int(row.severity),
        type=row.type,
        cause=row.cause,
        precision=round(precision, 3),
        covered=row.covered,
        sites=row.sites,
        unexplained=row.unexplained,
        dark=row.dark,
        recovered=row.recovered,
        alarms=row.alarms,
        held=row.held,
        ack_by=row.ack.by if row.ack else "",
        started=rfc3339(row.opened_ms),
        ts=row.changed_ms // 1000,
        url=incident_link(url, row.id),
        seq=seq,
    )


def flat_summary(
    tally: Tally, sites: Mapping[str, int], *, incidents: int, now_ms: int
) -> FlatSummary:
    """Return the counts; ``sites`` is by status."""
    return FlatSummary(
        critical=tally.visible[Severity.CRITICAL],
        major=tally.visible[Severity.MAJOR],
        minor=tally.visible[Severity.MINOR],
        warning=tally.visible[Severity.WARNING],
        unknown=tally.unknown,
        shelved=tally.shelved,
        masked=tally.masked,
        suppressed=tally.suppressed,
        sites_ok=sites.get("ok", 0),
        sites_degraded=sites.get("degraded", 0),
        sites_maintenance=sites.get("maintenance", 0),
        sites_down=sites.get("down", 0),
        sites_unknown=sites.get("unknown", 0),
        incidents=incidents,
        status=tally.status,
        ts=now_ms // 1000,
    )


def encode(flat: Flat | FlatSummary) -> bytes:
    """Return the JSON of a flat object, its labels as keys of their own."""
    if not isinstance(flat, FlatAlarm):
        return msgspec.json.encode(flat)
    plain = msgspec.to_builtins(flat)
    plain |= {f"label_{name}": value for name, value in plain.pop("labels").items()}
    return msgspec.json.encode(plain)


def rfc3339(ms: int) -> str:
    """Return a UTC time to the second; of a time outside the calendar the empty text."""
    if not 0 <= ms <= _MS_MAX:
        return ""
    return datetime.fromtimestamp(ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
