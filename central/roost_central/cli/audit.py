"""``roost audit``: who did what, and whether the record of it is whole.

The chain is checked here, with rows as the centre gives them: a centre that lies must have kept a
second chain, which a head that was kept elsewhere shows.
"""

import json
import re
import sys
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import IO, Any

import click

from roost_central.access.chain import (
    START,
    TEXTS,
    Act,
    Anchor,
    BrokenChainError,
    ChainCheck,
    Entry,
)
from roost_central.access.signatures import SignatureCheck
from roost_central.cli import output
from roost_central.cli.client import Client
from roost_central.cli.exits import ExitCode
from roost_central.cli.failure import RefusedError
from roost_central.cli.options import Asked, shared
from roost_central.cli.output import Column
from roost_central.cli.plain import plain
from roost_central.cli.signatures import SIGNATURES, record_of, refuse_missing
from roost_central.cli.verbs import Verbs

AUDIT = "/api/v1/audit"
LIST_MAX = 200
NDJSON = "application/x-ndjson"
HEAD = re.compile(r"([0-9]{1,15}):([0-9a-f]{64})")


def _columns(asked: Asked) -> list[Column]:
    return [
        Column("AT", lambda row: asked.clock(row["at"]), lambda row: row["at"]),
        output.text("ACTOR", "actor"),
        output.text("ACTION", "action", whole=True),
        output.text("OBJECT", "object"),
        output.text("OUTCOME", "outcome", whole=True),
        output.text("REASON", "reason", prose=True),
        output.text("ROLE", "role", wide=True),
        output.text("VIA", "via", wide=True),
        output.text("FROM", "source", wide=True),
        output.text("REQUEST", "request_id", wide=True),
        Column("DETAIL", lambda row: json.dumps(row["detail"]), wide=True),
        output.number("SEQ", "seq", wide=True),
    ]


@click.group("audit", cls=Verbs)
def command() -> None:
    """Read who did what, and check that nothing of it was changed."""


@command.command("list")
@click.option("--actor", help="Only what this one did.")
@click.option("--action", help="Only these: alarm.ack, or alarm for all that was done to alarms.")
@click.option("--since", metavar="TIME", help="Only since then: 7d, or 2026-11-01T03:00:00Z.")
@click.option(
    "--limit",
    type=click.IntRange(1, 1000),
    default=LIST_MAX,
    show_default=True,
    help="How many at most.",
)
@shared()
def list_(
    asked: Asked, actor: str | None, action: str | None, since: str | None, limit: int
) -> None:
    """List acts, newest first."""
    page = asked.client().get(AUDIT, actor=actor, action=action, since=since, limit=limit)
    output.write(page["items"], _columns(asked), asked.form, name="seq")


@command.command("export")
@shared()
def export(asked: Asked) -> None:
    """Write every row with its hashes to standard output, a JSON object a line, oldest first."""
    for chunk in asked.client().download(f"{AUDIT}/export", NDJSON):
        sys.stdout.buffer.write(chunk)
    sys.stdout.buffer.flush()


@command.command("verify")
@click.argument("file", required=False, type=click.File("rb"))
@click.option(
    "--head",
    "heads",
    multiple=True,
    metavar="SEQ:HASH",
    help="A head that you kept: from noc/v1/audit/head, or from the centre's log. May be repeated.",
)
@click.option("--without-signer", is_flag=True, help="The fleet has none: nothing to compare.")
@shared()
def verify(
    asked: Asked, file: IO[bytes] | None, heads: tuple[str, ...], *, without_signer: bool
) -> None:
    """Check the chain, of the centre or of a FILE that `export` wrote; exit code 8 if it is broken.

    Of a centre it also compares the signer's record with the log: a certificate that nobody asked
    for is a failure too, and so is a centre that does not give the record.

    Without --head this shows that no row was changed, removed or put between others. That the log
    was not written anew as a whole, or cut at its end, a head that was kept elsewhere shows.
    """
    kept = [_anchor(text) for text in heads]
    record, why = None, "a file has no signer's record"
    if file is not None:
        rows = _rows(file)
        start, end = START, None
    else:
        client = asked.client()
        told = client.get(f"{AUDIT}/head")
        start, end = _told(told["start"]), _told(told["head"])
        record, why = record_of(client)  # first: what explains a row is older than the row
        rows = _rows(_lines(client))
    heads_there = [*kept, *([end] if end else [])]
    try:
        checked = _checked(_heard(rows, record), start, heads_there, is_file=file is not None)
    except BrokenChainError as err:
        raise RefusedError(f"the audit log is broken at {err}", ExitCode.CHECK_FAILED) from err
    if record is not None:
        refuse_missing(record)
    elif file is None and not without_signer:  # a centre that is not to be believed says so too
        sentence = f"the log is whole; the signer's record was not compared with it: {why}"
        hint = "of a fleet that has no signer: --without-signer"
        raise RefusedError(f"{sentence}; {hint}", ExitCode.CHECK_FAILED)
    _say(asked, checked, len(kept), record, why)


