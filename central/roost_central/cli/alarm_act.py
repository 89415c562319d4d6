"""What is done with alarms: by key, or by query with the number that is expected to match."""

import json
import sys
from typing import Any

import click

from roost_central.cli import output, times
from roost_central.cli.client import JSON, Client, at
from roost_central.cli.exits import ExitCode
from roost_central.cli.failure import ApiError, RefusedError
from roost_central.cli.options import Asked, shared

CONFLICT = 409  # RFC 9110, 15.5.10
REFUSED_SHOWN_MAX = 20


def targets(verb: Any) -> Any:  # noqa: ANN401 - click's own types
    """Give a verb its alarms: keys, or ``-q`` with ``--expect``; and ``-y``, ``--dry-run``."""
    for option in (
        click.argument("alarms", nargs=-1),
        click.option("--expect", type=click.IntRange(0), help="How many -q is to match."),
        click.option("-y", "--yes", is_flag=True, help="Do not ask."),
        click.option("--dry-run", is_flag=True, help="Only count what would change."),
    ):
        verb = option(verb)
    return shared(query=True)(verb)


@click.command()
@click.option("-m", "--note", default="", help="Why, or who does what.")
@targets
def ack(asked: Asked, note: str, **target: Any) -> None:  # noqa: ANN401 - of targets()
    """Acknowledge alarms. Somebody has seen them; the condition stays."""
    _act(asked, "ack", {"note": note} if note else {}, **target)


@click.command()
@targets
def unack(asked: Asked, **target: Any) -> None:  # noqa: ANN401
    """Take an acknowledgement back."""
    _act(asked, "unack", {}, **target)


@click.command()
@click.option("-m", "--text", required=True, help="The note.")
@targets
def note(asked: Asked, text: str, **target: Any) -> None:  # noqa: ANN401
    """Add a note to alarms."""
    _act(asked, "note", {"text": text}, **target)


@click.command()
@click.option("--to", "assignee", help="The owner; an empty one takes it away.")
@click.option("--ticket", help="A ticket's number; an empty one takes it away.")
@targets
def assign(asked: Asked, assignee: str | None, ticket: str | None, **target: Any) -> None:  # noqa: ANN401
    """Say whose alarms these are, and which ticket follows them."""
    given = {"assignee": assignee, "ticket": ticket}
    fields = {key: value or None for key, value in given.items() if value is not None}
    if not fields:
        raise RefusedError("say --to OWNER, --ticket NUMBER, or both")
    _act(asked, "assign", fields, **target)


@click.command("shelve")
@click.option(
    "--for", "length", metavar="TIME", default="2h", show_default=True, help="How long, e.g. 8h."
)
@click.option("-m", "--reason", required=True, help="Why.")
@targets
def put_aside(asked: Asked, length: str, reason: str, **target: Any) -> None:  # noqa: ANN401
    """Put alarms aside for a while. With -q, later matches too."""
    _act(asked, "shelve", {"for_s": times.span(length), "reason": reason}, **target)


@click.command()
@click.option("--shelf", help="End a whole shelf of `roost alarm shelves`.")
@targets
def unshelve(asked: Asked, shelf: str | None, **target: Any) -> None:  # noqa: ANN401
    """Take alarms off the shelf, or end a whole shelf."""
    if shelf is not None:
        if target["alarms"] or asked.query:
            raise RefusedError("--shelf ends a whole shelf: leave KEY and -q out")
        _end(asked, "shelves", shelf)
        return
    _act(asked, "unshelve", {}, **target)


@click.command()
@click.option("-m", "--reason", required=True, help="Why.")
@targets
def clear(asked: Asked, reason: str, **target: Any) -> None:  # noqa: ANN401
    """Clear alarms by hand. A node whose condition still stands raises them again."""
    _act(asked, "clear", {"reason": reason}, **target)


@click.command()
@click.argument("type_", metavar="TYPE")
@click.option("-m", "--reason", required=True, help="Why.")
@click.option("--for", "length", metavar="TIME", help="How long, e.g. 8h; else until it is ended.")
@shared(query=True)
def suppress(asked: Asked, type_: str, reason: str, length: str | None) -> None:
    """Switch a type of alarm off, everywhere or where -q says. It is still taken in and kept."""
    body: dict[str, Any] = {"type": type_, "reason": reason}
    if asked.query:
        body["filter"] = asked.query
    if length is not None:
        body["for_s"] = times.span(length)
    made = asked.client().send(
        "POST", "/api/v1/suppressions", json.dumps(body).encode(), headers=JSON
    )
    if asked.form in {"table", "wide"}:
        click.echo(f"{made['id']}: {made['alarms']:,} alarms of {type_} are suppressed")
    else:
        click.echo(output.document(made, asked.form), nl=False)


