"""``roost host list|show|history|evidence``: states of hosts, and what led there."""

from typing import Any

import click

from roost_central.cli import output, times
from roost_central.cli.client import Client, at
from roost_central.cli.options import Asked, shared, show
from roost_central.cli.output import Column, Row


def state(row: Row) -> str:
    """Return the triple as it is read aloud, a dash where nobody ever spoke of the host."""
    if row["admin"] is None:
        return "-"
    return f"{row['admin']} {row['oper']} {row['avail']}"


def _columns(asked: Asked) -> list[Column]:
    return [
        output.text("NODE", "node", whole=True),
        output.text("ADMIN", "admin"),
        output.text("OPER", "oper"),
        output.text("AVAIL", "avail"),
        Column("SINCE", lambda row: asked.clock(row["since"]), lambda row: row["since"]),
        Column("REASONS", _reasons, _reasons),
        output.text("TASK", "task"),
        output.text("PRESENCE", "presence", wide=True),
        output.text("COORDINATOR", "coordinator", wide=True),
        Column("TOLD", lambda row: times.age(row["age_s"]), lambda row: row["as_of"], wide=True),
        output.text("CAUSE", "cause", wide=True),
    ]


def _reasons(row: Row) -> str:
    return ",".join(each["reason"] for each in row["reasons"]) or "-"


@click.command("list")
@shared(query=True, watch=True)
def list_(asked: Asked) -> None:
    """List hosts: locked or not, whether they serve, and why not."""

    def draw(client: Client) -> str:
        rows = client.pages("/api/v1/hosts", filter=asked.query)
        return output.render(rows, _columns(asked), asked.form, name="node")

    show(asked, draw)


@click.command("show")
@click.argument("node")
@shared(watch=True)
def show_(asked: Asked, node: str) -> None:
    """Show one host: its state and why it is so."""

    def draw(client: Client) -> str:
        found = client.get(at("nodes", node, "host"))
        if asked.form not in {"table", "wide"}:
            return output.document(found, asked.form)
        return "".join(f"{line}\n" for line in _lines(asked, found))

    show(asked, draw)


def _lines(asked: Asked, found: dict[str, Any]) -> list[str]:
    lines = [f"{found['node']}: {state(found)}, presence {found['presence']}"]
    if found["admin"] is None:
        return [*lines, "no coordinator of its site has spoken of it yet"]
    if (last := found["last"]) is not None:
        lines.append(f"nobody of its site is heard; it was {state(last)}")
    lines.append(f"since {asked.clock(found['since'])}: {found['cause'] or 'no cause was told'}")
    if found.get("locked_by"):
        lines.append(f"locked by {found['locked_by']}: {found['locked_why']}")
    lines += [f"task: {found['task']}"] if found["task"] else []
    lines += [
        f"degraded by {each['reason']} for {times.age(each['age_s'])}" for each in found["reasons"]
    ]
    if found["maintenance_until"]:
        lines.append(f"in maintenance until {asked.clock(found['maintenance_until'])}")
    if found["is_mnfa"]:
        lines.append("several nodes of the site are silent together: none of them is failed")
    if found["is_dead_office"]:
        lines.append("the whole site powered up a moment ago: none of its nodes is failed")
    told = f"told {times.age(found['age_s'])} ago by {found['coordinator']}"
    return [*lines, f"{told}, epoch {found['epoch']}"]


@click.command("history")
@click.argument("node")
@click.option(
    "--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many at most."
)
@shared(watch=True)
def history(asked: Asked, node: str, limit: int) -> None:
    """List the transitions of a host, the newest first, each with its cause."""
    shown = [
        Column("AT", lambda row: asked.clock(row["at"]), lambda row: row["at"]),
        Column("WAS", lambda row: "-" if row["was"] is None else state(row["was"]), _was),
        Column("IS", state, state),
        output.text("CAUSE", "cause"),
        output.text("BY", "coordinator", wide=True),
        output.number("EPOCH", "epoch", wide=True),
    ]

    def draw(client: Client) -> str:
        found = client.get(at("nodes", node, "host", "history"), limit=limit)["items"]
        return output.render(found, shown, asked.form, name="at")

    show(asked, draw)


def _was(row: Row) -> str | None:
    return None if row["was"] is None else state(row["was"])


@click.command("evidence")
@click.argument("node")
@shared(watch=True)
def evidence(asked: Asked, node: str) -> None:
    """List who heard a host lately, and by which path it was lost or came back."""
    shown = [
        Column("AT", lambda row: asked.clock(row["at"]), lambda row: row["at"]),
        output.text("PATH", "path"),
        output.text("WHAT", "text"),
    ]

    def draw(client: Client) -> str:
        found = client.get(at("nodes", node, "host", "evidence"))
        if asked.form in {"table", "wide"} and found["coordinator"] is None:
            return f"no coordinator has told what it hears of {node}\n"
        return output.render(found["items"], shown, asked.form, name="at")

    show(asked, draw)
