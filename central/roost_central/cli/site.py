"""``roost site``: list, show, add, edit, import, manage and remove sites; their topology."""

import copy
import json
import sys
from pathlib import Path
from typing import Any

import click

from roost_central.cli import many, node, output, path, times, topology
from roost_central.cli.client import JSON, Client, at
from roost_central.cli.exits import ExitCode
from roost_central.cli.failure import ApiError, RefusedError
from roost_central.cli.options import Asked, shared, show
from roost_central.cli.output import Column
from roost_central.cli.plain import plain
from roost_central.cli.verbs import Verbs


def _heard(row: output.Row) -> int:
    return int(row["nodes"]["online"] + row["nodes"]["degraded"])


def _labels(row: output.Row) -> str:
    return " ".join(f"{key}={value}" for key, value in sorted(row["labels"].items())) or "-"


def _sync(row: output.Row) -> str:
    """Return what is not in sync, or that the site is left alone."""
    if not row["managed"]:
        return "unmanaged"
    out = [subject for subject, word in row["sync"].items() if word == "out-of-sync"]
    if out:
        return f"out: {' '.join(out)}"
    return "unknown" if "unknown" in row["sync"].values() else "in-sync"


COLUMNS = [
    output.text("SITE", "site", whole=True),
    output.text("STATUS", "status", whole=True),
    Column("NODES", lambda row: f"{_heard(row)}/{row['nodes']['total']}", right=True),
    Column("HEARD", lambda row: times.age(row["age_s"]), lambda row: row["heard"], right=True),
    output.text("VIA", "via"),
    Column("SYNC", _sync),
    Column("LABELS", _labels),
    output.text("AVAILABILITY", "availability", wide=True),
    output.text("SINCE", "status_since", wide=True),
    output.number("SHARD", "shard", wide=True),
]


@click.group("site", cls=Verbs)
def command() -> None:
    """List, show and label sites."""


@command.command("list")
@shared(query=True, watch=True)
def list_(asked: Asked) -> None:
    """List sites. NODES is heard of all, HEARD the age of the last word, VIA its path."""

    def draw(client: Client) -> str:
        rows = client.pages("/api/v1/sites", filter=asked.query)
        return output.render(rows, COLUMNS, asked.form, name="site")

    show(asked, draw)


@command.command("show")
@click.argument("site")
@shared(watch=True)
def show_(asked: Asked, site: str) -> None:
    """Show one site. With its nodes and the state of every path of every node."""

    def draw(client: Client) -> str:
        found = client.get(at("sites", site))
        if asked.form not in {"table", "wide"}:
            return output.document(found, asked.form)
        nodes = output.render(found["node_list"], node.COLUMNS, asked.form, name="node")
        head = output.render([found], COLUMNS, asked.form, name="site")
        return f"{head}{_standing(found)}\n{nodes}\n{_matrix(found['node_list'])}"

    show(asked, draw)


@command.command("topology")
@click.argument("site")
@shared(watch=True)
def topology_(asked: Asked, site: str) -> None:
    """Show what a site's nodes are plugged into. As they heard it, by LLDP."""

    def draw(client: Client) -> str:
        found = client.get(at("sites", site, "topology"))
        if asked.form in {"json", "yaml"}:
            return output.document(found, asked.form)
        cables, told = topology.render(found, asked.form), topology.said(found)
        if not told or asked.form not in {"table", "wide"}:
            return cables
        if asked.watch and output.is_terminal():  # a screen that is drawn anew has it too
            return f"{cables}\n{told}\n"
        click.echo(f"roost: {told}", err=True)
        return cables

    show(asked, draw)


def _described(verb: Any) -> Any:  # noqa: ANN401 - click's own types
    """Give a verb a site, its labels and its place."""
    for option in (
        click.option("--lon", type=click.FloatRange(-180, 180), help="Longitude, in degrees."),
        click.option("--lat", type=click.FloatRange(-90, 90), help="Latitude, in degrees."),
        click.option(
            *("-l", "--label", "labels"),
            multiple=True,
            metavar="KEY=VALUE",
            help="An empty value removes it; may be repeated.",
        ),
        click.argument("site"),
    ):
        verb = option(verb)
    return shared()(verb)


@command.command("add")
@_described
def add(asked: Asked, site: str, **said: Any) -> None:  # noqa: ANN401 - of _described()
    """Register a site. One that is there already is refused."""
    _put(asked, site, **said, is_there=False)


@command.command("edit")
@_described
def edit(asked: Asked, site: str, **said: Any) -> None:  # noqa: ANN401
    """Label or place a site that is there."""
    _put(asked, site, **said, is_there=True)


@command.command("set")
@_described
def set_(asked: Asked, site: str, **said: Any) -> None:  # noqa: ANN401
    """Label or place a site. One that is not there is registered."""
    _put(asked, site, **said)


