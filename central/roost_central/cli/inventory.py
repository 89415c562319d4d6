"""An inventory as text: a table for each class, and the reason where a value is missing."""

import csv
import io
from typing import Any

from roost_central.cli import output, times
from roost_central.cli.options import Asked
from roost_central.cli.output import Column
from roost_central.cli.plain import csv_cell, plain

CELL_CHARS_MAX = 60  # a cell of a terminal's table; json and csv are never cut
NARROW_FIELDS_MAX = 7  # more fields than this, and each item is written as lines


def render(asked: Asked, found: dict[str, Any]) -> str:
    """Return the inventory of one node in the chosen form."""
    match asked.form:
        case "json" | "yaml" | "ndjson":
            return output.document(found, asked.form)
        case "csv":
            return _csv(found)
        case "name":
            return "".join(f"{plain(name)}\n" for name in found["sections"])
        case _:
            return _tables(found)


def _tables(found: dict[str, Any]) -> str:
    if found["gen"] is None:
        return f"{plain(found['node'])} · no inventory reported by then\n"
    late = " · behind the node's own digest, a snapshot was asked for" if found["behind"] else ""
    age = times.age(found["age_s"])
    head = f"{plain(found['node'])} · generation {found['gen']} · {age} old{late}\n"
    return head + "".join(_section(name, body) for name, body in found["sections"].items())


def change_columns(asked: Asked) -> list[Column]:
    """Return the columns of a history of changes."""
    return [
        Column("AT", lambda row: asked.clock(row["at"]), lambda row: row["at"]),
        output.number("GEN", "gen"),
        output.text("CLASS", "section"),
        output.text("ITEM", "item"),
        output.text("FIELD", "field"),
        Column("OLD", lambda row: shown(_side(row, "old")), lambda row: _side(row, "old")),
        Column("NEW", lambda row: shown(_side(row, "new")), lambda row: _side(row, "new")),
    ]


def _side(row: dict[str, Any], side: str) -> Any:  # noqa: ANN401 - an inventory value
    """Return the value before or after; of a whole class or item, whether it was there."""
    if row["field"] or row[side] is None:
        return row[side]
    return "present"


def _section(name: str, body: dict[str, Any]) -> str:
    items, missing = body["items"], body["missing"]
    title = f"\n{plain(name)}"
    if not items:
        return f"{title}: none ({missing.get('*', 'nothing found')})\n"
    fields = list(dict.fromkeys(field for row in items.values() for field in row))
    counted = f"{title} ({len(items)})\n"
    if len(fields) > NARROW_FIELDS_MAX or len(items) == 1:
        return counted + "".join(_lines(item, row, missing) for item, row in items.items())
    columns = [output.text("id", "")]
    columns += [_column(field, missing) for field in fields]
    rows = [{"": item, **row} for item, row in items.items()]
    return counted + output.render(rows, columns, "table", name="")


def _column(field: str, missing: dict[str, str]) -> Column:
    return Column(field, lambda row: _value(row[""], field, row, missing))


def _lines(item: str, row: dict[str, Any], missing: dict[str, str]) -> str:
    width = max((len(field) for field in row), default=0)
    lines = [f"  {plain(item)}"]
    lines += [
        f"    {plain(field):<{width}}  {plain(_value(item, field, row, missing))}" for field in row
    ]
    return "\n".join(lines) + "\n"


def _value(item: str, field: str, row: dict[str, Any], missing: dict[str, str]) -> str:
    if row.get(field) is None:
        return f"({missing[f'{item}.{field}']})" if f"{item}.{field}" in missing else "-"
    return shown(row[field])


def shown(value: Any) -> str:  # noqa: ANN401 - an inventory value
    """Return a value as a cell of a terminal's table."""
    text = (
        " ".join(map(str, value))
        if isinstance(value, list)
        else "-"
        if value is None
        else str(value)
    )
    if isinstance(value, bool):
        text = "yes" if value else "no"
    return text if len(text) <= CELL_CHARS_MAX else f"{text[: CELL_CHARS_MAX - 1]}…"


def _csv(found: dict[str, Any]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(["node", "class", "item", "field", "value", "reason"])
    for name, body in found["sections"].items():
        for item, row in body["items"].items():
            for field, value in row.items():
                reason = body["missing"].get(f"{item}.{field}", "")
                text = (
                    " ".join(map(str, value))
                    if isinstance(value, list)
                    else ""
                    if value is None
                    else str(value)
                )
                writer.writerow(
                    [csv_cell(cell) for cell in (found["node"], name, item, field, text, reason)]
                )
    return out.getvalue()
