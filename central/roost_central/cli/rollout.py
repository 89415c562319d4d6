"""``roost rollout``: releases on their way to sites, wave by wave."""

import json
from pathlib import Path
from typing import Any, Final

import click

from roost_central.cli import output
from roost_central.cli.client import JSON, Client, at
from roost_central.cli.exits import ExitCode
from roost_central.cli.failure import RefusedError
from roost_central.cli.options import Asked, shared, show
from roost_central.cli.output import Column, Row
from roost_central.cli.plain import plain
from roost_central.cli.rollout_approve import approve
from roost_central.rollout.plan import PLAN_BYTES_MAX

ROLLOUTS: Final = "/api/v1/rollouts"
NAMED_MAX: Final = 5  # sites in a line
_MINUTE_S: Final = 60
_HOUR_S: Final = 3_600

REASON = click.option("-m", "--reason", default="", help="Why; it stands in the audit log.")
FILE = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))


def columns(asked: Asked) -> list[Column]:
    """Return what a line of a rollout shows."""
    return [
        output.text("ROLLOUT", "id", whole=True),
        output.text("NAME", "name"),
        Column("RELEASE", lambda row: f"{row['component']} {row['version']}"),
        Column("STATE", _state),
        Column("WAVE", lambda row: f"{row['wave']} of {row['waves']}"),
        output.number("SITES", "sites"),
        Column("MADE", lambda row: asked.clock(row["made"]), lambda row: row["made"]),
        output.text("BY", "by"),
        Column("WHY", lambda row: row["why"] or "-", lambda row: row["why"] or None),
        output.text("REASON", "reason", wide=True),
    ]


WAVES: Final = [
    output.number("WAVE", "wave"),
    output.text("NAME", "name"),
    output.text("STATE", "state"),
    output.number("SITES", "sites"),
    output.number("QUEUED", "queued"),
    output.number("AT WORK", "in_flight"),
    output.number("SUCCEEDED", "succeeded"),
    output.number("FAILED", "failed"),
    output.number("SILENT", "unreachable"),
    Column("SOAK", lambda row: f"{row['soaked_s']} of {row['soak_s']} s"),
    Column("WHY", lambda row: row["why"] or "-", lambda row: row["why"] or None, wide=True),
]
DRY: Final = [
    output.number("WAVE", "wave"),
    output.text("NAME", "name"),
    output.number("SITES", "sites"),
    Column("BEGINS AFTER", lambda row: _range(row["begins_s"])),
    Column("ENDS AFTER", lambda row: _range(row["ends_s"])),
    Column("WAN", lambda row: _bytes(row["bytes_wan"]), lambda row: row["bytes_wan"]),
    output.number("HAVE IT", "current"),
    output.number("GO DOWN", "exposed"),
    Column("BLOCKED", lambda row: str(sum(row["blockers"].values()))),
    Column("SUCH AS", lambda row: ", ".join(row["first"][:NAMED_MAX])),
]
FAILURES: Final = [
    output.number("SITES", "count"),
    output.text("TYPE", "failure"),
    output.text("REASON", "reason"),
    Column("SUCH AS", lambda row: ", ".join(row["sites"][:NAMED_MAX])),
]


@click.group("rollout")
def command() -> None:
    """Send a release to sites wave by wave, and stop where sites fail.

    \b
      roost rollout plan sensor-2.1.0.toml          who, when, how much, what is in the way
      roost rollout create sensor-2.1.0.toml
      roost rollout start 5c2f11d0...
      roost rollout watch 5c2f11d0...
      roost rollout failures 5c2f11d0...
      roost rollout rollback 5c2f11d0... -m "the pump stops"
    """  # noqa: D301 - click reads \b as "keep these lines"


@command.command()
@FILE
@shared()
def plan(asked: Asked, file: Path) -> None:
    """Show what a plan would do; nothing is done. Exit code 8: it would be refused."""
    found = _sent(asked, f"{ROLLOUTS}:plan", {"plan": _text(file)})
    if asked.form not in {"table", "wide"}:
        click.echo(output.document(found, asked.form), nl=False)
    else:
        click.echo(_dry(asked, found), nl=False)
    if found["refusals"]:
        raise click.exceptions.Exit(ExitCode.CHECK_FAILED)


