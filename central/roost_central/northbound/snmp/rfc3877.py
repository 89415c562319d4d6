"""Profile ``rfc3877``: ALARM-MIB's generic notifications, with ITU's severities. Pure.

``alarmActiveModelPointer`` names the type and its state (RFC 3877 section 5.4 maps states to
severities), ``alarmActiveResourceId`` the row of our own active table, which a manager can read.
The bindings that follow say the rest: the RFC lets a notification carry more. Instances are
(empty list name, time of the raise, a number from the key). What ALARM-MIB has no notification
for goes out as ROOST-ALARM-MIB's; it has none for the end of many alarms at once.
"""

from typing import Final

from pysnmp.proto.rfc1902 import Integer32, ObjectIdentifier, ObjectName

from roost_central.alarms.causes import EVENT_TYPES
from roost_central.alarms.flat import FlatAlarm, FlatIncident
from roost_central.northbound.snmp import mib
from roost_central.northbound.snmp.mib import Binding, Oid
from roost_central.northbound.snmp.profile import Notification, Removal, RoostProfile, Word

ALARM_MIB: Final[Oid] = (1, 3, 6, 1, 2, 1, 118)
ACTIVE_STATE: Final[Oid] = (*ALARM_MIB, 0, 2)
CLEAR_STATE: Final[Oid] = (*ALARM_MIB, 0, 3)
MODEL_ENTRY: Final[Oid] = (*ALARM_MIB, 1, 1, 2, 1)
ACTIVE_ENTRY: Final[Oid] = (*ALARM_MIB, 1, 2, 2, 1)
ITU_ENTRY: Final[Oid] = (1, 3, 6, 1, 2, 1, 121, 1, 1, 1, 1)
NOTIFICATION_ID: Final = 3  # the first column of a model that can be read
RESOURCE_ID, DESCRIPTION, MODEL_POINTER = 10, 11, 13  # columns of the active table
ITU_EVENT_TYPE: Final = 2
NO_LIST: Final[Oid] = (0,)  # alarmListName, empty
INCIDENT_MODEL: Final = 1  # no type of alarm has this number

CLEARED, INDETERMINATE, CRITICAL, MAJOR, MINOR, WARNING = 1, 2, 3, 4, 5, 6  # ItuPerceivedSeverity
BY_SEVERITY: Final = {0: CLEARED, 1: WARNING, 2: MINOR, 3: MAJOR, 4: CRITICAL}
MODEL_STATE: Final = {CLEARED: 1, INDETERMINATE: 2, WARNING: 3, MINOR: 4, MAJOR: 5, CRITICAL: 6}
EVENT_TYPE_MAX: Final = 10  # IANAItuEventType is one more than ours, and ends where X.736 does

_ROOST: Final = RoostProfile()


class Rfc3877Profile:
    """ALARM-MIB and ITU-ALARM-MIB."""

    folds_removals = False

    def alarm(self, alarm: FlatAlarm) -> Notification:
        """See Profile; an alarm whose reporter is silent is of indeterminate severity."""
        model = int(alarm.type.replace(".", ""))
        severity = INDETERMINATE if alarm.state == "unknown" else BY_SEVERITY[alarm.sev]
        row = (*NO_LIST, *_octets(alarm.raised), int(alarm.key_id[:8], 16) or 1)
        resource = (*mib.ACTIVE_ENTRY, mib.KEY_ID, *mib.key_index(alarm.key_id))
        number = EVENT_TYPES.index(alarm.event_type) if alarm.event_type in EVENT_TYPES else 0
        itu = (*ITU_ENTRY, ITU_EVENT_TYPE, *NO_LIST, model, severity)
        bindings = [
            *_state(model, severity, row, resource),
            (ObjectName((*ACTIVE_ENTRY, DESCRIPTION, *row)), mib.text(alarm.text)),
            (ObjectName(itu), Integer32(number + 1 if number <= EVENT_TYPE_MAX else 1)),
            (ObjectName((*mib.ITU_SEVERITY, 0)), Integer32(severity)),
            *mib.alarm_bindings(alarm, mib.SAID_BESIDE),
        ]
        return _number(severity), bindings

    def incident(self, incident: FlatIncident) -> Notification:
        """See Profile."""
        severity = CLEARED if incident.state == "closed" else BY_SEVERITY[incident.sev]
        name = incident.id.encode()
        row = (*NO_LIST, *_octets(incident.started), INCIDENT_MODEL)
        resource = (*mib.INCIDENT, 1, len(name), *name)
        bindings = [
            *_state(INCIDENT_MODEL, severity, row, resource),
            (ObjectName((*ACTIVE_ENTRY, DESCRIPTION, *row)), mib.text(incident.cause)),
            (ObjectName((*mib.ITU_SEVERITY, 0)), Integer32(severity)),
            *mib.incident_bindings(incident),
        ]
        return _number(severity), bindings

    def removal(self, removal: Removal) -> Notification:
        """See Profile."""
        return _ROOST.removal(removal)

    def word(self, word: Word) -> Notification:
        """See Profile."""
        return _ROOST.word(word)


def _number(severity: int) -> Oid:
    return CLEAR_STATE if severity == CLEARED else ACTIVE_STATE


def _state(model: int, severity: int, row: Oid, resource: Oid) -> list[Binding]:
    """Return the two objects of both notifications."""
    pointer = (*MODEL_ENTRY, NOTIFICATION_ID, *NO_LIST, model, MODEL_STATE[severity])
    return [
        (ObjectName((*ACTIVE_ENTRY, MODEL_POINTER, *row)), ObjectIdentifier(pointer)),
        (ObjectName((*ACTIVE_ENTRY, RESOURCE_ID, *row)), ObjectIdentifier(resource)),
    ]


def _octets(at: str) -> Oid:
    """Return a time as a part of an index: its length, then its octets (RFC 2578 section 7.7)."""
    octets = bytes(mib.date_and_time(at))
    return (len(octets), *octets)
