"""``roost ca``: makes and follows up the keys of a fleet, on a machine without a network."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from roost_central.cli import output
from roost_central.cli.exits import ExitCode
from roost_central.cli.failure import RefusedError
from roost_central.cli.options import form_option
from roost_central.cli.verbs import Verbs
from roost_central.ports import SystemClock, SystemEntropy

KINDS = ("node", "server", "lan", "order")
PARTS_MAX = 4
FOLDER = click.Path(path_type=Path, file_okay=False)
DATE = "%Y-%m-%d"

COLUMNS = [
    output.text("CERTIFICATE", "name", whole=True),
    output.text("STATE", "state"),
    output.text("FROM", "from"),
    output.text("UNTIL", "until"),
    output.text("ROTATE BY", "rotate_by"),
    output.text("SHA-256", "fingerprint", wide=True),
]

passphrase_option = click.option(
    "--passphrase-file", "passphrase_files", multiple=True, metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Its first line is a holder's part of the root's passphrase, else you are asked; may be "
    "repeated.",
)  # fmt: skip


@click.group("ca", cls=Verbs)
def command() -> None:
    """Make the keys of a fleet, and their successors.

    \b
      roost ca init --domain edge.example --out /media/keys
      roost ca show /media/keys/signer
      roost ca export /media/keys/signer pin
      roost ca rotate node server --offline /media/keys/offline --out /media/new

    `init` and `rotate` belong on a machine without a network: the root's key never leaves it.
    """  # noqa: D301 - click reads \b as "keep these lines"


@command.command()
@click.option("--domain", required=True, help="Of the fleet, as edge.example; it needs no DNS.")
@click.option("--out", required=True, type=FOLDER, help="Gets the folders offline and signer.")
@click.option(
    "--user", "users", multiple=True, default=("roost-central",), show_default=True,
    help="May ask the signer; it stands in policy.toml; may be repeated.",
)  # fmt: skip
@passphrase_option
def init(domain: str, out: Path, users: tuple[str, ...], passphrase_files: Sequence[Path]) -> None:
    """Make the keys of a new fleet: once.

    `offline` holds the root and stays in a safe; `signer` goes to the host of the signer.
    """
    from roost_central.ca import ceremony  # noqa: PLC0415 - slow to import
    from roost_central.signer.core import Policy  # noqa: PLC0415 - as above
    from roost_protocol.certificate import check_domain  # noqa: PLC0415 - as above
    from roost_protocol.errors import ProtocolError  # noqa: PLC0415 - as above

    try:
        policy = Policy(check_domain(domain), users)
    except ProtocolError as err:
        raise RefusedError(f"--domain {domain!r}: a fleet's domain is {err.bound}") from err
    passphrase = _passphrase(passphrase_files, is_new=True)
    _refusing(lambda: ceremony.init(out, policy, passphrase, _moment()))
    _show(out / ceremony.SIGNER, "table")
    if b"\n" not in passphrase:
        click.echo("One holder knows the whole passphrase: two are safer.", err=True)
    click.echo(
        f"\nRoot pin: {_listed(out / ceremony.SIGNER)[0].pin}\n"
        f"  {out / ceremony.OFFLINE}: two copies, in two safes, and no copy anywhere else.\n"
        f"  {out / ceremony.SIGNER}: to /var/lib/roost-signer on the signer's host, owned by its "
        "user; then start roost-signer and wipe it here."
    )


@command.command()
@click.argument("folder", type=FOLDER)
@form_option
def show(folder: Path, form: str) -> None:
    """Show the certificates in a folder, which one issues, and when it should be followed."""
    _show(folder, form)


@command.command()
@click.argument("kinds", nargs=-1, required=True, type=click.Choice(KINDS))
@click.option("--offline", required=True, type=FOLDER, help="The folder with the root's key.")
@click.option("--out", required=True, type=FOLDER, help="Gets the new files, beside what is there.")
@passphrase_option
def rotate(
    kinds: tuple[str, ...], offline: Path, out: Path, passphrase_files: Sequence[Path]
) -> None:
    """Make successors of some keys.

    Their files go beside the old ones in the signer's folder. Then the new ones sign, and what the
    old ones signed counts until it ends by itself.
    """
    from roost_central.ca import ceremony  # noqa: PLC0415 - slow to import

    passphrase = _passphrase(passphrase_files, is_new=False)

    def made() -> list[str]:
        root = ceremony.unlock(offline, passphrase)
        return ceremony.rotate(out, root, dict.fromkeys(kinds), _moment())

    for name in _refusing(made):
        click.echo(out / name)
    click.echo("Copy them into the signer's folder and restart roost-signer.", err=True)


@command.command()
@click.argument("folder", type=FOLDER)
@click.argument("part", type=click.Choice(("root", "bundle", "pin")), default="bundle")
def export(folder: Path, part: str) -> None:
    """Print what everybody may know: the root, every certificate of a CA, or the root's pin."""
    found = _listed(folder)
    match part:
        case "pin":
            click.echo(found[0].pin)
        case "root":
            click.echo(found[0].pem, nl=False)
        case _:
            click.echo("".join(each.pem for each in found), nl=False)