@command.command()
@FILE
@click.option("--expect", type=click.IntRange(0), help="How many sites; another number: refused.")
@click.option("--start", is_flag=True, help="Start it as well, where nobody has to approve it.")
@REASON
@shared()
def create(asked: Asked, file: Path, expect: int | None, reason: str, *, start: bool) -> None:
    """Make a rollout of a plan. It begins when it is approved and started."""
    body = {"plan": _text(file), "expect": expect, "reason": reason}
    found = _sent(asked, ROLLOUTS, body)
    if start and found["state"] == "scheduled":
        found = _sent(asked, at("rollouts", found["id"], "start"), {"reason": reason})
    click.echo(_drawn(asked, found), nl=False)


@command.command("list")
@shared(watch=True)
def list_(asked: Asked) -> None:
    """List rollouts, the newest first."""

    def draw(client: Client) -> str:
        rows = client.get(ROLLOUTS)["items"]
        if not rows and asked.form == "table":
            return "no rollout was ever made here: roost rollout plan FILE begins one\n"
        return output.render(rows, columns(asked), asked.form, name="id")

    show(asked, draw)


@command.command("show")
@click.argument("rollout")
@shared(watch=True)
def show_(asked: Asked, rollout: str) -> None:
    """Show one rollout with its waves."""
    show(asked, lambda client: _drawn(asked, client.get(at("rollouts", rollout))))


@command.command()
@click.argument("rollout")
@shared(watch=True)
def watch(asked: Asked, rollout: str) -> None:
    """Follow a rollout as it goes; as show -w."""
    follows = Asked(asked.context, asked.form, asked.query, True, asked.zone)
    show(follows, lambda client: _drawn(asked, client.get(at("rollouts", rollout))))


@command.command()
@click.argument("rollout")
@click.option("--wave", type=click.IntRange(1), help="Of one wave.")
@click.option("--state", default="", help="In one state, such as unreachable.")
@shared()
def jobs(asked: Asked, rollout: str, wave: int | None, state: str) -> None:
    """List the sites of a rollout, and where each stands."""
    rows: list[Row] = []
    client, after = asked.client(), ""
    while True:
        asks = {"limit": "1000", "after": after, "state": state, "wave": str(wave or 0)}
        page = client.get(at("rollouts", rollout, "jobs"), **asks)
        rows += page["items"]
        if page["next"] is None:
            break
        after = page["next"]
    shown = [
        output.text("SITE", "site"),
        output.number("WAVE", "wave"),
        output.text("STATE", "state"),
        Column("SINCE", lambda row: asked.clock(row["since"]), lambda row: row["since"]),
        output.number("ATTEMPT", "attempt"),
        Column("FAILURE", lambda row: row["failure"] or "-", lambda row: row["failure"]),
        Column("HAD", lambda row: row["former"] or "-", lambda row: row["former"] or None),
        Column("DETAIL", lambda row: row["detail"] or "-", lambda row: row["detail"] or None),
    ]
    output.write(rows, shown, asked.form, name="site")


@command.command()
@click.argument("rollout")
@shared()
def failures(asked: Asked, rollout: str) -> None:
    """List what failed, grouped by type and reason."""
    rows = asked.client().get(at("rollouts", rollout, "failures"))["items"]
    if not rows and asked.form == "table":
        click.echo("no site of it failed")
        return
    output.write(rows, FAILURES, asked.form, name="reason")


@command.command()
@click.argument("rollout")
@REASON
@shared()
def start(asked: Asked, rollout: str, reason: str) -> None:
    """Begin with the first wave."""
    _move(asked, rollout, "start", {"reason": reason})


@command.command()
@click.argument("rollout")
@REASON
@shared()
def pause(asked: Asked, rollout: str, reason: str) -> None:
    """Offer nothing more for now; sites finish what they have."""
    _move(asked, rollout, "pause", {"reason": reason})


@command.command()
@click.argument("rollout")
@click.option("--retry", "how", flag_value="retry", help="Of a failed wave: once more.")
@click.option("--skip", "how", flag_value="skip", help="Of a failed wave: leave it as it is.")
@REASON
@shared()
def resume(asked: Asked, rollout: str, how: str | None, reason: str) -> None:
    """Go on. After a failed wave it takes --retry or --skip."""
    _move(asked, rollout, "resume", {"reason": reason, "failed_wave": how or ""})


@command.command()
@click.argument("rollout")
@REASON
@shared()
def promote(asked: Asked, rollout: str, reason: str) -> None:
    """Open a wave's manual gate, or end its soak early."""
    _move(asked, rollout, "promote", {"reason": reason})


@command.command()
@click.argument("rollout")
@REASON
@shared()
def abort(asked: Asked, rollout: str, reason: str) -> None:
    """Offer nothing more, and take back what is not done: who has it keeps it."""
    _move(asked, rollout, "abort", {"reason": reason})


