"""``roost path``: every path of every node."""

from collections.abc import Callable
from typing import Any

import click

from roost_central.cli import output, times
from roost_central.cli.client import Client, at
from roost_central.cli.exits import ExitCode
from roost_central.cli.failure import RefusedError
from roost_central.cli.options import Asked, shared, show
from roost_central.cli.output import Column
from roost_central.cli.verbs import Verbs


def round_trip(row: output.Row) -> str:
    """Return the last measured round trip in milliseconds."""
    return "-" if row["rtt_us"] is None else f"{row['rtt_us'] / 1000:.1f}"


def loss(row: output.Row) -> str:
    """Return the loss of the last hundred in percent."""
    return "-" if row["loss_permille"] is None else f"{row['loss_permille'] / 10:.1f}"


def _unless_unknown(show: Callable[[output.Row], str], key: str) -> Callable[[output.Row], Any]:
    return lambda row: None if row[key] is None else show(row)


COLUMNS = [
    output.text("NODE", "node"),
    output.text("PATH", "path"),
    output.text("KIND", "kind"),
    output.text("STATE", "state"),
    Column("RTT MS", round_trip, _unless_unknown(round_trip, "rtt_us"), right=True),
    Column("LOST %", loss, _unless_unknown(loss, "loss_permille"), right=True),
    Column("HEARD", lambda row: times.age(row["age_s"]), lambda row: row["heard"], right=True),
    output.text("SINCE", "since", wide=True),
]


@click.group("path", cls=Verbs)
def command() -> None:
    """List the paths of every node."""


@command.command("list")
@shared(query=True, watch=True)
def list_(asked: Asked) -> None:
    """List paths. HEARD is the centre's last arrival on it, for WAN paths."""

    def draw(client: Client) -> str:
        rows = client.pages("/api/v1/paths", filter=asked.query)
        if asked.form == "name":  # a path has no name of its own in a fleet
            return "".join(f"{row['node']}/{row['path']}\n" for row in rows)
        return output.render(rows, COLUMNS, asked.form, name="path")

    show(asked, draw)


@command.command("show")
@click.argument("node")
@click.argument("path")
@shared(watch=True)
def show_(asked: Asked, node: str, path: str) -> None:
    """Show one path of one node."""

    def draw(client: Client) -> str:
        found = client.get(at("nodes", node))
        rows = [{**row, "node": node} for row in found["paths"] if row["path"] == path]
        if not rows:
            known = ", ".join(row["path"] for row in found["paths"]) or "none yet"
            raise RefusedError(
                f"node {node} has no path {path!r}; it has {known}", ExitCode.NOT_FOUND
            )
        return output.render(rows, COLUMNS, asked.form, name="path")

    show(asked, draw)
