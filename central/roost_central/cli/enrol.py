"""``roost enrol``: who waits to be let in, and by what boxes are let in."""

import json
import os
from pathlib import Path
from typing import Any

import click

from roost_central.cli import claim_list, output, times
from roost_central.cli.client import JSON, Client, at
from roost_central.cli.failure import ApiError, RefusedError
from roost_central.cli.options import Asked, shared, show
from roost_central.cli.output import Column
from roost_central.cli.plain import plain
from roost_central.cli.verbs import Verbs
from roost_protocol.claim_file import NAME, ClaimFile, encode


def boxes(asked: Asked) -> list[Column]:
    """Return the columns of boxes."""
    return [
        output.text("BOX", "id", whole=True),
        output.text("STATE", "state"),
        output.text("KIND", "kind"),
        output.text("SITE", "site"),
        output.text("NODE", "node"),
        Column("PRODUCT", lambda row: row["hardware"]["product"] or "-"),
        Column("SERIAL", lambda row: row["hardware"]["serial"] or "-"),
        output.text("ADDRESS", "address"),
        Column("SEEN", lambda row: asked.clock(row["seen"]), lambda row: row["seen"]),
        output.text("WORDS", "words", wide=True),
        output.text("REASON", "reason", wide=True),
    ]


def claims(asked: Asked) -> list[Column]:
    """Return the columns of claims."""
    return [
        output.text("CLAIM", "id", whole=True),
        output.text("KIND", "kind"),
        output.text("SITE", "site"),
        output.text("NODE", "node"),
        output.text("SUBJECT", "subject"),
        Column("USED", lambda row: f"{row['used']}/{row['nodes_max']}", right=True),
        Column("APPROVES", lambda row: "yes" if row["auto_approve"] else "no"),
        Column("ENDS", lambda row: asked.clock(row["not_after"]), lambda row: row["not_after"]),
        Column("REVOKED", lambda row: asked.clock(row["revoked"]), lambda row: row["revoked"]),
        output.text("BY", "made_by", wide=True),
    ]


@click.group("enrol", cls=Verbs)
def command() -> None:
    """Let boxes in: who waits, and by which tokens and lists."""


@command.command("list")
@click.option("--all", "all_", is_flag=True, help="Also who was let in, and who was denied.")
@shared(watch=True)
def list_(asked: Asked, *, all_: bool) -> None:
    """List the boxes that wait, who came first first."""

    def draw(client: Client) -> str:
        states = ("pending", "approved", "issued", "denied") if all_ else (None,)
        rows = [
            row for state in states for row in client.get(at("enrolments"), state=state)["items"]
        ]
        return output.render(rows, boxes(asked), asked.form, name="id")

    show(asked, draw)


@command.command("show")
@click.argument("box")
@shared()
def show_(asked: Asked, box: str) -> None:
    """Show a box: what it is, its six words, and the known box that is most like it."""
    found = asked.client().get(at("enrolments", box))
    if asked.form not in {"table", "wide"}:
        click.echo(output.document(found, asked.form), nl=False)
        return
    near = found["nearest"]
    like = (
        f"{near['node']}, {near['points']} points: {near['likeness']}" if near else "no known box"
    )
    lines = {
        "box": found["id"], "state": f"{found['state']} {found['reason']}".strip(),
        "words": found["words"], "from": f"{found['address']}, agent {found['agent']}",
        **{name: _words(value) for name, value in found["hardware"].items()}, "most like": like,
    }  # fmt: skip
    for name, value in lines.items():
        click.echo(f"{name:<10} {plain(str(value)) or '-'}")


@command.command()
@click.argument("box", required=False)
@click.option("--site", default="", help="Its site; a box that brought a token has one.")
@click.option("--node", default="", help="Its slot, made where there is none.")
@click.option("--words", default="", help="The six words that the box shows.")
@click.option("--broker", is_flag=True, help="It may be a broker of its site.")
@click.option("--replace", is_flag=True, help="The box that is in the slot goes.")
@click.option("-m", "--reason", default="", help="With --replace: why; it was heard lately.")
@click.option("--matching", is_flag=True, help="All with a token that match, instead of one box.")
@click.option("--claim", default="", help="With --matching: that brought this token.")
@click.option("--vendor", default="", help="With --matching: of this vendor.")
@click.option("--product", default="", help="With --matching: of this product.")
@click.option("--expect", type=int, help="With --matching: how many there are; else none is.")
@shared()
def approve(
    asked: Asked,
    box: str | None,
    *,
    matching: bool,
    expect: int | None,
    **given: Any,  # noqa: ANN401 - options
) -> None:
    """Let a box in. One that brought no token shows six words: compare them, and pass them."""
    client = asked.client()
    if not matching:
        if not box or not given["node"]:
            raise RefusedError("say BOX and --node, or --matching and --expect")
        names = ("site", "node", "words", "broker", "replace", "reason")
        body = {name: given[name] for name in names}
        rows = [_post(client, at("enrolments", box, "approve"), body)]
    else:
        if expect is None:
            raise RefusedError("--matching needs --expect: see roost enrol list, and count")
        chosen = {name: given[name] for name in ("site", "claim", "vendor", "product")}
        rows = _post(client, "/api/v1/enrolments:approve", {**chosen, "expected": expect})["items"]
    output.write(rows, boxes(asked), asked.form, name="id")


