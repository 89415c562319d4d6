"""A YAML document as nodes that know their lines, and readers of single fields.

Strict on purpose: no type is guessed, no field is passed over, no anchor is followed (an alias
can make a small file endless). A reader takes a node and returns its value, or raises ``Fault``.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import yaml

from roost_central.fleet.query_suggest import closest

NUMBERS: Final = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
_STRING: Final = "tag:yaml.org,2002:str"

T = TypeVar("T")


class Fault(Exception):  # noqa: N818 - never leaves the reading of a file
    """What is wrong with a node, and where it stands."""

    def __init__(self, node: yaml.Node, reason: str) -> None:
        super().__init__(reason)
        self.line = node.start_mark.line + 1
        self.reason = reason


@dataclass(slots=True)
class Fields:
    """A mapping's fields by name, each with the node it stands at."""

    node: yaml.Node
    by_name: Mapping[str, yaml.Node]

    @classmethod
    def of(cls, node: yaml.Node, known: Iterable[str]) -> "Fields":
        """Return the fields of a mapping.

        Raises:
            Fault: it is no mapping, or has a field twice or one that is not known.
        """
        if not isinstance(node, yaml.MappingNode):
            raise Fault(node, "must be a mapping")
        found: dict[str, yaml.Node] = {}
        for key, value in node.value:
            name = text_of(key)
            if name in found:
                raise Fault(key, f"{name!r} stands twice")
            if name not in known:
                near = closest(name, tuple(known))
                raise Fault(key, f"unknown field {name!r}{f', meant {near!r}?' if near else ''}")
            found[name] = value
        return cls(node, found)

    def take(self, name: str, read: Callable[[yaml.Node], T], default: T) -> T:
        """Return a field read as something, the default where it is absent."""
        node = self.by_name.get(name)
        if node is None:
            return default
        try:
            return read(node)
        except Fault as fault:
            fault.reason = f"{name}: {fault.reason}"
            raise


def choice(choices: tuple[str, ...]) -> Callable[[yaml.Node], str]:
    """Return a reader of one of these words."""

    def read(node: yaml.Node) -> str:
        word = text_of(node)
        if word not in choices:
            near = closest(word, choices)
            hint = f", meant {near!r}?" if near else f"; one of {', '.join(choices)}"
            raise Fault(node, f"unknown {word!r}{hint}")
        return word

    return read


def matching(pattern: re.Pattern[str], rule: str) -> Callable[[yaml.Node], str]:
    """Return a reader of a text that the whole pattern matches; ``rule`` says it in words."""

    def read(node: yaml.Node) -> str:
        text = text_of(node)
        if not pattern.fullmatch(text):
            raise Fault(node, f"{text[:40]!r} is not {rule}")
        return text

    return read


def listed(read: Callable[[yaml.Node], T]) -> Callable[[yaml.Node], tuple[T, ...]]:
    """Return a reader of a list of what ``read`` reads."""

    def read_all(node: yaml.Node) -> tuple[T, ...]:
        if not isinstance(node, yaml.SequenceNode):
            raise Fault(node, "must be a list")
        return tuple(read(each) for each in node.value)

    return read_all


def text_of(node: yaml.Node) -> str:
    """Return a text; what YAML reads as a number or a truth is none."""
    if not isinstance(node, yaml.ScalarNode) or node.tag != _STRING:
        raise Fault(node, "must be a text; put it in quotes")
    value: str = node.value
    return value


def number(node: yaml.Node) -> float:
    """Return a number."""
    if not isinstance(node, yaml.ScalarNode) or node.tag not in NUMBERS:
        raise Fault(node, "must be a number")
    try:
        return float(node.value)
    except ValueError:
        raise Fault(node, "must be a plain number") from None


def boolean(node: yaml.Node) -> bool:
    """Return true or false, as YAML 1.2 writes them."""
    if not isinstance(node, yaml.ScalarNode) or node.value not in {"true", "false"}:
        raise Fault(node, "must be true or false")
    return bool(node.value == "true")


class _NoAliases(yaml.SafeLoader):
    def compose_node(self, parent: Any, index: Any) -> Any:  # noqa: ANN401 - PyYAML's own
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise yaml.MarkedYAMLError(
                problem="anchors and aliases are not read", problem_mark=event.start_mark
            )
        return super().compose_node(parent, index)


def compose(text: bytes) -> yaml.Node | None:
    """Return the one node of a document, None of an empty one.

    Raises:
        yaml.YAMLError: it is none.
    """
    loader = _NoAliases(text)
    try:
        root: yaml.Node | None = loader.get_single_node()
    except (UnicodeDecodeError, RecursionError) as err:
        raise yaml.YAMLError(str(err)[:200]) from err
    finally:
        loader.dispose()
    return root


def line_of(err: yaml.YAMLError) -> int:
    """Return the line of an error, 1 where it knows none."""
    mark = getattr(err, "problem_mark", None)
    return mark.line + 1 if mark is not None else 1


def reason_of(err: yaml.YAMLError) -> str:
    """Return the reason of an error, cut to 200 characters."""
    return str(getattr(err, "problem", None) or err)[:200]