def _show(folder: Path, form: str) -> None:
    output.write([_row(each) for each in _listed(folder)], COLUMNS, form, name="name")


def _row(each: Any) -> output.Row:  # noqa: ANN401 - ca.listing.Listed, imported late
    certificate = each.certificate
    now = _now()
    if each.stem == "root":
        state = "root"
    elif certificate.not_valid_after_utc < now:
        state = "expired"
    elif each.is_issuing:
        state = "issues" if each.rotate_by is None or now < each.rotate_by else "rotate now"
    else:
        state = "trusted"
    return {
        "name": each.path.stem,
        "state": state,
        "from": certificate.not_valid_before_utc.strftime(DATE),
        "until": certificate.not_valid_after_utc.strftime(DATE),
        "rotate_by": each.rotate_by.strftime(DATE) if each.rotate_by and each.is_issuing else None,
        "subject": certificate.subject.rfc4514_string(),
        "fingerprint": each.fingerprint,
        "pin": each.pin,
    }


def _listed(folder: Path) -> list[Any]:
    from roost_central.ca.listing import listed  # noqa: PLC0415 - slow to import

    try:
        return list(listed(folder))
    except FileNotFoundError as err:
        sentence = f"{folder} holds no root.pem: name a folder that `roost ca init` made"
        raise RefusedError(sentence, ExitCode.NOT_FOUND) from err
    except (OSError, ValueError) as err:
        raise RefusedError(str(err), ExitCode.ERROR) from err


def _moment() -> Any:  # noqa: ANN401 - ca.ceremony.Moment, imported late
    from roost_central.ca.ceremony import Moment  # noqa: PLC0415 - slow to import

    return Moment(_now(), SystemEntropy())


def _now() -> datetime:
    return datetime.fromtimestamp(SystemClock().wall_ms() // 1_000, UTC)


def _passphrase(files: Sequence[Path], *, is_new: bool) -> bytes:
    """Return the parts of all holders, a line each: none of them knows the whole."""
    if len(files) > PARTS_MAX:
        raise RefusedError(f"--passphrase-file: at most {PARTS_MAX} parts")
    if files:
        parts = [_first_line(file) for file in files]
    else:
        parts = []
        for number in range(1, PARTS_MAX + 1):
            hint = "" if number == 1 else " (empty: no other)"
            part = click.prompt(
                f"Passphrase of holder {number}{hint}", hide_input=True, default="",
                show_default=False, confirmation_prompt=is_new, err=True,
            )  # fmt: skip
            if not part:
                break
            parts.append(part)
    return "\n".join(parts).encode()


def _first_line(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").partition("\n")[0]
    except UnicodeDecodeError as err:
        sentence = f"--passphrase-file {file}: not UTF-8 text; write the part with an editor"
        raise RefusedError(sentence) from err
    except OSError as err:
        raise RefusedError(f"--passphrase-file {file}: {err.strerror}", ExitCode.ERROR) from err


def _refusing(act: Any) -> Any:  # noqa: ANN401 - what it returns
    from roost_central.ca.ceremony import CeremonyError  # noqa: PLC0415 - slow to import

    try:
        return act()
    except CeremonyError as err:
        code = ExitCode.CONFLICT if err.code == "exists" else ExitCode.ERROR
        raise RefusedError(err.sentence, code) from err
    except OSError as err:
        raise RefusedError(f"{err.filename}: {err.strerror}", ExitCode.ERROR) from err
