"""ROOST-ALARM-MIB as numbers, and flat objects as variable bindings. Pure.

The text of the MIB is ``packaging/mib/ROOST-ALARM-MIB.txt``; a test holds the two together.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from pysnmp.proto.rfc1902 import (
    Integer32,
    ObjectIdentifier,
    ObjectName,
    OctetString,
    TimeTicks,
    Unsigned32,
)

from roost_central.alarms.flat import FlatAlarm, FlatIncident, FlatSummary

Oid = tuple[int, ...]
Binding = tuple[Any, Any]

ENTERPRISE: Final[Oid] = (1, 3, 6, 1, 4, 1, 32473)  # RFC 5612: for documentation, until we have one
MIB: Final[Oid] = (*ENTERPRISE, 1)
NOTIFICATIONS: Final[Oid] = (*MIB, 0)
ACTIVE_ENTRY: Final[Oid] = (*MIB, 1, 1, 1)
EVENT_ENTRY: Final[Oid] = (*MIB, 1, 2, 1)
SUMMARY: Final[Oid] = (*MIB, 1, 3)
INCIDENT: Final[Oid] = (*MIB, 1, 4)
OVERFLOW: Final[Oid] = (*MIB, 1, 5)
REMOVED: Final[Oid] = (*MIB, 1, 6)
ITU_SEVERITY: Final[Oid] = (*MIB, 1, 7, 1)
SYS_UP_TIME: Final[Oid] = (1, 3, 6, 1, 2, 1, 1, 3, 0)
TRAP_OID: Final[Oid] = (1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0)

CRITICAL, MAJOR, MINOR, WARNING, MESSAGE, INCIDENT_NOTE, OVERFLOW_NOTE, CLEAR, HEARTBEAT = (
    1, 2, 3, 4, 5, 6, 7, 9, 10,
)  # fmt: skip
HIERARCHICAL_CLEAR: Final = 99
BY_SEVERITY: Final = {4: CRITICAL, 3: MAJOR, 2: MINOR, 1: WARNING}
OCTETS_MAX: Final = 255
UNSIGNED_MAX: Final = (1 << 32) - 1


def text(value: str) -> Any:  # noqa: ANN401 - a type of pysnmp
    """Return text as octets, cut where SNMP ends."""
    return OctetString(value.encode()[:OCTETS_MAX])


def date_and_time(value: str) -> Any:  # noqa: ANN401 - a type of pysnmp
    """Return RFC 3339 as DateAndTime (RFC 2579), in UTC."""
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return OctetString(b"")
    parts = at.year.to_bytes(2, "big") + bytes([at.month, at.day, at.hour, at.minute, at.second, 0])
    return OctetString(parts + b"+\x00\x00")


def truth(value: object) -> Any:  # noqa: ANN401 - a type of pysnmp
    """Return TruthValue."""
    return Integer32(1 if value else 2)


def number(value: int) -> Any:  # noqa: ANN401 - a type of pysnmp
    """Return Unsigned32; what has grown past it begins again at 0."""
    return Unsigned32(value & UNSIGNED_MAX)


# Columns 2 to 17 of both tables, and the bindings of a notification; column 1 is the index.
ALARM_COLUMNS: Final[Mapping[int, Callable[[FlatAlarm], Any]]] = {
    2: lambda alarm: text(alarm.key_id),
    3: lambda alarm: text(alarm.type),
    4: lambda alarm: text(alarm.name),
    5: lambda alarm: text(alarm.entity),
    6: lambda alarm: date_and_time(alarm.changed),
    7: lambda alarm: Integer32(alarm.sev),
    8: lambda alarm: text(alarm.text),
    9: lambda alarm: text(alarm.event_type),
    10: lambda alarm: text(alarm.cause),
    11: lambda alarm: text(alarm.repair),
    12: lambda alarm: truth(alarm.service_affecting),
    13: lambda alarm: truth(alarm.mgmt_affecting),
    14: lambda alarm: text(alarm.site),
    15: lambda alarm: text(alarm.node),
    16: lambda alarm: text(alarm.incident),
    17: lambda alarm: number(alarm.seq),
}
KEY_ID: Final = 2
SAID_BESIDE: Final = (2, 3, 5, 6, 14, 15, 16, 17)  # columns told beside those of other MIBs
EVENT_NAME: Final = 18  # of the event table only

SUMMARY_SCALARS: Final[Mapping[int, Callable[[FlatSummary], Any]]] = {
    1: lambda summary: number(summary.critical),
    2: lambda summary: number(summary.major),
    3: lambda summary: number(summary.minor),
    4: lambda summary: number(summary.warning),
    5: lambda summary: number(summary.unknown),
    6: lambda summary: number(summary.incidents),
}

INCIDENT_SCALARS: Final[Mapping[int, Callable[[FlatIncident], Any]]] = {
    1: lambda incident: text(incident.id),
    2: lambda incident: text(incident.state),
    3: lambda incident: Integer32(incident.sev),
    4: lambda incident: text(incident.cause),
    5: lambda incident: number(incident.sites),
    6: lambda incident: number(incident.covered),
    7: lambda incident: number(incident.unexplained),
    8: lambda incident: date_and_time(incident.started),
}


def key_index(key_id: str) -> Oid:
    """Return a key id (16 hex digits) as the index of the active table: its 8 octets."""
    return tuple(bytes.fromhex(key_id))


def head(uptime_cs: int, oid: Oid) -> list[Binding]:
    """Return the two bindings that every notification begins with."""
    return [
        (ObjectName(SYS_UP_TIME), TimeTicks(uptime_cs & UNSIGNED_MAX)),
        (ObjectName(TRAP_OID), ObjectIdentifier(oid)),
    ]


def notification(number: int) -> Oid:
    """Return the OID of one of our notifications."""
    return (*NOTIFICATIONS, number)


def alarm_number(alarm: FlatAlarm) -> int:
    """Return which notification tells of an alarm."""
    if alarm.state == "cleared":
        return CLEAR
    return BY_SEVERITY.get(alarm.sev, WARNING)


def alarm_bindings(alarm: FlatAlarm, columns: Iterable[int] = ALARM_COLUMNS) -> list[Binding]:
    """Return columns of an alarm, as instances of the active table."""
    index = key_index(alarm.key_id)
    return [
        (ObjectName((*ACTIVE_ENTRY, column, *index)), ALARM_COLUMNS[column](alarm))
        for column in columns
    ]


def incident_bindings(incident: FlatIncident) -> list[Binding]:
    """Return what is told of an incident."""
    return [
        (ObjectName((*INCIDENT, place, 0)), read(incident))
        for place, read in INCIDENT_SCALARS.items()
    ]


def summary_bindings(summary: FlatSummary) -> list[Binding]:
    """Return the counts that a heartbeat carries."""
    return [
        (ObjectName((*SUMMARY, place, 0)), read(summary)) for place, read in SUMMARY_SCALARS.items()
    ]


def removal_bindings(entity: str, site: str, at: str, seq: int) -> list[Binding]:
    """Return what is told of an entity that is gone with all its alarms."""
    values = (text(entity), text(site), date_and_time(at), number(seq))
    return [
        (ObjectName((*REMOVED, place, 0)), value) for place, value in enumerate(values, start=1)
    ]


def overflow_bindings(held: Mapping[str, int]) -> list[Binding]:
    """Return how many notifications were held back, and of which events."""
    words = ", ".join(f"{event} {count}" for event, count in sorted(held.items()))
    return [
        (ObjectName((*OVERFLOW, 1, 0)), number(sum(held.values()))),
        (ObjectName((*OVERFLOW, 2, 0)), text(words)),
    ]
