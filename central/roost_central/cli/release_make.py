"""``roost release build|add|retract|prolong|draft|sign``: from a folder of files to signatures."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from roost_central.cli import output
from roost_central.cli.failure import RefusedError
from roost_central.cli.options import Asked, form_option, shared
from roost_central.cli.release_options import (
    FILE,
    FOLDER,
    bundles,
    draft_option,
    now_ms,
    passphrase,
    passphrase_option,
    refusing,
    repository,
    size,
)


@click.command()
@click.argument("source", type=FOLDER)
@click.option("--to", required=True, type=FOLDER, help="A new folder, the bundle.")
@click.option("--component", required=True, help="agent, os, or app|plugin|config|policy/NAME.")
@click.option("--version", required=True, help="For people.")
@click.option("--counter", required=True, type=click.IntRange(1), help="Above all before it.")
@click.option(
    "--installer",
    required=True,
    help="files, unit, deb, container, agent-self, or that of a plugin.",
)
@click.option(
    "--previous", multiple=True, type=FOLDER,
    help="A bundle before it, newest first: who runs it fetches deltas; may be repeated.",
)  # fmt: skip
@click.option("--hw", multiple=True, help="A model that it is for; may be repeated.")
@click.option("--arch", default="", help="As uname -m says it; empty: for all.")
@click.option("--least-counter", type=click.IntRange(0), default=0, help="The least to come from.")
@click.option(
    "--floor",
    type=click.IntRange(0),
    help="The least that is installed once this one runs.  [default: the counter before this one]",
)
@click.option("--barrier", is_flag=True, help="No update goes past it.")
@click.option("--reboot", is_flag=True, help="It takes a reboot.")
@click.option("--drain", is_flag=True, help="Services are moved away before.")
@click.option("--expect-alarm", "expected", multiple=True, metavar="TYPE=SECONDS",
              help="That is no failure for so long; may be repeated.")  # fmt: skip
@click.option("--sbom", type=FILE, help="The list of its parts; its digest is signed.")
def build(  # noqa: PLR0913, PLR0917 - its options
    source: Path, to: Path, component: str, version: str, counter: int, installer: str,
    previous: Sequence[Path], hw: tuple[str, ...], arch: str, least_counter: int,
    floor: int | None, barrier: bool, reboot: bool, drain: bool, expected: Sequence[str],
    sbom: Path | None,
) -> None:  # fmt: skip
    """Make a bundle of a folder; the same folder gives the same digest on any machine."""
    from roost_central.releases import build as builder  # noqa: PLC0415 - slow to import
    from roost_central.releases.bundle import wan_bytes  # noqa: PLC0415 - as above

    said = builder.Described(
        component, version, counter, installer, reboot, drain, arch, hw,
        least_counter=least_counter, floor=floor, is_barrier=barrier,
        sbom="" if sbom is None else _digest(sbom), expected_alarms=_expected(expected),
    )  # fmt: skip
    before = bundles(previous, is_checked=False)
    made = refusing(lambda: builder.build(source, said, to, before))
    click.echo(f"{made.path}: {made.digest}")
    full = wan_bytes(made.manifest, [])
    click.echo(f"{len(made.manifest.files)} files, {size(full)} to fetch whole", err=True)
    for each in before:
        click.echo(_from(made, each), err=True)


@click.command()
@click.argument("bundle", type=FOLDER)
@click.option("--from", "before", required=True, type=FOLDER, help="The bundle that a node runs.")
def delta(bundle: Path, before: Path) -> None:
    """Say what a node fetches that runs another release."""
    made, old = bundles([bundle, before], is_checked=False)
    click.echo(_from(made, old))


def _from(made: Any, old: Any) -> str:  # noqa: ANN401 - releases.bundle.Bundle, imported late
    from roost_central.releases.bundle import wan_bytes  # noqa: PLC0415 - slow to import

    full = wan_bytes(made.manifest, [])
    least = wan_bytes(made.manifest, [old.manifest])
    share = f"{100 * least / full:.1f} %" if full else "nothing"
    return f"from {old.manifest.version}: {size(least)}, {share} of {size(full)}"


@click.command()
@click.argument("folders", metavar="BUNDLE...", nargs=-1, required=True, type=FOLDER)
@draft_option
@shared()
def add(asked: Asked, folders: Sequence[Path], draft: Path) -> None:
    """Draft targets that name the releases of bundles, beside what the centre serves."""
    from roost_central.releases import draft as drafts  # noqa: PLC0415 - slow to import

    made, before = bundles(folders, is_checked=True), repository(asked.client())
    refusing(lambda: drafts.edit(draft, before, now_ms(), add=made))
    _tell(draft, "table")


@click.command()
@click.argument("paths", metavar="COMPONENT/VERSION...", nargs=-1, required=True)
@draft_option
@shared()
def retract(asked: Asked, paths: Sequence[str], draft: Path) -> None:
    """Draft targets that name some releases no more: no node installs them from then on."""
    from roost_central.releases import draft as drafts  # noqa: PLC0415 - slow to import

    before, gone = repository(asked.client()), [_target(path) for path in paths]
    refusing(lambda: drafts.edit(draft, before, now_ms(), retract=gone))
    _tell(draft, "table")


@click.command()
@draft_option
@shared()
def prolong(asked: Asked, draft: Path) -> None:
    """Draft the same targets for another 180 days."""
    from roost_central.releases import draft as drafts  # noqa: PLC0415 - slow to import

    before = repository(asked.client())
    refusing(lambda: drafts.edit(draft, before, now_ms()))
    _tell(draft, "table")


@click.command("draft")
@click.argument("folder", type=FOLDER)
@form_option
def draft_(folder: Path, form: str) -> None:
    """Show what a draft would have signed, and who has."""
    _tell(folder, form)


@click.command()
@click.argument("folder", metavar="DRAFT", type=FOLDER)
@click.option("--key", required=True, type=FILE, help="Of the holder.")
@click.option(
    "--bundle", "rebuilt", multiple=True, type=FOLDER, help="That you built; may be repeated."
)
@click.option("--digest", "digests", multiple=True, help="That you compared; may be repeated.")
@click.option(
    "--retract",
    "retracted",
    multiple=True,
    help="COMPONENT/VERSION that is to go; may be repeated.",
)
@passphrase_option
def sign(  # noqa: PLR0913, PLR0917 - its options
    folder: Path, key: Path, rebuilt: Sequence[Path], digests: Sequence[str],
    retracted: Sequence[str], passphrase_fd: int | None,
) -> None:  # fmt: skip
    """Sign what a draft holds, as one of its holders.

    Whatever comes is to be rebuilt (--bundle) or compared with another holder's (--digest); what
    goes is to be named. The signature is a small file in DRAFT/signatures: carry it there, or the
    whole folder.
    """
    from roost_central.releases import draft_signing, keys  # noqa: PLC0415 - slow to import

    known, gone = bundles(rebuilt, is_checked=True), [_target(each) for each in retracted]
    _tell(folder, "table")
    opened = refusing(lambda: keys.open_private(key, passphrase(passphrase_fd, key.stem)))
    for path in refusing(
        lambda: draft_signing.sign(folder, opened, rebuilt=known, digests=digests, retracted=gone)
    ):
        click.echo(path)


def _tell(folder: Path, form: str) -> None:
    from roost_central.releases import draft_signing  # noqa: PLC0415 - slow to import

    rows: list[output.Row] = []
    for change in refusing(lambda: draft_signing.changes(folder)):
        have = f"{len(change.signers)} of {change.needed}: {', '.join(change.signers) or '-'}"
        rows.append(_row(change.file, "signs", change.digest, have))
        rows += [_row(each.path, "comes", each.digest) for each in change.added]
        rows += [_row(each.path, "goes", each.digest) for each in change.removed]
    columns = [
        output.text("WHAT", "what", whole=True),
        output.text("DOES", "does"),
        output.text("DIGEST", "digest", whole=True),
        output.text("SIGNED", "signed"),
    ]
    output.write(rows, columns, form, name="what")


def _row(what: str, does: str, digest: str, signed: str = "") -> output.Row:
    return {"what": what, "does": does, "digest": digest, "signed": signed or None}


def _expected(given: Sequence[str]) -> dict[str, int]:
    found = {}
    for each in given:
        type_, _, seconds = each.partition("=")
        if not type_ or not seconds.isdecimal():
            raise RefusedError(f"--expect-alarm {each!r}: TYPE=SECONDS, as 300.002=120")
        found[type_] = int(seconds)
    return found


def _target(text: str) -> str:
    """Return the path of a target for COMPONENT/VERSION."""
    return text if text.endswith(".json") else f"{text}.json"


def _digest(file: Path) -> str:
    from hashlib import sha256  # noqa: PLC0415 - with the others

    try:
        return sha256(file.read_bytes()).hexdigest()
    except OSError as err:
        raise RefusedError(f"{file}: {err.strerror}") from err
