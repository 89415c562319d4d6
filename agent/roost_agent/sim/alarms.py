"""The alarms of a simulated node: a set in memory, told as the agent tells its own.

Each turn raises what is clear or clears what is raised, of a few things that go wrong at a site.
"""

from collections.abc import Iterable
from typing import Final

from roost_protocol.alarm import Alarm, AlarmSet, AlarmState, Change, alarm_sets
from roost_protocol.codec import VERSION
from roost_protocol.digest import alarm_digest
from roost_protocol.severity import Severity

Kind = tuple[str, str, Severity, str]

KINDS: Final[tuple[Kind, ...]] = (
    ("100.114", "ntp=ntp1", Severity.MINOR, "ntp1 not usable"),
    ("100.104", "fs=/var", Severity.MAJOR, "/var space 84 % used"),
    ("200.006", "process=pump", Severity.CRITICAL, "Process pump failed, node failed"),
    ("100.108", "port=eth1", Severity.MAJOR, "Port eth1 has no carrier"),
    ("750.801", "app=pump,unit=2", Severity.WARNING, "pump 2: pressure below the set point"),
)


class AlarmBoard:
    """What stands at one node."""

    __slots__ = ("_raised",)

    def __init__(self) -> None:
        self._raised: dict[tuple[str, str], AlarmState] = {}

    @property
    def count(self) -> int:
        """How many stand."""
        return len(self._raised)

    def turn(self, kind: Kind, wall_ms: int) -> Alarm:
        """Raise the alarm, or clear it where it stands; return what is to be told."""
        type_, entity, severity, text = kind
        stood = self._raised.pop((type_, entity), None)
        if stood is None:
            state = AlarmState(type_, entity, severity, wall_ms, wall_ms, text)
            self._raised[type_, entity] = state
        return Alarm(
            v=VERSION,
            type=type_,
            change=Change.CLEAR if stood else Change.RAISE,
            severity=Severity.CLEARED if stood else severity,
            entity=entity,
            text=text,
            reason="gone" if stood else "",
            raised_ms=stood.raised_ms if stood else 0,
        )

    def digest(self) -> bytes:
        """Return the digest of the set."""
        states = self._raised.values()
        return alarm_digest((each.type, each.entity, int(each.severity)) for each in states)

    def parts(self) -> Iterable[AlarmSet]:
        """Return the whole set, as a resync wants it."""
        return alarm_sets(self._raised.values())
