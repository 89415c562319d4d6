"""``roost rollout approve``: an operator signs what a rollout sends and where, with their own key.

The key never leaves this machine. The plan that is signed is the file that the operator has read
here, and the sites are named one by one in what is signed: a captured centre has nothing that it
could turn around, and adds no site afterwards.
"""

import json
from base64 import b64encode
from collections import Counter
from collections.abc import Collection
from pathlib import Path
from typing import Any, Final, TextIO

import click

from roost_central.cli.client import JSON, Client, at
from roost_central.cli.failure import RefusedError
from roost_central.cli.options import Asked, shared
from roost_central.cli.plain import plain
from roost_central.cli.release_options import opened_key, passphrase_option
from roost_central.cli.rollout_plan_file import digest_of
from roost_central.ports import SystemClock
from roost_central.rollout.plan_file import plan_digest
from roost_protocol.release.approval import (
    APPROVAL_DOMAIN,
    APPROVAL_LIFE_MS_MAX,
    APPROVAL_VERSION,
    Approval,
    write_approval,
)
from roost_protocol.release.meant import Tree

PROFILE: Final = "profile"  # a rollout's kind
DAYS_USUAL: Final = 30
DAY_MS: Final = 86_400_000
PAGE: Final = 1_000  # sites of one answer
HAD_SHOWN: Final = 5  # releases in a sentence
SKEW_MS: Final = 60_000  # that this machine's clock may be ahead of the signer's


@click.command()
@click.argument("rollout")
@click.option(
    "--plan", "file", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The plan's file, as you reviewed it.",
)  # fmt: skip
@click.option("--operator", required=True, help="Your name in policy/operators.")
@click.option(
    "--key", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Your private key, of `roost release keygen`.",
)  # fmt: skip
@click.option("--expect", type=click.IntRange(1), help="How many sites; another number: refused.")
@click.option(
    "--sites", "named", type=click.File("r"),
    help="The sites as you reviewed them, one a line; the rollout has another: refused.",
)  # fmt: skip
@click.option(
    "--days", type=click.IntRange(1, APPROVAL_LIFE_MS_MAX // DAY_MS), default=DAYS_USUAL,
    show_default=True, help="For which it counts.",
)  # fmt: skip
@passphrase_option
@shared()
def approve(  # noqa: PLR0913 - options
    asked: Asked, rollout: str, *, file: Path, operator: str, key: Path, expect: int | None,
    named: TextIO | None, days: int, passphrase_fd: int | None,
) -> None:  # fmt: skip
    """Sign a rollout: its release, its sites, and the release that each may go back to."""
    client = asked.client()
    found = client.get(at("rollouts", rollout))
    digest = plan_digest(file.read_bytes())
    if digest != found["plan_digest"]:
        raise RefusedError(f"{file} is not the plan of rollout {rollout}: have it made anew")
    if found["kind"] == PROFILE and digest_of(file) != found["digest"]:
        raise RefusedError(f"rollout {rollout} has other profiles than those beside {file}")
    rollout = found["id"]  # it is signed whole, whatever was typed
    meant = _meant(client, rollout)
    _check(rollout, meant, expect, named)
    click.echo(_told(found, meant), err=True)
    tree = Tree({site: former for site, (_, former) in meant.items()})
    private = opened_key(key, passphrase_fd)
    now_ms = SystemClock().wall_ms()
    approval = write_approval(
        Approval(
            v=APPROVAL_VERSION,
            operator=operator,
            rollout=rollout,
            plan=digest,
            digest=found["digest"],
            sites=tree.root,
            count=tree.count,
            late_max=found["late_max"],
            not_before_ms=now_ms - SKEW_MS,
            not_after_ms=now_ms + days * DAY_MS,
        )
    )
    signature = bytes.fromhex(private.signer.sign(APPROVAL_DOMAIN + approval).signature)
    body = {
        "approval": b64encode(approval).decode(),
        "signature": b64encode(signature).decode(),
    }
    found = client.send(
        "POST", at("rollouts", rollout, "approve"), json.dumps(body).encode(), headers=JSON
    )
    click.echo(f"{operator} approved {found['component']} {found['version']}: {found['state']}")


def _meant(client: Client, rollout: str) -> dict[str, tuple[str, str]]:
    """Return the sites that a rollout was made for, with version and digest that each had."""
    meant: dict[str, tuple[str, str]] = {}
    after = ""
    while True:
        page = client.get(at("rollouts", rollout, "jobs"), limit=str(PAGE), after=after)
        for row in page["items"]:
            if not row["is_late"]:
                meant[row["site"]] = (row["former"], row["former_digest"])
        if page["next"] is None:
            return meant
        after = page["next"]


def _check(rollout: str, meant: Collection[str], expect: int | None, named: TextIO | None) -> None:
    """Check a rollout's sites against what the operator reviewed.

    Raises:
        RefusedError: they differ.
    """
    if expect is not None and expect != len(meant):
        raise RefusedError(f"rollout {rollout} is for {len(meant)} sites, not {expect}")
    if named is not None:
        more = sorted(set(meant) - {line.strip() for line in named})
        if more:
            others = f" and {len(more) - 1} more" if more[1:] else ""
            what = f"{more[0]}{others}, which {named.name} has not"
            raise RefusedError(f"rollout {rollout} has {what}")


def _told(found: dict[str, Any], meant: dict[str, tuple[str, str]]) -> str:
    """Return what is about to be signed, in two sentences."""
    had = Counter(version or "an unknown release" for version, _ in meant.values())
    formers = ", ".join(f"{count} from {version}" for version, count in had.most_common(HAD_SHOWN))
    more = f", and more from {len(had) - HAD_SHOWN} others" if len(had) > HAD_SHOWN else ""
    return plain(
        f"{found['component']} {found['version']} for {len(meant)} sites: {formers}{more}. "
        f"{found['late_max']} sites may come later."
    )
