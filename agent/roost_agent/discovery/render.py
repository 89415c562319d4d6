"""The document of a run as text for a person: one table a class, then what is missing and why.

Invariant: whatever a device or a file calls itself, no control character and no direction mark
reaches the terminal.
"""

import textwrap
from collections.abc import Iterator
from itertools import groupby
from typing import Any, Final

_CELL_CHARS_MAX: Final = 40  # of a table with several items
_VALUE_LINES_MAX: Final = 4  # of one field: more is for --json
_MISSING_NAMES_MAX: Final = 12  # fields named for each reason; the rest is a count
_BYTE_UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
_COLUMNS_MIN: Final = 60  # a narrower terminal wraps by itself
_GAP: Final = 2  # between columns
_KIBI: Final = 1_024

Items = dict[str, dict[str, Any]]


def render(document: dict[str, Any], columns: int) -> str:
    """Return the whole document, for a terminal of so many columns."""
    parts = [_section(name, entry, columns) for name, entry in document["sections"].items()]
    return "\n".join(parts)


def inert(text: str) -> str:
    """Return text that cannot steer a terminal: what does not print is escaped."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _section(name: str, entry: dict[str, Any], columns: int) -> str:
    items: Items = entry["items"]
    missing: dict[str, str] = dict(entry["missing"])
    why = missing.pop("*", None)
    count = "1 item" if len(items) == 1 else f"{len(items)} items"
    head = f"{inert(name)}  ({count}, {entry['cost_ms']} ms)"
    if why is not None:
        head += f"  {'incomplete' if items else 'nothing'}: {inert(why)}"
    if entry.get("dropped"):
        head += f"  {entry['dropped']} did not fit"
    width = max(columns, _COLUMNS_MIN) - _GAP
    lines = [*_body(items, width), *_missing(missing, width)]
    return "\n".join([head, *(" " * _GAP + line for line in lines)]) + "\n"


def _body(items: Items, columns: int) -> Iterator[str]:
    """Yield the items that have the same fields together: as a table where it fits."""
    for _, group in groupby(items.items(), key=lambda item: tuple(item[1])):
        alike = dict(group)
        rows = _rows(alike)
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        if len(alike) > 1 and sum(widths) + _GAP * len(widths) <= columns:
            yield from (_aligned(row, widths) for row in rows)
        else:
            yield from _lists(alike, columns, has_heads=len(items) > 1)


def _rows(items: Items) -> list[list[str]]:
    """Return a heading and one row an item; a column that no item has a value for is left out."""
    names = dict.fromkeys(
        name for fields in items.values() for name, value in fields.items() if value is not None
    )
    rows = [["id", *(inert(name) for name in names)]]
    for item, fields in items.items():
        cells = [_shown(name, fields.get(name)) for name in names]
        rows.append([_cut(cell) for cell in (inert(item), *cells)])
    return rows


def _lists(items: Items, columns: int, *, has_heads: bool) -> Iterator[str]:
    """Yield one line a field, below the id of its item; long values go on in their column."""
    margin = " " * _GAP if has_heads else ""
    for item, fields in items.items():
        if has_heads:
            yield inert(item)
        known = {
            inert(name): _shown(name, value) for name, value in fields.items() if value is not None
        }
        width = max(map(len, known), default=0)
        for name, shown in known.items():
            yield from textwrap.wrap(
                shown,
                columns,
                initial_indent=f"{margin}{name:<{width}}  ",
                subsequent_indent=" " * (len(margin) + width + _GAP),
                break_on_hyphens=False,  # an identifier stays one word
                max_lines=_VALUE_LINES_MAX,
                placeholder=" ...",
            )


def _cut(cell: str) -> str:
    return cell if len(cell) <= _CELL_CHARS_MAX else f"{cell[: _CELL_CHARS_MAX - 3]}..."


def _aligned(row: list[str], widths: list[int]) -> str:
    cells = (f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
    return "  ".join(cells).rstrip()


def _shown(name: str, value: Any) -> str:  # noqa: ANN401 - any value of the document
    """Return a value as people write it; the unit stands in the field's name."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) and name.endswith("_bytes"):
        return _bytes(value)
    if isinstance(value, list):
        members = [_shown(name, member) for member in value]
        return ("; " if any(" " in member for member in members) else " ").join(members) or "(none)"
    return inert(str(value))


def _bytes(size: int) -> str:
    """Return a size in the largest unit that keeps it above 1: exact ones without a fraction."""
    unit = 0
    rest = float(size)
    while abs(rest) >= _KIBI and unit < len(_BYTE_UNITS) - 1:
        rest /= _KIBI
        unit += 1
    return (
        f"{rest:.0f} {_BYTE_UNITS[unit]}"
        if rest.is_integer()
        else f"{rest:.1f} {_BYTE_UNITS[unit]}"
    )


def _missing(missing: dict[str, str], columns: int) -> Iterator[str]:
    """Yield one line a reason: the fields that lack a value, and in how many items."""
    reasons: dict[str, dict[str, int]] = {}
    for key, reason in missing.items():
        name = key.rpartition(".")[2]
        counts = reasons.setdefault(reason, {})
        counts[name] = counts.get(name, 0) + 1
    for reason, counts in sorted(reasons.items()):
        shown = [
            inert(name) if count == 1 else f"{inert(name)} x{count}"
            for name, count in list(counts.items())[:_MISSING_NAMES_MAX]
        ]
        more = len(counts) - len(shown)
        yield from textwrap.wrap(
            f"{inert(reason)}: {', '.join(shown)}{f', and {more} more' if more else ''}",
            columns,
            subsequent_indent=" " * _GAP,
        )
