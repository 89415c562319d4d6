"""Reads catalogue files: YAML into records, every fault with its file, line and reason.

Leaves the form of a field to catalogue_yaml.py, the links between records to catalogue_links.py.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final, TypeVar, cast, get_args

import yaml

from roost_central.alarms.catalogue import NEVER, Catalogue, Record
from roost_central.alarms.catalogue_links import check_links
from roost_central.alarms.catalogue_yaml import (
    NUMBERS,
    Fault,
    Fields,
    boolean,
    choice,
    compose,
    line_of,
    listed,
    matching,
    number,
    reason_of,
    text_of,
)
from roost_central.alarms.causes import CAUSES, EVENT_TYPES
from roost_central.config import ConfigFaultsError
from roost_protocol.catalogue import PLACEHOLDER, Delays, Source
from roost_protocol.limits import ALARM_TEXT_BYTES_MAX, ENTITY_PAIRS_MAX, PARAMS_MAX
from roost_protocol.severity import Severity

SHIPPED: Final = "catalogue.yaml"
FILE_BYTES_MAX: Final = 1 << 20
TYPES_MAX: Final = 5_000
REPAIR_CHARS_MAX: Final = 1_000
DELAY_S_MAX: Final = 86_400
SEVERITIES: Final = tuple(each.word for each in Severity if each)
OWN_TEXT: Final = "*"
CUSTOMER_SOURCES: Final = ("agent", "app")  # nothing else of a customer's can raise one

_ID: Final = re.compile(r"[0-9]{3}\.[0-9]{3}", re.ASCII)
_NAME: Final = re.compile(r"[a-z][a-z0-9-]*(?:\.[a-z0-9][a-z0-9-]*){0,4}", re.ASCII)
_KIND: Final = re.compile(r"[a-z][a-z0-9-]{0,15}\??", re.ASCII)
_PARAM: Final = re.compile(r"[a-z][a-z0-9_]{0,31}", re.ASCII)
_ALWAYS: Final = frozenset({"value", "limit", "unit"})
_NEEDED: Final = ("name", "source", "severities", "default", "repair", "x733")
_KNOWN: Final = (
    *_NEEDED,
    "entity",
    "params",
    "mgmt_affecting",
    "degrade_affecting",
    "suppressible",
    "unit",
    "limits",
    "delays",
    "latch",
    "inhibited_by",
    "root_causes",
    "event",
    "retired",
    "not_yet",
)

T = TypeVar("T")


class CatalogueError(ConfigFaultsError):
    """Catalogue files with faults; each is ``file:line: reason``."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record stands."""

    file: str
    line: int


@cache
def shipped() -> Catalogue:
    """Return the catalogue that comes with this package.

    Raises:
        CatalogueError: with every fault.
    """
    return load([])


def load(customers: Iterable[Path]) -> Catalogue:
    """Return the shipped catalogue with customers' files added.

    Raises:
        CatalogueError: with every fault of every file.
    """
    reader = _Reader()
    text = (files("roost_central.alarms") / SHIPPED).read_bytes()
    reader.read(SHIPPED, text, is_own=True)
    for path in customers:
        try:
            reader.read(str(path), path.read_bytes(), is_own=False)
        except OSError as err:
            reader.faults.append(f"{path}: {err.strerror}")
    return reader.finish()


def parse(name: str, text: bytes) -> Catalogue:
    """Return the catalogue in one file, checked as our own is.

    Raises:
        CatalogueError: with every fault.
    """
    reader = _Reader()
    reader.read(name, text, is_own=True)
    return reader.finish()


