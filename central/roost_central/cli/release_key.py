"""``roost release keygen|init|rotate``: who signs, and how many of them it takes."""

from collections.abc import Sequence
from pathlib import Path

import click

from roost_central.cli.failure import RefusedError
from roost_central.cli.options import Asked, shared
from roost_central.cli.release_options import (
    FILE,
    FOLDER,
    draft_option,
    now_ms,
    passphrase,
    passphrase_option,
    refusing,
    repository,
)

ROLES = ("root", "targets", "snapshot", "timestamp")
CHAINS = ("image", "director")


@click.command()
@click.argument("name", required=False)
@click.option("--to", required=True, type=FOLDER, help="Gets NAME.key and NAME.pub.")
@click.option("--online", is_flag=True, help="Make the signer's two keys instead, without one.")
@passphrase_option
def keygen(name: str | None, to: Path, passphrase_fd: int | None, *, online: bool) -> None:
    """Make the key of a holder, on a machine of the holder's own.

    NAME.key is encrypted and stays with the holder; NAME.pub goes to who drafts the roots. With
    --online the keys of the signer are made: they belong into its folder, /var/lib/roost-signer.
    """
    from roost_central.releases import keys  # noqa: PLC0415 - slow to import

    if online is (name is not None):
        raise RefusedError("say the holder's NAME, or --online for the signer's two keys")
    if name is None:
        for each in (keys.IMAGE_ONLINE, keys.DIRECTOR):
            click.echo(refusing(keys.make, to, each, None))
        return
    secret = passphrase(passphrase_fd, name, is_new=True)
    click.echo(refusing(keys.make, to, name, secret))


@click.command()
@draft_option
@click.option(
    "--root", "roots", multiple=True, required=True, type=FILE, help="NAME.pub; may be repeated."
)
@click.option(
    "--director-root",
    "directors",
    multiple=True,
    type=FILE,
    help="Else as --root; may be repeated.",
)
@click.option("--signer", "signers", multiple=True, required=True, type=FILE,
              help="NAME.pub of who signs releases; may be repeated.")  # fmt: skip
@click.option("--online", required=True, type=FOLDER, help="With the signer's two .pub files.")
@click.option(
    "--root-threshold",
    type=click.IntRange(1, 16),
    help="How many must sign.  [default: more than half]",
)
@click.option(
    "--threshold", type=click.IntRange(1, 16), help="How many must sign.  [default: more than half]"
)
@click.option("--one-key", is_flag=True, help="Let one key be enough: for a lab alone.")
def init(  # noqa: PLR0913, PLR0917 - its options
    draft: Path, roots: Sequence[Path], directors: Sequence[Path], signers: Sequence[Path],
    online: Path, root_threshold: int | None, threshold: int | None, one_key: bool,
) -> None:  # fmt: skip
    """Draft the roots of a fleet's two repositories: once.

    \b
      roost release init --draft first --root a.pub --root b.pub --root c.pub \\
        --signer a.pub --signer b.pub --signer c.pub --online signer-keys
    """  # noqa: D301 - click reads \b as "keep these lines"
    from roost_central.releases import draft as drafts  # noqa: PLC0415 - slow to import
    from roost_central.releases import draft_signing, keys  # noqa: PLC0415 - slow to import

    image = _holders(roots, root_threshold)
    director = _holders(directors, None) if directors else image
    targets = _holders(signers, threshold)
    if not one_key and min(each.threshold for each in (image, director, targets)) == 1:
        raise RefusedError("one key alone could have everything installed: say --one-key for a lab")
    names = (keys.IMAGE_ONLINE, keys.DIRECTOR)
    images, directs = (refusing(keys.read_public, online / f"{name}.pub") for name in names)
    roles = drafts.Roles(image, director, targets, images, directs)
    refusing(drafts.init, draft, roles, now_ms())
    for change in draft_signing.changes(draft):
        click.echo(f"{change.file}: {change.digest}")
    click.echo(f"Each holder: roost release sign {draft} --key NAME.key --digest ...", err=True)


