"""``roost label``: which labels there are, and a change of them on many sites or nodes."""

from collections import Counter
from typing import Any

import click

from roost_central.cli import many, output
from roost_central.cli.failure import RefusedError
from roost_central.cli.options import Asked, shared
from roost_central.cli.verbs import Verbs

COLUMNS = [
    output.text("LABEL", "label", whole=True),
    output.text("VALUE", "value"),
    output.number("SITES", "sites"),
    output.number("NODES", "nodes"),
]


@click.group("label", cls=Verbs)
def command() -> None:
    """Group sites and nodes by labels, one or all that match."""


def _whose(verb: Any) -> Any:  # noqa: ANN401 - click's own types
    """Give a verb whose labels it changes."""
    for option in (
        click.option("--site", "sites", multiple=True, help="This site; may be repeated."),
        click.option("--node", "nodes", multiple=True, help="This node; may be repeated."),
        click.option("--nodes", "is_nodes", is_flag=True, help="-q is for nodes, not for sites."),
    ):
        verb = option(verb)
    return shared(query=True)(many.targets(verb))


@command.command("list")
@shared(query=True)
def list_(asked: Asked) -> None:
    """List labels with how many sites have each, and how many nodes of their own."""
    client = asked.client()
    of_sites = _counted(client.pages("/api/v1/sites", filter=asked.query, fields="site,labels"))
    of_nodes = _counted(client.pages("/api/v1/nodes", filter=asked.query, fields="node,labels"))
    rows = [
        {"label": key, "value": value, "sites": of_sites[key, value], "nodes": of_nodes[key, value]}
        for key, value in sorted({*of_sites, *of_nodes})
    ]
    output.write(rows, COLUMNS, asked.form, name="label")


@command.command("set")
@click.argument("pairs", metavar="KEY=VALUE...", nargs=-1, required=True)
@_whose
def set_(asked: Asked, pairs: tuple[str, ...], **whose: Any) -> None:  # noqa: ANN401
    """Set labels, e.g. wave=2, of sites or nodes; their other labels stay.

    A node's own label counts before its site's.
    """
    labels: dict[str, str] = {}
    for pair in pairs:
        key, separator, value = pair.partition("=")
        if not (separator and value):
            raise RefusedError(f"{pair!r}: say KEY=VALUE; `roost label remove KEY` removes one")
        labels[key] = value
    _act(asked, {"set": labels}, **whose)


@command.command("remove")
@click.argument("keys", metavar="KEY...", nargs=-1, required=True)
@_whose
def remove(asked: Asked, keys: tuple[str, ...], **whose: Any) -> None:  # noqa: ANN401
    """Take labels away from sites or nodes."""
    _act(asked, {"remove": list(keys)}, **whose)


def _act(
    asked: Asked,
    fields: dict[str, Any],
    *,
    sites: tuple[str, ...],
    nodes: tuple[str, ...],
    is_nodes: bool,
    **how: Any,  # noqa: ANN401 - of many.targets()
) -> None:
    if sites and (nodes or is_nodes):
        raise RefusedError("sites or nodes, not both: one act is for one kind")
    noun = "node" if nodes or is_nodes else "site"
    many.act(asked, noun, "label", fields, names=sites or nodes, **how)


def _counted(rows: Any) -> Counter[tuple[str, str]]:  # noqa: ANN401 - JSON
    return Counter(pair for row in rows for pair in row["labels"].items())