@dataclass(slots=True)
class _Reader:
    """Collects records and faults over files."""

    faults: list[str] = field(default_factory=list)
    records: dict[str, Record] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)

    def read(self, name: str, text: bytes, *, is_own: bool) -> None:
        """Read one file."""
        if len(text) > FILE_BYTES_MAX:
            self.faults.append(f"{name}: larger than {FILE_BYTES_MAX} bytes")
            return
        try:
            root = compose(text)
        except yaml.YAMLError as err:
            self.faults.append(f"{name}:{line_of(err)}: {reason_of(err)}")
            return
        if not isinstance(root, yaml.MappingNode):
            self.faults.append(f"{name}:1: a catalogue is a mapping of ids to types")
            return
        for key, value in root.value:
            self._entry(name, key, value, is_own=is_own)

    def finish(self) -> Catalogue:
        """Return the catalogue.

        Raises:
            CatalogueError: with every fault.
        """
        for type_, reason in check_links(self.records):
            place = self.places[type_]
            self.faults.append(f"{place.file}:{place.line}: {type_}: {reason}")
        if len(self.records) > TYPES_MAX:
            self.faults.append(f"there are {len(self.records)} types, at most {TYPES_MAX}")
        if self.faults:
            raise CatalogueError(self.faults)
        return Catalogue(self.records)

    def _entry(self, name: str, key: yaml.Node, value: yaml.Node, *, is_own: bool) -> None:
        place = Place(name, key.start_mark.line + 1)
        try:
            type_ = self._new_id(key)
            record = _record(type_, Fields.of(value, _KNOWN))
            if not is_own:
                _check_customers(record, value)
        except Fault as fault:
            self.faults.append(f"{name}:{fault.line}: {_cut(key)}: {fault.reason}")
            return
        self.records[type_] = record
        self.places[type_] = place

    def _new_id(self, key: yaml.Node) -> str:
        type_ = _id(key)
        first = self.places.get(type_)
        if first is not None:
            raise Fault(key, f"stands at {first.file}:{first.line} too")
        return type_


def _record(type_: str, fields: Fields) -> Record:
    for name in _NEEDED:
        if name not in fields.by_name:
            raise Fault(fields.node, f"{name} is missing")
    no_texts: dict[str, str] = {}
    x733 = fields.take("x733", _x733, _X733("other", "unknown", frozenset()))
    record = Record(
        id=type_,
        name=fields.take("name", matching(_NAME, "dotted words of a-z 0-9 -"), ""),
        source=cast("Source", fields.take("source", choice(get_args(Source)), "agent")),
        entity=fields.take("entity", listed(matching(_KIND, "kinds of a-z 0-9 -")), ()),
        params=fields.take("params", listed(matching(_PARAM, "names of a-z 0-9 _")), ()),
        severities=fields.take("severities", _texts, no_texts),
        default=fields.take("default", _severity, Severity.MAJOR),
        repair=fields.take("repair", _sentence, ""),
        event_type=x733.event_type,
        cause=x733.cause,
        service_affecting=x733.service_affecting,
        mgmt_affecting=fields.take("mgmt_affecting", _threshold, NEVER),
        degrade_affecting=fields.take("degrade_affecting", _threshold, NEVER),
        suppressible=fields.take("suppressible", boolean, default=True),
        unit=fields.take("unit", text_of, ""),
        limits=fields.take("limits", _limits, {}),
        delays=fields.take("delays", _delays, Delays()),
        latch=fields.take("latch", boolean, default=False),
        inhibited_by=fields.take("inhibited_by", listed(_id), ()),
        root_causes=fields.take("root_causes", listed(_id), ()),
        event=fields.take("event", boolean, default=False),
        retired=fields.take("retired", _sentence, ""),
        not_yet=fields.take("not_yet", _sentence, ""),
    )
    _check_whole(record, fields)
    return record


def _check_customers(record: Record, node: yaml.Node) -> None:
    if record.source not in CUSTOMER_SOURCES:
        raise Fault(node, f"source: one of {', '.join(CUSTOMER_SOURCES)}; the others are ours")


