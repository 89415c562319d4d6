"""``roost role``: what each role may."""

import click

from roost_central.cli import output
from roost_central.cli.options import Asked, shared
from roost_central.cli.output import Column
from roost_central.cli.verbs import Verbs

COLUMNS = [
    output.text("ROLE", "role"),
    Column("MAY", lambda row: ", ".join(row["permissions"])),
]


@click.group("role", cls=Verbs)
def command() -> None:
    """Show the roles that grants give."""


@command.command("list")
@shared()
def list_(asked: Asked) -> None:
    """List the roles and what each may."""
    output.write(asked.client().get("/api/v1/roles")["items"], COLUMNS, asked.form, name="role")
