"""Files, links and kernel values that a section owns: from what they should be to steps. Pure.

Invariants: a plan for what is there already is empty; what was there before roost set it is kept
once and put back when no setting wants it any more.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final, TypeAlias

from roost_agent.config_apply.section import Originals, Plan
from roost_agent.config_apply.step import PutFile, PutLink, PutValue, Step, Unit

HEAD: Final = (
    b"# Written by roost from the profiles of this node. It is written anew: change those.\n"
)


class Kind(Enum):
    """What stands at a path."""

    FILE = auto()
    LINK = auto()
    VALUE = auto()


@dataclass(frozen=True, slots=True)
class Target:
    """What should stand at a path.

    Attributes:
        units: act, each once, after a change of any target of theirs.
    """

    kind: Kind
    content: bytes
    units: tuple[Unit, ...] = ()


Targets: TypeAlias = Mapping[str, Target]
Found: TypeAlias = Mapping[str, bytes | None]


def plan(wanted: Targets, before: Targets, found: Found, originals: Originals) -> Plan:
    """Return the steps from what was found to what is wanted.

    Args:
        wanted: by path.
        before: what was applied; what of it is wanted no more goes back to its original.
        found: what stands at every path of both, None: nothing.
        originals: of paths that are owned already.
    """
    steps: list[Step] = []
    units: dict[Unit, None] = {}
    kept: dict[str, bytes | None] = {}
    for path, target in wanted.items():
        kept[path] = originals.get(path, found.get(path))
        _put(path, target, target.content, found.get(path), (steps, units))
    for path, target in before.items():
        if path not in wanted:
            _put(path, target, originals.get(path), found.get(path), (steps, units))
    steps += _forsaken({*wanted, *before}, found, originals)
    return Plan((*steps, *units), kept)


def _forsaken(owned: Set[str], found: Found, originals: Originals) -> list[Step]:
    """Return the steps that give back files of a program that is not asked any more.

    Another one took its place since, so no setting leads to them: what is still as roost wrote it
    goes back to what was there before; what somebody else has written since is his.
    """
    return [
        PutFile(path, there, original)
        for path, original in originals.items()
        if path not in owned and (there := found.get(path)) is not None and there.startswith(HEAD)
    ]


def _put(
    path: str,
    target: Target,
    content: bytes | None,
    there: bytes | None,
    to: tuple[list[Step], dict[Unit, None]],
) -> None:
    steps, units = to
    match target.kind:
        case Kind.VALUE:
            # Without the original nobody knows what to write: it stays, and goes with the boot.
            if there is None or content is None or same(there, content):
                return
            steps.append(PutValue(path, there, content))
        case Kind.FILE if there != content:
            steps.append(PutFile(path, there, content))
        case Kind.LINK if there != content:
            steps.append(PutLink(path, there, content))
        case _:
            return
    units.update(dict.fromkeys(target.units))


def same(one: bytes, other: bytes) -> bool:
    """Say whether two values of the kernel's are the same: its tabs and line ends do not count."""
    return one.split() == other.split()


def words(raw: bytes | None) -> list[str]:
    """Return the words of a value; none where there is none."""
    return [] if raw is None else raw.decode("utf-8", "replace").split()


def numbers(raw: bytes | None) -> list[int] | None:
    """Return the whole numbers of a value, None where it is none."""
    try:
        return [int(word) for word in words(raw)] or None
    except ValueError:
        return None


def file(lines: Sequence[str], *units: Unit) -> Target:
    """Return a text file of these lines, below a line that says whose it is."""
    return Target(Kind.FILE, HEAD + "".join(f"{line}\n" for line in lines).encode(), units)


def keys_of(raw: bytes | None) -> dict[str, str]:
    """Return what a file of ``key = value`` lines says; the last of a key counts."""
    lines = [] if raw is None else raw.decode("utf-8", "replace").splitlines()
    pairs = (line.partition("=") for line in lines if not line.lstrip().startswith(("#", ";")))
    return {key.strip(): value.strip() for key, mark, value in pairs if mark}
