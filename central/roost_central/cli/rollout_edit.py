"""``roost rollout edit``: another plan for a rollout that has not begun."""

import json
from pathlib import Path

import click

from roost_central.cli.client import JSON, at
from roost_central.cli.options import Asked, shared
from roost_central.cli.rollout_plan_file import plan_text


@click.command()
@click.argument("rollout")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--rev", type=click.IntRange(0), help="As you read it; changed since: refused.")
@click.option("--expect", type=click.IntRange(0), help="How many sites; another number: refused.")
@click.option("-m", "--reason", default="", help="Why; it stands in the audit log.")
@shared()
def edit(  # noqa: PLR0913 - options
    asked: Asked, rollout: str, file: Path, *, rev: int | None, expect: int | None, reason: str
) -> None:
    """Give a rollout that has not begun another plan. What was signed for it is void."""
    client = asked.client()
    before = client.get(at("rollouts", rollout))
    body = {
        "plan": plan_text(file), "rev": before["rev"] if rev is None else rev,
        "expect": expect, "reason": reason,
    }  # fmt: skip
    path = at("rollouts", before["id"])
    after = client.send("PUT", path, json.dumps(body).encode(), headers=JSON)
    void = len({each["operator"] for each in before["approvals"]})
    lost = f"; {void} approvals are void" if void else ""
    sites = f"{before['sites']} sites before, {after['sites']} now"
    click.echo(f"{after['name']} is {after['state']} at rev {after['rev']}: {sites}{lost}")
