"""The fields of the query language, as data: the one table behind parser, dashboard and docs.

Leaves their values to the objects that carry them. A field that comes with a later release is
listed with ``comes_with``, so that it answers "not yet" instead of "unknown". After a change run
``python -m roost_central.fleet.export_fields``.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from roost_central.fleet.inventory_fields import ItemField, item_fields
from roost_central.fleet.query_kinds import KindName
from roost_protocol.host import Avail

Carrier: TypeAlias = Literal["site", "node", "event", "path", "alarm"]
FieldTable: TypeAlias = Mapping[str, "Field"]

SEVERITIES: Final = ("cleared", "warning", "minor", "major", "critical")  # by rank, X.733
STATUSES: Final = ("ok", "maintenance", "degraded", "unknown", "down")  # by rank, the worst last
PRESENCES: Final = ("online", "degraded", "unreachable", "unknown")
ALARM_STATES: Final = ("active", "unknown", "cleared")
OP_STATES: Final = ("none", "acked", "shelved")
REDUNDANCIES: Final = ("none", "ok", "unknown", "lost", "down")
HA_ROLES: Final = ("active", "standby", "none")
CONFIGURATIONS: Final = ("none", "unable", "in-sync", "pending", "applying", "waiting", "failed")
SYNCS: Final = ("in-sync", "unknown", "out-of-sync")
PATH_STATES: Final = ("up", "down", "flaky", "unknown")
ADMINS: Final = ("locked", "unlocked")
OPERS: Final = ("disabled", "enabled", "unknown")
AVAILS: Final = (*(each.value for each in Avail), "unknown")

ANY_KEY: Final = "*"  # path.* and label.*: the values of all keys
TEXT_FIELDS: Final = ("site", "node", "kind", "type", "name", "text")  # and every label value

LATER: Final = "a later release"

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
        is_slow: Of the inventory, and not in its index: the documents are read for it.
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
    is_slow: bool = False
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
    Field(
        "managed",
        "bool",
        "Whether the site is managed; one that is not takes no orders.",
        ("site", "node"),
    ),
    Field(
        "sync",
        "enum",
        "Whether the site is as the centre has it: the worst of all subjects.",
        ("site", "node"),
        choices=SYNCS,
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
    Field("enrolled", "time", "When the node's box was let in.", ("node",), "ms since 1970"),
    Field("nodes", "number", "Number of nodes.", ("site",), "nodes"),
    Field("broker", "text", "Broker that the last word came through.", _PLACES),
    Field("shard", "number", "Ingest shard.", ("site", "node"), "number"),
)

_HOSTS: Final = (
    Field(
        "admin",
        "enum",
        "Administrative state of the host; on a site any of its nodes.",
        ("site", "node"),
        choices=ADMINS,
    ),
    Field(
        "oper",
        "enum",
        "Operational state of the host; `unknown` where its site is dark.",
        ("site", "node"),
        choices=OPERS,
    ),
    Field(
        "avail",
        "enum",
        "Availability state of the host; `unknown` where its site is dark.",
        ("site", "node"),
        choices=AVAILS,
    ),
    Field("degrade", "text", "Why the host is degraded, such as `process`.", ("site", "node")),
    Field("maintenance", "bool", "The host is in a maintenance window.", ("site", "node")),
)

_DESIRED: Final = (
    Field("profile", "text", "Profile whose settings the node should have.", ("site", "node")),
    Field(
        "config",
        "enum",
        "How far the node has come with its settings; on a site any of its nodes.",
        ("site", "node"),
        choices=CONFIGURATIONS,
    ),
    Field(
        "outofdate",
        "bool",
        "The node is not what it should be; null: no profile.",
        ("site", "node"),
    ),
    Field(
        "generation",
        "number",
        "Generation of what the node should be.",
        ("site", "node"),
        "generations",
    ),
    Field("drift", "number", "Settings changed by other hands.", ("site", "node"), "settings"),
    Field("pending-reboot", "bool", "A setting waits for a reboot.", ("site", "node")),
)

_EVENTS: Final = (
    Field("kind", "text", "Type of the event, such as 280.804; the same as `type`.", ("event",)),
    Field(
        "sev",
        "severity",
        "Severity; of a site or node that of its worst open alarm.",
        ("site", "node", *_SAID),
        choices=SEVERITIES,
    ),
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
    Field("alarm.type", "text", "Type of an open alarm of it.", ("site", "node")),
    Field("alarm.name", "text", "Name of the type of an open alarm of it.", ("site", "node")),
)

_LATER: Final = (
    Field("issuer", "text", "Issuer of the node's certificate.", comes_with=LATER),
    Field("actor", "text", "Who did it.", comes_with=LATER),
    Field("action", "text", "What was done.", comes_with=LATER),
    Field("running", "version", "Release that was seen running.", comes_with=LATER),
    Field("desired", "version", "Release that should run.", comes_with=LATER),
    Field("rollout", "text", "Rollout.", comes_with=LATER),
    Field("wave", "number", "Wave of the rollout.", comes_with=LATER),
)

INVENTORY: Final = "inv."  # what the name of every inventory field begins with
ITEM_ID: Final = "id"
REASON: Final = (
    "reason"  # inv.CLASS.FIELD.reason: why a value is unknown; inv.CLASS.reason: a class
)


def _inventory_field(field: ItemField) -> Field:
    return Field(
        f"{INVENTORY}{field.item_class}.{field.name}",
        field.kind,
        f"`{field.name}` of an item of the class `{field.item_class}`.",
        _ALL,
        unit=field.unit,
        is_slow=not field.is_indexed,
    )


def inventory_field(item_class: str, name: str, fields: FieldTable) -> Field | None:
    """Return a field of a class of the inventory, None where there is none.

    ``reason`` is the class's own, ``FIELD.reason`` is derived from its field.
    """
    of, dot, last = name.partition(".")
    of = ITEM_ID if name == REASON else of
    known = fields.get(f"{INVENTORY}{item_class}.{of}")
    if known is None or (dot and last != REASON):
        return None
    if not dot and name != REASON:
        return known
    doc = "Why a value is unknown." if dot else "Why a class is empty."
    return replace(known, name=f"{INVENTORY}{item_class}.{name}", kind="text", unit="", doc=doc)


FIELDS: Final = table(
    (
        *_IDENTITY,
        *_LIVE,
        *_HOSTS,
        *_DESIRED,
        *_EVENTS,
        *_ALARMS,
        *_LATER,
        *(_inventory_field(field) for field in item_fields()),
    )
)
