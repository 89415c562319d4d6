"""Alarms and incidents as events of ServiceNow's Event Management (``em/jsonv2``). Pure.

Fields and their lengths are those of its em_event table. ``message_key`` is the alarm's identity,
so that a raise, its changes and its end are one alert there.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from roost_central.alarms.flat import Flat, FlatAlarm, FlatIncident, encode

SOURCE: Final = "roost"
CHARS_MAX: Final = 100  # of most fields
DESCRIPTION_CHARS_MAX: Final = 4_000
SEVERITIES: Final[Mapping[int, str]] = {4: "1", 3: "2", 2: "3", 1: "4", 0: "0"}  # 0: clear
TEST_KEY: Final = "roost.test"


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One event; every value is a text there."""

    source: str = SOURCE
    event_class: str = SOURCE
    node: str
    resource: str
    metric_name: str
    type: str
    severity: str
    description: str
    message_key: str
    time_of_event: str
    resolution_state: str
    additional_info: str


def body(flat: Flat) -> bytes:
    """Return the body that tells of an alarm or an incident."""
    record = _alarm(flat) if isinstance(flat, FlatAlarm) else _incident(flat)
    return msgspec.json.encode({"records": [record]})


def trial_message(at: str) -> bytes:
    """Return the body of a test: the end of what never began, which makes no alert."""
    record = Record(
        node="centre",
        resource="northbound",
        metric_name=TEST_KEY,
        type=TEST_KEY,
        severity="0",
        description="A test of this receiver",
        message_key=TEST_KEY,
        time_of_event=_time(at),
        resolution_state="Closing",
        additional_info="{}",
    )
    return msgspec.json.encode({"records": [record]})


def _alarm(alarm: FlatAlarm) -> Record:
    inside = [
        pair for pair in alarm.entity.split(",") if pair.partition("=")[0] not in {"site", "node"}
    ]
    is_over = alarm.state == "cleared"
    return Record(
        node=".".join(part for part in (alarm.node, alarm.site) if part) or "centre",
        resource=",".join(inside)[:CHARS_MAX],
        metric_name=alarm.name[:CHARS_MAX],
        type=alarm.type,
        severity=SEVERITIES[alarm.sev],
        description=f"{alarm.text}\n{alarm.repair}".strip()[:DESCRIPTION_CHARS_MAX],
        message_key=alarm.key_id,
        time_of_event=_time(alarm.changed),
        resolution_state="Closing" if is_over else "New",
        additional_info=encode(alarm).decode(),
    )


def _incident(incident: FlatIncident) -> Record:
    cause = incident.cause or "not found"
    words = f"{incident.sites} sites hit, {incident.unexplained} unexplained; cause: {cause}"
    return Record(
        node="fleet",
        resource=incident.id,
        metric_name="incident",
        type="incident",
        severity=SEVERITIES[incident.sev],
        description=words[:DESCRIPTION_CHARS_MAX],
        message_key=incident.id,
        time_of_event=_time(incident.started),
        resolution_state="Closing" if incident.state == "closed" else "New",
        additional_info=encode(incident).decode(),
    )


def _time(at: str) -> str:
    """Return RFC 3339 in UTC as ``yyyy-MM-dd HH:mm:ss``."""
    return at.removesuffix("Z").replace("T", " ")
