"""What a kind of field can do: which values it takes, whether they have an order or take globs.

Leaves the fields themselves to fields.py. A label and a path are a text and a choice with a key;
severity and status are choices whose order is their rank.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from roost_central.fleet.query_values import (
    canonical_duration,
    canonical_number,
    canonical_size,
    canonical_time,
)

KindName: TypeAlias = Literal[
    "text",
    "label",
    "version",
    "enum",
    "path",
    "severity",
    "status",
    "number",
    "duration",
    "size",
    "time",
    "bool",
]


@dataclass(frozen=True, slots=True)
class Kind:
    """The abilities of a kind.

    Attributes:
        hint: What stands in "takes ..." of an error and of the documentation.
        types: What an object answers with; anything else counts as unknown.
        canonical: The one way to write a value, or None when it is not one.
        is_ordered: ``<`` and its like are allowed.
        takes_globs: ``:`` is a glob; elsewhere it means ``=``.
    """

    hint: str
    types: tuple[type, ...]
    canonical: Callable[[str], str | None]
    is_ordered: bool = False
    takes_globs: bool = False


def _as_written(text: str) -> str:
    """Take any text."""
    return text


def _boolean(text: str) -> str | None:
    """Take the two words of JSON."""
    return text if text in {"false", "true"} else None


_NUMBERS: Final = (int, float)

KINDS: Final[dict[KindName, Kind]] = {
    "text": Kind("text", (str,), _as_written, takes_globs=True),
    "label": Kind("text", (str,), _as_written, takes_globs=True),
    "version": Kind("a version", (str,), _as_written, is_ordered=True, takes_globs=True),
    "enum": Kind("a name", (str,), _as_written, takes_globs=True),
    "path": Kind("a path state", (str,), _as_written, takes_globs=True),
    "severity": Kind("a severity", (str,), _as_written, is_ordered=True, takes_globs=True),
    "status": Kind("a status", (str,), _as_written, is_ordered=True, takes_globs=True),
    "number": Kind("a number such as 12 or -0.5", _NUMBERS, canonical_number, is_ordered=True),
    "duration": Kind(
        "a duration such as 90s, 10m, 8h or 7d", _NUMBERS, canonical_duration, is_ordered=True
    ),
    "size": Kind("a size such as 64GiB or 500GB", _NUMBERS, canonical_size, is_ordered=True),
    "time": Kind(
        "a time such as 2026-11-01, 2026-11-01T03:00:00Z or -24h",
        _NUMBERS,
        canonical_time,
        is_ordered=True,
    ),
    "bool": Kind("true or false", (bool,), _boolean),
}
