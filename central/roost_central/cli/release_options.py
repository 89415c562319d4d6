"""What the verbs of ``roost release`` share: passphrases, bundles, drafts, refusals."""

import os
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from roost_central.cli.client import Client
from roost_central.cli.exits import ExitCode
from roost_central.cli.failure import RefusedError
from roost_central.ports import SystemClock

PASSPHRASE_BYTES_MAX = 1_024
FOLDER = click.Path(path_type=Path, file_okay=False)
FILE = click.Path(path_type=Path, dir_okay=False)
REPOSITORY = "/api/v1/repository"

T = TypeVar("T")

draft_option = click.option(
    "--draft", required=True, type=FOLDER, help="A new folder; its holders sign there."
)
passphrase_option = click.option(
    "--passphrase-fd", type=click.IntRange(0, 255), metavar="N",
    help="Read the passphrase from this file descriptor, as 3<FILE gives it; else you are asked.",
)  # fmt: skip


def passphrase(fd: int | None, what: str, *, is_new: bool = False) -> bytes:
    """Return a passphrase: typed, or the first line of a file descriptor; never an argument."""
    if fd is None:
        try:
            with warnings.catch_warnings():  # of getpass, where no terminal hides what is typed
                warnings.simplefilter("ignore")
                typed = click.prompt(
                    f"Passphrase of {what}", hide_input=True, confirmation_prompt=is_new, err=True
                )
        except click.Abort as err:
            if sys.stdin is not None and sys.stdin.isatty():
                raise  # somebody pressed Ctrl-C
            text = f"the passphrase of {what} is asked for on a terminal, and there is none"
            raise RefusedError(f"{text}: say --passphrase-fd N, as N<FILE gives it") from err
        return str(typed).encode()
    try:
        with os.fdopen(fd, "rb", closefd=False) as file:
            return file.read(PASSPHRASE_BYTES_MAX).partition(b"\n")[0]
    except OSError as err:
        raise RefusedError(f"--passphrase-fd {fd}: {err.strerror}; say `{fd}<FILE`") from err


def refusing(act: Callable[..., T], *given: Any) -> T:  # noqa: ANN401 - whatever it takes
    """Return what an act returns; what it refuses is told in its sentence."""
    from roost_central.releases.fault import ReleaseError  # noqa: PLC0415 - slow to import

    try:
        return act(*given)
    except ReleaseError as err:
        code = ExitCode.CONFLICT if err.code == "exists" else ExitCode.ERROR
        raise RefusedError(str(err), code) from err
    except OSError as err:
        raise RefusedError(f"{err.filename}: {err.strerror}", ExitCode.ERROR) from err


def bundles(folders: Sequence[Path], *, is_checked: bool) -> list[Any]:
    """Return bundles, with every blob looked at where they are to be vouched for."""
    from roost_central.releases import bundle  # noqa: PLC0415 - slow to import

    def read() -> list[Any]:
        found = [bundle.read(folder) for folder in folders]
        for each in found if is_checked else []:
            bundle.check(each.manifest, each.open)
        return found

    return refusing(read)


def repository(client: Client) -> Any:  # noqa: ANN401 - releases.draft.Repository, imported late
    """Return what a draft follows, as the centre has it."""
    from roost_central.releases.draft_folder import Repository  # noqa: PLC0415 - slow to import

    found = client.get(REPOSITORY)
    if not found["targets"]:
        raise RefusedError(
            "the centre has no image repository yet: `roost release init`, sign, then publish",
            ExitCode.NOT_FOUND,
        )
    return Repository(
        found["image_roots"][-1].encode(),
        found["director_roots"][-1].encode() if found["director_roots"] else b"",
        found["targets"].encode(),
        {role: raw.encode() for role, raw in found["delegated"].items()},
    )


def opened_key(key: Path, fd: int | None) -> Any:  # noqa: ANN401 - keys.Private, imported late
    """Return a person's private key, with the passphrase that is asked for.

    Raises:
        RefusedError: it is none, or the passphrase is another's.
    """
    from roost_central.releases import keys  # noqa: PLC0415 - slow to import
    from roost_central.releases.fault import ReleaseError  # noqa: PLC0415 - as above

    typed = passphrase(fd, str(key))
    try:
        return keys.open_private(key, typed)
    except ReleaseError as err:
        raise RefusedError(str(err)) from err


def now_ms() -> int:
    """Return the time, UTC."""
    return SystemClock().wall_ms()


def size(count: int) -> str:
    """Return bytes for people."""
    for unit, step in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if count >= step:
            return f"{count / step:.1f} {unit}"
    return f"{count} B"
