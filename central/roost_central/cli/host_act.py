"""``roost host lock|unlock|...``: acts on hosts, what is in their way, and what they would break.

The centre decides; here stands what is shown before somebody says yes, and the wait for the end.
"""

import json
import time
from typing import Any

import click

from roost_central.cli import host_state, order, output, times
from roost_central.cli.client import JSON, Client, at
from roost_central.cli.exits import ExitCode
from roost_central.cli.failure import RefusedError
from roost_central.cli.options import Asked, shared, show
from roost_central.cli.output import Column
from roost_central.hosts.actions import ACTIONS, Action
from roost_central.ports import SystemClock
from roost_protocol.host_verbs import HOST_MAINTENANCE_S_MAX, HOST_VERBS

WAIT_S = 900.0  # beyond the time that an act may take: until it is approved and taken
LOOK_S = 1.0
BOOTS = frozenset({"reset", "power-cycle", "power-on"})  # a board reads the power, not the boot
BOOT_S = 1_200.0  # until a machine that was started is heard (hosts.md section 10)


@click.command("actions")
@click.argument("node")
@shared(watch=True)
def actions(asked: Asked, node: str) -> None:
    """List what can be done to a host now, and what is in the way of the rest."""
    columns = [
        output.text("ACTION", "action", whole=True),
        Column("NOW", _now, _now),
        Column("IN THE WAY", _in_the_way, _in_the_way),
        Column("WOULD", _would, _would, wide=True),
        output.text("ORDERS", "receiver", wide=True),
        output.text("DOES", "title", wide=True),
    ]

    def draw(client: Client) -> str:
        rows = client.get(at("nodes", node, "host", "actions"))["items"]
        return output.render(rows, columns, asked.form, name="action")

    show(asked, draw)


def _now(row: output.Row) -> str:
    if row["allowed"]:
        return "yes"
    return "by --force" if row["forcible"] else "no"


def _in_the_way(row: output.Row) -> str:
    return "; ".join(each["text"] for each in row["blockers"]) or "-"


def _would(row: output.Row) -> str:
    return "; ".join(each["text"] for each in row["effects"]) or "-"


def _verb(action: Action) -> click.Command:
    """Return the command of an action."""

    def run(asked: Asked, node: str, **said: Any) -> None:  # noqa: ANN401 - of the options below
        _act(asked, action.name, node, **said)

    run.__doc__ = action.title
    options = [
        click.argument("node"),
        click.option("-m", "--reason", required=True, help="Why; the node writes it down, too."),
        click.option("--dry-run", is_flag=True, help="Only say what is in the way, and what goes."),
        click.option("-y", "--yes", is_flag=True, help="Do not ask."),
        click.option("--wait", is_flag=True, help="Until it has ended; the exit code says how."),
    ]
    can_force = action.takes_down and not action.needs_media
    if can_force or action.gives_away or action.name == "unlock":
        helped = "Go past what can be broken: health and redundancy, never a rule of the lease."
        options.append(click.option("--force", is_flag=True, help=helped))
    if action.needs_media:
        helped = "COMPONENT@VERSION of a release, or the digest of its manifest."
        options.append(click.option("--image", metavar="RELEASE", required=True, help=helped))
    if action.name == "maintenance":
        helped = "For how long, at most 72h; 0 ends it."
        options.append(
            click.option(
                "--for", "span", metavar="TIME", default="2h", show_default=True, help=helped
            )
        )
    made: Any = shared()(run)
    for option in reversed(options):
        made = option(made)
    return click.command(action.name)(made)


def _act(  # noqa: PLR0913 - what a person said
    asked: Asked,
    action: str,
    node: str,
    *,
    reason: str,
    dry_run: bool,
    yes: bool,
    wait: bool,
    force: bool = False,
    span: str | None = None,
    image: str = "",
) -> None:
    client = asked.client()
    page = client.get(at("nodes", node, "host", "actions"))
    found = next(each for each in page["items"] if each["action"] == action)
    _check(found, node, force=force)
    _tell(found)
    needs_word = (force or found["needs_confirm"]) and not dry_run
    if needs_word and not yes:
        typed = click.prompt(f"Type {node} to {action} it", err=True)
        if typed != node:
            raise RefusedError(f"{typed!r} is not {node}: nothing was done")
    expected = {name: page[name] for name in ("admin", "oper", "avail", "generation")}
    body = {
        "reason": reason,
        "expect": {name: value for name, value in expected.items() if value is not None},
        "confirm": node if needs_word or dry_run else "",
        "force": force,
    }
    if image:
        body["image"] = image
    if span is not None:
        body["seconds"] = _seconds(span)
    is_boot = wait and action in BOOTS
    before = client.get(at("nodes", node, "host"))["boot_id"] or "" if is_boot else None
    suffix = "?dry_run=true" if dry_run else ""
    path = f"{at('nodes', node)}/host:{action}{suffix}"
    answer = client.send("POST", path, json.dumps(body).encode(), headers=JSON)
    _done(asked, client, answer, is_dry=dry_run, is_awaited=wait)
    if before is not None and answer["order"] is not None:
        _booted(client, node, before)


