"""``roost view``: pages of the console with their filter, kept under a name."""

import json
from typing import Any
from urllib.parse import parse_qs, urlencode

import click

from roost_central.cli import output
from roost_central.cli.client import JSON, Client, at
from roost_central.cli.exits import ExitCode
from roost_central.cli.failure import RefusedError
from roost_central.cli.options import Asked, shared
from roost_central.cli.output import Column, Row
from roost_central.cli.verbs import Verbs

VIEWS = "/api/v1/views"
PAGES = ("alarms", "fleet", "incidents", "events", "inventory", "hosts", "drift")


def _filter(row: Row) -> str:
    """Return the filter that stands in the query of the address."""
    return parse_qs(str(row["query"])).get("q", [""])[0]


def _pairs(
    _ctx: click.Context, _param: click.Parameter, given: tuple[str, ...]
) -> list[tuple[str, str]]:
    pairs = [text.partition("=") for text in given]
    for name, equals, _ in pairs:
        if not name or not equals:
            raise RefusedError("--param: say NAME=VALUE, as it stands in the page's address")
    return [(name, value) for name, _, value in pairs]


COLUMNS = [
    output.text("NAME", "name"),
    output.text("PAGE", "page"),
    Column("FILTER", lambda row: _filter(row) or "-", lambda row: _filter(row) or None),
    output.text("LINK", "link", whole=True),
    output.text("QUERY", "query", wide=True),
    output.text("ID", "id", wide=True),
]


@click.group("view", cls=Verbs)
def command() -> None:
    """Keep pages of the console under a name, each with a link for others."""


@command.command("list")
@shared()
def list_(asked: Asked) -> None:
    """List the views that you keep. LINK is the path at this centre."""
    output.write(asked.client().get(VIEWS)["items"], COLUMNS, asked.form, name="name")


@command.command("save")
@click.argument("name")
@click.option(
    "--page", type=click.Choice(PAGES), default=PAGES[0], show_default=True, help="Which page."
)
@click.option(
    "--param",
    "params",
    multiple=True,
    metavar="NAME=VALUE",
    callback=_pairs,
    help="What else stands in the page's address: class=disk of the inventory, site=lab of drift; "
    "may be repeated.",
)
@shared(query=True)
def save(asked: Asked, name: str, page: str, params: list[tuple[str, str]]) -> None:
    """Keep a page with the filter -q under NAME. One of this name is replaced; its link stays."""
    client = asked.client()
    query = urlencode([*([("q", asked.query)] if asked.query else []), *params])
    body = json.dumps({"name": name, "page": page, "query": query}).encode()
    there = _found(client, name)
    method, path = ("PUT", at("views", there["id"])) if there else ("POST", VIEWS)
    _say(asked, client.send(method, path, body, headers=JSON))


@command.command("delete")
@click.argument("name")
@shared()
def delete(asked: Asked, name: str) -> None:
    """Remove a view. Its link leads nowhere from then on."""
    client = asked.client()
    there = _found(client, name)
    if there is None:
        sentence = f"you keep no view {name!r}; `roost view list` shows those that you keep"
        raise RefusedError(sentence, ExitCode.NOT_FOUND)
    client.send("DELETE", at("views", there["id"]), b"")


def _found(client: Client, name: str) -> Row | None:
    views: list[Row] = client.get(VIEWS)["items"]
    return next((view for view in views if view["name"] == name.strip()), None)


def _say(asked: Asked, view: dict[str, Any]) -> None:
    if asked.form in {"table", "wide"}:
        click.echo(f"{view['name']}: {view['link']}")
    else:
        click.echo(output.document(view, asked.form), nl=False)