def _check_whole(record: Record, fields: Fields) -> None:
    """Check what is about more than one field."""
    node = fields.by_name["severities"]
    if len(record.entity) > ENTITY_PAIRS_MAX - 2:
        raise Fault(fields.node, f"entity: at most {ENTITY_PAIRS_MAX - 2} kinds")
    if len(record.params) > PARAMS_MAX:
        raise Fault(fields.node, f"params: at most {PARAMS_MAX}")
    names = {kind.removesuffix("?") for kind in record.entity} | set(record.params) | _ALWAYS
    for severity, text in record.severities.items():
        for name in PLACEHOLDER.findall(text):
            if name not in names:
                raise Fault(
                    node,
                    f"severities: {severity}: unknown placeholder {{{name}}}; "
                    f"known are {', '.join(sorted(names))}",
                )
        if "{" in PLACEHOLDER.sub("", text) or "}" in PLACEHOLDER.sub("", text):
            raise Fault(node, f"severities: {severity}: a brace that is no placeholder")
    allowed = SEVERITIES if OWN_TEXT in record.severities else tuple(record.severities)
    if record.default.word not in allowed:
        raise Fault(fields.by_name["default"], f"default: has no text; one of {', '.join(allowed)}")
    if not set(record.limits) <= set(allowed):
        raise Fault(fields.by_name["limits"], "limits: of a severity without a text")
    if record.limits and not record.unit:
        raise Fault(fields.by_name["limits"], "limits: need a unit")


@dataclass(frozen=True, slots=True)
class _X733:
    event_type: str
    cause: str
    service_affecting: frozenset[Severity]


def _x733(node: yaml.Node) -> _X733:
    fields = Fields.of(node, ("event_type", "cause", "service_affecting"))
    for name in ("event_type", "cause"):
        if name not in fields.by_name:
            raise Fault(node, f"{name} is missing")
    none: tuple[Severity, ...] = ()
    return _X733(
        fields.take("event_type", choice(EVENT_TYPES), ""),
        fields.take("cause", choice(CAUSES), ""),
        frozenset(fields.take("service_affecting", listed(_severity), none)),
    )


def _texts(node: yaml.Node) -> dict[str, str]:
    fields = Fields.of(node, (*SEVERITIES, OWN_TEXT))
    if not fields.by_name:
        raise Fault(node, "a text for one severity at least")
    found = {}
    for name, value in fields.by_name.items():
        text = text_of(value)
        if not text and name != OWN_TEXT:
            raise Fault(value, f"{name}: the text is missing")
        if len(text.encode()) > ALARM_TEXT_BYTES_MAX:
            raise Fault(value, f"{name}: at most {ALARM_TEXT_BYTES_MAX} bytes")
        found[name] = text
    return found


def _limits(node: yaml.Node) -> dict[str, float]:
    fields = Fields.of(node, SEVERITIES)
    return {name: number(value) for name, value in fields.by_name.items()}


def _delays(node: yaml.Node) -> Delays:
    fields = Fields.of(node, Delays.__struct_fields__)
    return Delays(**{name: fields.take(name, _delay, 0.0) for name in fields.by_name})


def _delay(node: yaml.Node) -> float:
    seconds = number(node)
    if not 0 <= seconds <= DELAY_S_MAX:
        raise Fault(node, f"from 0 to {DELAY_S_MAX}")
    return seconds


def _id(node: yaml.Node) -> str:
    if node.tag in NUMBERS:
        raise Fault(node, f"the id is read as a number: put it in quotes, {node.value!r}")
    return matching(_ID, "GGG.EEE, six digits")(node)


def _severity(node: yaml.Node) -> Severity:
    return Severity.of(choice(SEVERITIES)(node))


def _threshold(node: yaml.Node) -> int:
    word = choice((*SEVERITIES, "none"))(node)
    return NEVER if word == "none" else Severity.of(word)


def _sentence(node: yaml.Node) -> str:
    text = text_of(node).strip()
    if not 0 < len(text) <= REPAIR_CHARS_MAX:
        raise Fault(node, f"from 1 to {REPAIR_CHARS_MAX} characters")
    return text


def _cut(node: yaml.Node) -> str:
    return str(node.value)[:40]
