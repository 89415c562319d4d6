"""Keeps the ordered reboots over reboots: on disk, with its folder, before the act."""

import json
import os
from typing import Final

from roost_agent.helper.core import Rebooted

FOLDER: Final = "/var/lib/roost-helper"
NAME: Final = "reboots.json"
FILE_BYTES_MAX: Final = 64 * 1024


def load(folder: str) -> tuple[tuple[Rebooted, ...], str]:
    """Return the reboots of the past and why they are not known; empty: they are."""
    path = f"{folder}/{NAME}"
    try:
        with open(path, "rb") as stream:
            rows = json.loads(stream.read(FILE_BYTES_MAX))
        return tuple(Rebooted(int(at), str(nonce), str(why)) for at, nonce, why in rows), ""
    except FileNotFoundError:
        return (), ""
    except (OSError, ValueError, TypeError, RecursionError) as err:
        return (), f"{path}: {err}; remove it to begin anew"


def save(folder: str, reboots: tuple[Rebooted, ...]) -> None:
    """Replace the file, and return once a power cut could not undo it.

    Raises:
        OSError: it was not written.
    """
    raw = json.dumps([[each.at_ms, each.nonce, each.reason] for each in reboots]).encode()
    path = f"{folder}/{NAME}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    with open(os.open(f"{path}.new", flags, 0o600), "wb") as stream:
        stream.write(raw)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(f"{path}.new", path)
    above = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(above)
    finally:
        os.close(above)
