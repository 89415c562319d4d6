"""``roost token``: secrets for programs, each with an end, and with less than its owner may."""

from pathlib import Path
from typing import Any

import click

from roost_central.cli import output, settings, times
from roost_central.cli.client import JSON, Client, at
from roost_central.cli.failure import RefusedError
from roost_central.cli.grant_text import body, grant_text, grants_of
from roost_central.cli.options import Asked, shared
from roost_central.cli.output import Column
from roost_central.cli.verbs import Verbs

TOKENS = "/api/v1/tokens"


def _columns(asked: Asked) -> list[Column]:
    def clock(heading: str, key: str) -> Column:
        return Column(heading, lambda row: asked.clock(row[key]), lambda row: row[key])

    return [
        output.text("NAME", "name"),
        output.text("OWNER", "owner"),
        Column("GRANTS", lambda row: grant_text(row["grants"])),
        clock("EXPIRES", "expires"),
        clock("LAST USED", "used"),
        Column(
            "CREATED",
            lambda row: asked.clock(row["created"]),
            lambda row: row["created"],
            wide=True,
        ),
    ]


@click.group("token", cls=Verbs)
def command() -> None:
    """Make and revoke tokens for programs."""


@command.command("list")
@click.option("--all", "is_all", is_flag=True, help="Of everybody; an admin's to see.")
@shared()
def list_(asked: Asked, *, is_all: bool) -> None:
    """List your tokens. A token itself is never shown again."""
    page = asked.client().get(TOKENS, of="all" if is_all else None)
    output.write(page["items"], _columns(asked), asked.form, name="name")


@command.command("create")
@click.argument("name")
@click.option(
    "--grant",
    "grants",
    multiple=True,
    metavar="ROLE[@QUERY]",
    help="Less than you may; may be repeated.",
)
@click.option(
    "--for", "length", metavar="TIME", default="90d", show_default=True, help="365d at most."
)
@click.option(
    "--file",
    "path",
    type=click.Path(dir_okay=False),
    help="Write it here, mode 0600.",
)
@shared()
def create(asked: Asked, name: str, grants: tuple[str, ...], length: str, path: str | None) -> None:
    """Make a token and write it to standard output, this once."""
    given = grants_of(grants) if grants else None
    try:
        for_s = times.span(length)
    except RefusedError as err:
        raise RefusedError(f"--for: {err.sentence}") from err
    sent, client = body(name=name, grants=given, for_s=for_s), asked.client()
    made = client.send("POST", TOKENS, sent, headers=JSON)
    if path is not None:
        _keep(client, made, Path(path))
    elif asked.form in {"table", "wide"}:
        click.echo(made["token"])
    else:
        click.echo(output.document(made, asked.form), nl=False)
    until = asked.clock(made["expires"])
    click.echo(f"token {name} of {made['owner']} until {until}: {grant_text(given)}", err=True)


def _keep(client: Client, made: dict[str, Any], path: Path) -> None:
    """Write a token to a file; one that nobody can read is revoked, and its name is free again."""
    try:
        settings.write_private(path, f"{made['token']}\n")
    except OSError as err:
        client.send("DELETE", at("tokens", made["name"]), b"")
        raise RefusedError(f"--file {path}: {err.strerror}; no token was made") from None


@command.command("revoke")
@click.argument("name")
@shared()
def revoke(asked: Asked, name: str) -> None:
    """Revoke a token: it is refused from now on."""
    asked.client().send("DELETE", at("tokens", name), b"")
