"""Takes what a node has instead of what it was told: a profile of that node, to be reviewed. Pure.

The file is made here and goes the way of all others: people look at it, and a preview says what it
does. One profile of a node holds all that was adopted there. What another profile of the node says
is changed there: that file is a person's.
"""

import hashlib
import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from roost_central.profiles.layer import Layer, Profile
from roost_protocol.profile.check import leaves
from roost_protocol.profile.field import Path, dotted

NAME_CHARS_MAX: Final = 63


@dataclass(frozen=True, slots=True)
class Found:
    """A setting that a node has otherwise: its path as TOML writes it, and the value as JSON."""

    setting: str
    value: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A profile that is not applied yet.

    Attributes:
        taken: the settings that it takes from the node.
        left: those that cannot be taken, each with why.
    """

    name: str
    source: str
    taken: list[str] = field(default_factory=list)
    left: dict[str, str] = field(default_factory=dict)


def name_of(node: str) -> str:
    """Return the name of the profile of what was adopted on a node."""
    name = f"adopted-{node.replace('.', '-')}"
    if len(name) <= NAME_CHARS_MAX:
        return name
    return f"adopted-{hashlib.blake2b(node.encode(), digest_size=16).hexdigest()}"


def draft(node: str, found: Iterable[Found], profiles: Iterable[Profile]) -> Draft:
    """Return the profile that says what a node has.

    Args:
        node: whose.
        found: what it has otherwise, by its own word.
        profiles: all that count; what was adopted there already stays.
    """
    made = Draft(name_of(node), "")
    values: dict[Path, Any] = {}
    others: dict[Path, str] = {}
    for profile in profiles:
        if profile.name == made.name:
            values = dict(leaves(profile.sections))
        elif profile.layer is Layer.NODE and profile.target == node:
            others |= dict.fromkeys((path for path, _ in leaves(profile.sections)), profile.name)
    for each in found:
        try:
            path, value = _path(each.setting), json.loads(each.value)
        except ValueError:  # of TOML and of JSON: cut, or empty
            made.left[each.setting] = (
                "it is not there, and a profile cannot say so"
                if not each.value
                else "the node told only the beginning of it"
            )
            continue
        if path in others:
            made.left[each.setting] = f"{others[path]} says it for this node: change it there"
            continue
        values[path] = value
        made.taken.append(each.setting)
    return Draft(made.name, _text(node, made.name, values), made.taken, made.left)


def _path(setting: str) -> Path:
    tree: Any = tomllib.loads(f"{setting} = 0")
    path: list[str] = []
    while isinstance(tree, dict):
        [(key, tree)] = tree.items()
        path.append(key)
    return tuple(path)


def _text(node: str, name: str, values: Mapping[Path, Any]) -> str:
    head = [
        "[profile]",
        f'name = "{name}"',
        f'text = "What was found on {node} and adopted"',
        f'node = "{node}"',
    ]
    return "\n".join([*head, *_tables(values)]) + "\n"


def _tables(values: Mapping[Path, Any]) -> Iterator[str]:
    by_table: dict[Path, dict[str, Any]] = {}
    for path, value in sorted(values.items()):
        by_table.setdefault(path[:-1], {})[path[-1]] = value
    for table, keys in sorted(by_table.items()):
        yield f"\n[{dotted(table)}]"
        for key, value in keys.items():
            yield f"{dotted((key,))} = {_value(value)}"


def _value(value: object) -> str:
    """Return a value as TOML writes it; text in JSON is a basic string of TOML."""
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    return json.dumps(value)
