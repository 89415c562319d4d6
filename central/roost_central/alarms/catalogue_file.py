"""Reads catalogue files: YAML into records, every fault with its file, line and reason.

Strict on purpose: no type is guessed, no field is passed over, no anchor is followed (an alias
can make a small file endless). Leaves the links between records to catalogue_links.py.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, TypeVar, cast, get_args

import yaml

from roost_central.alarms.catalogue import NEVER, Catalogue, Record
from roost_central.alarms.catalogue_links import check_links
from roost_central.alarms.causes import CAUSES, EVENT_TYPES
from roost_central.config import ConfigFaultsError
from roost_central.fleet.query_suggest import closest
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
_STRING: Final = "tag:yaml.org,2002:str"
_NUMBERS: Final = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")

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
            root = _compose(text)
        except yaml.YAMLError as err:
            self.faults.append(f"{name}:{_line_of(err)}: {_reason_of(err)}")
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
            record = _record(type_, _Fields.of(value, _KNOWN))
            if not is_own:
                _check_customers(record, value)
        except _Fault as fault:
            self.faults.append(f"{name}:{fault.line}: {_cut(key)}: {fault.reason}")
            return
        self.records[type_] = record
        self.places[type_] = place

    def _new_id(self, key: yaml.Node) -> str:
        type_ = _id(key)
        first = self.places.get(type_)
        if first is not None:
            raise _Fault(key, f"stands at {first.file}:{first.line} too")
        return type_


class _Fault(Exception):  # noqa: N818 - never leaves this module
    def __init__(self, node: yaml.Node, reason: str) -> None:
        super().__init__(reason)
        self.line = node.start_mark.line + 1
        self.reason = reason


@dataclass(slots=True)
class _Fields:
    """A mapping's fields by name, each with the node it stands at."""

    node: yaml.Node
    by_name: Mapping[str, yaml.Node]

    @classmethod
    def of(cls, node: yaml.Node, known: Iterable[str]) -> "_Fields":
        if not isinstance(node, yaml.MappingNode):
            raise _Fault(node, "must be a mapping")
        found: dict[str, yaml.Node] = {}
        for key, value in node.value:
            name = _text(key)
            if name in found:
                raise _Fault(key, f"{name!r} stands twice")
            if name not in known:
                near = closest(name, tuple(known))
                raise _Fault(key, f"unknown field {name!r}{f', meant {near!r}?' if near else ''}")
            found[name] = value
        return cls(node, found)

    def take(self, name: str, read: Callable[[yaml.Node], T], default: T) -> T:
        """Return a field read as something, the default where it is absent."""
        node = self.by_name.get(name)
        if node is None:
            return default
        try:
            return read(node)
        except _Fault as fault:
            fault.reason = f"{name}: {fault.reason}"
            raise


def _record(type_: str, fields: _Fields) -> Record:
    for name in _NEEDED:
        if name not in fields.by_name:
            raise _Fault(fields.node, f"{name} is missing")
    no_texts: dict[str, str] = {}
    x733 = fields.take("x733", _x733, _X733("other", "unknown", frozenset()))
    record = Record(
        id=type_,
        name=fields.take("name", _matching(_NAME, "dotted words of a-z 0-9 -"), ""),
        source=cast("Source", fields.take("source", _choice(get_args(Source)), "agent")),
        entity=fields.take("entity", _listed(_matching(_KIND, "kinds of a-z 0-9 -")), ()),
        params=fields.take("params", _listed(_matching(_PARAM, "names of a-z 0-9 _")), ()),
        severities=fields.take("severities", _texts, no_texts),
        default=fields.take("default", _severity, Severity.MAJOR),
        repair=fields.take("repair", _sentence, ""),
        event_type=x733.event_type,
        cause=x733.cause,
        service_affecting=x733.service_affecting,
        mgmt_affecting=fields.take("mgmt_affecting", _threshold, NEVER),
        degrade_affecting=fields.take("degrade_affecting", _threshold, NEVER),
        suppressible=fields.take("suppressible", _bool, default=True),
        unit=fields.take("unit", _text, ""),
        limits=fields.take("limits", _limits, {}),
        delays=fields.take("delays", _delays, Delays()),
        latch=fields.take("latch", _bool, default=False),
        inhibited_by=fields.take("inhibited_by", _listed(_id), ()),
        root_causes=fields.take("root_causes", _listed(_id), ()),
        event=fields.take("event", _bool, default=False),
        retired=fields.take("retired", _sentence, ""),
        not_yet=fields.take("not_yet", _sentence, ""),
    )
    _check_whole(record, fields)
    return record


