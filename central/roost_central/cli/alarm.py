"""``roost alarm``: list, show and export alarms; what is done with them is in alarm_act.py."""

import sys
from typing import Any

import click

from roost_central.cli import alarm_act, alarm_text, output, times
from roost_central.cli.client import Client, at
from roost_central.cli.failure import RefusedError
from roost_central.cli.options import ALARM_STREAM, Asked, shared, show
from roost_central.cli.output import Column
from roost_central.cli.verbs import Verbs

ALARMS = "/api/v1/alarms"
LIST_MAX = 1_000
EXPORTS = {"csv": "text/csv", "ndjson": "application/x-ndjson"}
GROUPS = ("severity", "type", "site", "region", "incident")


@click.group("alarm", cls=Verbs)
def command() -> None:
    """List, show and act on alarms."""


@command.command("list")
@click.option("--hidden", is_flag=True, help="Masked, shelved and suppressed ones too.")
@click.option("--sort", help="severity, raised, changed, type, site or count; -raised turns it.")
@click.option(
    "--limit", type=click.IntRange(1), default=LIST_MAX, show_default=True, help="How many at most."
)
@shared(query=True, watch=True)
def list_(asked: Asked, *, hidden: bool, sort: str | None, limit: int) -> None:
    """List active alarms, the worst and newest first. KEY names one in other verbs."""
    params = {"filter": asked.query, "sort": sort, "hidden": "true" if hidden else None}

    def draw(client: Client) -> str:
        rows = _first(client.pages(ALARMS, **params), limit)
        return output.render(rows, alarm_text.columns(asked), asked.form, name="key_id")

    show(asked, draw, ALARM_STREAM)


@command.command("history")
@click.option("--since", metavar="TIME", help="Cleared after: an age such as 24h, or RFC 3339.")
@click.option("--until", metavar="TIME", help="Cleared before.")
@click.option(
    "--limit", type=click.IntRange(1), default=LIST_MAX, show_default=True, help="How many at most."
)
@shared(query=True)
def history(asked: Asked, since: str | None, until: str | None, limit: int) -> None:
    """List alarms that were cleared, the newest first."""
    found = asked.client().pages(f"{ALARMS}/history", filter=asked.query, since=since, until=until)
    output.write(_first(found, limit), alarm_text.past(asked), asked.form, name="key_id")


@command.command("show")
@click.argument("alarm")
@shared(watch=True)
def show_(asked: Asked, alarm: str) -> None:
    """Show one alarm. With its proposed repair, root causes and timeline; ALARM is a key or id."""

    def draw(client: Client) -> str:
        found = client.get(at("alarms", alarm))
        timeline = client.get(at("alarms", alarm, "timeline"))["items"]
        if asked.form in {"table", "wide"}:
            return alarm_text.detail(asked, found, timeline)
        return output.document({**found, "timeline": timeline}, asked.form)

    show(asked, draw, ALARM_STREAM)


@command.command("summary")
@click.option("--by", default="severity", show_default=True, help=f"{', '.join(GROUPS)}, label.K.")
@shared(watch=True)
def summary(asked: Asked, by: str) -> None:
    """Count active alarms by one of their fields."""

    def draw(client: Client) -> str:
        found = client.get(f"{ALARMS}/summary", by=by)
        if asked.form not in {"table", "wide", "csv"}:
            return output.document(found, asked.form)
        if by == "severity":
            found["groups"].sort(key=lambda group: alarm_text.rank(group["key"]))
        columns = [
            output.text(by.upper(), "key"),
            *(output.number(name.upper(), name) for name in (*alarm_text.SEVERITIES, "unknown")),
            output.number("TOTAL", "total"),
        ]
        table = output.render(found["groups"], columns, asked.form, name="key")
        return table if asked.form == "csv" else f"{alarm_text.counts(found['counts'])}\n\n{table}"

    show(asked, draw, ALARM_STREAM)


@command.command("types")
@shared()
def types(asked: Asked) -> None:
    """List the catalogue: every type of alarm, its default severity and its repair."""
    columns = [
        output.text("TYPE", "type"),
        output.text("NAME", "name"),
        output.text("SOURCE", "source"),
        output.text("DEFAULT", "default"),
        output.number("ACTIVE", "active"),
        output.text("MGMT FROM", "mgmt_affecting", wide=True),
        output.text("DEGRADES FROM", "degrade_affecting", wide=True),
        Column("REPAIR", lambda row: row["repair"] or "-", prose=True),
    ]
    rows = asked.client().get("/api/v1/alarm-types")["items"]
    output.write(rows, columns, asked.form, name="type")


