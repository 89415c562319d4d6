"""``roost node``: the life of a node's identity, from quarantine to the next box in its slot."""

import json
from typing import Any, Final

import click

from roost_central.cli import output, times
from roost_central.cli.client import JSON, at
from roost_central.cli.failure import RefusedError
from roost_central.cli.options import Asked, shared
from roost_central.cli.output import Column

WHY: Final = "Why; it stands in the audit log."


def _generations(asked: Asked) -> list[Column]:
    return [
        output.number("GENERATION", "generation"),
        output.number("BOX", "box"),
        output.text("STATE", "state"),
        output.text("QUARANTINE", "quarantine"),
        Column("CHANGED", lambda row: asked.clock(row["changed"]), lambda row: row["changed"]),
        Column("UNTIL", lambda row: asked.clock(row["not_after"]), lambda row: row["not_after"]),
        output.text("REASON", "reason"),
        output.text("SERIAL", "serial", wide=True),
    ]


@click.command("identity")
@click.argument("node")
@shared()
def identity(asked: Asked, node: str) -> None:
    """Show the generations of a node's identity. The newest first, each with its state and why."""
    found = asked.client().get(at("nodes", node, "identities"))["items"]
    output.write(found, _generations(asked), asked.form, name="generation")


def _held(asked: Asked) -> list[Column]:
    return [
        Column("AT", lambda row: asked.clock(row["at"]), lambda row: row["at"]),
        output.text("KIND", "kind"),
        Column("BOX", lambda row: f"{row['boot_id'][:8]}/{row['incarnation']}"),
        Column("SAYS", lambda row: row["text"] or f"{row['size_bytes']:,} bytes"),
        output.text("LANE", "lane", wide=True),
        output.number("NUMBER", "item_seq", wide=True),
        Column(
            "RECEIVED",
            lambda row: asked.clock(row["received"]),
            lambda row: row["received"],
            wide=True,
        ),
    ]


@click.command("held")
@click.argument("node")
@shared()
def held(asked: Asked, node: str) -> None:
    """Show what a node reported in quarantine. Kept apart, and applied nowhere; newest first.

    BOX is the boot and the start of the agent that spoke: two boxes with one identity have two.
    """
    found = asked.client().pages(at("nodes", node, "held"))
    output.write(found, _held(asked), asked.form, name="seq")


@click.command("revoke")
@click.argument("node")
@click.option("-m", "--reason", required=True, help=WHY)
@shared()
def revoke(asked: Asked, node: str, reason: str) -> None:
    """Revoke a node's identity. It is mute and shut out within ten seconds, for good.

    To be let in again the box must be enrolled anew.
    """
    _done(asked, node, "revoke", reason)


@click.command("move")
@click.argument("node")
@click.argument("to")
@shared()
def move(asked: Asked, node: str, to: str) -> None:
    """Say how a node is moved to another slot, TO: a new id is a new identity.

    It does nothing by itself: a certificate names its slot, so no act here can rename a box.
    """
    client = asked.client()
    client.get(at("nodes", node))
    site, dot, name = to.partition(".")
    if not (site and dot and name):
        raise RefusedError(f"{to!r}: say SITE.NODE, the slot that the box is to have")
    client.get(at("sites", site))
    raise RefusedError(
        f"a node's id is its identity and never changes: {node} cannot become {to}. Instead:\n"
        f"  1. roost node decommission {node} -m 'moved to {to}' (its history stays)\n"
        f"  2. roost enrol token create --site {site} --node {name}\n"
        "  3. on the box: the line that this prints, with --new-key\n"
        "Its parts keep their serials: `roost inventory part` shows both of its lives."
    )


@click.command("decommission")
@click.argument("node")
@click.option("-m", "--reason", required=True, help=WHY)
@shared()
def decommission(asked: Asked, node: str, reason: str) -> None:
    """Take a node out of service. Its identity ends within ten seconds, its history stays.

    The slot is empty then: another box may fill it. `roost site delete` does it to all of a site.
    """
    _done(asked, node, "decommission", reason)


@click.command("quarantine")
@click.argument("node")
@click.option("-m", "--reason", required=True, help=WHY)
@shared()
def quarantine(asked: Asked, node: str, reason: str) -> None:
    """Put a node in quarantine: it is heard and shown, and gets no order and no renewal."""
    _done(asked, node, "quarantine", reason)


@click.command("release")
@click.argument("node")
@click.option("-m", "--reason", required=True, help=WHY)
@shared()
def release(asked: Asked, node: str, reason: str) -> None:
    """Let a node out of quarantine.

    Where two boxes used one identity, take the other one off the network before; where you do not
    know which is the right one, `roost node replace` shuts both out.
    """
    _done(asked, node, "release", reason)


@click.command("replace")
@click.argument("node")
@click.option(
    "-m", "--reason", default="", help="Why; needed where its box was heard in 15 minutes."
)
@click.option("--serial", default="", help="Of the new box, which then joins by any token of it.")
@click.option("--broker", is_flag=True, help="It may be a broker of its site.")
@click.option(
    "--ttl",
    metavar="TIME",
    default="24h",
    show_default=True,
    help="How long it counts: 30m, 24h, 7d.",
)
@shared()
def replace(asked: Asked, node: str, ttl: str, **given: Any) -> None:  # noqa: ANN401 - options
    """Let the next box take a node's place, and print the line that joins it, this once.

    It gets the same name and history. The old box is shut out in the moment when the new one has
    its certificate; until then nothing changes.
    """
    try:
        body = {**given, "life_s": times.span(ttl)}
    except RefusedError as err:
        raise RefusedError(f"--ttl: {err.sentence}") from err
    address = at("nodes", node, "replace")
    made = asked.client().send("POST", address, json.dumps(body).encode(), headers=JSON)
    if asked.form not in {"table", "wide"}:
        click.echo(output.document(made, asked.form), nl=False)
        return
    until = asked.clock(made["not_after"])
    if not made.get("join"):
        click.echo(f"claim {made['id']}, until {until}: box {made['subject']} replaces {node}")
        return
    click.echo(f"claim {made['id']}, until {until}; on the new box, as root:", err=True)
    click.echo(made["join"])


def _done(asked: Asked, node: str, act: str, reason: str) -> None:
    body = json.dumps({"reason": reason}).encode()
    found = asked.client().send("POST", at("nodes", node, act), body, headers=JSON)["items"]
    output.write(found, _generations(asked), asked.form, name="generation")


COMMANDS: Final = (decommission, held, identity, move, quarantine, release, replace, revoke)
