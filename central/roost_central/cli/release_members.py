"""``roost release members|approve-members``: who belongs to a site by the director's word.

The signature is made here, with the operator's own key, over the members one by one: a captured
centre cannot turn it around.
"""

import json
from base64 import b64encode
from pathlib import Path
from typing import Any, Final

import click

from roost_central.cli import output
from roost_central.cli.client import JSON, Client, at
from roost_central.cli.failure import RefusedError
from roost_central.cli.options import Asked, shared, show
from roost_central.cli.plain import plain
from roost_central.cli.release_options import FILE, opened_key, passphrase_option
from roost_central.ports import SystemClock
from roost_protocol.release.members import (
    MEMBERS_DOMAIN,
    MEMBERS_LIFE_MS_MAX,
    MEMBERS_VERSION,
    MembersWord,
    write_members,
)

DAY_MS: Final = 86_400_000
SKEW_MS: Final = 60_000  # that this machine's clock may be ahead of the signer's


@click.command()
@click.argument("site")
@shared(watch=True)
def members(asked: Asked, site: str) -> None:
    """Show who belongs to a site, what it was told, and whether operators have to sign.

    Where more than one member goes or is replaced within 24 h, two operators sign for those that
    stay: roost release approve-members.
    """
    columns = [
        output.text("NODE", "node", whole=True),
        output.number("BOX", "box"),
        output.number("TOLD", "told"),
        output.text("CHANGE", "change"),
    ]

    def draw(client: Client) -> str:
        found = client.get(at("sites", site, "members"))
        if asked.form not in {"table", "wide"}:
            return output.document(found, asked.form)
        rows = [{**each, "change": _change(each)} for each in found["members"]]
        signed = ", ".join(found["approvals"]) or "nobody"
        lines = [f"signed for these members: {signed} (needed where several go: {found['needed']})"]
        lines += [f"the signer refuses: {found['refusal']}"] if found["refusal"] else []
        table = output.render(rows, columns, asked.form, name="node")
        return table + "".join(f"{plain(line)}\n" for line in lines)

    show(asked, draw)


@click.command("approve-members")
@click.argument("site")
@click.option("--operator", required=True, help="Your name in policy/operators.")
@click.option("--key", required=True, type=FILE, help="Your private key, of release keygen.")
@click.option("--expect", "expected", help="The nodes as you know them, n1,n2; others: refused.")
@click.option(
    "--days", type=click.IntRange(1, MEMBERS_LIFE_MS_MAX // DAY_MS), default=1,
    show_default=True, help="For which it counts.",
)  # fmt: skip
@passphrase_option
@shared()
def approve_members(  # noqa: PLR0913 - options
    asked: Asked, site: str, *, operator: str, key: Path, expected: str | None, days: int,
    passphrase_fd: int | None,
) -> None:  # fmt: skip
    """Sign that a site has the members that it has now, and no others.

    Says which of them go before it asks for your passphrase.
    """
    client = asked.client()
    found = client.get(at("sites", site, "members"))
    now = {each["node"]: each["box"] for each in found["members"] if each["box"]}
    _check(site, now, expected)
    click.echo(_told(site, found), err=True)
    private = opened_key(key, passphrase_fd)
    begin_ms = SystemClock().wall_ms() - SKEW_MS
    word = write_members(
        MembersWord(
            v=MEMBERS_VERSION,
            operator=operator,
            site=site,
            members=now,
            not_before_ms=begin_ms,
            not_after_ms=begin_ms + days * DAY_MS,
        )
    )
    signature = bytes.fromhex(private.signer.sign(MEMBERS_DOMAIN + word).signature)
    body = {"word": b64encode(word).decode(), "signature": b64encode(signature).decode()}
    path = at("sites", site, "members", "approve")
    done = client.send("POST", path, json.dumps(body).encode(), headers=JSON)
    have = f"{len(done['approvals'])} of {done['needed']}: {', '.join(done['approvals'])}"
    rest = f"the signer still refuses: {done['refusal']}" if done["refusal"] else "it is told"
    click.echo(plain(f"{operator} signed for the members of {site} ({have}); {rest}"))


def _check(site: str, now: dict[str, int], expected: str | None) -> None:
    """Check the members against those that the operator knows.

    Raises:
        RefusedError: they differ.
    """
    if expected is None:
        return
    known = {each if "." in each else f"{site}.{each}" for each in expected.split(",") if each}
    if known != {*now}:
        raise RefusedError(f"{site} has the members {', '.join(sorted(now)) or 'none'} now")


def _told(site: str, found: dict[str, Any]) -> str:
    """Return what is about to be signed, in two sentences."""
    rows = found["members"]
    stay = ", ".join(f"{each['node']} box {each['box']}" for each in rows if each["box"])
    changes = ", ".join(f"{each['node']} {_change(each)}" for each in rows if _change(each))
    return plain(f"{site} has {stay or 'no member'}. Changes: {changes or 'none'}.")


def _change(row: dict[str, Any]) -> str:
    if not row["told"]:
        return "comes"
    if not row["box"]:
        return "goes"
    return "" if row["box"] == row["told"] else f"replaces box {row['told']}"