@command.command("accept")
@click.option("-m", "--reason", required=True, help="Why they are well.")
@shared()
def accept(asked: Asked, reason: str) -> None:
    """Say why signatures without a row in the audit log are well; `verify` shows which."""
    client = asked.client()
    shown = client.get(SIGNATURES)
    numbers = [row["n"] for row in shown["unexplained"]]
    if not numbers and not shown["fault"]:
        raise RefusedError("every signature has its row in the audit log: nothing to accept")
    body = json.dumps({"signatures": numbers, "reason": reason}).encode()
    headers = {"Content-Type": "application/json"}
    found = client.send("POST", f"{SIGNATURES}:accept", body, headers=headers)
    if asked.form in {"table", "wide"}:
        for row in shown["unexplained"]:
            click.echo(f"accepted {plain(row['text'])}")
        click.echo(f"the record is compared through row {found['compared']['n']}")
    else:
        click.echo(output.document(found, asked.form), nl=False)


def _heard(rows: Iterable[Entry], record: SignatureCheck | None) -> Iterator[Entry]:
    for row in rows:
        if record is not None:
            record.hear(row.act)
        yield row


def _checked(
    rows: Iterable[Entry], start: Anchor, heads: list[Anchor], *, is_file: bool
) -> ChainCheck:
    left = iter(rows)
    first = next(left, None)
    if is_file and first is None:
        sentence = "there is no row in the file: `roost audit export` writes one at least"
        raise RefusedError(sentence, ExitCode.CHECK_FAILED)
    if is_file and first is not None and first.seq > 1:  # what it follows is not in the file
        start = Anchor(first.seq - 1, first.prev_hash)
    check = ChainCheck(start, heads)
    for row in chain([first] if first is not None else [], left):
        check.see(row)
    check.end()
    return check


def _say(
    asked: Asked, checked: ChainCheck, kept: int, record: SignatureCheck | None, why: str
) -> None:
    head = f"{checked.at.seq}:{checked.at.hash.hex()}"
    if asked.form in {"table", "wide"}:
        click.echo(f"{checked.rows} rows are whole; the chain ends at {head}")
        if not kept:
            click.echo("  keep that head elsewhere: --head proves later that it is the same log")
        if record is None:
            click.echo(f"  signatures were not compared: {plain(why)}")
        else:
            click.echo(
                f"{record.seen} signatures have their rows in it; "
                f"the signer's record ends at {record.at.n}:{record.at.head}"
            )
    else:
        found = {"rows": checked.rows, "head": head, "heads_checked": kept}
        if record is not None:
            found |= {"signatures": record.seen, "record": f"{record.at.n}:{record.at.head}"}
        click.echo(output.document(found, asked.form), nl=False)


def _lines(client: Client) -> Iterator[bytes]:
    rest = b""
    for chunk in client.download(f"{AUDIT}/export", NDJSON):
        *lines, rest = (rest + chunk).split(b"\n")
        yield from lines
    yield rest


def _rows(lines: Iterable[bytes]) -> Iterator[Entry]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row: dict[str, Any] = json.loads(line)
            act = Act(
                at_ms=row["at_ms"], detail=row["detail"], **{each: row[each] for each in TEXTS}
            )
            yield Entry(
                row["seq"], act, bytes.fromhex(row["prev_hash"]), bytes.fromhex(row["hash"])
            )
        except (ValueError, KeyError, TypeError) as err:
            sentence = f"line {number} is no row of an audit export: {err}"
            raise RefusedError(sentence, ExitCode.CHECK_FAILED) from err


def _anchor(text: str) -> Anchor:
    found = HEAD.fullmatch(text)
    if found is None:
        raise RefusedError(f"--head {text!r}: is not like 311:ab12... with 64 hex digits")
    return Anchor(int(found[1]), bytes.fromhex(found[2]))


def _told(anchor: dict[str, Any]) -> Anchor:
    return Anchor(anchor["seq"], bytes.fromhex(anchor["hash"]))