def _put(  # noqa: PLR0913 - what a person said
    asked: Asked,
    site: str,
    *,
    labels: tuple[str, ...],
    lat: float | None,
    lon: float | None,
    is_there: bool | None = None,
) -> None:
    client = asked.client()
    headers = JSON
    body: dict[str, Any] = {"labels": {}, "lat": None, "lon": None}
    try:
        found = client.get(at("sites", site))
    except ApiError as err:
        if err.status != 404 or is_there:  # noqa: PLR2004 - RFC 9110, 15.5.5
            raise
    else:
        if is_there is False:
            hint = f"site {site} is there: `roost site edit {site}` changes it"
            raise RefusedError(hint, ExitCode.CONFLICT)
        body = {key: found[key] for key in body}
        headers = JSON | {"If-Match": f'"{found["revision"]}"'}
    body["labels"] = _changed(body["labels"], labels)
    body["lat"] = body["lat"] if lat is None else lat
    body["lon"] = body["lon"] if lon is None else lon
    answer = client.send("PUT", at("sites", site), json.dumps(body).encode(), headers=headers)
    output.write([answer], COLUMNS, asked.form, name="site")


@command.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@shared()
def import_(asked: Asked, file: str) -> None:
    """Register and label many sites. FILE holds NDJSON lines; - reads standard input.

    A line is {"site": "edge-1", "labels": {"region": "r1"}, "lat": 1.5, "lon": 2.5,
    "nodes": ["n1"]}; all but the site may be left out.
    """
    body = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    headers = {"Content-Type": "application/x-ndjson"}
    answer = asked.client().send("POST", "/api/v1/sites:import", body, headers=headers)
    if asked.form in {"table", "wide"}:
        counts = [f"{answer[kind]} {kind}" for kind in ("created", "updated", "unchanged")]
        click.echo(", ".join(counts))
    else:
        click.echo(output.document(answer, asked.form), nl=False)
    for error in answer["errors"]:
        click.echo(
            f"line {error.get('line')}: {error.get('detail') or error.get('code')}", err=True
        )
    if answer["errors"]:
        raise click.exceptions.Exit(ExitCode.PARTIAL)


@command.command()
@click.argument("site")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@shared()
def delete(asked: Asked, site: str, *, yes: bool) -> None:
    """Forget a site and all its nodes. Agents that still beat make it appear again."""
    client = asked.client()
    if not yes:
        nodes = client.get(at("sites", site))["nodes"]["total"]
        click.confirm(
            f"Forget site {site} with all that is known of it (nodes: {nodes})?",
            abort=True,
            err=True,
        )
    client.send("DELETE", at("sites", site), b"")


_remove = copy.copy(delete)  # as many type it
_remove.hidden = True
command.add_command(_remove, "remove")


def _moved(managed: bool) -> Any:  # noqa: ANN401 - click's own types
    """Return the verb that begins to manage sites, or leaves them alone."""

    @click.argument("sites", nargs=-1)
    @click.option("-m", "--reason", required=True, help="Why; it stands in the audit log.")
    @many.targets
    @shared(query=True)
    def verb(asked: Asked, sites: tuple[str, ...], reason: str, **how: Any) -> None:  # noqa: ANN401
        fields = {"managed": managed, "reason": reason}
        many.act(asked, "site", "manage", fields, names=sites, **how)

    return verb


command.command("manage", help="Manage sites again: orders, settings, alarms of silence.")(
    _moved(managed=True)
)
command.command(
    "unmanage",
    help="Leave sites alone: no order, no setting, no alarm of silence. They are still heard.",
)(_moved(managed=False))


def _standing(found: dict[str, Any]) -> str:
    """Return the words on a site that is left alone, and its subjects."""
    lines = [f"{subject}: {word}" for subject, word in found["sync"].items()]
    text = f"{found['availability']}; {', '.join(lines)}\n"
    if not found["managed"]:
        text = f"not managed since {found['managed_since']}: {found['managed_why']}\n{text}"
    return plain(text, keep_newlines=True)


def _changed(labels: dict[str, str], given: tuple[str, ...]) -> dict[str, str]:
    merged = dict(labels)
    for pair in given:
        key, separator, value = pair.partition("=")
        if not separator:
            raise RefusedError(f"--label {pair!r}: say KEY=VALUE, or KEY= to remove it")
        if value:
            merged[key] = value
        else:
            merged.pop(key, None)
    return merged


def _matrix(nodes: list[dict[str, Any]]) -> str:
    """Return node x path, one cell a path: its state, and the age of the last word on it."""
    names = list(dict.fromkeys(cell["path"] for found in nodes for cell in found["paths"]))
    columns = [output.text("NODE", "node"), *(output.text(name.upper(), name) for name in names)]
    rows = [
        {"node": found["name"], **{cell["path"]: _cell(cell) for cell in found["paths"]}}
        for found in nodes
    ]
    return output.render(rows, columns, "table", name="node")


def _cell(row: dict[str, Any]) -> str:
    is_measured = row["rtt_us"] is not None and row["state"] in {"up", "flaky"}
    measured = f" {path.round_trip(row)} ms" if is_measured else ""  # else it is of before
    lost = f" {path.loss(row)} % lost" if row["loss_permille"] else ""
    return f"{row['state']}{measured}{lost}"