@command.command("load")
@click.option(
    "--hours",
    type=click.IntRange(1, 168),
    default=24,
    show_default=True,
    help="Of the last so many hours.",
)
@click.option(
    "--operators",
    type=click.IntRange(1, 1000),
    default=1,
    show_default=True,
    help="Who share the alarms.",
)
@shared()
def load(asked: Asked, hours: int, operators: int) -> None:
    """Show what alarms ask of the operators (ISA-18.2, EEMUA 191)."""
    found = asked.client().get(f"{ALARMS}/load", hours=hours, operators=operators)
    if asked.form not in {"table", "wide"}:
        click.echo(output.document(found, asked.form), nl=False)
        return
    click.echo(_load(found), nl=False)


@command.command("export")
@click.option("--hidden", is_flag=True, help="Masked, shelved and suppressed ones too.")
@click.option("--since", metavar="TIME", help="Those cleared after: an age such as 24h, RFC 3339.")
@click.option("--until", metavar="TIME", help="Those cleared before.")
@shared(query=True)
def export(asked: Asked, *, hidden: bool, since: str | None, until: str | None) -> None:
    """Write all active alarms to stdout as the centre streams them. -o csv (default) or ndjson.

    With --since or --until it writes those that were cleared in that time instead.
    """
    form = "csv" if asked.form == "table" else asked.form
    if form not in EXPORTS:
        raise RefusedError(f"-o {form}: an export is csv or ndjson; `roost alarm list` has {form}")
    if since is None and until is None:
        path, params = ALARMS, {"filter": asked.query, "hidden": "true" if hidden else None}
    elif hidden:
        raise RefusedError("--hidden: what was cleared is not hidden; leave it out")
    else:
        path = f"{ALARMS}/history"
        params = {"filter": asked.query, "since": since, "until": until}
    for chunk in asked.client().download(path, EXPORTS[form], **params):
        sys.stdout.buffer.write(chunk)
    sys.stdout.flush()


@command.command("shelves")
@shared()
def shelves(asked: Asked) -> None:
    """List what is shelved, and until when."""
    _kept(asked, "shelves", "FILTER", "filter")


@command.command("suppressions")
@shared()
def suppressions(asked: Asked) -> None:
    """List the types that are switched off, and why."""
    _kept(asked, "suppressions", "TYPE", "type")


def _kept(asked: Asked, kind: str, heading: str, key: str) -> None:
    columns = [
        output.text("ID", "id"),
        Column(heading, lambda row: row[key] or "-"),
        output.number("ALARMS", "alarms"),
        output.text("REASON", "reason"),
        output.text("BY", "by"),
        Column("UNTIL", lambda row: asked.clock(row["until"]), lambda row: row["until"]),
        Column("SINCE", lambda row: asked.clock(row["at"]), lambda row: row["at"], wide=True),
    ]
    output.write(asked.client().get(at(kind))["items"], columns, asked.form, name="id")


def _first(rows: Any, limit: int) -> list[output.Row]:  # noqa: ANN401 - an iterator of JSON rows
    found: list[output.Row] = []
    for row in rows:
        if len(found) == limit:
            print(
                f"roost: the first {limit} only; --limit N for more, or `roost alarm export`",
                file=sys.stderr,
            )
            break
        found.append(row)
    return found


def _load(found: dict[str, Any]) -> str:
    per_hour, flood = found["alarms_per_hour"], found["flood_share"]
    mix = " · ".join(f"{n} {found['priority'][n]:.0%}" for n in alarm_text.SEVERITIES)
    lines = [
        f"last {found['hours']} h, operators: {found['operators']}",
        f"alarms per operator-hour  {_banded(per_hour, '{:.1f}')}",
        f"share of time in flood    {_banded(flood, '{:.1%}')}",
        f"severities                {mix} (a good mix: 5 % major, 15 % minor, 80 % warning)",
        f"stale {found['stale']:,} · chattering {found['chattering']:,}"
        f" · fleeting {found['fleeting']:,}",
        f"to acknowledge {times.age(found['mtta_s'])} · to recover {times.age(found['mttr_s'])}",
        "",
    ]
    types_ = [output.number("ALARMS", "count"), output.text("TYPE", "key")]
    sites = [output.number("ALARMS", "count"), output.text("SITE", "key")]
    return "\n".join(lines) + "\n".join(
        output.render(found[key], columns, "table", name="count")
        for key, columns in (
            ("top_types", [*types_, output.text("NAME", "name")]),
            ("top_sites", sites),
        )
    )


def _banded(measure: dict[str, Any], form: str) -> str:
    if measure["value"] is None:
        return "-"
    value, good, limit = (form.format(measure[key]) for key in ("value", "good", "limit"))
    best = f"good up to {good}" if measure["good"] else "none is good"
    return f"{value} {measure['band']} ({best}, limit {limit})"


alarm_act.add_to(command)
