"""``roost northbound``: where alarms go out, what waits there, and a test of each target."""

import click

from roost_central.cli import output
from roost_central.cli.client import Client, at
from roost_central.cli.exits import ExitCode
from roost_central.cli.failure import RefusedError
from roost_central.cli.options import Asked, shared, show
from roost_central.cli.output import Column
from roost_central.cli.verbs import Verbs

WHERE = "/api/v1/northbound"
ERROR_CHARS = 60


def _trouble(row: output.Row, *, chars_max: int | None = ERROR_CHARS) -> str:
    """Return why a target is not served, or what goes wrong now."""
    text = str(row["disabled"] or (row["last_error"] if row["failures"] else ""))
    return text if chars_max is None or len(text) <= chars_max else text[: chars_max - 1] + "…"


TARGETS = [
    output.text("TARGET", "name"),
    output.text("KIND", "kind"),
    output.text("STATE", "state"),
    output.number("WAITING", "queue"),
    output.number("SENT", "sent"),
    output.number("DEAD", "dead_letters"),
    output.text("TOOK", "worked"),
    Column("TROUBLE", _trouble, lambda row: _trouble(row, chars_max=None)),
    output.text("ADDRESS", "address", wide=True),
    output.number("CURSOR", "cursor", wide=True),
]
LETTERS = [
    output.text("TARGET", "target"),
    output.text("AT", "at"),
    output.number("SEQ", "seq"),
    output.text("ERROR", "error"),
    output.text("BODY", "body", wide=True),
]


@click.group("northbound", cls=Verbs)
def command() -> None:
    """List where alarms go out, and test it."""


@command.command("list")
@shared(watch=True)
def list_(asked: Asked) -> None:
    """List the targets with what waits for each."""

    def draw(client: Client) -> str:
        return output.render(client.get(WHERE)["targets"], TARGETS, asked.form, name="name")

    show(asked, draw)


@command.command("letters")
@shared()
def letters(asked: Asked) -> None:
    """List what was given up, newest first: the last hundred."""

    def draw(client: Client) -> str:
        return output.render(client.get(WHERE)["dead_letters"], LETTERS, asked.form, name="seq")

    show(asked, draw)


@command.command("test")
@click.argument("target")
@shared()
def test(asked: Asked, target: str) -> None:
    """Send a test message; one that works enables a target that was disabled."""
    answer = asked.client().send("POST", f"{at('northbound', target)}:test", b"")
    if not answer["delivered"]:
        sentence = f"{target} did not take the test message: {answer['error']}"
        raise RefusedError(sentence, ExitCode.CHECK_FAILED)
    click.echo(f"{target} took the test message")