@command.command()
@click.argument("box")
@click.option("-m", "--reason", required=True, help="The box is told.")
@shared()
def deny(asked: Asked, box: str, reason: str) -> None:
    """Refuse a box: its key is never let in."""
    answer = _post(asked.client(), at("enrolments", box, "deny"), {"reason": reason})
    output.write([answer], boxes(asked), asked.form, name="id")


@command.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option(
    "--ttl", metavar="TIME", default="30d", show_default=True, help="How long they count: 12h, 30d."
)
@shared()
def import_(asked: Asked, file: str, ttl: str) -> None:
    """List serial numbers or keys beforehand. FILE is CSV in UTF-8; - reads standard input.

    The first line names the columns: serial or key (SHA-256 of a public key, hexadecimal), site,
    and node where it is for one slot. All of them are written, or none.
    """
    listed = claim_list.read(file)
    body = {"claims": listed.rows, "life_s": _life_s(ttl)}
    try:
        answer = _post(asked.client(), "/api/v1/claims:import", body)
    except ApiError as err:
        listed.blame(err)
        raise
    output.write(answer["items"], claims(asked), asked.form, name="id")


@command.group()
def token() -> None:
    """Tokens: each lets boxes of one site in."""


@token.command()
@click.option("--site", required=True, help="Of whose boxes it lets in.")
@click.option("--node", default="", help="One slot, made where there is none.")
@click.option("--max-nodes", default=1, show_default=True, help="How many boxes it lets in.")
@click.option(
    "--ttl",
    metavar="TIME",
    default="24h",
    show_default=True,
    help="How long it counts: 30m, 24h, 7d.",
)
@click.option("--auto-approve", is_flag=True, help="Fill empty slots without asking anybody.")
@click.option("--broker", is_flag=True, help="Its nodes may be brokers of the site.")
@click.option("--cidr", default="", help="Only from these addresses.")
@click.option("--claim-file", type=click.Path(), help="Write it for a medium; print no line.")
@shared()
def create(
    asked: Asked,
    ttl: str,
    claim_file: str | None,
    **given: Any,  # noqa: ANN401 - options
) -> None:
    """Make a token, and print the line that joins a box. It is shown this once.

    With --claim-file it goes to a file instead, such as /media/usb/roost-claim.json: a box that
    finds that on a medium joins by itself. It is written for you alone, and never over another.
    """
    body = {
        **{name: given[name] for name in ("site", "node", "auto_approve", "broker", "cidr")},
        "nodes_max": given["max_nodes"],
        "life_s": _life_s(ttl),
    }
    if claim_file is not None:
        _make_claim_file(asked, Path(claim_file), body)
        return
    made = _post(asked.client(), at("claims"), body)
    if asked.form not in {"table", "wide"}:
        click.echo(output.document(made, asked.form), nl=False)
        return
    click.echo(
        f"claim {made['id']}, until {asked.clock(made['not_after'])}; on the box, as root:",
        err=True,
    )
    click.echo(made["join"])


@token.command("list")
@shared()
def list_tokens(asked: Asked) -> None:
    """List tokens, serial numbers and keys, the newest first."""
    output.write(asked.client().get(at("claims"))["items"], claims(asked), asked.form, name="id")


@token.command()
@click.argument("claim")
@shared()
def revoke(asked: Asked, claim: str) -> None:
    """Let nobody use a token, a serial number or a key any more."""
    asked.client().send("DELETE", at("claims", claim), b"")


def _make_claim_file(asked: Asked, file: Path, body: dict[str, Any]) -> None:
    """Make a token, and the file that carries it; the file first, so that no token is lost."""
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except OSError as err:
        hint = "; remove it first" if isinstance(err, FileExistsError) else ""
        raise RefusedError(f"--claim-file {file}: {err.strerror}{hint}") from None
    try:
        with os.fdopen(handle, "wb") as stream:
            made = _post(asked.client(), at("claims"), body)
            claim = ClaimFile(made["url"], made["token"], keep=made["nodes_max"] > 1)
            stream.write(encode(claim))
            stream.flush()
            os.fsync(handle)
    except BaseException:
        file.unlink()
        raise
    boxes = "one box" if made["nodes_max"] == 1 else f"up to {made['nodes_max']} boxes"
    until = asked.clock(made["not_after"])
    click.echo(f"claim {made['id']}, for {boxes}, until {until}: {file}", err=True)
    if file.name != NAME:
        click.echo(f"name it {NAME} on the medium: boxes look for that", err=True)


def _post(client: Client, path: str, body: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
    return client.send("POST", path, json.dumps(body).encode(), headers=JSON)


def _life_s(ttl: str) -> int:
    try:
        return times.span(ttl)
    except RefusedError as err:
        raise RefusedError(f"--ttl: {err.sentence}") from err


def _words(value: object) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)
