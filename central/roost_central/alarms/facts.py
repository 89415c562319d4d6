"""What the alarm core hears, what it says, and what bounds it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from roost_central.alarms.row import AlarmRow
from roost_protocol.alarm import Alarm, AlarmSet, Scalar
from roost_protocol.severity import Severity


@dataclass(frozen=True, slots=True)
class Limits:
    """When something counts."""

    late_ms: int = 60_000  # on its way longer than that: it was raised while the WAN was down
    clock_ms: int = 300_000  # a clock further off than that is not believed
    flap_count: int = 4  # transitions ..
    flap_ms: int = 600_000  # .. within that time: it flaps
    calm_ms: int = 300_000  # a flapping alarm is shown until it was clear for so long
    known_flaps_max: int = 100_000  # keys whose last transitions are remembered
    # Types that come and go by an order: a lock, and the redundancy that it takes. Of the latter
    # the node that tells it knows which turns were ordered, and says itself that others flap.
    willed: frozenset[str] = frozenset({"200.001", "400.002"})


@dataclass(frozen=True, slots=True)
class Said:
    """A node said that one of its alarms changed."""

    node: str
    alarm: Alarm
    at_ms: int


@dataclass(frozen=True, slots=True)
class SetSaid:
    """A node said a part of its whole set again."""

    node: str
    part: AlarmSet
    at_ms: int


@dataclass(frozen=True, slots=True)
class OwnRaised:
    """The centre saw something itself; said again it is the same alarm.

    Attributes:
        entity: the whole of it.
        ttl_ms: it ends unless it is raised again within that time; None: it is cleared by us.
        is_one_of_many: it is of a storm that was seen already, however few alarms there are yet.
    """

    type: str
    entity: str
    severity: Severity
    params: Mapping[str, Scalar] = field(default_factory=dict)
    site: str | None = None
    node: str | None = None
    ttl_ms: int | None = None
    is_one_of_many: bool = False


@dataclass(frozen=True, slots=True)
class OwnCleared:
    """What the centre saw is over."""

    type: str
    entity: str
    reason: str = "gone"


@dataclass(frozen=True, slots=True)
class NodeDark:
    """Nothing is heard from a node: what it said last may hold or not."""

    node: str


@dataclass(frozen=True, slots=True)
class NodeBack:
    """A node is heard again."""

    node: str


@dataclass(frozen=True, slots=True)
class Removed:
    """A site, or a node of it, is not ours any more; ``entity`` contains all it had."""

    site: str
    entity: str


@dataclass(frozen=True, slots=True)
class Tick:
    """Time passed; at least once a second."""


@dataclass(frozen=True, slots=True)
class Acted:
    """An operator did something with one alarm.

    Attributes:
        verb: ``ack``, ``unack``, ``note``, ``assign`` or ``clear``.
        note: words for the timeline; of ``clear`` the reason.
        assignee, ticket: of ``assign``; None: stays.
    """

    verb: Literal["ack", "unack", "note", "assign", "clear"]
    key_id: str
    by: str
    note: str = ""
    assignee: str | None = None
    ticket: str | None = None


@dataclass(frozen=True, slots=True)
class Shelf:
    """Alarms put aside until a time: those of ``key_ids``, or all that match, later ones too."""

    id: str
    by: str
    reason: str
    made_ms: int
    until_ms: int
    query: str = ""
    key_ids: frozenset[str] = frozenset()
    matches: Callable[[AlarmRow], bool] | None = None

    def covers(self, row: AlarmRow) -> bool:
        """Return whether an alarm is on it."""
        if self.matches is None:
            return row.key_id in self.key_ids
        return self.matches(row)


@dataclass(frozen=True, slots=True)
class Suppression:
    """A type switched off, everywhere or where a query matches."""

    id: str
    type: str
    by: str
    reason: str
    made_ms: int
    until_ms: int | None = None
    query: str = ""
    matches: Callable[[AlarmRow], bool] | None = None

    def covers(self, row: AlarmRow) -> bool:
        """Return whether an alarm is suppressed by it."""
        return row.type == self.type and (self.matches is None or self.matches(row))


@dataclass(frozen=True, slots=True)
class ShelfPut:
    """A shelf is there from now on."""

    shelf: Shelf


@dataclass(frozen=True, slots=True)
class ShelfTaken:
    """A shelf, or only some alarms of it, is no more."""

    id: str
    by: str


@dataclass(frozen=True, slots=True)
class SuppressionPut:
    """A suppression is there from now on."""

    suppression: Suppression


@dataclass(frozen=True, slots=True)
class SuppressionTaken:
    """A suppression is no more."""

    id: str
    by: str


@dataclass(frozen=True, slots=True)
class Attached:
    """Alarms belong to an incident now, or to none; each that did not before tells so."""

    key_ids: Sequence[str]
    incident: str
    explained: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ToldApart:
    """Receivers hear of these members for themselves: the cause of their incident is another."""

    key_ids: Sequence[str]


Event = (
    Said
    | SetSaid
    | OwnRaised
    | OwnCleared
    | NodeDark
    | NodeBack
    | Removed
    | Tick
    | Acted
    | ShelfPut
    | ShelfTaken
    | SuppressionPut
    | SuppressionTaken
    | Attached
    | ToldApart
)
