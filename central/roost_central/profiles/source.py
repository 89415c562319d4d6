"""Reads a profile's file: TOML, the table ``[profile]`` and sections of the schema. Pure.

Every fault is told at once, with its line. Nothing of a file with a fault is taken.
"""

import re
import tomllib
from collections.abc import Mapping
from typing import Any, Final

from roost_central.fleet.query import QueryError
from roost_central.fleet.query_suggest import hint
from roost_central.profiles.fault import ProfileFault
from roost_central.profiles.layer import (
    PRIORITY_MAX,
    PRIORITY_USUAL,
    SOURCE_BYTES_MAX,
    Layer,
    Profile,
)
from roost_central.profiles.selector import parse_selector
from roost_central.profiles.toml_lines import line_of, too_deep
from roost_protocol.errors import ProtocolError
from roost_protocol.profile.check import Fault, Tree, faults
from roost_protocol.profile.field import Field, Group, Part, Path, dotted
from roost_protocol.profile.schema import SECTIONS
from roost_protocol.topics import check_name, split_node_id

TEXT_CHARS_MAX: Final = 200
NAMES_SHOWN_MAX: Final = 20  # that a complaint lists: nobody reads more
NESTED_MAX: Final = 16  # brackets: no setting has more than some, and TOML is read by recursion
HEAD: Final = "profile"

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}", re.ASCII)
_TARGETS: Final = ("fleet", "select", "site", "node")
_KEYS: Final = ("name", "text", "priority", *_TARGETS, "everything", "nothing")
_AT: Final = re.compile(r" \(at line (\d+), column \d+\)$")


class ProfileError(Exception):
    """A profile that is refused; ``faults`` say why, at least one."""

    def __init__(self, faults_: list[ProfileFault]) -> None:
        super().__init__("; ".join(f"{each.where}: {each.detail}" for each in faults_))
        self.faults = faults_


def read_profile(source: str, file: str) -> Profile:
    """Return the profile in a file.

    Raises:
        ProfileError: with all that is wrong in it.
    """
    return _Reading(source, file).profile()


