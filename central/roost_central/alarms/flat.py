"""Alarms, incidents and counts as one flat JSON object each: what leaves the house. Pure.

Unknown values are the empty text, times RFC 3339 in UTC with ``ts`` in seconds beside them;
readers ignore keys that they do not know (the contract of the northbound feed).
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, TypeAlias

from roost_central.alarms.catalogue import Catalogue
from roost_central.alarms.incident_row import CLOSED, IncidentRow
from roost_central.alarms.row import CLEARED, AlarmRow
from roost_central.alarms.tally import Tally

VERSION: Final = 1
LABELS_MAX: Final = 8
_MS_MAX: Final = 253_402_300_799_000  # the end of year 9999

Flat: TypeAlias = dict[str, str | int | float | bool]


def flat_alarm(  # noqa: PLR0913 - an object of many sources
    row: AlarmRow,
    event: str,
    seq: int,
    *,
    catalogue: Catalogue,
    labels: Mapping[str, str],
    chosen: Sequence[str] = (),
    url: str = "",
) -> Flat:
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
    flat: Flat = {
        "v": VERSION,
        "id": row.id,
        "key_id": row.key_id,
        "type": row.type,
        "name": record.name,
        "event": event,
        "state": row.state,
        "op_state": row.op_state,
        "severity": "cleared" if is_over else row.severity.word,
        "sev": 0 if is_over else int(row.severity),
        "site": row.site or "",
        "node": (row.node or "").partition(".")[2],
        "entity": row.entity,
        "event_type": record.event_type,
        "cause": record.cause,
        "text": row.text,
        "repair": record.repair,
        "raised": rfc3339(row.raised_ms),
        "changed": rfc3339(row.changed_ms),
        "ts": row.changed_ms // 1000,
        "count": row.count,
        "service_affecting": row.severity in record.service_affecting,
        "mgmt_affecting": row.severity >= record.mgmt_affecting,
        "late": row.late,
        "flapping": row.flapping,
        "suppressed": bool(row.incident) or not row.is_visible,
        "masked_by": row.masked_by,
        "incident": row.incident,
        "reason": row.reason if is_over else "",
        "region": labels.get("region", ""),
    }
    for name in chosen[:LABELS_MAX]:
        flat[f"label_{name}"] = labels.get(name, "")
    flat["url"] = f"{url}/a/{row.id}" if url else ""
    flat["seq"] = seq
    return flat


def flat_incident(row: IncidentRow, event: str, seq: int, *, url: str = "") -> Flat:
    """Return an incident after a step of its life."""
    precision = min((cause.precision for cause in row.causes), default=0.0)
    return {
        "v": VERSION,
        "id": row.id,
        "event": event.removeprefix("incident-"),
        "state": row.state,
        "severity": "cleared" if row.state == CLOSED else row.severity.word,
        "sev": 0 if row.state == CLOSED else int(row.severity),
        "type": row.type,
        "cause": row.cause,
        "precision": round(precision, 3),
        "covered": row.covered,
        "sites": row.sites,
        "unexplained": row.unexplained,
        "dark": row.dark,
        "recovered": row.recovered,
        "alarms": row.alarms,
        "ack_by": row.ack.by if row.ack else "",
        "started": rfc3339(row.opened_ms),
        "ts": row.changed_ms // 1000,
        "url": f"{url}/i/{row.id}" if url else "",
        "seq": seq,
    }


def flat_summary(tally: Tally, sites: Mapping[str, int], *, incidents: int, now_ms: int) -> Flat:
    """Return the counts; ``sites`` is by status."""
    return {
        "v": VERSION,
        **{severity.word: count for severity, count in sorted(tally.visible.items(), reverse=True)},
        "unknown": tally.unknown,
        "shelved": tally.shelved,
        "masked": tally.masked,
        "suppressed": tally.suppressed,
        **{
            f"sites_{status}": sites.get(status, 0)
            for status in ("ok", "degraded", "maintenance", "down", "unknown")
        },
        "incidents": incidents,
        "status": tally.status,
        "ts": now_ms // 1000,
    }


def rfc3339(ms: int) -> str:
    """Return a UTC time to the second; of a time outside the calendar the empty text."""
    if not 0 <= ms <= _MS_MAX:
        return ""
    return datetime.fromtimestamp(ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
