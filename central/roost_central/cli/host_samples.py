"""``roost host samples``: what a node measured within its last day."""

from datetime import datetime, timedelta
from typing import Any

import click

from roost_central.cli import output, times
from roost_central.cli.client import Client, at
from roost_central.cli.options import Asked, shared, show
from roost_central.cli.output import Column, Row

MINUTE_S = 60


@click.command("samples")
@click.argument("node")
@click.argument("series", nargs=-1)
@click.option(
    "--since",
    metavar="TIME",
    default="24h",
    show_default=True,
    help="A time, or a span such as 2h.",
)
@click.option(
    "--step",
    metavar="TIME",
    help="Of one value, such as 1m or 10m; as it suits where it is not said.",
)
@click.option("--board", is_flag=True, help="The sensors of its board controller instead.")
@shared()
def samples(  # noqa: PLR0913 - the options of a command
    asked: Asked, node: str, series: tuple[str, ...], *, since: str, step: str | None, board: bool
) -> None:
    """Show what a node measured: of all series, or of those named, such as cpu or 'space|fs=/'.

    A table has a line for each series; csv and ndjson have one for each value.
    """

    def draw(client: Client) -> str:
        found = client.get(
            at("nodes", node, *(("sensors",) if board else ()), "samples"),
            since=since,
            step_s=None if step is None else times.span(step, least_s=MINUTE_S),
            series=",".join(series) or None,
        )
        if asked.form in {"json", "yaml"}:
            return output.document(found, asked.form)
        if asked.form in {"csv", "ndjson"}:
            return output.render(_steps(found), _STEP_COLUMNS, asked.form, name="series")
        rows = [_extremes(each) for each in found["series"]]
        return "".join(_heads(found)) + output.render(rows, _COLUMNS, asked.form, name="series")

    show(asked, draw)


_COLUMNS = [
    output.text("SERIES", "series", whole=True),
    output.text("UNIT", "unit"),
    output.number("LOWEST", "low"),
    output.number("MEAN", "mean"),
    output.number("HIGHEST", "high"),
    output.number("LAST", "last"),
]
_STEP_COLUMNS = [
    output.text("AT", "at"),
    output.text("SERIES", "series"),
    output.text("UNIT", "unit"),
    Column("LOW", lambda row: str(row["low"]), lambda row: row["low"]),
    Column("MEAN", lambda row: str(row["mean"]), lambda row: row["mean"]),
    Column("HIGH", lambda row: str(row["high"]), lambda row: row["high"]),
]


def _heads(found: dict[str, Any]) -> list[str]:
    lines = [f"{found['why']}\n"] if found["why"] else []
    if found["origin"] == "none":
        return [*lines, "nothing is known of what it measured\n"]
    if found["origin"] == "kept":
        lines.append(f"what it told by itself, {times.age(found['age_s'])} ago\n")
    if found["left_out"]:
        lines.append(f"{found['left_out']} series more: name some, or a longer --step\n")
    return lines


def _extremes(each: Row) -> Row:
    means = [value for value in each["mean"] if value is not None]
    return {
        "series": each["series"],
        "unit": each["unit"],
        "low": min((value for value in each["low"] if value is not None), default=None),
        "mean": float(f"{sum(means) / len(means):.4g}") if means else None,
        "high": max((value for value in each["high"] if value is not None), default=None),
        "last": means[-1] if means else None,
    }


def _steps(found: dict[str, Any]) -> list[Row]:
    if not found["series"]:
        return []
    first, step = datetime.fromisoformat(found["since"]), timedelta(seconds=found["step_s"])
    return [
        {
            "at": (first + number * step).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "series": each["series"],
            "unit": each["unit"],
            "low": low,
            "mean": mean,
            "high": high,
        }
        for each in found["series"]
        for number, (low, mean, high) in enumerate(
            zip(each["low"], each["mean"], each["high"], strict=True)
        )
        if mean is not None
    ]
