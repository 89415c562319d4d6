"""Profile ``wrs``: the notifications of StarlingX, for receivers that know its WRS-ALARM-MIB. Pure.

Numbers are those of StarlingX's MIB and of what its agent sends: the bindings are the columns of
its active table at instance 0, the UUID first. Its severities are ours. What it has no
notification for (incidents, overflow, heartbeat, test) goes out as its message.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from pysnmp.proto.rfc1902 import Integer32, ObjectName

from roost_central.alarms.causes import CAUSES, EVENT_TYPES
from roost_central.alarms.flat import FlatAlarm, FlatIncident, FlatSummary, rfc3339
from roost_central.northbound.snmp import mib
from roost_central.northbound.snmp.mib import Binding, Oid
from roost_central.northbound.snmp.profile import OVERFLOW, Notification, Removal, Word

OBJECTS: Final[Oid] = (1, 3, 6, 1, 4, 1, 731, 1, 1, 1, 1)
NOTIFICATIONS: Final[Oid] = (*OBJECTS, 0)
ACTIVE_ENTRY: Final[Oid] = (*OBJECTS, 1, 1)
MESSAGE, CLEAR, HIERARCHICAL_CLEAR = 5, 9, 99
BY_SEVERITY: Final = {4: 1, 3: 2, 2: 3, 1: 4}  # critical to warning
EVENT_TYPE_MAX: Final = 10  # its list ends where X.736 does
KINDS: Final = {"site": "system", "node": "host", "central": "system"}
OWN: Final = "system=central"

UUID, ALARM_ID, ENTITY, TIME, SEVERITY, TEXT = 2, 3, 4, 5, 6, 7
EVENT_TYPE, CAUSE, REPAIR, SERVICE_AFFECTING, SUPPRESSIBLE = 8, 9, 10, 11, 12
OF_CLEAR: Final = (UUID, ALARM_ID, ENTITY, TIME, TEXT)


def entity(ours: str) -> str:
    """Return an entity in StarlingX's form, ``system=.host=.``: its kinds, dots for commas."""
    pairs = (pair.partition("=") for pair in ours.split(","))
    return ".".join(f"{KINDS.get(kind, kind)}={value}" for kind, _, value in pairs)


def boolean(value: object) -> Any:  # noqa: ANN401 - a type of pysnmp
    """Return WrsBoolean, which is not TruthValue: false 0, true 1."""
    return Integer32(1 if value else 0)


def _place(names: tuple[str, ...], name: str) -> int:
    return names.index(name) if name in names else 0


def _event_type(alarm: FlatAlarm) -> Any:  # noqa: ANN401 - a type of pysnmp
    number = _place(EVENT_TYPES, alarm.event_type)
    return Integer32(number if number <= EVENT_TYPE_MAX else 0)


_COLUMNS: Final[Mapping[int, Callable[[FlatAlarm], Any]]] = {
    UUID: lambda alarm: mib.text(alarm.id),
    ALARM_ID: lambda alarm: mib.text(alarm.type),
    ENTITY: lambda alarm: mib.text(entity(alarm.entity)),
    TIME: lambda alarm: mib.date_and_time(alarm.changed),
    SEVERITY: lambda alarm: Integer32(alarm.sev),
    TEXT: lambda alarm: mib.text(alarm.text),
    EVENT_TYPE: _event_type,
    CAUSE: lambda alarm: Integer32(_place(CAUSES, alarm.cause)),
    REPAIR: lambda alarm: mib.text(alarm.repair),
    SERVICE_AFFECTING: lambda alarm: boolean(alarm.service_affecting),
    SUPPRESSIBLE: lambda alarm: boolean(alarm.suppressible),
}


class WrsProfile:
    """WRS-ALARM-MIB."""

    folds_removals = True

    def alarm(self, alarm: FlatAlarm) -> Notification:
        """See Profile."""
        is_over = alarm.state == "cleared"
        number = CLEAR if is_over else BY_SEVERITY.get(alarm.sev, BY_SEVERITY[1])
        columns = OF_CLEAR if is_over else tuple(_COLUMNS)
        return _notification(number), [_binding(each, _COLUMNS[each](alarm)) for each in columns]

    def incident(self, incident: FlatIncident) -> Notification:
        """See Profile."""
        cause = incident.cause or "not found"
        words = f"Incident {incident.id} {incident.state}: {incident.sites} sites hit, "
        words += f"{incident.unexplained} unexplained; cause: {cause}"
        at = rfc3339(incident.ts * 1000)
        return _message(f"{OWN}.incident={incident.id}", at, incident.sev, words)

    def removal(self, removal: Removal) -> Notification:
        """See Profile."""
        return _notification(HIERARCHICAL_CLEAR), [
            _binding(ENTITY, mib.text(entity(removal.entity))),
            _binding(TIME, mib.date_and_time(removal.at)),
            _binding(TEXT, mib.text("It was removed, and all its alarms are over")),
        ]

    def word(self, word: Word) -> Notification:
        """See Profile."""
        words = _counts(word.summary)
        if word.kind == OVERFLOW:
            words = f"{sum(word.held.values())} notifications held back"
        return _message(
            OWN, rfc3339(word.summary.ts * 1000), 0, f"{word.kind.capitalize()}: {words}"
        )


def _counts(summary: FlatSummary) -> str:
    return (
        f"{summary.critical} critical, {summary.major} major, {summary.minor} minor, "
        f"{summary.warning} warning, {summary.unknown} unknown"
    )


def _message(about: str, at: str, severity: int, words: str) -> Notification:
    """Return a message; its id is empty, since no type of alarm is its own."""
    return _notification(MESSAGE), [
        _binding(ALARM_ID, mib.text("")),
        _binding(ENTITY, mib.text(about)),
        _binding(TIME, mib.date_and_time(at)),
        _binding(SEVERITY, Integer32(severity)),
        _binding(TEXT, mib.text(words)),
        _binding(EVENT_TYPE, Integer32(0)),
        _binding(CAUSE, Integer32(0)),
        _binding(REPAIR, mib.text("")),
        _binding(SERVICE_AFFECTING, boolean(False)),
        _binding(SUPPRESSIBLE, boolean(False)),
    ]


def _notification(number: int) -> Oid:
    return (*NOTIFICATIONS, number)


def _binding(column: int, value: Any) -> Binding:  # noqa: ANN401 - a type of pysnmp
    return ObjectName((*ACTIVE_ENTRY, column, 0)), value
