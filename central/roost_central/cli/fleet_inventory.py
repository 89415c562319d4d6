"""``roost inventory``: what the whole fleet is made of, where a part is, and what differs."""

import sys
from collections.abc import Iterator
from typing import Any

import click

from roost_central.cli import inventory, node, output
from roost_central.cli.client import Client, at
from roost_central.cli.failure import RefusedError
from roost_central.cli.options import Asked, shared
from roost_central.cli.output import Column, Row
from roost_central.cli.verbs import Verbs
from roost_central.fleet.inventory_fields import CLASSES, item_fields

INVENTORY = "/api/v1/inventory"
EXPORTS = {"csv": "text/csv", "ndjson": "application/x-ndjson"}
CLASS = click.Choice(list(CLASSES))

HITS = [
    output.text("NODE", "node", whole=True),
    output.text("CLASS", "class"),
    output.text("ITEM", "item", whole=True),
    output.text("FIELD", "field"),
    output.text("VALUE", "value", whole=True),
    output.text("SITE", "site", wide=True),
]

SOUGHT = (
    "Sought were whole serials, MACs, WWNs, PCI ids (8086:1592), firmware and packages, in either "
    "case; for a part of one ask `roost node list -q 'inv.disk.serial:*TEXT*'`"
)


@click.group("inventory", cls=Verbs)
def command() -> None:
    """List, search, compare and export what the fleet is made of."""


@command.command("list")
@click.argument("item_class", metavar="CLASS", type=CLASS)
@click.argument("where", default="")
@shared(query=True)
def list_(asked: Asked, item_class: str, where: str) -> None:
    """List the items of a CLASS. WHERE is what one item fulfils: 'driver=ice firmware<4.20'.

    -q says which nodes: -q 'region=r01 age<1h'. The columns are the starred fields of
    docs/query.md; -o wide has all.
    """
    path = at("inventory", "classes", item_class)
    is_any = False

    def told() -> Iterator[Row]:
        nonlocal is_any
        for each in asked.client().pages(path, filter=asked.query, where=where or None):
            is_any = True
            yield each

    output.write(told(), _columns(item_class), asked.form, name="node")
    if not is_any and asked.form in {"table", "wide"}:
        of = f" with {where!r}" if where else ""
        nodes = f"no node of {asked.query!r}" if asked.query else "no node that you see"
        hint = f"`roost inventory show NODE` says why a node has no {item_class}"
        article = "an" if item_class[0] in "aeio" else "a"
        click.echo(f"roost: {nodes} has {article} {item_class}{of}; {hint}", err=True)


def _columns(item_class: str) -> list[Column]:
    fields = [each for each in item_fields() if each.item_class == item_class]
    shown = {each.name for each in fields if each.is_indexed} or {each.name for each in fields}
    return [
        output.text("NODE", "node", whole=True),
        output.text("ITEM", "id"),
        *(_column(each.name, wide=each.name not in shown) for each in fields if each.name != "id"),
    ]


def _column(name: str, *, wide: bool) -> Column:
    def show(row: Row) -> str:
        if row["fields"].get(name) is None and name in row["missing"]:
            return f"({row['missing'][name]})"
        return inventory.shown(row["fields"].get(name))

    return Column(name.upper(), show, lambda row: _raw(row["fields"].get(name)), wide=wide)


def _raw(value: Any) -> Any:  # noqa: ANN401 - an inventory value
    return " ".join(map(str, value)) if isinstance(value, list) else value


@command.command("search")
@click.argument("text")
@shared()
def search(asked: Asked, text: str) -> None:
    """Find TEXT on any part. A serial, MAC, WWN, PCI id (8086:1592), firmware or package."""
    found = asked.client().get(f"{INVENTORY}/search", text=text)
    is_for_people = asked.form in {"table", "wide"} and output.is_terminal()
    if found["items"] or not is_for_people:
        output.write(found["items"], HITS, asked.form, name="node")
    if found["more"]:
        click.echo("roost: there is more; ask `roost node list -q 'inv.CLASS.FIELD=..'`", err=True)
    elif not found["items"]:
        click.echo(f"roost: no part in the fleet is {text!r}. {SOUGHT}", err=True)


