"""``roost incident``: many alarms that are one thing, its likely cause, and who is back."""

import json
from typing import Any

import click

from roost_central.cli import alarm_text, output, times
from roost_central.cli.client import JSON, Client, at
from roost_central.cli.failure import RefusedError
from roost_central.cli.options import ALARM_STREAM, Asked, shared, show
from roost_central.cli.output import Column
from roost_central.cli.plain import plain
from roost_central.cli.verbs import Verbs

UNEXPLAINED_MAX = 50
NAMES_MAX = 100
ID_CHARS = 26  # behind INC-: a ULID


@click.group("incident", cls=Verbs)
def command() -> None:
    """List, show and close incidents: many alarms that are one thing."""


@command.command("list")
@click.option(
    "--state",
    type=click.Choice(["open", "closed", "all"]),
    default="open",
    show_default=True,
    help="Which.",
)
@shared(watch=True)
def list_(asked: Asked, state: str) -> None:
    """List incidents. BACK is how many of SITES came back."""
    columns = [
        Column("INCIDENT", _short, lambda row: row["id"], whole=True),
        output.text("STATE", "state", whole=True),
        output.text("SEVERITY", "severity", whole=True),
        output.text("NAME", "name"),
        Column("CAUSE", _cause_found, lambda row: row["cause"], prose=True),
        output.number("SITES", "sites"),
        output.number("BACK", "recovered"),
        output.number("UNEXPLAINED", "unexplained"),
        Column("OPENED", lambda row: asked.clock(row["opened"]), lambda row: row["opened"]),
        Column("ACK", lambda row: (row["ack"] or {}).get("by") or "-"),
    ]

    def draw(client: Client) -> str:
        rows = client.get("/api/v1/incidents", state=state)["items"]
        return output.render(rows, columns, asked.form, name="id")

    show(asked, draw, ALARM_STREAM)


@command.command("show")
@click.argument("incident")
@click.option("--explain", is_flag=True, help="The evidence: every cause, and what was rejected.")
@shared(watch=True)
def show_(asked: Asked, incident: str, *, explain: bool) -> None:
    """Show one incident. Its likely cause, what that does not explain, and who is not back."""

    def draw(client: Client) -> str:
        found = client.get(at("incidents", _whole(client, incident)))
        if asked.form not in {"table", "wide"}:
            return output.document(found, asked.form)
        unexplained = client.get(
            "/api/v1/alarms",
            filter=f"incident={found['id']} explained=false",
            hidden="true",
            limit=UNEXPLAINED_MAX,
        )["items"]
        return _text(asked, found, explain=explain) + _unexplained(asked, unexplained)

    show(asked, draw, ALARM_STREAM)


@command.command()
@click.argument("incident")
@click.option("-m", "--note", default="", help="Why, or who does what.")
@shared()
def ack(asked: Asked, incident: str, note: str) -> None:
    """Acknowledge an incident. Its members too, also those to come."""
    _send(asked, incident, "ack", {"note": note} if note else {})


@command.command()
@click.argument("incident")
@click.option("-m", "--text", required=True, help="The note.")
@shared()
def note(asked: Asked, incident: str, text: str) -> None:
    """Add a note to an incident."""
    _send(asked, incident, "note", {"text": text})


@command.command()
@click.argument("incident")
@click.option("-m", "--reason", required=True, help="Why.")
@shared()
def close(asked: Asked, incident: str, reason: str) -> None:
    """Close an incident. What did not come back stays in the alarm list."""
    _send(asked, incident, "close", {"reason": reason})


@command.command()
@click.argument("incident")
@click.option("-m", "--reason", required=True, help="Why these are another thing.")
@click.option("--expect", type=click.IntRange(min=0), help="How many members you saw match.")
@shared(query=True)
def split(asked: Asked, incident: str, reason: str, expect: int | None) -> None:
    """Make some members an incident of their own: those that match -q."""
    if not asked.query:
        raise RefusedError("say which members with -q: some, not all")
    body: dict[str, Any] = {"filter": asked.query, "reason": reason}
    if expect is not None:
        body["expect_count"] = expect
    _send(asked, incident, "split", body)


