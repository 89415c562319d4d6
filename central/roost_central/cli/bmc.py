"""``roost bmc`` and ``roost host sensors``: board controllers, as they were told last."""

import click

from roost_central.cli import output, times
from roost_central.cli.client import Client, at
from roost_central.cli.options import Asked, shared, show
from roost_central.cli.output import Column, Row
from roost_central.cli.verbs import Verbs

STALE_S = 3_600.0  # who reads one tells it every half hour
_BOUNDS = ("lnr", "lcr", "lnc", "unc", "ucr", "unr")


@click.group("bmc", cls=Verbs)
def command() -> None:
    """Set, reach and show board controllers of nodes.

    A password is asked for, or read from a file or standard input; nothing shows it again.
    """


@command.command("show")
@click.argument("node")
@shared(watch=True)
def show_(asked: Asked, node: str) -> None:
    """Show a node's board controller: who it is, who reads it, and what is wrong with it."""

    def draw(client: Client) -> str:
        found = client.get(at("nodes", node, "bmc"))
        if asked.form not in {"table", "wide"}:
            return output.document(found, asked.form)
        if found["as_of"] is None:
            how = _how(asked, found["configured"])
            return how or _nobody(node)
        machine = " ".join(each for each in (found["maker"], found["model"]) if each)
        lines = [
            f"machine    {machine or '-'}  {found['machine']}",
            f"controller by {found['protocol'] or '-'}, firmware {found['firmware'] or '-'}",
            f"power      {found['power']}",
            f"sensors    {found['sensors']}, read {_clock(asked, found['read'])}"
            f" in {found['took_ms']} ms",
            f"read by    {found['speaker']}, told {times.age(found['age_s'])} ago{_stale(found)}",
        ]
        if found["fault"]:
            lines.append(f"FAULT      {found['fault']}, {found['failures']} in a row")
            lines.append(f"do         {found['todo']}")
        return "\n".join(lines) + "\n" + _how(asked, found["configured"])

    show(asked, draw)


@click.command("sensors")
@click.argument("node")
@shared(watch=True)
def sensors(asked: Asked, node: str) -> None:
    """Show the sensors of a node's board controller, with their thresholds."""

    def draw(client: Client) -> str:
        found = client.get(at("nodes", node, "sensors"))
        if asked.form not in {"table", "wide"}:
            return output.document(found, asked.form)
        if found["as_of"] is None:
            return _nobody(node)
        heads = [f"read {_clock(asked, found['read'])}, power {found['power']}{_stale(found)}"]
        heads += [f"fault: {found['fault']}"] if found["fault"] else []
        heads += [f"{found['dropped']} more are not told"] if found["dropped"] else []
        rows = output.render(found["sensors"], _COLUMNS, asked.form, name="key")
        return "\n".join(heads) + "\n\n" + rows

    show(asked, draw)


def _how(asked: Asked, found: Row | None) -> str:
    """Return how a controller was set here, and which nodes know; empty: it was not."""
    if found is None:
        return ""
    where = f"{found['type']} at {found['host']} as {found['user']}" if found["host"] else "-"
    trust = "by its CA" if found["ca"] else found["certificate_sha256"][:16] or "as it is learned"
    by = "the centre" if found["reached_by"] == "centre" else "a node of its site"
    lines = [
        f"reached by {by}",
        f"set        {where}, by {found['by']} at {asked.clock(found['changed'])}",
        f"trusted    {trust}",
    ]
    lines += [
        f"told       {each['node']}: {each['state']}{each['text'] and ', '}{each['text']}"
        for each in found["told"]
    ]
    return "\n".join(lines) + "\n"


def _nobody(node: str) -> str:
    return f"nobody reads a board controller of {node}: roost bmc set {node}, or docs/bmc.md\n"


def _stale(found: Row) -> str:
    return ": an old word, who reads it is silent" if found["age_s"] > STALE_S else ""


def _clock(asked: Asked, at_: str | None) -> str:
    return "never" if at_ is None else asked.clock(at_)


def _reading(row: Row) -> str:
    return "-" if row["value"] is None else f"{row['value']:g} {row['unit']}"


def _thresholds(row: Row) -> str:
    found = row["thresholds"]
    told = [f"{name} {found[name]:g}" for name in _BOUNDS if found[name] is not None]
    return " ".join(told) or "-"


def _level(row: Row) -> str:
    return f"({row['level']})" if row["suppressed"] else str(row["level"])


_COLUMNS = [
    output.text("SENSOR", "sensor", whole=True),
    output.text("GROUP", "group"),
    Column("READING", _reading),
    Column("LEVEL", _level),
    Column("THRESHOLDS", _thresholds),
    output.text("KEY", "key", wide=True),
]