def _check_customers(record: Record, node: yaml.Node) -> None:
    if record.source not in CUSTOMER_SOURCES:
        raise _Fault(node, f"source: one of {', '.join(CUSTOMER_SOURCES)}; the others are ours")


def _check_whole(record: Record, fields: _Fields) -> None:
    """Check what is about more than one field."""
    node = fields.by_name["severities"]
    if len(record.entity) > ENTITY_PAIRS_MAX - 2:
        raise _Fault(fields.node, f"entity: at most {ENTITY_PAIRS_MAX - 2} kinds")
    if len(record.params) > PARAMS_MAX:
        raise _Fault(fields.node, f"params: at most {PARAMS_MAX}")
    names = {kind.removesuffix("?") for kind in record.entity} | set(record.params) | _ALWAYS
    for severity, text in record.severities.items():
        for name in PLACEHOLDER.findall(text):
            if name not in names:
                raise _Fault(
                    node,
                    f"severities: {severity}: unknown placeholder {{{name}}}; "
                    f"known are {', '.join(sorted(names))}",
                )
        if "{" in PLACEHOLDER.sub("", text) or "}" in PLACEHOLDER.sub("", text):
            raise _Fault(node, f"severities: {severity}: a brace that is no placeholder")
    allowed = SEVERITIES if OWN_TEXT in record.severities else tuple(record.severities)
    if record.default.word not in allowed:
        raise _Fault(
            fields.by_name["default"], f"default: has no text; one of {', '.join(allowed)}"
        )
    if not set(record.limits) <= set(allowed):
        raise _Fault(fields.by_name["limits"], "limits: of a severity without a text")
    if record.limits and not record.unit:
        raise _Fault(fields.by_name["limits"], "limits: need a unit")


@dataclass(frozen=True, slots=True)
class _X733:
    event_type: str
    cause: str
    service_affecting: frozenset[Severity]


def _x733(node: yaml.Node) -> _X733:
    fields = _Fields.of(node, ("event_type", "cause", "service_affecting"))
    for name in ("event_type", "cause"):
        if name not in fields.by_name:
            raise _Fault(node, f"{name} is missing")
    none: tuple[Severity, ...] = ()
    return _X733(
        fields.take("event_type", _choice(EVENT_TYPES), ""),
        fields.take("cause", _choice(CAUSES), ""),
        frozenset(fields.take("service_affecting", _listed(_severity), none)),
    )


def _texts(node: yaml.Node) -> dict[str, str]:
    fields = _Fields.of(node, (*SEVERITIES, OWN_TEXT))
    if not fields.by_name:
        raise _Fault(node, "a text for one severity at least")
    found = {}
    for name, value in fields.by_name.items():
        text = _text(value)
        if not text and name != OWN_TEXT:
            raise _Fault(value, f"{name}: the text is missing")
        if len(text.encode()) > ALARM_TEXT_BYTES_MAX:
            raise _Fault(value, f"{name}: at most {ALARM_TEXT_BYTES_MAX} bytes")
        found[name] = text
    return found


def _limits(node: yaml.Node) -> dict[str, float]:
    fields = _Fields.of(node, SEVERITIES)
    return {name: _number(value) for name, value in fields.by_name.items()}


