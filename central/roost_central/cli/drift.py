"""``roost drift``: settings that are not as their nodes were told, and what to do about them."""

import json
from pathlib import Path
from typing import Any, Final

import click

from roost_central.cli import output
from roost_central.cli.client import JSON, Client, at
from roost_central.cli.exits import ExitCode
from roost_central.cli.failure import RefusedError
from roost_central.cli.options import Asked, shared, show
from roost_central.cli.output import Column
from roost_central.cli.plain import plain
from roost_central.cli.verbs import Verbs

DRIFT: Final = "/api/v1/drift"


def _columns(asked: Asked) -> list[Column]:
    return [
        output.text("NODE", "node", whole=True),
        output.text("SETTING", "setting", whole=True),
        Column("SHOULD BE", lambda row: row["wanted"] or "not set", lambda row: row["wanted"]),
        Column("IS", lambda row: row["found"] or "not set", lambda row: row["found"]),
        Column("SEEN", lambda row: asked.clock(row["at"]), lambda row: row["at"]),
    ]


@click.group("drift", cls=Verbs)
def command() -> None:
    """List settings that other hands changed; adopt them or undo them.

    \b
      roost drift list --site edge-1
      roost node reapply edge-1.n1 -m "changed by hand"   what the profiles say
      roost drift adopt edge-1.n1 > edge-1.n1.toml        what the node has
      roost profile preview edge-1.n1.toml                and then as any
    """  # noqa: D301 - click reads \b as "keep these lines"


@command.command("list")
@click.option("--site", default="", help="Of one site.")
@click.option("--node", default="", help="Of one node, e.g. lab.n1.")
@click.option("--exit-code", is_flag=True, help="End with 8 where something differs.")
@shared(watch=True)
def list_(asked: Asked, site: str, node: str, *, exit_code: bool) -> None:
    """List settings that differ, by each node's last report."""
    seen: list[output.Row] = []

    def draw(client: Client) -> str:
        seen[:] = client.pages(DRIFT, site=site, node=node)
        return output.render(seen, _columns(asked), asked.form, name="node")

    show(asked, draw)
    if not seen and asked.form in {"table", "wide"}:
        click.echo("No node tells of a setting that differs.", err=True)
    if seen and exit_code:
        raise click.exceptions.Exit(ExitCode.CHECK_FAILED)


@command.command("adopt")
@click.argument("node")
@click.argument("settings", nargs=-1)
@click.option("--out", type=click.Path(path_type=Path), help="Into this file, which must be new.")
@shared()
def adopt(asked: Asked, node: str, settings: tuple[str, ...], out: Path | None) -> None:
    """Write a profile that says what a node has; all that differs, or these settings.

    Nothing is changed: look at the file, then `roost profile preview` and `roost profile apply`.
    """
    body = json.dumps({"settings": list(settings)}).encode()
    found = asked.client().send("POST", f"{at('nodes', node, 'drift')}:adopt", body, headers=JSON)
    for left in found["left"]:
        click.echo(plain(f"not adopted: {left['setting']}: {left['why']}"), err=True)
    if out is not None:
        _write(out, found)
    elif asked.form in {"table", "wide"}:
        click.echo(plain(found["source"], keep_newlines=True), nl=False)
    else:
        click.echo(output.document(found, asked.form), nl=False)


def _write(out: Path, found: dict[str, Any]) -> None:
    try:
        with out.open("x", encoding="utf-8") as file:
            file.write(found["source"])
    except OSError as err:
        raise RefusedError(f"{out} cannot be written: {err}") from err
    click.echo(
        f"{out}: {found['profile']}; see what it does: roost profile preview {out}", err=True
    )
