"""``roost node desired``: what a node should be, and which profile says so."""

import json
from typing import Any

import click

from roost_central.cli import output
from roost_central.cli.client import JSON, Client, at
from roost_central.cli.options import Asked, shared, show
from roost_central.cli.output import Column
from roost_central.cli.plain import plain


def _found(row: output.Row) -> str:
    return "" if row["found"] is None else row["found"] or "not set"


SETTINGS = [
    output.text("SETTING", "path", whole=True),
    Column("VALUE", lambda row: json.dumps(row["value"]), lambda row: json.dumps(row["value"])),
    Column("IS", _found, lambda row: row["found"]),
    output.text("PROFILE", "profile"),
    output.text("TAKES", "mark"),
]
GENERATIONS_MAX = 100


@click.command("desired")
@click.argument("node")
@click.option("--generation", type=click.IntRange(1), help="As it was then.")
@click.option("--history", is_flag=True, help="Who changed it, when and why.")
@shared()
def command(asked: Asked, node: str, *, generation: int | None, history: bool) -> None:
    """Show what a node should be and what it is. TAKES is what a change of the setting takes."""

    def draw(client: Client) -> str:
        path = at("nodes", node, "desired")
        if history:
            found = client.get(f"{path}/generations", limit=GENERATIONS_MAX)["items"]
            return output.render(found, _generations(asked), asked.form, name="generation")
        found = client.get(path, generation=generation)
        if asked.form not in {"table", "wide"}:
            return output.document(found, asked.form)
        if not found["generation"]:
            return f"no profile is for {node}\n" + _fault(found["fault"])
        is_now = generation is None
        head = (
            f"generation {found['generation']} since {asked.clock(found['since'])}, "
            f"by {found['by']}{': ' if found['reason'] else ''}{found['reason']}\n"
        )
        rows = output.render(found["settings"], SETTINGS, asked.form, name="path")
        state = plain(_state(asked, found["reported"]), keep_newlines=True) if is_now else ""
        return f"{head}{_fault(found['fault'])}{state}\n{rows}"

    show(asked, draw)


@click.command("reapply")
@click.argument("node")
@click.option("-m", "--reason", default="", help="Why; it stands in the audit log.")
@shared()
def reapply(asked: Asked, node: str, reason: str) -> None:
    """Have a node told again what it should be. Also where it failed, or other hands changed it."""
    body = json.dumps({"reason": reason}).encode()
    found = asked.client().send(
        "POST", f"{at('nodes', node, 'desired')}:reapply", body, headers=JSON
    )
    if asked.form in {"table", "wide"}:
        click.echo(plain(_state(asked, found), keep_newlines=True), nl=False)
        click.echo(f"it is told once it is heard: roost node desired {node}", err=True)
    else:
        click.echo(output.document(found, asked.form), nl=False)


def _state(asked: Asked, said: dict[str, Any]) -> str:
    """Return how far a node has come, in lines for people."""
    lines = [said["config"] + (f": {said['why']}" if said["why"] else "")]
    if said["applied_generation"]:
        lines.append(f"has generation {said['applied_generation']}")
    elif said["applied_generation"] == 0:
        lines.append("has no settings yet")
    if said["held_by"]:
        lines.append(f"waits for its turn: roost rollout show {said['held_by']}")
    if said["pending_reboot"]:
        lines.append("a setting waits for a reboot: roost node order NODE reboot")
    if said["drift"]:
        count = "1 setting" if said["drift"] == 1 else f"{said['drift']} settings"
        lines.append(f"{count} changed by other hands")
    report = said["report"]
    if report is not None:
        text = f", {report['text']}" if report["text"] else ""
        seen = asked.clock(report["received"])
        lines.append(f"said {seen}: generation {report['generation']} {report['state']}{text}")
        lines += [
            f"  {each['section']}: {each['state']}, {each['reason']}"
            for each in report["sections"]
            if each["reason"]
        ]
    return "".join(f"{line}\n" for line in lines)


def _fault(fault: str) -> str:
    return f"keeps this, for its profiles cannot be followed: {fault}\n" if fault else ""


def _generations(asked: Asked) -> list[Column]:
    return [
        output.number("GENERATION", "generation"),
        Column("SINCE", lambda row: asked.clock(row["at"]), lambda row: row["at"]),
        output.text("BY", "by"),
        output.text("REASON", "reason"),
    ]
