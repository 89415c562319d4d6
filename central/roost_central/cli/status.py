"""``roost status``: the counts of the fleet and the state of the centre."""

from typing import Any

import click

from roost_central.cli import alarm_text, output
from roost_central.cli.client import Client
from roost_central.cli.counted import counted
from roost_central.cli.exits import ExitCode
from roost_central.cli.options import ALARM_STREAM, Asked, shared, show


@click.command("status")
@click.option(
    "--exit-code", is_flag=True, help="Exit 8 on a site in trouble or an unacked critical."
)
@shared(watch=True)
def command(asked: Asked, *, exit_code: bool) -> None:
    """Show the counts of the fleet and the state of the centre."""
    seen: dict[str, Any] = {}

    def draw(client: Client) -> str:
        seen.update(client.get("/api/v1/status"))
        return (
            _text(asked, seen)
            if asked.form in {"table", "wide"}
            else output.document(seen, asked.form)
        )

    show(asked, draw, ALARM_STREAM)
    if exit_code and (_troubled(seen) or _unacked(asked, seen)):
        raise click.exceptions.Exit(ExitCode.CHECK_FAILED)


def _troubled(status: dict[str, Any]) -> bool:
    return any(status["sites"][word] for word in ("degraded", "down", "unknown"))


def _unacked(asked: Asked, status: dict[str, Any]) -> bool:
    """Whether a critical alarm waits that nobody has acknowledged."""
    if not status["alarms"]["critical"]:
        return False
    page = asked.client().get("/api/v1/alarms", filter="sev=critical op=none", limit=1)
    return bool(page["items"])


def _text(asked: Asked, status: dict[str, Any]) -> str:
    ingest = status["ingest"]
    refused = sum(ingest["refused"].values())
    lines = [
        f"roost {status['version']} · {asked.clock(status['now'])}"
        f" · up since {asked.clock(status['started'])}",
        _counts("sites", status["sites"]),
        _counts("nodes", status["nodes"]),
        f"alarms  {alarm_text.counts(status['alarms'])}",
        f"        {counted(status['alarms'].get('incidents', 0), 'open incident')}"
        f" · the fleet is {status['alarms']['status']}",
        f"ingest  {ingest['beats']:,} beats · {ingest['items']:,} items committed"
        f" · {refused:,} refused · {ingest['dead_letters']:,} kept for inspection",
    ]
    lines += [f"        refused as {code}: {count:,}" for code, count in ingest["refused"].items()]
    lines += [
        f"broker  {broker['name']} {broker['url']} {broker['state']}"
        f" since {asked.clock(broker['since'])}"
        for broker in status["brokers"]
    ]
    if status.get("quiet"):
        lines.append(
            "quiet   many nodes fell silent at once, or the centre just started:"
            " silence is judged slowly"
        )
    return "\n".join(lines) + "\n"


def _counts(name: str, counts: dict[str, int]) -> str:
    kinds = " · ".join(f"{count:,} {kind}" for kind, count in counts.items() if kind != "total")
    return f"{name}   {counts['total']:,}: {kinds}"
