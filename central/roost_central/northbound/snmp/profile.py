"""What a receiver's notifications look like: the seam, and our own MIB as the first profile. Pure.

A profile gives each thing that is told its OID and its variable bindings; the two bindings that
every notification begins with are ``mib.head``'s.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from roost_central.alarms.flat import FlatAlarm, FlatIncident, FlatSummary
from roost_central.northbound.snmp import mib
from roost_central.northbound.snmp.mib import Binding, Oid

Notification = tuple[Oid, list[Binding]]

TEST: Final = "test"
HEARTBEAT: Final = "heartbeat"
OVERFLOW: Final = "overflow"


@dataclass(frozen=True, slots=True)
class Removal:
    """A site or a node is not ours any more, and every alarm in it is over.

    Attributes:
        entity: what contained them.
        site: of the entity.
        at: RFC 3339.
        seq: of the first of those clears.
    """

    entity: str
    site: str
    at: str
    seq: int


@dataclass(frozen=True, slots=True)
class Word:
    """Something of our own: a test, a heartbeat, or an overflow with what it held back."""

    kind: str
    summary: FlatSummary
    held: Mapping[str, int] = field(default_factory=dict)


class Profile(Protocol):
    """How one kind of receiver is spoken to.

    Attributes:
        folds_removals: one notification ends all alarms of what was removed.
    """

    folds_removals: bool

    def alarm(self, alarm: FlatAlarm) -> Notification:
        """Tell of an alarm, or of its end."""

    def incident(self, incident: FlatIncident) -> Notification:
        """Tell of an incident, or of its end."""

    def removal(self, removal: Removal) -> Notification:
        """Tell that an entity and all its alarms are gone."""

    def word(self, word: Word) -> Notification:
        """Tell something of our own."""


class RoostProfile:
    """ROOST-ALARM-MIB."""

    folds_removals = True

    def alarm(self, alarm: FlatAlarm) -> Notification:
        """See Profile."""
        return mib.notification(mib.alarm_number(alarm)), mib.alarm_bindings(alarm)

    def incident(self, incident: FlatIncident) -> Notification:
        """See Profile."""
        return mib.notification(mib.INCIDENT_NOTE), mib.incident_bindings(incident)

    def removal(self, removal: Removal) -> Notification:
        """See Profile."""
        bindings = mib.removal_bindings(removal.entity, removal.site, removal.at, removal.seq)
        return mib.notification(mib.HIERARCHICAL_CLEAR), bindings

    def word(self, word: Word) -> Notification:
        """See Profile."""
        if word.kind == OVERFLOW:
            return mib.notification(mib.OVERFLOW_NOTE), mib.overflow_bindings(word.held)
        number = mib.MESSAGE if word.kind == TEST else mib.HEARTBEAT
        return mib.notification(number), mib.summary_bindings(word.summary)