@command.command("part")
@click.argument("item_class", metavar="CLASS", type=CLASS)
@click.argument("item")
@shared()
def part(asked: Asked, item_class: str, item: str) -> None:
    """Say where a part is and was. ITEM is its key, as `roost inventory search` shows it."""
    found = asked.client().get(f"{INVENTORY}/part", **{"class": item_class, "item": item})
    if asked.form in {"json", "yaml"}:
        click.echo(output.document(found, asked.form), nl=False)
        return
    if asked.form in {"table", "wide"}:
        click.echo(f"now in: {', '.join(found['nodes']) or 'no node'}", err=True)
        if not found["steps"]:
            hint = f"`roost inventory list {item_class}` has the items that there are"
            click.echo(f"roost: nothing is known of {item_class} {item!r}; {hint}", err=True)
            return
    steps = [
        Column("AT", lambda row: asked.clock(row["at"]), lambda row: row["at"]),
        output.text("NODE", "node", whole=True),
        output.text("WHAT", "what"),
        Column("FIELD", lambda row: row["field"] or "-", lambda row: row["field"] or None),
        Column("OLD", lambda row: inventory.shown(row["old"]), lambda row: row["old"]),
        Column("NEW", lambda row: inventory.shown(row["new"]), lambda row: row["new"]),
    ]
    output.write(found["steps"], steps, asked.form, name="node")


@command.command("diff")
@click.argument("a", metavar="NODE[@TIME]")
@click.argument("b", metavar="NODE[@TIME]", required=False)
@click.option("-s", "--section", help="Only these classes, e.g. nic,disk.")
@shared()
def diff(asked: Asked, a: str, b: str | None, section: str | None) -> None:
    """Compare two nodes, or one at two moments. Without the second: the node as it is now.

    Between two nodes, parts are matched by their place (a NIC by its interface's name); of one
    node by what they are, so a disk that was replaced is one that went and one that came.
    """
    node_a, a_at = _moment(a)
    node_b, b_at = _moment(b) if b else (node_a, None)
    if (node_a, a_at) == (node_b, b_at):
        hint = f"{node_a}@2026-11-01T03:00:00Z"
        raise RefusedError(f"nothing to compare: say another node, or a moment as in {hint}")
    found = asked.client().get(
        f"{INVENTORY}/compare", a=node_a, b=node_b, a_at=a_at, b_at=b_at, section=section
    )
    columns = [
        output.text("CLASS", "section"),
        output.text("ITEM", "item"),
        output.text("FIELD", "field"),
        Column("A", lambda row: inventory.shown(_side(row, "a")), lambda row: _side(row, "a")),
        Column("B", lambda row: inventory.shown(_side(row, "b")), lambda row: _side(row, "b")),
    ]
    output.write(found["items"], columns, asked.form, name="section")
    if found["more"]:
        click.echo("roost: there is more; -s names classes", err=True)


def _moment(text: str) -> tuple[str, str | None]:
    name, _, when = text.partition("@")
    return name, when or None


def _side(row: Row, side: str) -> Any:  # noqa: ANN401 - an inventory value
    """Return one side's value; of a whole class or item, whether it is there."""
    return "present" if not row["field"] and row[side] else row[side]


@command.command("history")
@click.argument("node", metavar="NODE")
@click.option(
    "--since", metavar="TIME", default="7d", show_default=True, help="A span, or an RFC 3339 time."
)
@shared()
def history(asked: Asked, node: str, since: str) -> None:
    """List what changed in a node, newest first."""
    found = asked.client().pages(f"{at('nodes', node, 'inventory')}/changes", since=since)
    output.write(found, inventory.change_columns(asked), asked.form, name="section")


@command.command("export")
@click.argument("item_class", metavar="CLASS", type=CLASS)
@click.argument("where", default="")
@shared(query=True)
def export(asked: Asked, item_class: str, where: str) -> None:
    """Write every item of a CLASS as csv or ndjson. WHERE and -q as in `roost inventory list`."""
    form = "csv" if asked.form == "table" else asked.form
    if form not in EXPORTS:
        hint = f"`roost inventory list` has {form}"
        raise RefusedError(f"-o {form}: an export is csv or ndjson; {hint}")
    path = at("inventory", "classes", item_class)
    client: Client = asked.client()
    for chunk in client.download(path, EXPORTS[form], filter=asked.query, where=where or None):
        sys.stdout.buffer.write(chunk)


command.add_command(node.inventory_, "show")