@command.command()
@click.argument("rollout")
@REASON
@shared()
def rollback(asked: Asked, rollout: str, reason: str) -> None:
    """Send every touched site back to the release that it had, the newest wave first."""
    _move(asked, rollout, "roll-back", {"reason": reason})


@command.command()
@click.argument("rollout")
@click.option("-m", "--reason", required=True, help="Why not.")
@shared()
def deny(asked: Asked, rollout: str, reason: str) -> None:
    """Refuse a rollout that waits for approval; it is at its end then."""
    _move(asked, rollout, "deny", {"reason": reason})


command.add_command(approve)


def _move(asked: Asked, rollout: str, move: str, body: dict[str, Any]) -> None:
    click.echo(_drawn(asked, _sent(asked, at("rollouts", rollout, move), body)), nl=False)


def _sent(asked: Asked, path: str, body: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = asked.client().send(
        "POST", path, json.dumps(body).encode(), headers=JSON
    )
    return found


def _text(file: Path) -> str:
    """Return a plan's text.

    Raises:
        RefusedError: it is too long, or no text.
    """
    with file.open("rb") as stream:
        raw = stream.read(PLAN_BYTES_MAX + 1)
    if len(raw) > PLAN_BYTES_MAX:
        raise RefusedError(f"{file}: a plan has at most {PLAN_BYTES_MAX} bytes")
    try:
        return raw.decode()
    except UnicodeDecodeError as err:
        raise RefusedError(f"{file}: no UTF-8 text: {err.reason} at byte {err.start}") from err


def _drawn(asked: Asked, found: dict[str, Any]) -> str:
    if asked.form not in {"table", "wide"}:
        return output.document(found, asked.form)
    head = output.render([found], columns(asked), "wide", name="id")
    rows: list[Row] = [
        {**each, "queued": each["states"].get("queued", 0)} for each in found["stages"]
    ]
    waves = output.render(rows, WAVES, asked.form, name="wave")
    return f"{head}\n{waves}\n{plain(_next(found), keep_newlines=True)}"


def _next(found: dict[str, Any]) -> str:
    """Return what is waited for, or what can be done, in a sentence."""
    id_, state = found["id"], found["state"]
    if state == "awaiting_approval":
        have = len({each["operator"] for each in found["approvals"]})
        return f"{have} of {found['approvers']} operators approved: roost rollout approve {id_}\n"
    if state == "scheduled":
        return f"begin: roost rollout start {id_}\n"
    if state == "running":
        now = found["stages"][found["wave"] - 1]
        why = f": {now['why']}" if now["why"] else ""
        return f"wave {now['wave']} ({now['name']}) is {now['state']}{why}\n"
    if state == "paused":
        failed = found["stages"][found["wave"] - 1]["state"] == "failed"
        go_on = f"resume {id_} --retry (or --skip)" if failed else f"resume {id_}"
        return (
            f"what failed: roost rollout failures {id_}\n"
            f"go on: roost rollout {go_on}; undo it: roost rollout rollback {id_}\n"
        )
    return ""


def _dry(asked: Asked, found: dict[str, Any]) -> str:
    release = f"{found['component']} {found['version']}"
    head = (
        f"{found['name']}: {release} for {found['sites']} sites with {found['nodes']} nodes, "
        f"{_bytes(found['bytes_wan'])} over their WANs; {found['approvers']} must approve it"
    )
    lines = [
        f"wave {wave['wave']}: {count} sites held back: {why}"
        for wave in found["waves"]
        for why, count in wave["blockers"].items()
    ]
    for kind in found["uncovered"]:
        words = ", ".join(kind[key] for key in ("hw", "roles", "link", "release") if kind[key])
        lines.append(f"no canary for {words}: {kind['sites']} sites")
    lines += [f"refused: {each}" for each in found["refusals"]]
    waves = output.render(found["waves"], DRY, asked.form, name="wave")
    notes = plain("".join(f"{line}\n" for line in lines), keep_newlines=True)
    return f"{plain(head)}\n\n{waves}{notes}"


def _state(row: Row) -> str:
    return f"{row['state']} ({row['pause']})" if row["pause"] else str(row["state"])


def _range(seconds: list[int]) -> str:
    low, high = (_length(each) for each in seconds)
    return low if low == high else f"{low} to {high}"


def _length(seconds: int) -> str:
    if seconds < _HOUR_S:
        return f"{-(-seconds // _MINUTE_S)} min"
    return f"{seconds / _HOUR_S:.1f} h"


def _bytes(count: int) -> str:
    size = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1_024:  # noqa: PLR2004 - of a unit
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1_024
    return f"{size:.1f} TiB"
