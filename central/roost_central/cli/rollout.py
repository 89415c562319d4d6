"""``roost rollout``: releases on their way to sites, wave by wave."""

import json
from pathlib import Path
from typing import Any, Final

import click

from roost_central.cli import output, rollout_text
from roost_central.cli.client import JSON, Client, at
from roost_central.cli.exits import ExitCode
from roost_central.cli.options import Asked, shared, show
from roost_central.cli.rollout_approve import approve
from roost_central.cli.rollout_edit import edit
from roost_central.cli.rollout_plan_file import plan_body
from roost_central.cli.verbs import Verbs

ROLLOUTS: Final = "/api/v1/rollouts"

REASON = click.option("-m", "--reason", default="", help="Why; it stands in the audit log.")
WHY = click.option(
    "-m", "--reason", required=True, help="Why; it stands in the audit log and on the page."
)
FILE = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))


@click.group("rollout", cls=Verbs)
def command() -> None:
    """Send a release or settings to sites wave by wave, and stop where sites fail.

    \b
      roost rollout plan sensor-2.1.0.toml   who, when, how much, what hinders
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
    found = _sent(asked.client(), f"{ROLLOUTS}:plan", plan_body(file))
    if asked.form not in {"table", "wide"}:
        click.echo(output.document(found, asked.form), nl=False)
    else:
        click.echo(rollout_text.dry(found, asked.form, str(file)), nl=False)
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
    body = {**plan_body(file), "expect": expect, "reason": reason}
    client = asked.client()
    found = _sent(client, ROLLOUTS, body)
    if start and found["state"] == "scheduled":
        found = _sent(client, at("rollouts", found["id"], "start"), {"reason": reason})
    click.echo(_drawn(asked, client, found), nl=False)


@command.command("list")
@shared(watch=True)
def list_(asked: Asked) -> None:
    """List rollouts, the newest first."""

    def draw(client: Client) -> str:
        rows = client.get(ROLLOUTS)["items"]
        if not rows and asked.form == "table":
            return "no rollout was ever made here: roost rollout plan FILE begins one\n"
        return output.render(rows, rollout_text.columns(asked), asked.form, name="id")

    show(asked, draw)


@command.command("show")
@click.argument("rollout")
@shared(watch=True)
def show_(asked: Asked, rollout: str) -> None:
    """Show one rollout with its waves."""
    show(asked, lambda client: _drawn(asked, client, client.get(at("rollouts", rollout))))


@command.command()
@click.argument("rollout")
@shared()
def watch(asked: Asked, rollout: str) -> None:
    """Follow a rollout as it goes, until its end."""
    ended, before, shown = False, "", ""

    def draw(client: Client) -> str:
        nonlocal ended, before, shown
        if ended:
            raise click.exceptions.Exit(0)
        found = client.get(at("rollouts", rollout))
        ended = found["state"] in rollout_text.ENDS
        news = rollout_text.news(found)
        if news == before and not output.is_terminal():
            return shown  # only ages changed
        before, shown = news, _drawn(asked, client, found)
        return shown

    text = draw(asked.client())
    if ended:
        click.echo(text, nl=False)
        return
    show(Asked(asked.context, asked.form, asked.query, True, asked.zone), draw)


@command.command()
@click.argument("rollout")
@click.option("--wave", type=click.IntRange(1), help="Of one wave, from 1.")
@click.option("--state", default="", help="In one state, such as unreachable.")
@shared()
def jobs(asked: Asked, rollout: str, wave: int | None, state: str) -> None:
    """List the sites of a rollout, and where each stands."""
    rows: list[dict[str, Any]] = []
    client, after = asked.client(), ""
    while True:
        asks = {"limit": "1000", "after": after, "state": state, "wave": str(wave or 0)}
        page = client.get(at("rollouts", rollout, "jobs"), **asks)
        rows += page["items"]
        if page["next"] is None:
            break
        after = page["next"]
    if not rows and asked.form == "table":
        click.echo("no site of it is so: without --wave and --state it lists all", err=True)
        return
    output.write(rows, rollout_text.jobs(asked), asked.form, name="site")


@command.command()
@click.argument("rollout")
@shared()
def failures(asked: Asked, rollout: str) -> None:
    """List what failed, grouped by type and reason."""
    rows = asked.client().get(at("rollouts", rollout, "failures"))["items"]
    if not rows and asked.form == "table":
        click.echo("no site of it failed", err=True)
        return
    click.echo(rollout_text.failures(rows, asked.form), nl=False)


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
@click.option(
    "--retry", "how", flag_value="retry", help="Of a failed wave: its failed sites once more."
)
@click.option(
    "--skip", "how", flag_value="skip", help="Leave what failed, or is silent, and go on."
)
@REASON
@shared()
def resume(asked: Asked, rollout: str, how: str | None, reason: str) -> None:
    """Go on after a pause. A failed wave takes --retry or --skip.

    Where a wave waits for silent sites alone, --skip goes on without them.
    """
    _move(asked, rollout, "resume", {"reason": reason, "failed_wave": how or ""})


@command.command()
@click.argument("rollout")
@REASON
@shared()
def promote(asked: Asked, rollout: str, reason: str) -> None:
    """Open a wave's manual gate, end its soak early, or its wait for silent sites."""
    _move(asked, rollout, "promote", {"reason": reason})


@command.command()
@click.argument("rollout")
@WHY
@shared()
def abort(asked: Asked, rollout: str, reason: str) -> None:
    """Offer nothing more, and take back what is not done: who has it keeps it."""
    _move(asked, rollout, "abort", {"reason": reason})


@command.command()
@click.argument("rollout")
@WHY
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
command.add_command(edit)


def _move(asked: Asked, rollout: str, move: str, body: dict[str, Any]) -> None:
    client = asked.client()
    found = _sent(client, at("rollouts", rollout, move), body)
    click.echo(_drawn(asked, client, found), nl=False)


def _sent(client: Client, path: str, body: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = client.send("POST", path, json.dumps(body).encode(), headers=JSON)
    return found


def _drawn(asked: Asked, client: Client, found: dict[str, Any]) -> str:
    """Return a rollout as it is shown, with its failures where there are any."""
    groups = []
    if asked.form in {"table", "wide"} and rollout_text.has_failures(found):
        groups = client.get(at("rollouts", found["id"], "failures"))["items"]
    return rollout_text.drawn(asked, found, groups)
