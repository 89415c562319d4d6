"""The fields of the query language, as data: the one table behind parser, dashboard and docs.

Leaves their values to the objects that carry them. A field that comes with a later release is
listed with ``comes_with``, so that it answers "not yet" instead of "unknown". After a change run
``python -m roost_central.fleet.export_fields``.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from roost_central.fleet.query_kinds import KindName

Carrier: TypeAlias = Literal["site", "node", "event", "path", "alarm"]
FieldTable: TypeAlias = Mapping[str, "Field"]

SEVERITIES: Final = ("cleared", "warning", "minor", "major", "critical")  # by rank, X.733
STATUSES: Final = ("ok", "maintenance", "degraded", "unknown", "down")  # by rank, the worst last
PRESENCES: Final = ("online", "degraded", "unreachable", "unknown")
ALARM_STATES: Final = ("active", "unknown", "cleared")
OP_STATES: Final = ("none", "acked", "shelved")
REDUNDANCIES: Final = ("none", "ok", "unknown", "lost", "down")
HA_ROLES: Final = ("active", "standby", "none")
PATH_STATES: Final = ("up", "down", "flaky", "unknown")

ANY_KEY: Final = "*"  # path.* and label.*: the values of all keys
TEXT_FIELDS: Final = ("site", "node", "kind", "type", "name", "text")  # and every label value

CONFIGURATION: Final = "the configuration release"
HOSTS: Final = "the host management release"
ROLLOUTS: Final = "the rollout release"
SECURITY: Final = "the enrolment release"

_KEY: Final = re.compile(r"[A-Za-z0-9_-]{1,31}")


@dataclass(frozen=True, slots=True)
class Field:
    """One field.

    Attributes:
        name: What is typed; of a keyed field what stands before the dot.
        kind: How values are written and compared (query_kinds.py).
        doc: One sentence for the documentation and for completion.
        carriers: The objects that answer for it; a node answers for its site.
        unit: What an object answers in, when that is a number.
        choices: All values of a closed list; for severity and status in order of rank.
        is_keyed: Written ``name.K``; K ``*`` stands for all keys.
        is_label: A shortcut that reads the label of the same name.
        is_since: The object answers with the moment (ms since 1970) from which the time runs.
        comes_with: The release that brings it; empty when it is here.
    """

    name: str
    kind: KindName
    doc: str
    carriers: tuple[Carrier, ...] = ()
    unit: str = ""
    choices: tuple[str, ...] = ()
    is_keyed: bool = False
    is_label: bool = False
    is_since: bool = False
    comes_with: str = ""

    @property
    def available(self) -> bool:
        """Whether a query with this field can be answered now."""
        return not self.comes_with


def table(fields: Iterable[Field]) -> FieldTable:
    """Return the fields by name, in their order."""
    return MappingProxyType({field.name: field for field in fields})


def is_key(key: str) -> bool:
    """Whether K of ``label.K`` or ``path.K`` is well formed."""
    return key == ANY_KEY or _KEY.fullmatch(key) is not None


_ALL: Final[tuple[Carrier, ...]] = ("site", "node", "event", "path", "alarm")
_PLACES: Final[tuple[Carrier, ...]] = ("site", "node", "path")
_SAID: Final[tuple[Carrier, ...]] = ("event", "alarm")

_IDENTITY: Final = (
    Field("site", "text", "Name of the site.", _ALL),
    Field("node", "text", "Name of the node; on a site any of its nodes.", _ALL),
    Field("name", "text", "Display name; of an alarm its type's.", ("site", "node", "alarm")),
    Field("label", "label", "A label, such as `label.tier:gold`.", _ALL, is_keyed=True),
    *(
        Field(name, "label", f"{doc}; short for `label.{name}`.", _ALL, is_label=True)
        for name, doc in (
            ("region", "Where the site is"),
            ("zone", "Part of the region"),
            ("carrier", "Who runs the WAN circuit"),
            ("pe", "Provider edge router"),
            ("feed", "Power feed"),
            ("role", "What the node is for"),
        )
    ),
    Field("lat", "number", "Latitude of the site.", ("site", "node"), "degrees north"),
    Field("lon", "number", "Longitude of the site.", ("site", "node"), "degrees east"),
)

_LIVE: Final = (
    Field("status", "status", "State of the site.", _ALL, choices=STATUSES),
    Field(
        "presence",
        "enum",
        "Whether the node is heard; on a site any of its nodes.",
        ("site", "node"),
        choices=PRESENCES,
    ),
    Field(
        "redundancy",
        "enum",
        "Whether local HA could lose a node; `none` where there is no HA.",
        ("site", "node"),
        choices=REDUNDANCIES,
    ),
    Field(
        "ha",
        "enum",
        "Role in the groups of local HA; on a site any of its nodes.",
        ("site", "node"),
        choices=HA_ROLES,
    ),
    Field("path", "path", "State of a WAN path.", _PLACES, choices=PATH_STATES, is_keyed=True),
    Field(
        "age",
        "duration",
        "Time since the last word; of an alarm since it was raised.",
        (*_PLACES, "alarm"),
        "ms since 1970",
        is_since=True,
    ),
    Field("release", "version", "Release of the running agent.", ("site", "node")),
    Field("boot-age", "duration", "Time since boot.", ("node",), "ms since 1970", is_since=True),
    Field("nodes", "number", "Number of nodes.", ("site",), "nodes"),
    Field("broker", "text", "Broker that the last word came through.", _PLACES),
    Field("shard", "number", "Ingest shard.", ("site", "node"), "number"),
)

_EVENTS: Final = (
    Field("kind", "text", "Type of the event, such as 280.804; the same as `type`.", ("event",)),
    Field("sev", "severity", "Severity.", _SAID, choices=SEVERITIES),
    Field("entity", "text", "What the event or alarm is about.", _SAID),
    Field("text", "text", "Sentence of the event or alarm.", _SAID),
    Field("at", "time", "When it happened.", ("event",), "ms since 1970"),
)

_ALARMS: Final = (
    Field("type", "text", "Type of the event or alarm, such as 280.801.", _SAID),
    Field("cause", "text", "Probable cause (X.733).", ("alarm",)),
    Field("state", "enum", "State of the alarm.", ("alarm",), choices=ALARM_STATES),
    Field("op", "enum", "What an operator did with it.", ("alarm",), choices=OP_STATES),
    Field("raised", "time", "When it was raised.", ("alarm",), "ms since 1970"),
    Field("count", "number", "Raises in this episode.", ("alarm",), "raises"),
    Field("flapping", "bool", "Comes and goes.", ("alarm",)),
    Field("incident", "text", "Incident it belongs to.", ("alarm",)),
    Field("explained", "bool", "Its incident's cause explains it.", ("alarm",)),
    Field("masked", "bool", "Hidden by a parent alarm.", ("alarm",)),
    Field("shelved", "bool", "Put aside for a while.", ("alarm",)),
    Field("suppressed", "bool", "Its type is switched off.", ("alarm",)),
    Field("mgmt", "bool", "Stops a rollout.", ("alarm",)),
    Field("owner", "text", "Who takes care of it.", ("alarm",)),
    Field("late", "bool", "Reported after a WAN outage.", ("alarm",)),
)

_LATER: Final = (
    Field("admin", "text", "Administrative state.", comes_with=HOSTS),
    Field("oper", "text", "Operational state.", comes_with=HOSTS),
    Field("avail", "text", "Availability state.", comes_with=HOSTS),
    Field("degrade", "text", "Why a node is degraded.", comes_with=HOSTS),
    Field("maintenance", "bool", "In a maintenance window.", comes_with=HOSTS),
    Field("profile", "text", "Configuration profile.", comes_with=CONFIGURATION),
    Field(
        "outofdate", "bool", "Applied and desired configuration differ.", comes_with=CONFIGURATION
    ),
    Field("drift", "number", "Sections changed by hand.", comes_with=CONFIGURATION),
    Field("pending-reboot", "bool", "A change waits for a reboot.", comes_with=CONFIGURATION),
    Field("generation", "number", "Generation of the configuration.", comes_with=CONFIGURATION),
    Field("enrolled", "time", "When the node was approved.", comes_with=SECURITY),
    Field("issuer", "text", "Issuer of the node's certificate.", comes_with=SECURITY),
    Field("actor", "text", "Who did it.", comes_with=SECURITY),
    Field("action", "text", "What was done.", comes_with=SECURITY),
    Field("running", "version", "Release that was seen running.", comes_with=ROLLOUTS),
    Field("desired", "version", "Release that should run.", comes_with=ROLLOUTS),
    Field("rollout", "text", "Rollout.", comes_with=ROLLOUTS),
    Field("wave", "number", "Wave of the rollout.", comes_with=ROLLOUTS),
    Field("alarm.type", "text", "Type of an active alarm.", comes_with=HOSTS),
    Field("alarm.name", "text", "Name of an active alarm.", comes_with=HOSTS),
)

INVENTORY: Final = Field(
    "inv", "text", "A field of an inventory item: `inv.CLASS.FIELD`.", comes_with=CONFIGURATION
)
FIELDS: Final = table((*_IDENTITY, *_LIVE, *_EVENTS, *_ALARMS, *_LATER))
