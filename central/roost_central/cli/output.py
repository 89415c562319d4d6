"""Rows to a terminal, to a pipe, to a program.

stdout carries data only. A terminal gets an aligned table and ages; a pipe gets the same columns,
tab-separated, with RFC 3339 times; json, yaml and ndjson carry every field, escaped to ASCII so
that a hostile string stays inert on a screen too.
"""

import csv
import io
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from roost_central.cli.failure import RefusedError
from roost_central.cli.plain import csv_cell, plain

Row = dict[str, Any]
FORMATS = ("table", "wide", "json", "yaml", "csv", "ndjson", "name")
GAP = 2  # between columns
CELL_CHARS_MIN = 4  # three and the mark that there is more
TABLE_CHARS_MIN = 60  # narrower terminals wrap instead of losing columns
STYLES = {
    "ok": "green", "online": "green", "up": "green",
    "degraded": "yellow", "flaky": "yellow", "maintenance": "cyan",
    "critical": "red", "major": "yellow", "minor": "yellow", "warning": "cyan",
    "down": "red", "unreachable": "red", "unknown": "magenta",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its heading, what it shows of a row, and what a program gets instead.

    Attributes:
        whole: other commands take what it shows, so a narrow terminal does not cut it.
    """

    heading: str
    show: Callable[[Row], str]
    raw: Callable[[Row], Any] | None = None
    wide: bool = False  # only with -o wide
    right: bool = False
    whole: bool = False


def text(heading: str, key: str, *, wide: bool = False, whole: bool = False) -> Column:
    """Return a column of one field, a dash where it is missing."""
    return Column(
        heading,
        lambda row: "-" if row.get(key) is None else str(row[key]),
        lambda row: row.get(key),
        wide=wide,
        whole=whole,
    )


def number(heading: str, key: str, *, wide: bool = False) -> Column:
    """Return a right-aligned column of one number."""
    return Column(
        heading,
        lambda row: "-" if row.get(key) is None else f"{row[key]:,}",
        lambda row: row.get(key),
        wide=wide,
        right=True,
    )


def write(rows: Iterable[Row], columns: Sequence[Column], form: str, *, name: str) -> None:
    """Write rows in one of FORMATS; ``name`` is the field that names a row."""
    sys.stdout.write(render(rows, columns, form, name=name))


def render(rows: Iterable[Row], columns: Sequence[Column], form: str, *, name: str) -> str:
    """Return rows in one of FORMATS, ending with a newline."""
    match form:
        case "json":
            return json.dumps(list(rows), indent=2) + "\n"
        case "ndjson":
            return "".join(json.dumps(row) + "\n" for row in rows)
        case "yaml":
            return as_yaml(list(rows))
        case "csv":
            return _csv(rows, columns)
        case "name":
            return "".join(f"{plain(str(row[name]))}\n" for row in rows)
        case _:
            shown = [column for column in columns if form == "wide" or not column.wide]
            return _table(list(rows), shown, form) if is_terminal() else _columns(rows, shown)


def document(value: Any, form: str) -> str:  # noqa: ANN401 - JSON
    """Return one document as json, yaml or ndjson.

    Raises:
        RefusedError: a form that needs rows.
    """
    if form in {"csv", "name"}:
        raise RefusedError(f"-o {form} is for lists; one document is shown as json, yaml or table")
    if form == "yaml":
        return as_yaml(value)
    if form == "ndjson":
        return json.dumps(value) + "\n"
    return json.dumps(value, indent=2) + "\n"


def as_yaml(value: Any) -> str:  # noqa: ANN401 - JSON
    """Return a document as YAML; the library escapes control characters by itself."""
    import yaml  # noqa: PLC0415 - 20 ms that only this format pays

    dumped: str = yaml.safe_dump(value, sort_keys=False, allow_unicode=False)
    return dumped


def is_terminal() -> bool:
    """Whether a person looks at stdout."""
    return sys.stdout.isatty()


def _csv(rows: Iterable[Row], columns: Sequence[Column]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")  # RFC 4180
    writer.writerow([_identifier(column.heading) for column in columns])
    for row in rows:
        cells = [column.raw(row) if column.raw else column.show(row) for column in columns]
        writer.writerow(["" if cell is None else csv_cell(str(cell)) for cell in cells])
    return out.getvalue()


def _identifier(heading: str) -> str:
    return heading.lower().replace(" %", "_percent").replace(" ", "_")


def _columns(rows: Iterable[Row], columns: Sequence[Column]) -> str:
    lines = ["\t".join(column.heading for column in columns)]
    for row in rows:
        cells = [column.raw(row) if column.raw else column.show(row) for column in columns]
        lines.append("\t".join("-" if cell is None else plain(str(cell)) for cell in cells))
    return "\n".join(lines) + "\n"


def _table(rows: list[Row], columns: Sequence[Column], form: str) -> str:
    """Return rows for a person; what does not fit is cut, but for names and for ``wide``."""
    shown = [[plain(column.show(row)) for column in columns] for row in rows]
    headings = [column.heading for column in columns]
    widths = [max(map(len, cells)) for cells in zip(headings, *shown, strict=True)]
    room = max(shutil.get_terminal_size().columns, TABLE_CHARS_MIN)
    needed = sum(widths) + GAP * len(widths)
    if len(shown) == 1 and needed > room:
        return _card(headings, shown[0])
    if form != "wide" and needed > room:
        told = [n for n in range(len(columns)) if n == 0 or {row[n] for row in shown} != {"-"}]
        columns, shown = [columns[n] for n in told], [[row[n] for n in told] for row in shown]
        widths = _fitted([widths[n] for n in told], columns, room)
    from rich.console import Console  # noqa: PLC0415 - 30 ms that a pipe need not pay
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, GAP, 0, 0))
    for column, width in zip(columns, widths, strict=True):
        side: Any = "right" if column.right else "left"
        table.add_column(column.heading, justify=side, no_wrap=True, width=width)
    for cells in shown:
        table.add_row(*(Text(cell, style=STYLES.get(cell, "")) for cell in cells))
    console = Console(
        no_color=bool(os.environ.get("NO_COLOR")), highlight=False, file=io.StringIO(),
        force_terminal=True, width=max(room, needed) if form == "wide" else room,
    )  # fmt: skip
    console.print(table)
    if not rows:
        console.print("(none)")
    written = console.file
    return written.getvalue() if isinstance(written, io.StringIO) else ""


def _fitted(widths: list[int], columns: Sequence[Column], room: int) -> list[int]:
    """Return widths that fit: the widest is cut first, names last, nothing below CELL_CHARS_MIN."""
    fitted = list(widths)
    over = sum(fitted) + GAP * len(fitted) - room
    cuttable = [n for n, column in enumerate(columns) if n and not column.whole]
    for some in (cuttable, range(len(columns))):
        while over > 0 and some:
            widest = max(some, key=fitted.__getitem__)
            if fitted[widest] <= CELL_CHARS_MIN:
                break
            fitted[widest] -= 1
            over -= 1
    return fitted


def _card(headings: list[str], cells: list[str]) -> str:
    """Return one row that is too wide for a table, a line for each column."""
    width = max(map(len, headings)) + GAP
    return "".join(
        f"{heading:<{width}}{cell}\n" for heading, cell in zip(headings, cells, strict=True)
    )
