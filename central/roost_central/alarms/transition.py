"""One step in the life of an alarm or an incident, as the feed tells it and storage keeps it."""

from typing import Final

import msgspec

from roost_central.alarms.incident_row import IncidentRow
from roost_central.alarms.row import AlarmRow

ALARM_EVENTS: Final = (
    "raise",
    "change",
    "clear",
    "unknown",
    "back",
    "ack",
    "unack",
    "shelve",
    "unshelve",
    "suppress",
    "unsuppress",
    "mask",
    "unmask",
    "note",
    "assign",
)
INCIDENT_EVENTS: Final = ("incident-open", "incident-notify", "incident-change", "incident-close")


class Transition(msgspec.Struct, frozen=True, kw_only=True):
    """One step, with the alarm or the incident as it is from then on.

    Attributes:
        seq: +1 for each step over all alarms and incidents, never used again.
        at_ms: by the clock of who saw it; ``received_ms`` by ours.
        event: one of ALARM_EVENTS or INCIDENT_EVENTS.
        actor: the operator; empty: nobody asked for it.
        note: the operator's words; of a clear, why.
    """

    seq: int
    at_ms: int
    received_ms: int
    event: str
    actor: str = ""
    note: str = ""
    alarm: AlarmRow | None = None
    incident: IncidentRow | None = None
