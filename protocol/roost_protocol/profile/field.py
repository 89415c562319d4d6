"""What the schema is made of: settings, groups of them, and groups whose keys have a form."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from roost_protocol.profile.kinds import Kind


class Mark(StrEnum):
    """What it takes until a changed value is in effect, the least first."""

    LIVE = "live"
    RESTART = "restart-service"  # a service of the node, at once: none of them carries traffic
    REBOOT = "reboot"  # nothing reboots by itself: it is shown as pending


@dataclass(frozen=True, slots=True)
class Field:
    """One setting: what it may be, what a change takes, and what it is for."""

    kind: Kind
    mark: Mark
    doc: str


@dataclass(frozen=True, slots=True)
class Group:
    """Settings by name, a closed list."""

    parts: Mapping[str, "Part"]

    def part(self, key: str) -> "Part | None":
        """Return what stands under a key, None where it is not known."""
        return self.parts.get(key)

    @property
    def bound(self) -> str:
        """The names."""
        return f"one of {', '.join(self.parts)}"


@dataclass(frozen=True, slots=True)
class Keyed:
    """The same under every key of a form.

    Attributes:
        pattern: of a whole key.
        form: the pattern in words.
        each: what stands under a key.
        most: entries.
        example: a key.
    """

    pattern: str
    form: str
    each: "Part"
    most: int
    example: str

    def part(self, key: str) -> "Part | None":
        """Return what stands under a key, None where it has not the form."""
        return self.each if re.fullmatch(self.pattern, key, re.ASCII) else None

    @property
    def bound(self) -> str:
        """The form."""
        return f"{self.form}, at most {self.most}"


Part: TypeAlias = Field | Group | Keyed
Path: TypeAlias = tuple[str, ...]

_BARE: Final = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_SPECIAL: Final = re.compile(r'["\\\x00-\x1f\x7f]')


def dotted(path: Path) -> str:
    """Return a path as TOML writes it: ``kernel.sysctl."vm.swappiness"``."""
    return ".".join(
        key if _BARE.fullmatch(key) else f'"{_SPECIAL.sub(_escape, key)}"' for key in path
    )


def _escape(found: re.Match[str]) -> str:
    """Return a character as a basic string of TOML has it."""
    return f"\\{found[0]}" if found[0] in {'"', "\\"} else f"\\u{ord(found[0]):04x}"
