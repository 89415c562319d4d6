"""``roost rollout approve``: an operator signs what a rollout sends, with a key of their own.

The key never leaves this machine, and the plan that is signed is the file that the operator has
read here, not what the centre shows: a captured centre has nothing that it could turn around.
"""

import json
from base64 import b64encode
from pathlib import Path
from typing import Any, Final

import click

from roost_central.cli.client import JSON, at
from roost_central.cli.failure import RefusedError
from roost_central.cli.options import Asked, shared
from roost_central.ports import SystemClock
from roost_central.rollout.plan import plan_digest
from roost_protocol.release.approval import (
    APPROVAL_DOMAIN,
    APPROVAL_LIFE_MS_MAX,
    Approval,
    write_approval,
)

DAYS_USUAL: Final = 30
DAY_MS: Final = 86_400_000
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
    help="Your private key, of roost release keygen.",
)  # fmt: skip
@click.option(
    "--days", type=click.IntRange(1, APPROVAL_LIFE_MS_MAX // DAY_MS), default=DAYS_USUAL,
    show_default=True, help="For which it counts.",
)  # fmt: skip
@shared()
def approve(  # noqa: PLR0913 - options
    asked: Asked, rollout: str, *, file: Path, operator: str, key: Path, days: int
) -> None:
    """Sign a rollout: its release, and the releases that it may go back to."""
    client = asked.client()
    found = client.get(at("rollouts", rollout))
    digest = plan_digest(file.read_bytes())
    if digest != found["plan_digest"]:
        raise RefusedError(f"{file} is not the plan of rollout {rollout}: have it made anew")
    private = _opened(key)
    now_ms = SystemClock().wall_ms()
    for release in dict.fromkeys((*found["former"], found["digest"])):
        approval = write_approval(
            Approval(
                v=1,
                operator=operator,
                rollout=rollout,
                plan=digest,
                digest=release,
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


def _opened(key: Path) -> Any:  # noqa: ANN401 - an Ed25519PrivateKey, imported late
    from roost_central.releases import keys  # noqa: PLC0415 - slow to import
    from roost_central.releases.fault import ReleaseError  # noqa: PLC0415 - as above

    passphrase = click.prompt(f"passphrase of {key}", hide_input=True, err=True).encode()
    try:
        return keys.open_private(key, passphrase)
    except ReleaseError as err:
        raise RefusedError(str(err)) from err