def _delays(node: yaml.Node) -> Delays:
    fields = _Fields.of(node, Delays.__struct_fields__)
    return Delays(**{name: fields.take(name, _delay, 0.0) for name in fields.by_name})


def _delay(node: yaml.Node) -> float:
    number = _number(node)
    if not 0 <= number <= DELAY_S_MAX:
        raise _Fault(node, f"from 0 to {DELAY_S_MAX}")
    return number


def _id(node: yaml.Node) -> str:
    if node.tag in _NUMBERS:
        raise _Fault(node, f"the id is read as a number: put it in quotes, {node.value!r}")
    return _matching(_ID, "GGG.EEE, six digits")(node)


def _severity(node: yaml.Node) -> Severity:
    return Severity.of(_choice(SEVERITIES)(node))


def _threshold(node: yaml.Node) -> int:
    word = _choice((*SEVERITIES, "none"))(node)
    return NEVER if word == "none" else Severity.of(word)


def _sentence(node: yaml.Node) -> str:
    text = _text(node).strip()
    if not 0 < len(text) <= REPAIR_CHARS_MAX:
        raise _Fault(node, f"from 1 to {REPAIR_CHARS_MAX} characters")
    return text


def _choice(choices: tuple[str, ...]) -> Callable[[yaml.Node], str]:
    def read(node: yaml.Node) -> str:
        word = _text(node)
        if word not in choices:
            near = closest(word, choices)
            hint = f", meant {near!r}?" if near else f"; one of {', '.join(choices)}"
            raise _Fault(node, f"unknown {word!r}{hint}")
        return word

    return read


def _matching(pattern: re.Pattern[str], rule: str) -> Callable[[yaml.Node], str]:
    def read(node: yaml.Node) -> str:
        text = _text(node)
        if not pattern.fullmatch(text):
            raise _Fault(node, f"{text[:40]!r} is not {rule}")
        return text

    return read


def _listed(read: Callable[[yaml.Node], T]) -> Callable[[yaml.Node], tuple[T, ...]]:
    def read_all(node: yaml.Node) -> tuple[T, ...]:
        if not isinstance(node, yaml.SequenceNode):
            raise _Fault(node, "must be a list")
        return tuple(read(each) for each in node.value)

    return read_all


def _text(node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode) or node.tag != _STRING:
        raise _Fault(node, "must be a text; put it in quotes")
    value: str = node.value
    return value


def _number(node: yaml.Node) -> float:
    if not isinstance(node, yaml.ScalarNode) or node.tag not in _NUMBERS:
        raise _Fault(node, "must be a number")
    try:
        return float(node.value)
    except ValueError:
        raise _Fault(node, "must be a plain number") from None


def _bool(node: yaml.Node) -> bool:
    if not isinstance(node, yaml.ScalarNode) or node.value not in {"true", "false"}:
        raise _Fault(node, "must be true or false")
    return bool(node.value == "true")


class _NoAliases(yaml.SafeLoader):
    def compose_node(self, parent: Any, index: Any) -> Any:  # noqa: ANN401 - PyYAML's own
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise yaml.MarkedYAMLError(
                problem="anchors and aliases are not read", problem_mark=event.start_mark
            )
        return super().compose_node(parent, index)


def _compose(text: bytes) -> yaml.Node | None:
    loader = _NoAliases(text)
    try:
        root: yaml.Node | None = loader.get_single_node()
    except (UnicodeDecodeError, RecursionError) as err:
        raise yaml.YAMLError(str(err)[:200]) from err
    finally:
        loader.dispose()
    return root


def _line_of(err: yaml.YAMLError) -> int:
    mark = getattr(err, "problem_mark", None)
    return mark.line + 1 if mark is not None else 1


def _reason_of(err: yaml.YAMLError) -> str:
    return str(getattr(err, "problem", None) or err)[:200]


def _cut(node: yaml.Node) -> str:
    return str(node.value)[:40]
