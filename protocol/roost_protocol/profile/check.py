"""Checks settings against the schema: every fault at once, each with its path and its bound. Pure.

Invariant: settings without a fault consist of known fields alone, each within its bound, and
encode to the same bytes on both sides.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from roost_protocol.profile.field import Field, Group, Keyed, Mark, Part, Path, dotted
from roost_protocol.profile.kinds import Value, shown
from roost_protocol.profile.schema import LATER, SECTIONS

Tree: TypeAlias = Mapping[str, Any]
FAULTS_MAX: Final = 100  # of one document: whoever makes more corrects these first


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one setting.

    Attributes:
        path: of keys, from the section on.
        code: ``section``, ``later``, ``field``, ``value`` or ``together``.
        bound: what may be there, in words.
        got: what is there; empty where that is no question.
    """

    path: Path
    code: str
    bound: str
    got: str = ""

    @property
    def where(self) -> str:
        """The path as TOML writes it."""
        return dotted(self.path)

    @property
    def sentence(self) -> str:
        """What is wrong, without the path."""
        match self.code:
            case "section":
                return f"there is no such section; there is {self.bound}"
            case "later":
                return "this release does not know this section yet"
            case "field":
                return f"there is no such setting; there is {self.bound}"
            case "value":
                return f"must be {self.bound}, not {self.got}"
            case _:
                return self.bound


def faults(sections: Tree) -> list[Fault]:
    """Return what is wrong with settings, at most FAULTS_MAX, in their order."""
    found: list[Fault] = []
    for fault in _faults(sections):
        found.append(fault)
        if len(found) == FAULTS_MAX:
            break
    return found


def leaves(sections: Tree) -> Iterator[tuple[Path, Value]]:
    """Yield every setting by its path; a list is one setting."""
    for key, value in sections.items():
        if isinstance(value, Mapping):
            for path, leaf in leaves(value):
                yield (key, *path), leaf
        else:
            yield (key,), value


def field_at(path: Path) -> Field | None:
    """Return the field that a path names, None where there is none."""
    part: Part | None = SECTIONS.get(path[0]) if path else None
    for key in path[1:]:
        part = None if part is None or isinstance(part, Field) else part.part(key)
    return part if isinstance(part, Field) else None


def mark_of(path: Path) -> Mark:
    """Return what a change of a known setting takes."""
    field = field_at(path)
    if field is None:
        raise AssertionError(f"no setting: {dotted(path)}")
    return field.mark


def _faults(sections: Tree) -> Iterator[Fault]:
    for name, tree in sections.items():
        section = SECTIONS.get(name)
        if section is not None:
            yield from _of_part(section, (name,), tree)
        elif name in LATER:
            yield Fault((name,), "later", f"one of {', '.join(SECTIONS)}")
        else:
            yield Fault((name,), "section", f"one of {', '.join(SECTIONS)}")


def _of_part(part: Part, path: Path, value: object) -> Iterator[Fault]:
    if isinstance(part, Field):
        if not part.kind.holds(value):
            yield Fault(path, "value", part.kind.bound, shown(value))
    elif not isinstance(value, Mapping):
        yield Fault(path, "value", "a table", shown(value))
    else:
        yield from _of_keys(part, path, value)


def _of_keys(part: Group | Keyed, path: Path, tree: Tree) -> Iterator[Fault]:
    if isinstance(part, Keyed) and len(tree) > part.most:
        yield Fault(path, "value", part.bound, f"{len(tree)} entries")
        return
    for key, value in tree.items():
        inner = part.part(key)
        if inner is None:
            yield Fault((*path, key), "field", part.bound)
        else:
            yield from _of_part(inner, (*path, key), value)
