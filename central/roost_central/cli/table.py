"""Rows as a table for a person, within the width of the terminal.

A table that does not fit loses first the columns that say nothing. Names and states are cut last
of all, and a sentence never: it is wrapped in its column, or stands in lines of its own below the
row it belongs to.
"""

import io
import os
import shutil
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from roost_central.cli.plain import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from roost_central.cli.output import Column, Row

GAP = 2  # between columns
CELL_CHARS_MIN = 4  # three and the mark that there is more
PROSE_CHARS_MIN = 30  # of a column of sentences; narrower ones are no longer read as such
TABLE_CHARS_MIN = 60  # narrower terminals wrap instead of losing columns
SILENT = {"-", "0", ""}  # a column of nothing else goes first
INDENT = 2  # of a sentence below its row
STYLES = {
    "ok": "green", "online": "green", "up": "green",
    "degraded": "yellow", "flaky": "yellow", "maintenance": "cyan",
    "critical": "red", "major": "yellow", "minor": "yellow", "warning": "cyan",
    "down": "red", "unreachable": "red", "unknown": "magenta",
}  # fmt: skip


def draw(rows: "list[Row]", columns: "Sequence[Column]", form: str) -> str:
    """Return rows as lines, headings first; only ``wide`` is wider than the terminal."""
    shown = [[plain(column.show(row)) for column in columns] for row in rows]
    widths = _widths(columns, shown)
    room = max(shutil.get_terminal_size().columns, TABLE_CHARS_MIN)
    needed = _total(widths)
    if len(shown) == 1 and needed > room:
        return _card([column.heading for column in columns], shown[0], room)
    if form == "wide" or needed <= room:
        return _lined(columns, shown, widths, max(room, needed))
    told = [n for n in range(len(columns)) if n == 0 or {row[n] for row in shown} - SILENT]
    columns, shown = [columns[n] for n in told], [[row[n] for n in told] for row in shown]
    widths = [widths[n] for n in told]
    prose = next((n for n, column in enumerate(columns) if column.prose), None)
    if prose is None or _total(widths) <= room:
        return _lined(columns, shown, _fitted(widths, columns, room), room)
    left = room - (_total(widths) - widths[prose])
    if left >= PROSE_CHARS_MIN:
        return _lined(columns, shown, [*widths[:prose], left, *widths[prose + 1 :]], room)
    return _below(columns, shown, prose, room)


def _total(widths: list[int]) -> int:
    return sum(widths) + GAP * (len(widths) - 1)


def _widths(columns: "Sequence[Column]", shown: list[list[str]]) -> list[int]:
    headings = [column.heading for column in columns]
    return [max(map(len, cells)) for cells in zip(headings, *shown, strict=True)]


def _below(columns: "Sequence[Column]", shown: list[list[str]], prose: int, room: int) -> str:
    """Return the table without its sentences, each of which then follows its row."""
    rest = [column for n, column in enumerate(columns) if n != prose]
    cells = [[cell for n, cell in enumerate(row) if n != prose] for row in shown]
    lines = _lined(rest, cells, _fitted(_widths(rest, cells), rest, room), room).splitlines()
    out = lines[:1]
    for line, row in zip(lines[1:], shown, strict=True):
        said = wrap(row[prose], room - INDENT) if row[prose] != "-" else []
        out += [line, *(" " * INDENT + part for part in said)]
    return "".join(f"{line}\n" for line in out)


def _lined(
    columns: "Sequence[Column]", shown: list[list[str]], widths: list[int], width: int
) -> str:
    from rich.console import Console  # noqa: PLC0415 - 30 ms that a pipe need not pay
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, GAP, 0, 0))
    for column, chars in zip(columns, widths, strict=True):
        side: Any = "right" if column.right else "left"
        table.add_column(
            column.heading, justify=side, no_wrap=not column.prose, overflow=_overflow(column),
            width=chars,
        )  # fmt: skip
    for cells in shown:
        table.add_row(*(Text(cell, style=STYLES.get(cell, "")) for cell in cells))
    console = Console(
        no_color=bool(os.environ.get("NO_COLOR")), highlight=False, file=io.StringIO(),
        force_terminal=True, width=width,
        height=len(shown) + 1,  # without one, rich takes a dumb terminal for 80 columns
    )  # fmt: skip
    console.print(table)
    if not shown:
        console.print("(none)")
    written = console.file
    return written.getvalue() if isinstance(written, io.StringIO) else ""


def _overflow(column: "Column") -> Any:  # noqa: ANN401 - a Literal of rich's, not imported here
    return "fold" if column.prose else "ellipsis"


def _fitted(widths: list[int], columns: "Sequence[Column]", room: int) -> list[int]:
    """Return widths that fit: the widest is cut first, names last, nothing below CELL_CHARS_MIN."""
    fitted = list(widths)
    over = _total(fitted) - room
    cuttable = [n for n, column in enumerate(columns) if n and not column.whole]
    for some in (cuttable, range(len(columns))):
        while over > 0 and some:
            widest = max(some, key=fitted.__getitem__)
            if fitted[widest] <= CELL_CHARS_MIN:
                break
            fitted[widest] -= 1
            over -= 1
    return fitted


def _card(headings: list[str], cells: list[str], room: int) -> str:
    """Return one row that is too wide for a table, a line for each column."""
    width = max(map(len, headings)) + GAP
    lines = []
    for heading, cell in zip(headings, cells, strict=True):
        parts = wrap(cell, max(room - width, PROSE_CHARS_MIN), break_long_words=False)
        first, *more = parts or [""]
        lines += [f"{heading:<{width}}{first}", *(" " * width + part for part in more)]
    return "".join(f"{line}\n" for line in lines)
