"""``roost event``: what happened, by its own time."""

import click

from roost_central.cli import output, times
from roost_central.cli.client import Client
from roost_central.cli.exits import ExitCode
from roost_central.cli.failure import RefusedError
from roost_central.cli.options import Asked, shared, show
from roost_central.cli.output import Column
from roost_central.cli.verbs import Verbs

LIST_MAX = 200
SEQ_MAX = 2**53 - 1  # what JSON readers keep exactly
LATE_S_MIN = 5  # what a report may take without being called late


def _columns(asked: Asked) -> list[Column]:
    return [
        Column("AT", lambda row: asked.clock(row["at"]), lambda row: row["at"]),
        output.text("TYPE", "type"),
        output.text("SEVERITY", "severity", whole=True),
        Column("WHERE", lambda row: row["node"] or row["site"] or "-", whole=True),
        output.text("TEXT", "text", prose=True),
        Column(
            "LATE",
            lambda row: times.age(row["late_s"]) if (row["late_s"] or 0) > LATE_S_MIN else "",
            wide=True,
        ),
        output.text("ENTITY", "entity", wide=True),
        output.number("SEQ", "seq", wide=True),
    ]


@click.group("event", cls=Verbs)
def command() -> None:
    """List what happened."""


@command.command("list")
@click.option(
    "--limit",
    type=click.IntRange(1, 1000),
    default=LIST_MAX,
    show_default=True,
    help="How many at most.",
)
@shared(query=True, watch=True)
def list_(asked: Asked, limit: int) -> None:
    """List events, newest first."""

    def draw(client: Client) -> str:
        page = client.get("/api/v1/events", filter=asked.query, limit=limit)
        return output.render(page["items"], _columns(asked), asked.form, name="seq")

    show(asked, draw)


@command.command("show")
@click.argument("seq", type=click.IntRange(1, SEQ_MAX))
@shared()
def show_(asked: Asked, seq: int) -> None:
    """Show one event in full."""
    page = asked.client().get("/api/v1/events", after=seq - 1, limit=1)
    found = [row for row in page["items"] if row["seq"] == seq]
    if not found:
        sentence = (
            f"no event {seq}; it may have passed its time of keeping."
            "\n  `roost event list -o wide` shows the numbers of those that are kept."
        )
        raise RefusedError(sentence, ExitCode.NOT_FOUND)
    form = "yaml" if asked.form in {"table", "wide"} else asked.form
    click.echo(output.document(found[0], form), nl=False)
