"""A plan's file as it is sent: its text, and the files of profiles that it names beside it."""

import tomllib
from pathlib import Path
from typing import Any, Final

from roost_central.cli.failure import RefusedError
from roost_central.profiles.layer import SOURCE_BYTES_MAX
from roost_central.rollout.plan import FILES_MAX
from roost_central.rollout.plan_file import PLAN_BYTES_MAX, texts_digest

PROFILES: Final = "profiles"  # of a plan: names of files


def plan_text(file: Path) -> str:
    """Return a plan's text.

    Raises:
        RefusedError: the file is too long, no text, or not there.
    """
    return _text(file, PLAN_BYTES_MAX, "a plan")


def plan_body(file: Path) -> dict[str, Any]:
    """Return a plan as the centre takes it.

    Raises:
        RefusedError: a file is too long, no text, or not there.
    """
    text = plan_text(file)
    files = [{"file": name, "source": source} for name, source in _profiles(file, text)]
    return {"plan": text, "files": files}


def digest_of(file: Path) -> str:
    """Return the digest of the profiles that a plan's file brings, as they are read here.

    Raises:
        RefusedError: as of ``plan_body``.
    """
    text = plan_text(file)
    return texts_digest(_profiles(file, text), _named(text, "remove"))


def _profiles(file: Path, text: str) -> list[tuple[str, str]]:
    return [
        (name, _text(file.parent / name, SOURCE_BYTES_MAX, "a profile"))
        for name in _named(text, PROFILES)[:FILES_MAX]
    ]


def _named(text: str, key: str) -> list[str]:
    """Return the names under a key; what is wrong with a plan the centre says."""
    try:
        said = tomllib.loads(text).get(key, [])
    except (ValueError, RecursionError):
        return []
    return [each for each in said if isinstance(each, str)] if isinstance(said, list) else []


def _text(file: Path, most: int, what: str) -> str:
    try:
        with file.open("rb") as stream:
            raw = stream.read(most + 1)
    except OSError as err:
        raise RefusedError(f"{file}: cannot be read: {err.strerror}") from err
    if len(raw) > most:
        raise RefusedError(f"{file}: {what} has at most {most} bytes")
    try:
        return raw.decode()
    except UnicodeDecodeError as err:
        raise RefusedError(f"{file}: no UTF-8 text: {err.reason} at byte {err.start}") from err
