"""``roost query``: the query language, explained by the centre that answers it."""

from typing import Any

import click

from roost_central.cli import output
from roost_central.cli.options import Asked, shared
from roost_central.cli.output import Column
from roost_central.cli.plain import plain
from roost_central.cli.verbs import Verbs

KINDS = ("site", "node", "event", "path", "alarm")
WHERE = {
    "memory": "in memory",
    "index": "by the index of the inventory",
    "documents": "by reading the documents of the nodes that are left: slow",
}
FIELDS = [
    output.text("FIELD", "name"),
    output.text("KIND", "kind"),
    Column("UNIT", lambda row: row["unit"] or "-", lambda row: row["unit"] or None),
    output.text("MEANING", "doc", whole=True),
]


@click.group("query", cls=Verbs)
def command() -> None:
    """Explain a query: its fields, and where each part is answered.

    The language is the same for -q, filter= and every page.
    """


@command.command("explain")
@click.argument("text", metavar="QUERY")
@click.option(
    "--on", type=click.Choice(KINDS), default="node", show_default=True, help="What it is asked on."
)
@shared()
def explain(asked: Asked, text: str, on: str) -> None:
    """Say what the centre makes of QUERY. Where each part is answered, and whether that is slow."""
    found = asked.client().get("/api/v1/query/explain", filter=text, on=on)
    if asked.form in {"table", "wide"}:
        click.echo(_text(found, is_wide=asked.form == "wide"), nl=False)
    else:
        click.echo(output.document(found, asked.form), nl=False)


def _text(found: dict[str, Any], *, is_wide: bool) -> str:
    said = plain(found["canonical"]) or "(everything)"
    lines = [f"{said}\n"]
    for step, part in enumerate(found["parts"], start=1):
        lines.append(f"{step}. {plain(part['text'])}  {WHERE[part['where']]}\n")
        for statement in part["statements"]:
            if is_wide:
                lines.append(f"     {plain(statement['sql'])}\n")
                lines.append(f"     with {plain(str(statement['parameters']))}\n")
            lines += [f"     {plain(line)}\n" for line in statement["plan"]]
    if found["fields"]:
        lines.append("\n" + output.render(found["fields"], FIELDS, "table", name="name"))
    return "".join(lines)
