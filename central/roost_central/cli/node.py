"""``roost node``: list and show nodes, their inventory and what changed in it."""

from typing import Any

import click

from roost_central.cli import desired, inventory, order, output, path, times
from roost_central.cli.client import Client, at
from roost_central.cli.exits import ExitCode
from roost_central.cli.failure import RefusedError
from roost_central.cli.node_identity import COMMANDS
from roost_central.cli.options import Asked, shared, show
from roost_central.cli.output import Column
from roost_central.cli.plain import plain
from roost_central.cli.verbs import Verbs


def _inventory_age(row: output.Row) -> str:
    known = row["inventory"]
    if known["gen"] is None:
        return "-"
    return times.age(known["age_s"]) + (" behind" if known["behind"] else "")


def _all_paths(row: output.Row) -> str:
    return " ".join(f"{path['path']}:{path['state']}" for path in row["paths"]) or "-"


def _paths(row: output.Row) -> str:
    """Return how many paths are up, and the names of those that are not."""
    paths = row["paths"]
    wrong = " ".join(f"{path['path']}:{path['state']}" for path in paths if path["state"] != "up")
    up = sum(path["state"] == "up" for path in paths)
    return f"{up}/{len(paths)} up {wrong}".rstrip() if paths else "-"


def _presence(row: output.Row) -> str:
    held = row.get("quarantine")
    return f"{row['presence']}, in quarantine" if held else str(row["presence"])


def _labels(row: output.Row) -> str:
    """Return the labels of its own; its site has more."""
    given: dict[str, str] = row.get("labels") or {}
    return " ".join(f"{key}={value}" for key, value in sorted(given.items())) or "-"


COLUMNS = [
    output.text("NODE", "node"),
    Column("PRESENCE", _presence, lambda row: row["presence"], whole=True),
    Column("HEARD", lambda row: times.age(row["age_s"]), lambda row: row["heard"], right=True),
    output.text("VIA", "via"),
    Column("PATHS", _paths, _all_paths),
    Column(
        "INVENTORY", _inventory_age, lambda row: row["inventory"]["as_of"], right=True, wide=True
    ),
    output.text("AGENT", "agent"),
    Column(
        "UPTIME", lambda row: times.age(row["uptime_s"]), lambda row: row["uptime_s"], right=True
    ),
    Column("LABELS", _labels, wide=True),
    output.text("BOOT", "boot_id", wide=True),
    output.number("INCARNATION", "incarnation", wide=True),
    output.number("SKEW MS", "clock_skew_ms", wide=True),
]


@click.group("node", cls=Verbs)
def command() -> None:
    """List and show nodes; order, replace, quarantine or revoke them."""


@command.command("list")
@shared(query=True, watch=True)
def list_(asked: Asked) -> None:
    """List nodes. HEARD is the age of the last word, VIA the path it came on."""

    def draw(client: Client) -> str:
        rows = client.pages("/api/v1/nodes", filter=asked.query)
        return output.render(rows, COLUMNS, asked.form, name="node")

    show(asked, draw)


@command.command("show")
@click.argument("node")
@shared(watch=True)
def show_(asked: Asked, node: str) -> None:
    """Show one node. As the centre last heard it, with the age of what it said."""

    def draw(client: Client) -> str:
        found = client.get(at("nodes", node))
        return (
            _text(found) if asked.form in {"table", "wide"} else output.document(found, asked.form)
        )

    show(asked, draw)


@command.command("inventory")
@click.argument("node")
@click.option(
    "--diff", "since", metavar="AGE", help="What changed since, e.g. 7d or an RFC 3339 time."
)
@click.option("--at", "when", metavar="TIME", help="The inventory as it was then.")
@click.option("-s", "--section", help="Only these classes, e.g. nic,disk.")
@shared()
def inventory_(
    asked: Asked, node: str, since: str | None, when: str | None, section: str | None
) -> None:
    """Show what a node is made of. With ages, and the reason for each gap."""
    client, address = asked.client(), at("nodes", node, "inventory")
    if since is not None:
        changes = list(client.pages(f"{address}/changes", since=since))
        output.write(changes, inventory.change_columns(asked), asked.form, name="section")
        if not changes and asked.form in {"table", "wide"} and output.is_terminal():
            click.echo(f"Nothing changed since {since}.", err=True)
        return
    found = client.get(address, at=when, section=section)
    absent = {*(section or "").split(",")} - {"", *found["sections"]}
    if absent:
        known = ", ".join(client.get(address, at=when)["sections"]) or "no class"
        raise RefusedError(
            f"{node} has no class {', '.join(sorted(absent))}; it has {known}", ExitCode.NOT_FOUND
        )
    click.echo(inventory.render(asked, found), nl=False)


def _text(found: dict[str, Any]) -> str:
    head = output.render([found], COLUMNS, "wide", name="node")
    waits = [{"lane": lane, **counts} for lane, counts in found["outbox"].items()]
    lanes = [
        output.text("LANE", "lane"),
        output.number("WAITING", "waiting_items"),
        output.number("BYTES", "waiting_bytes"),
        output.number("DROPPED", "dropped"),
    ]
    held = found.get("quarantine")
    node = found["node"]
    hint = f"what it said: roost node held {node}; let it out: roost node release {node}"
    why = f"in quarantine: {held['reason']}\n{hint}\n" if held else ""
    paths = output.render(found["paths"], path.COLUMNS[1:], "wide", name="path")
    return (
        f"{head}{plain(why, keep_newlines=True)}\n{paths}\n"
        f"{output.render(waits, lanes, 'table', name='lane')}"
    )


for each in (*COMMANDS, order.place, desired.command, desired.reapply):
    command.add_command(each)