@click.command()
@click.argument("suppression")
@shared()
def unsuppress(asked: Asked, suppression: str) -> None:
    """End a suppression of `roost alarm suppressions`."""
    _end(asked, "suppressions", suppression)


VERBS = (ack, unack, note, assign, put_aside, unshelve, clear, suppress, unsuppress)


def add_to(group: click.Group) -> None:
    """Give the verbs to the noun."""
    for verb in VERBS:
        group.add_command(verb)


def _end(asked: Asked, kind: str, name: str) -> None:
    """End a shelf or a suppression, and say so to a person."""
    if not name:
        raise RefusedError(f"say which: `roost alarm {kind}` shows the ids")
    asked.client().send("DELETE", at(kind, name), b"")
    if asked.form in {"table", "wide"}:
        click.echo(f"{name} has ended")


def _act(  # noqa: PLR0913 - the options of targets()
    asked: Asked,
    verb: str,
    fields: dict[str, Any],
    *,
    alarms: tuple[str, ...],
    expect: int | None,
    yes: bool,
    dry_run: bool,
) -> None:
    """Do it to the whole result, and say what came of it; 7 where some were refused."""
    _check_targets(alarms, asked.query, expect)
    client = asked.client()
    which: dict[str, Any] = {"ids": list(alarms)}
    if asked.query:
        which = {"filter": asked.query, "expect_count": 0 if expect is None else expect}
        if expect is None:
            which["expect_count"] = _count(client, verb, {**which, **fields})
            if not dry_run:
                _confirm(verb, which["expect_count"], yes=yes)
    answer = _send(client, verb, {**which, **fields}, dry_run=dry_run)
    _say(asked, verb, answer, dry_run=dry_run)


def _check_targets(alarms: tuple[str, ...], query: str | None, expect: int | None) -> None:
    """Refuse what does not say which alarms, or says it twice.

    Raises:
        RefusedError: with what to say instead.
    """
    if alarms and query:
        raise RefusedError("a KEY and -q are two ways to say which alarms: use one of them")
    if not alarms and not query:
        raise RefusedError(
            "which alarms? Name them by KEY (`roost alarm list` shows it), or say -q QUERY with"
            " --expect N"
        )
    if alarms and expect is not None and expect != len(alarms):
        named = "1 alarm is" if len(alarms) == 1 else f"{len(alarms)} alarms are"
        raise RefusedError(f"--expect {expect}, but {named} named", ExitCode.CONFLICT)


def _send(client: Client, verb: str, body: dict[str, Any], *, dry_run: bool) -> dict[str, Any]:
    path = f"/api/v1/alarms:{verb}" + ("?dry_run=true" if dry_run else "")
    answer: dict[str, Any] = client.send("POST", path, json.dumps(body).encode(), headers=JSON)
    return answer


def _count(client: Client, verb: str, body: dict[str, Any]) -> int:
    """Return how many match now: a dry run that expects none tells it."""
    try:
        return int(_send(client, verb, body, dry_run=True)["matched"])
    except ApiError as err:
        bounds = [row["bound"] for row in err.errors if row.get("field") == "expect_count"]
        if err.status != CONFLICT or not bounds:
            raise
        return int(bounds[0])


def is_person() -> bool:
    """Whether somebody can be asked."""
    return sys.stdin.isatty()


def _confirm(verb: str, count: int, *, yes: bool) -> None:
    """Ask a person; a script has to say the number."""
    if yes or not is_person():
        raise RefusedError(f"{count:,} alarms match now; say --expect {count} to {verb} them")
    click.confirm(f"{verb} {count:,} alarms?", abort=True, err=True)


def _say(asked: Asked, verb: str, answer: dict[str, Any], *, dry_run: bool) -> None:
    refused = [row for row in answer.get("results") or [] if row["outcome"] == "refused"]
    if asked.form not in {"table", "wide"}:
        click.echo(output.document(answer, asked.form), nl=False)
    elif dry_run:
        click.echo(f"{verb}: {answer['matched']:,} would match")
    else:
        unchanged = sum(row["outcome"] == "unchanged" for row in answer["results"])
        click.echo(
            f"{verb}: {answer['changed']:,} done, {unchanged:,} unchanged, {len(refused):,} refused"
        )
    for row in refused[:REFUSED_SHOWN_MAX]:
        click.echo(f"{row['key_id'] or row['id']}: {row['why']}", err=True)
    if len(refused) > REFUSED_SHOWN_MAX:
        click.echo(f"and {len(refused) - REFUSED_SHOWN_MAX} more; -o json has all", err=True)
    if refused:
        raise click.exceptions.Exit(ExitCode.PARTIAL)