def _short(row: output.Row) -> str:
    return alarm_text.short(row["id"])


def _cause_found(row: output.Row) -> str:
    return str(row["cause"] or "not found")


def _send(asked: Asked, incident: str, verb: str, body: dict[str, Any]) -> None:
    client = asked.client()
    incident = _whole(client, incident)
    path = f"{at('incidents', incident)}:{verb}"
    answer = client.send("POST", path, json.dumps(body).encode(), headers=JSON)
    if asked.form in {"table", "wide"}:
        click.echo(f"{incident}: {verb} done")
    elif answer is not None:
        click.echo(output.document(answer, asked.form), nl=False)


def _whole(client: Client, said: str) -> str:
    """Return the id that ends as said: tables and pages show an incident by its end, INC-…GQ3ZTP.

    Raises:
        RefusedError: more than one ends so. One that none ends with is left for the centre to miss.
    """
    tail = said.removeprefix("INC-").lstrip("….").upper()
    if len(tail) >= ID_CHARS or not tail:
        return said
    known = [row["id"] for row in client.get("/api/v1/incidents", state="all")["items"]]
    found = [each for each in known if each.endswith(tail)]
    if len(found) > 1:
        raise RefusedError(f"{said!r} may be {' or '.join(found)}: say more of its end")
    return found[0] if found else said


def _text(asked: Asked, found: dict[str, Any], *, explain: bool) -> str:
    lasted = (times.seconds(found["closed"]) or 0) - (times.seconds(found["opened"]) or 0)
    until = f"closed {asked.clock(found['closed'])} after {times.age(lasted)}"
    who = f" · acked by {found['ack']['by']}" if found["ack"] else ""
    lines = [
        f"{found['id']} {found['state']} · {found['severity']} {found['name']}{who}",
        f"  likely cause  {_cause(found)}",
        f"  opened {asked.clock(found['opened'])}" + (f" · {until}" if found["closed"] else ""),
        f"  sites {found['sites']:,} · explained {found['covered']:,} · dark {found['dark']:,}"
        f" · back {found['recovered']:,} · alarms {found['alarms']:,}",
        f"  to acknowledge {times.age(found['mtta_s'])} · to recover {times.age(found['mttr_s'])}",
    ]
    if explain:
        lines += [_evidence("cause", row, found["sites"]) for row in found["causes"]]
        lines += [_evidence("rejected", row, found["sites"]) for row in found["rejected"]]
    missing = found["not_back"]
    if missing:
        more = f" and {len(missing) - NAMES_MAX} more" if len(missing) > NAMES_MAX else ""
        lines.append(f"  not back ({len(missing):,})  {' '.join(missing[:NAMES_MAX])}{more}")
    lines += [f"  {asked.clock(row['at'])} {row['by']}: {row['text']}" for row in found["notes"]]
    return "".join(f"{plain(line)}\n" for line in lines)


def _cause(found: dict[str, Any]) -> str:
    if not found["causes"]:
        return (
            found["cause"]
            or f"none found: no attribute of the {found['sites']:,} sites explains it"
        )
    precision, coverage = _share(found["precision"]), _share(found["coverage"])
    return f"{found['cause']} (precision {precision}, coverage {coverage})"


def _evidence(word: str, row: dict[str, Any], sites: int) -> str:
    share = _share(row["precision"])
    return f"  {word:<9} {row['text']}  precision {share}, covers {row['covers']:,} of {sites:,}"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _unexplained(asked: Asked, rows: list[output.Row]) -> str:
    if not rows:
        return "  every alarm is explained\n"
    table = output.render(rows, alarm_text.columns(asked), asked.form, name="key_id")
    return f"\nnot explained:\n{table}"