class _Reading:
    """One file while it is read: collects what is wrong."""

    def __init__(self, source: str, file: str) -> None:
        self._source = source
        self._file = file
        self._found: list[ProfileFault] = []

    def profile(self) -> Profile:
        tree = self._tree()
        head = tree.pop(HEAD, None)
        if not isinstance(head, dict):
            self._fault((HEAD,), "profile", "the table [profile] says what it is and whom for")
            head = {}
        layer, target = self._target(head) if head else (Layer.FLEET, "")
        profile = Profile(
            name=self._name(head),
            layer=layer,
            target=target,
            sections=tree,
            source=self._source,
            file=self._file,
            text=self._text(head),
            priority=self._priority(head, layer),
            everything=self._flag(head, "everything", is_taken=layer is Layer.SELECT),
            nothing=self._flag(head, "nothing", is_taken=layer is not Layer.FLEET),
        )
        self._known_keys(head)
        for fault in faults(tree):
            self._fault(fault.path, fault.code, in_words(fault))
        if self._found:
            raise ProfileError(self._found)
        return profile

    def _tree(self) -> dict[str, Any]:
        size = len(self._source.encode())
        if size > SOURCE_BYTES_MAX:
            self._fault((), "profile", f"has {size} bytes, at most {SOURCE_BYTES_MAX}")
            raise ProfileError(self._found)
        try:
            return tomllib.loads(self._source)
        except RecursionError as err:
            detail = f"is nested too deep to be read: at most {NESTED_MAX} brackets in each other"
            line = too_deep(self._source, NESTED_MAX)
            raise ProfileError([ProfileFault(self._file, line, "", "toml", detail)]) from err
        except ValueError as err:  # no TOML, or a number of 4,301 digits
            said = str(err)
            line = int(found[1]) if (found := _AT.search(said)) else 0
            fault = ProfileFault(self._file, line, "", "toml", _AT.sub("", said)[:200])
            raise ProfileError([fault]) from err

    def _name(self, head: Tree) -> str:
        name = head.get("name")
        if isinstance(name, str) and _NAME.fullmatch(name):
            return name
        self._fault((HEAD, "name"), "profile", "must be 1 to 63 of a-z 0-9 -")
        return ""

    def _text(self, head: Tree) -> str:
        text = head.get("text", "")
        if isinstance(text, str) and len(text) <= TEXT_CHARS_MAX and text.isprintable():
            return text
        bound = f"must be one line of at most {TEXT_CHARS_MAX} characters"
        self._fault((HEAD, "text"), "profile", bound)
        return ""

    def _priority(self, head: Tree, layer: Layer) -> int:
        priority = head.get("priority", PRIORITY_USUAL)
        if "priority" in head and layer is not Layer.SELECT:
            self._fault((HEAD, "priority"), "profile", "is of profiles with a selector alone")
        elif type(priority) is not int or not 0 <= priority <= PRIORITY_MAX:
            bound = f"must be a whole number from 0 to {PRIORITY_MAX}"
            self._fault((HEAD, "priority"), "profile", bound)
        else:
            return priority
        return PRIORITY_USUAL

    def _flag(self, head: Tree, key: str, *, is_taken: bool) -> bool:
        flag = head.get(key, False)
        if type(flag) is not bool:
            self._fault((HEAD, key), "profile", "must be true or false")
        elif flag and not is_taken:
            self._fault((HEAD, key), "profile", "is not of profiles for this")
        return flag is True

    def _target(self, head: Tree) -> tuple[Layer, str]:
        given = [key for key in _TARGETS if key in head]
        if len(given) != 1:
            bound = f"says one of {', '.join(_TARGETS)}, not {' and '.join(given) or 'none'}"
            self._fault((HEAD, given[1] if given else "name"), "profile", bound)
            return Layer.FLEET, ""
        key, value = given[0], head[given[0]]
        if key == "fleet":
            if value is not True:
                self._fault((HEAD, key), "profile", "must be true; else leave it out")
            return Layer.FLEET, ""
        if not isinstance(value, str):
            self._fault((HEAD, key), "profile", "must be text")
            return Layer[key.upper()], ""
        return Layer[key.upper()], self._named(key, value)

    def _named(self, key: str, value: str) -> str:
        try:
            if key == "select":
                return parse_selector(value).canonical()
            if key == "site":
                return check_name(value, field="site")
            split_node_id(value)
        except QueryError as err:
            meant = f"; did you mean {err.suggestion}?" if err.suggestion else ""
            line = line_of(self._source, (HEAD, key))
            self._found.append(
                ProfileFault(
                    self._file, line, f"{HEAD}.{key}", "selector", f"{err.message}{meant}",
                    offset=err.offset, length=err.length,
                )
            )  # fmt: skip
        except ProtocolError as err:
            self._fault((HEAD, key), "profile", f"{value[:80]!r} is no {key}: {err.bound}")
        return value

    def _known_keys(self, head: Mapping[str, Any]) -> None:
        for key in head:
            if key not in _KEYS:
                self._fault((HEAD, key), "profile", f"is not known{hint(key, _KEYS)}")

    def _fault(self, path: Path, code: str, detail: str) -> None:
        line = line_of(self._source, path) if path else 0
        self._found.append(ProfileFault(self._file, line, dotted(path), code, detail))


def in_words(fault: Fault) -> str:
    """Return the sentence of a fault of the schema, with the setting that may have been meant."""
    if fault.code in {"section", "field"}:
        names = _names_at(fault.path[:-1])
        there = f"; there is {fault.bound}"
        if len(names) > NAMES_SHOWN_MAX:
            there = f"; there are {len(names)} others: docs/settings.md"
        return fault.sentence.partition(";")[0] + (hint(fault.path[-1], names) or there)
    return fault.sentence


def _names_at(path: Path) -> list[str]:
    part: Part | None = Group(SECTIONS)
    for key in path:
        part = None if part is None or isinstance(part, Field) else part.part(key)
    return list(part.parts) if isinstance(part, Group) else []
