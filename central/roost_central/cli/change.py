"""``roost change``: changes of profiles on their way, group by group."""

import json
from typing import Any, Final

import click

from roost_central.cli import output
from roost_central.cli.client import JSON, Client, at
from roost_central.cli.options import Asked, shared, show
from roost_central.cli.output import Column, Row
from roost_central.cli.plain import plain

CHANGES: Final = "/api/v1/changes"

REASON = click.option("-m", "--reason", default="", help="Why; it stands in the audit log.")


def _columns(asked: Asked) -> list[Column]:
    return [
        output.text("CHANGE", "id", whole=True),
        output.text("STATE", "state"),
        Column("GROUP", lambda row: f"{row['group']} of {len(row['groups'])}"),
        Column("PROFILES", lambda row: ", ".join(row["profiles"])),
        Column("BEGAN", lambda row: asked.clock(row["made"]), lambda row: row["made"]),
        output.text("BY", "by"),
        Column("WHY", lambda row: row["why"] or "-", lambda row: row["why"] or None),
        output.text("REASON", "reason", wide=True),
    ]


GROUPS: Final = [
    output.number("GROUP", "group"),
    output.text("TURN", "turn"),
    output.number("SITES", "sites"),
    output.number("NODES", "nodes"),
    output.number("IN SYNC", "in_sync"),
    output.number("PENDING", "pending"),
    output.number("APPLYING", "applying"),
    output.number("WAITING", "waiting"),
    output.number("FAILED", "failed"),
    output.number("UNABLE", "unable"),
]


@click.group("change")
def command() -> None:
    """Follow changes of profiles that reach more than one site, and stop them.

    \b
      roost profile apply profiles/ --groups 1,10%,rest --soak 10m --max-failed 2
      roost change list
      roost change show 5c2f11d0 -w
      roost change roll-back 5c2f11d0 -m "wrong servers"
    """  # noqa: D301 - click reads \b as "keep these lines"


@command.command("list")
@shared(watch=True)
def list_(asked: Asked) -> None:
    """List changes, the newest first."""

    def draw(client: Client) -> str:
        return output.render(client.get(CHANGES)["items"], _columns(asked), asked.form, name="id")

    show(asked, draw)


@command.command("show")
@click.argument("change")
@shared(watch=True)
def show_(asked: Asked, change: str) -> None:
    """Show one change: its groups, and the nodes that failed."""

    def draw(client: Client) -> str:
        return _drawn(asked, client.get(at("changes", change)))

    show(asked, draw)


@command.command()
@click.argument("change")
@REASON
@shared()
def pause(asked: Asked, change: str, reason: str) -> None:
    """Let no other group have it for now."""
    _move(asked, change, "pause", reason)


@command.command()
@click.argument("change")
@REASON
@shared()
def resume(asked: Asked, change: str, reason: str) -> None:
    """Let it go on. The nodes that failed until now are accepted."""
    _move(asked, change, "resume", reason)


@command.command()
@click.argument("change")
@REASON
@shared()
def abort(asked: Asked, change: str, reason: str) -> None:
    """Let it go no further: who has it keeps it, the others keep what they had."""
    _move(asked, change, "abort", reason)


@command.command("roll-back")
@click.argument("change")
@REASON
@shared()
def roll_back(asked: Asked, change: str, reason: str) -> None:
    """Make its profiles what they were before it, for all of its nodes and at once."""
    _move(asked, change, "roll-back", reason)


def _move(asked: Asked, change: str, move: str, reason: str) -> None:
    body = json.dumps({"reason": reason}).encode()
    found = asked.client().send("POST", at("changes", change, move), body, headers=JSON)
    click.echo(_drawn(asked, found), nl=False)


def _drawn(asked: Asked, found: dict[str, Any]) -> str:
    if asked.form not in {"table", "wide"}:
        return output.document(found, asked.form)
    head = output.render([found], _columns(asked), "wide", name="id")
    groups: list[Row] = [{**each, **(each["counts"] or {})} for each in found["stages"]]
    rows = output.render(groups, GROUPS, asked.form, name="group")
    failed = "".join(f"{each['node']}: {each['why']}\n" for each in found["failed"])
    note = f"{_next(asked, found)}{failed}"
    return f"{head}\n{rows}" + (f"\n{plain(note, keep_newlines=True)}" if note else "")


def _next(asked: Asked, found: dict[str, Any]) -> str:
    """Return what is waited for, or what can be done, in a sentence."""
    id_ = found["id"]
    match found["state"]:
        case "running" if found["synced"]:
            since = asked.clock(found["synced"])
            return f"in sync since {since}; the next group's turn comes after {found['soak_s']} s\n"
        case "running":
            return "the group is not in sync yet\n"
        case "paused" | "stopped":
            return f"go on: roost change resume {id_}; undo it: roost change roll-back {id_}\n"
        case "aborted":
            return f"the others are held back until it is undone: roost change roll-back {id_}\n"
        case _:
            return ""
