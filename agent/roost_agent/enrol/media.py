"""Claim files: found in folders where media, images and cloud-init put them; read, never run.

Mounting is not ours. Invariants: a file is read once, through no symbolic link, and only if it is
a plain file of at most BYTES_MAX; its content alone counts, and what is odd of its owner or mode is
told; a file that was used is not used again, whether its medium can be written or not.
"""

import errno
import json
import os
import stat
from collections.abc import Iterable, Iterator
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Final

from roost_agent.enrol.folder import write_files
from roost_agent.enrol.invitation import Look, Source
from roost_protocol.claim_file import BYTES_MAX, NAME, ClaimFile, decode
from roost_protocol.errors import ProtocolError

USED_NAME: Final = "roost-claim.used.json"  # what NAME becomes on a medium that can be written
FOLDERS_MAX: Final = 64  # of one pattern; a box has a few media
RECORD: Final = "claims-used.json"  # in the state directory: digests of files that were used
RECORD_MAX: Final = 64  # the newest; a box joins a few times in its life
RECORD_BYTES_MAX: Final = 64 << 10
_OPEN: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY


def claim_files(patterns: Iterable[str], used: Iterable[str]) -> list[Look]:
    """Return a look for each claim file, and one for each pattern that led to none.

    Args:
        patterns: absolute folders; ``*`` stands for any name.
        used: digests of files that do not count any more.
    """
    known, looks = frozenset(used), list[Look]()
    for pattern in patterns:
        folders = list(islice(_folders(pattern), FOLDERS_MAX))
        found = [look for folder in folders if (look := _look(folder / NAME, known)) is not None]
        said = f"no {NAME}" if folders else "not there"
        looks += found or [Look(Source.FILE, pattern, said)]
    return looks


def mark_used(look: Look, state_dir: Path) -> str:
    """Have nobody on this box use a claim file again; return what was done, for people.

    Raises:
        OSError: the state directory cannot be written.
    """
    if look.keep:
        return f"{look.where} is for several boxes and stays"
    record = [*used_digests(state_dir), look.digest][-RECORD_MAX:]
    write_files(state_dir, {RECORD: json.dumps(record).encode()})
    file = Path(look.where)
    try:
        raw, _ = _read(file)
        if sha256(raw).hexdigest() != look.digest:
            return f"{file} changed meanwhile and stays"
        file.rename(file.with_name(USED_NAME))
    except OSError as err:
        return f"{file} stays ({err.strerror}), this box does not use it again"
    except ProtocolError as err:
        return f"{file} changed meanwhile and stays: {err}"
    return f"{file} is {USED_NAME} now"


def used_digests(state_dir: Path) -> list[str]:
    """Return the digests of files that were used here; none where that cannot be read."""
    try:
        with (state_dir / RECORD).open("rb") as stream:
            found = json.loads(stream.read(RECORD_BYTES_MAX))
    except (OSError, ValueError, RecursionError):
        return []
    return [each for each in found if isinstance(each, str)] if isinstance(found, list) else []


def _folders(pattern: str) -> Iterator[Path]:
    """Yield the folders that a pattern stands for, in the order of their names."""
    path = Path(pattern)
    if "*" not in pattern:
        return iter([path] if path.is_dir() else [])
    try:
        return iter(sorted(each for each in Path("/").glob(pattern.lstrip("/")) if each.is_dir()))
    except OSError:  # a medium that fails while it is listed
        return iter(())


def _look(file: Path, used: frozenset[str]) -> Look | None:
    """Return what a file says, None where there is none."""
    try:
        raw, odd = _read(file)
        claim = decode(raw)
    except FileNotFoundError:
        return None
    except OSError as err:
        return Look(Source.FILE, str(file), _reason(err))
    except ProtocolError as err:
        return Look(Source.FILE, str(file), f"not used: {err}")
    digest = sha256(raw).hexdigest()
    if digest in used:
        return Look(Source.FILE, str(file), "not used: this box has used it before")
    return Look(
        Source.FILE,
        str(file),
        _words(claim),
        urls=(claim.url,) if claim.url else (),
        token=claim.join_token,
        pin=claim.trusted,
        name=claim.name,
        digest=digest,
        keep=claim.keep,
        warnings=odd,
    )


def _read(file: Path) -> tuple[bytes, tuple[str, ...]]:
    """Return a plain file's content, one byte more than the bound at most, and what is odd.

    Raises:
        OSError: it cannot be read.
        ProtocolError: ``file``: it is no plain file.
    """
    handle = os.open(file, _OPEN)
    with os.fdopen(handle, "rb") as stream:
        seen = os.fstat(handle)
        if not stat.S_ISREG(seen.st_mode):
            raise ProtocolError("file", bound="a plain file")
        return stream.read(BYTES_MAX + 1), _oddities(seen)


def _oddities(seen: os.stat_result) -> tuple[str, ...]:
    found = []
    if seen.st_mode & stat.S_IWOTH:
        found.append("others on this box may write it")
    elif seen.st_mode & stat.S_IROTH:
        found.append("others on this box may read it")
    if seen.st_uid not in {0, os.geteuid()}:
        found.append(f"it belongs to user {seen.st_uid}")
    return tuple(found)


def _reason(err: OSError) -> str:
    if err.errno == errno.ELOOP:
        return "not used: a symbolic link"
    return f"not used: {err.strerror}"


def _words(claim: ClaimFile) -> str:
    said = [
        claim.url or "no url",
        "a token" if claim.token else "a pin" if claim.pin else "no token and no pin",
    ]
    return ", ".join(said)
