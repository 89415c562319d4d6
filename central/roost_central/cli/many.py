"""An act on many sites or nodes: named ones, or all that ``-q`` matches with the number seen."""

import json
from typing import Any

import click

from roost_central.cli import output
from roost_central.cli.client import JSON
from roost_central.cli.failure import RefusedError
from roost_central.cli.options import Asked


def targets(verb: Any) -> Any:  # noqa: ANN401 - click's own types
    """Give a verb ``--expect``, ``--yes`` and ``--dry-run``."""
    for option in (
        click.option("--expect", type=click.IntRange(0), help="How many -q is to match."),
        click.option("-y", "--yes", is_flag=True, help="Do not ask."),
        click.option("--dry-run", is_flag=True, help="Only count what would change."),
    ):
        verb = option(verb)
    return verb


def act(  # noqa: PLR0913 - what a person said
    asked: Asked,
    noun: str,
    verb: str,
    fields: dict[str, Any],
    *,
    names: tuple[str, ...],
    expect: int | None,
    yes: bool,
    dry_run: bool,
) -> None:
    """Do it and say what came of it.

    Args:
        asked: the shared options, with the query.
        noun: site or node.
        verb: of the API, and said to the person.
        fields: of the body, beside which are meant.
        names: of sites or nodes; else those that the query matches.
        expect: how many the query is to match; None: it is counted, and the person asked.
        yes: there is nobody to ask.
        dry_run: change nothing.
    """
    if bool(names) is bool(asked.query):
        raise RefusedError(f"name {noun}s, or say which with -q: one of both")
    body = dict(fields)
    if names:
        body["names"] = list(names)
    else:
        if expect is None:
            expect = _seen(asked, noun, verb, yes=yes, dry_run=dry_run)
        body |= {"filter": asked.query, "expect_count": expect}
    suffix = "?dry_run=true" if dry_run else ""
    raw = json.dumps(body).encode()
    answer = asked.client().send("POST", f"/api/v1/{noun}s:{verb}{suffix}", raw, headers=JSON)
    if asked.form in {"table", "wide"}:
        matched, would = answer["matched"], "would be " if dry_run else ""
        kind = noun if matched == 1 else f"{noun}s"
        click.echo(f"{matched:,} {kind}, {answer['changed']:,} {would}changed")
    else:
        click.echo(output.document(answer, asked.form), nl=False)


def _seen(asked: Asked, noun: str, verb: str, *, yes: bool, dry_run: bool) -> int:
    """Return how many match now, once the person has seen that."""
    if yes and not dry_run:
        raise RefusedError("-y with -q needs --expect: how many you saw")
    page = asked.client().get(f"/api/v1/{noun}s", filter=asked.query, limit=1, count="exact")
    count = int(page["count"])
    if not dry_run:
        click.confirm(f"{verb.capitalize()} {count:,} {noun}s?", abort=True, err=True)
    return count
