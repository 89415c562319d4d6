"""Rows to a terminal, to a pipe, to a program.

stdout carries data only. A terminal gets an aligned table and ages; a pipe gets the same columns,
tab-separated, with RFC 3339 times; json, yaml and ndjson carry every field, escaped to ASCII so
that a hostile string stays inert on a screen too.
"""

import csv
import io
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from roost_central.cli import table
from roost_central.cli.failure import RefusedError
from roost_central.cli.plain import csv_cell, plain

Row = dict[str, Any]
FORMATS = ("table", "wide", "json", "yaml", "csv", "ndjson", "name")


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its heading, what it shows of a row, and what a program gets instead.

    Attributes:
        whole: a state, or what other commands take: a narrow terminal does not cut it.
        prose: a sentence: on a narrow terminal it is wrapped, never cut.
    """

    heading: str
    show: Callable[[Row], str]
    raw: Callable[[Row], Any] | None = None
    wide: bool = False  # only with -o wide
    right: bool = False
    whole: bool = False
    prose: bool = False


def text(
    heading: str, key: str, *, wide: bool = False, whole: bool = False, prose: bool = False
) -> Column:
    """Return a column of one field, a dash where it is missing."""
    return Column(
        heading,
        lambda row: "-" if row.get(key) is None else str(row[key]),
        lambda row: row.get(key),
        wide=wide,
        whole=whole,
        prose=prose,
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
            return table.draw(list(rows), shown, form) if is_terminal() else _columns(rows, shown)


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