def _seconds(span: str) -> int:
    """Return for how long a maintenance is to be; 0 ends it.

    Raises:
        RefusedError: it is no length of time, or longer than one may be.
    """
    seconds = 0 if span == "0" else times.span(span)
    if seconds > HOST_MAINTENANCE_S_MAX:
        raise RefusedError(f"--for {span}: at most {HOST_MAINTENANCE_S_MAX // times.HOUR}h")
    return seconds


def _check(found: dict[str, Any], node: str, *, force: bool) -> None:
    """Refuse what is not allowed, with all that is in the way and what to do about it.

    Raises:
        RefusedError: it is not allowed, and nobody forces it or force does not help.
    """
    stopping = [each for each in found["blockers"] if not (force and each["can_force"])]
    if not stopping:
        return
    lines = [f"{found['action']} of {node} is not possible now"]
    lines += [f"  {each['text']}\n    {each['todo']}" for each in stopping]
    if found["forcible"]:
        lines.append("  --force goes past it, and would do this:")
        lines += [f"    {each['text']}" for each in found["effects"]] or ["    nothing else"]
    raise RefusedError("\n".join(lines), ExitCode.CONFLICT)


def _tell(found: dict[str, Any]) -> None:
    for each in found["blockers"]:
        click.echo(f"forced: {each['text']}", err=True)
    for each in found["effects"]:
        click.echo(f"{found['action']}: {each['text']}", err=True)


def _done(
    asked: Asked, client: Client, answer: dict[str, Any], *, is_dry: bool, is_awaited: bool
) -> None:
    placed = answer["order"]
    if placed is None:
        if asked.form in {"table", "wide"}:
            ended = "1 certificate" if answer["ended"] == 1 else f"{answer['ended']} certificates"
            said = "nothing is in the way" if is_dry else f"{ended} revoked"
            click.echo(f"{answer['action']} of {answer['node']}: {said}")
        else:
            click.echo(output.document(answer, asked.form), nl=False)
        return
    if is_awaited:
        placed = _awaited(client, answer["node"], placed)
    click.echo(order.drawn(asked, placed), nl=False)
    if is_awaited and (code := order.exit_code(placed)):
        raise click.exceptions.Exit(code)


def _awaited(client: Client, node: str, placed: dict[str, Any]) -> dict[str, Any]:
    """Return an order at its end; says meanwhile how it and its host stand."""
    clock = SystemClock()
    wait_s = HOST_VERBS[placed["verb"]].done_s_max + WAIT_S
    deadline_ms = clock.mono_ms() + round(wait_s * 1_000)
    found, said = placed, ""
    while found["state"] in order.OPEN and clock.mono_ms() < deadline_ms:
        line = _progress(client.get(at("nodes", node, "host")), found)
        if line != said:
            said = line
            click.echo(line, err=True)
        time.sleep(LOOK_S)
        found = client.get(at("orders", found["id"]))
    return found


def _booted(client: Client, node: str, before: str) -> None:
    """Wait until a machine that its board started is heard with another boot; exit 8 if never."""
    clock = SystemClock()
    deadline_ms = clock.mono_ms() + round(BOOT_S * 1_000)
    click.echo(f"{node} is waited for until it has booted", err=True)
    while clock.mono_ms() < deadline_ms:
        boot_id = client.get(at("nodes", node, "host"))["boot_id"]
        if boot_id and boot_id != before:
            click.echo(f"{node} has booted", err=True)
            return
        time.sleep(LOOK_S)
    click.echo(f"{node} is not heard with another boot within {BOOT_S:g} s", err=True)
    raise click.exceptions.Exit(ExitCode.CHECK_FAILED)


def _progress(host: dict[str, Any], found: dict[str, Any]) -> str:
    task = f", {host['task']}" if host["task"] else ""
    return f"{order.waits_for(found)}; {host['node']}: {host_state.state(host)}{task}"


COMMANDS = (actions, *(_verb(action) for action in ACTIONS.values()))
