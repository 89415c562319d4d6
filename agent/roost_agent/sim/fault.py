"""Faults that the simulator plants, and the small language they are written in.

``KIND [NAME=PATTERN]... at=TIME for=TIME``, such as ``cut carrier=carB region=r0* at=30s for=1m``:

- ``cut``: nothing gets through, and nobody is told: only silence shows it;
- ``drop``: connections are reset, and refused while it lasts;
- ``reboot``: nodes are off, and come back with another boot.

Pure. Patterns are shell globs over the site, the node, the labels of the site, and the broker.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Final

from roost_agent.errors import AgentError

SELECTORS: Final = ("site", "node", "region", "carrier", "pe", "feed", "broker")
TIME_MS_MAX: Final = 30 * 86_400_000  # a WAN can be gone for a month; longer is a typing error
PATTERN_CHARS_MAX: Final = 64  # a name has 32, and room for the pattern's own signs
DEFAULT_FOR: Final = "30s"

_TIME: Final = re.compile(r"(\d{1,9})(ms|s|m|h)", re.ASCII)
_UNITS_MS: Final = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000}


class Kind(StrEnum):
    """What is done to the fleet."""

    CUT = "cut"
    DROP = "drop"
    REBOOT = "reboot"


class FaultError(AgentError):
    """A fault that was not written as the language wants it.

    Attributes:
        field: the word at fault.
        bound: what may stand there.
    """

    def __init__(self, field: str, got: str, bound: str) -> None:
        self.field = field
        self.bound = bound
        super().__init__(f"{field}: {got!r} is not {bound}")


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: what, where, from when and for how long, in ms after the start."""

    kind: Kind
    where: tuple[tuple[str, str], ...]
    at_ms: int
    for_ms: int

    def hits(self, names: Mapping[str, str]) -> bool:
        """Return whether all patterns match; ``broker`` is asked by ``hits_broker``."""
        return all(
            fnmatchcase(names[name], pattern) for name, pattern in self.where if name != "broker"
        )

    def hits_broker(self, broker: str) -> bool:
        """Return whether the way to this broker is meant."""
        return all(fnmatchcase(broker, text) for name, text in self.where if name == "broker")


def parse_fault(text: str) -> Fault:
    """Return the fault that ``text`` says.

    Raises:
        FaultError: with the word, and what may stand there.
    """
    kind, *words = text.split() or [""]
    if kind not in list(Kind):
        raise FaultError("fault", kind, f"one of {', '.join(Kind)}")
    times = {"at": "0s", "for": DEFAULT_FOR}
    where: dict[str, str] = {}
    for word in words:
        name, _, value = word.partition("=")
        if name in times:
            times[name] = value
        elif name in SELECTORS:
            where[name] = _pattern(name, value)
        else:
            raise FaultError("fault", word, f"NAME=PATTERN with {', '.join((*SELECTORS, *times))}")
    if kind == Kind.REBOOT and "broker" in where:
        raise FaultError("broker", where["broker"], "a matter of a reboot: a node has no broker")
    at_ms, for_ms = (parse_time(times[name], field=name) for name in ("at", "for"))
    return Fault(Kind(kind), tuple(where.items()), at_ms, for_ms)


def parse_time(text: str, *, field: str) -> int:
    """Return a time such as ``30s``, in ms.

    Raises:
        FaultError: it is no time, or a longer one than TIME_MS_MAX.
    """
    found = _TIME.fullmatch(text)
    if found is None:
        raise FaultError(field, text, "a number with ms, s, m or h, such as 30s")
    time_ms = int(found[1]) * _UNITS_MS[found[2]]
    if time_ms > TIME_MS_MAX:
        raise FaultError(field, text, f"at most {TIME_MS_MAX // _UNITS_MS['h']}h")
    return time_ms


def _pattern(name: str, value: str) -> str:
    if not 1 <= len(value) <= PATTERN_CHARS_MAX:
        raise FaultError(name, value, f"a pattern of 1 to {PATTERN_CHARS_MAX} characters")
    return value