@click.command()
@click.argument("folder", metavar="DRAFT", type=FOLDER)
@click.option("--to", required=True, type=FOLDER, help="Gets both roots.")
def anchors(folder: Path, to: Path) -> None:
    """Write the roots of a draft that enough have signed: what trust begins with.

    image-root.json goes to /etc/roost on every node with its installation, and with the signer's
    two keys into the signer's folder. It never comes from the centre.
    """
    from roost_central.releases import draft_folder, draft_signing  # noqa: PLC0415 - slow to import

    made = refusing(draft_signing.whole, folder)
    names = (draft_folder.IMAGE_ROOT, draft_folder.DIRECTOR_ROOT)
    roots = dict(zip(names, (made.image_root, made.director_root), strict=True))
    for name, raw in roots.items():
        if not raw:
            continue
        if (to / name).exists():
            raise RefusedError(f"{to / name} is there already: nothing was written")
        refusing(_write, to, name, raw)
        click.echo(to / name)


def _write(folder: Path, name: str, raw: bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(raw)


@click.command()
@click.argument("chain", type=click.Choice(CHAINS))
@click.argument("role", type=click.Choice(ROLES))
@click.option(
    "--key", "keys_", multiple=True, required=True, type=FILE, help="NAME.pub; may be repeated."
)
@click.option(
    "--threshold", type=click.IntRange(1, 16), help="How many must sign.  [default: more than half]"
)
@click.option("--one-key", is_flag=True, help="Let one key be enough: for a lab alone.")
@draft_option
@shared()
def rotate(  # noqa: PLR0913 - its options
    asked: Asked, *, chain: str, role: str, keys_: Sequence[Path], threshold: int | None,
    one_key: bool, draft: Path,
) -> None:  # fmt: skip
    """Draft a root that gives a role to other keys: one was lost, or got into other hands.

    What the signer signs online has one key; roots, and the targets of images, have several.
    """
    from roost_central.releases import draft as drafts  # noqa: PLC0415 - slow to import
    from roost_central.releases import draft_signing  # noqa: PLC0415 - slow to import

    holders = _holders(keys_, threshold)
    is_offline = role == "root" or (chain, role) == ("image", "targets")
    if is_offline and not one_key and holders.threshold == 1:
        raise RefusedError("one key alone could have everything installed: say --one-key for a lab")
    wanted = drafts.Succession(chain, role, holders)
    before = repository(asked.client())
    refusing(drafts.succeed, draft, before, now_ms(), wanted)
    for change in draft_signing.changes(draft):
        click.echo(f"{change.file}: {change.digest}")


@click.command()
@click.argument("role", metavar="ROLE")
@click.option(
    "--key", "keys_", multiple=True, required=True, type=FILE, help="NAME.pub; may be repeated."
)
@click.option(
    "--threshold", type=click.IntRange(1, 16), help="How many must sign.  [default: more than half]"
)
@click.option("--one-key", is_flag=True, help="Let one key be enough: for a lab alone.")
@draft_option
@shared()
def delegate(  # noqa: PLR0913 - its options
    asked: Asked, *, role: str, keys_: Sequence[Path], threshold: int | None, one_key: bool,
    draft: Path,
) -> None:  # fmt: skip
    """Draft that a family of components is named by holders of its own.

    ROLE is agent, os, app, plugin, policy, or config.TENANT. The holders of the targets sign that
    it is given away, the new ones what they name from then on. Again: other keys for it.
    """
    from roost_central.releases import delegation, draft_signing  # noqa: PLC0415 - slow to import
    from roost_central.releases import draft as drafts  # noqa: PLC0415 - slow to import

    refusing(delegation.pattern_of, role)
    holders = _holders(keys_, threshold)
    if not one_key and holders.threshold == 1:
        raise RefusedError("one key alone could have it installed: say --one-key for a lab")
    before = repository(asked.client())
    refusing(drafts.delegate, draft, before, now_ms(), role, holders)
    for change in draft_signing.changes(draft):
        click.echo(f"{change.file}: {change.digest}")


def _holders(files: Sequence[Path], threshold: int | None):  # type: ignore[no-untyped-def]  # noqa: ANN202 - imported late
    from roost_central.releases import keys  # noqa: PLC0415 - slow to import
    from roost_central.releases.draft import Holders  # noqa: PLC0415 - as above

    found = [refusing(keys.read_public, file) for file in files]
    return Holders(found, threshold or len(found) // 2 + 1)
