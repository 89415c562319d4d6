"""``roost order``: what nodes were ordered to do, who stands behind it, and what became of it."""

import json
import time
from typing import Any

import click

from roost_central.cli import output, times
from roost_central.cli.client import JSON, Client, at
from roost_central.cli.exits import ExitCode
from roost_central.cli.failure import RefusedError
from roost_central.cli.options import Asked, shared, show
from roost_central.cli.output import Column
from roost_central.cli.verbs import Verbs
from roost_central.ports import SystemClock

STATES = ["open", "pending", "ready", "taken", "done", "failed", "refused", "expired", "cancelled"]
OPEN = {"pending", "ready", "taken"}
LOOK_S = 1.0
ORDERS = "/api/v1/orders"


def columns(asked: Asked) -> list[Column]:
    """Return the columns of a list of orders."""
    return [
        output.text("ORDER", "id", whole=True),
        output.text("NODE", "node"),
        Column("DOES", does),
        output.text("STATE", "state"),
        Column("CHANGED", lambda row: asked.clock(row["changed"]), lambda row: row["changed"]),
        Column("BY", _people),
        output.text("WHY", "text", prose=True),
        output.text("REASON", "reason", wide=True),
        Column(
            "UNTIL",
            lambda row: asked.clock(row["not_after"]),
            lambda row: row["not_after"],
            wide=True,
        ),
        output.number("SENT", "sends", wide=True),
    ]


def does(row: output.Row) -> str:
    """Return what an order asks, as it is typed."""
    said = (
        (name, value) for name, value in row["given"].items() if value != "" and value is not False
    )
    given = " ".join(f"{name}={value}" for name, value in said)
    return f"{row['verb']} {given}".strip()


def _people(row: output.Row) -> str:
    if row["approved_by"]:
        return f"{row['by']}, {row['approved_by']}"
    return f"{row['by']}, needs a second" if row["state"] == "pending" else str(row["by"])


@click.group("order", cls=Verbs)
def command() -> None:
    """List, approve and cancel orders to nodes.

    `roost node order` places one; `roost order verbs` shows what there is.
    """


@command.command("verbs")
@shared()
def verbs(asked: Asked) -> None:
    """List what can be ordered. A ? is behind arguments that may be left out."""
    shown = [
        output.text("VERB", "verb", whole=True),
        Column("ARGUMENTS", lambda row: " ".join(row["given"]) or "-"),
        Column("NEEDS", _needs),
        output.text("DOES", "title", prose=True),
    ]
    output.write(asked.client().get("/api/v1/order-verbs")["items"], shown, asked.form, name="verb")


def _needs(row: output.Row) -> str:
    if row["never"]:
        return "the signer never signs it"
    needs = ["a reason"] if row["needs_reason"] else []
    needs += ["a second person"] if row["by_two"] else []
    return ", ".join(needs) or "-"


@command.command("list")
@click.option("--node", help="Of one node, e.g. lab.n1.")
@click.option("--state", type=click.Choice(STATES), help="open: what has not ended.")
@click.option(
    "--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many at most."
)
@shared(watch=True)
def list_(asked: Asked, node: str | None, state: str | None, limit: int) -> None:
    """List orders, the newest first."""

    def draw(client: Client) -> str:
        found = client.get(ORDERS, node=node, state=state, limit=limit)["items"]
        return output.render(found, columns(asked), asked.form, name="id")

    show(asked, draw)


@command.command("show")
@click.argument("order")
@shared(watch=True)
def show_(asked: Asked, order: str) -> None:
    """Show one order and what became of it."""

    def draw(client: Client) -> str:
        return drawn(asked, client.get(at("orders", order)))

    show(asked, draw)


@command.command()
@click.argument("order")
@shared()
def approve(asked: Asked, order: str) -> None:
    """Stand behind somebody else's order: it is signed and sent then."""
    found = asked.client().send("POST", at("orders", order, "approve"), b"")
    click.echo(drawn(asked, found), nl=False)


@command.command()
@click.argument("order")
@click.option("-m", "--reason", required=True, help="Why; it stands in the audit log.")
@shared()
def cancel(asked: Asked, order: str, reason: str) -> None:
    """Send an order no more. A node that took it does it all the same."""
    body = json.dumps({"reason": reason}).encode()
    found = asked.client().send("POST", at("orders", order, "cancel"), body, headers=JSON)
    click.echo(drawn(asked, found), nl=False)


@click.command("order")
@click.argument("node")
@click.argument("verb")
@click.argument("words", nargs=-1, metavar="[NAME=VALUE]...")
@click.option("-m", "--reason", default="", help="Why; the node writes it down, too.")
@click.option(
    "--ttl",
    "life",
    metavar="TIME",
    default="1h",
    show_default=True,
    help="How long it counts: 30m, 24h.",
)
@click.option("--wait", is_flag=True, help="Until it has ended; the exit code says how.")
@shared()
def place(  # noqa: PLR0913 - options
    asked: Asked,
    node: str,
    verb: str,
    words: tuple[str, ...],
    *,
    reason: str,
    life: str,
    wait: bool,
) -> None:
    """Have a node do something. `roost order verbs` shows what there is."""
    life_s = times.span(life)
    given = arguments(words)
    body = json.dumps({"verb": verb, "given": given, "reason": reason, "life_s": life_s}).encode()
    client = asked.client()
    found = client.send("POST", at("nodes", node, "orders"), body, headers=JSON)
    if wait:
        found = awaited(client, found, life_s)
    click.echo(drawn(asked, found), nl=False)
    if wait and (code := exit_code(found)):
        raise click.exceptions.Exit(code)


def drawn(asked: Asked, found: dict[str, Any]) -> str:
    """Return one order in the chosen form."""
    if asked.form in {"table", "wide"}:
        return output.render([found], columns(asked), "wide", name="id")
    return output.document(found, asked.form)


def awaited(client: Client, placed: dict[str, Any], seconds: float) -> dict[str, Any]:
    """Return an order at its end, or as it is when the time is up; says how it stands."""
    clock = SystemClock()
    deadline_ms = clock.mono_ms() + round(seconds * 1_000)
    found, said = placed, ""
    while found["state"] in OPEN and clock.mono_ms() < deadline_ms:
        if found["state"] != said:
            said = found["state"]
            click.echo(f"{found['id']}: {waits_for(found)}", err=True)
        time.sleep(LOOK_S)
        found = client.get(at("orders", found["id"]))
    return found


def exit_code(found: dict[str, Any]) -> int:
    """Return how a command ends that waited for an order."""
    if found["state"] == "done":
        return ExitCode.OK
    return ExitCode.TIMED_OUT if found["state"] in OPEN else ExitCode.CHECK_FAILED


def arguments(words: tuple[str, ...]) -> dict[str, str]:
    """Return the arguments in words such as ``seconds=600``.

    Raises:
        RefusedError: a word is none.
    """
    given: dict[str, str] = {}
    for word in words:
        name, sign, value = word.partition("=")
        if not sign or not name:
            raise RefusedError(f"{word!r}: arguments are NAME=VALUE; roost order verbs names them")
        given[name] = value
    return given


def waits_for(found: dict[str, Any]) -> str:
    """Return what an order that has not ended waits for."""
    if found["state"] == "pending":
        return f"waits for a second person: roost order approve {found['id']}"
    if found["state"] == "taken":
        begun = found["code"] == "awaits-box"
        return f"waits for its box: {found['text']}" if begun else "the node has it"
    return "waits for the node" if not found["sends"] else "sent"
