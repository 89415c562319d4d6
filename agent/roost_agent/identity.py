"""Who this agent is: its slot, its boot, and which start of the agent this is.

Owns the state directory: a lock keeps a second agent off it. Invariants:
- the incarnation is on disk before it is used, so that no two starts share one;
- where the disk takes nothing, the agent still starts, and says so (``fault``).
"""

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from roost_agent.durable import sync_folder
from roost_agent.errors import StateInUseError

BOOT_ID: Final = "proc/sys/kernel/random/boot_id"
INCARNATION: Final = "incarnation"
LOCK: Final = "lock"
BLIND: Final = (  # a box as enrol/anew.py found it
    "this box could not be told from another one with a copy of its image: too little of what it "
    "was known by may be read; systemctl enable --now roost-helper.socket, then restart the agent"
)
_DIGITS: Final = 20  # a fixed width, so that a full disk can still be written in place


class Identity(msgspec.Struct, frozen=True):
    """What every message says of its sender.

    Attributes:
        fault: why the incarnation could not be kept, empty when it is on disk.
        doubt: why this may be another box than the identity's, empty when it is known not to be.
    """

    node: str
    boot_id: bytes
    incarnation: int
    fault: str = ""
    doubt: str = ""


class StateLock:
    """The state directory, ours as long as this lives."""

    def __init__(self, state_dir: Path) -> None:
        """Make the directory and lock it.

        Raises:
            StateInUseError: another agent has it.
            OSError: it cannot be made or opened.
        """
        state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._fd = os.open(state_dir / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as err:
            os.close(self._fd)
            raise StateInUseError(
                f"another roost-agent runs on {state_dir}; two on one state would answer to one "
                "name. Stop it, or give this one a state_dir of its own"
            ) from err

    def close(self) -> None:
        """Let the next agent have it."""
        os.close(self._fd)


def next_identity(
    node: str, state_dir: Path, *, root: Path = Path("/"), doubt: str = ""
) -> Identity:
    """Return who this start of the agent is. The state directory must be locked."""
    file = state_dir / INCARNATION
    incarnation = _read(file) + 1
    fault = ""
    try:
        _write(file, incarnation)
    except OSError as err:
        fault = f"{file}: {err.strerror}"
    return Identity(node, _boot_id(root), incarnation, fault, doubt)


def _boot_id(root: Path) -> bytes:
    return bytes.fromhex((root / BOOT_ID).read_text().strip().replace("-", ""))


def _read(file: Path) -> int:
    try:
        return int(file.read_bytes()[: _DIGITS + 1])
    except (OSError, ValueError):
        return 0  # a first start; what cannot be read cannot be written either, which is told


def _write(file: Path, incarnation: int) -> None:
    """Replace the file; on a full disk write over it, which needs no new block."""
    text = f"{incarnation:0{_DIGITS}}\n".encode()
    fresh = file.with_suffix(".new")
    try:
        _write_synced(fresh, text, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        fresh.replace(file)
        sync_folder(file.parent)
    except OSError:
        with suppress(OSError):
            fresh.unlink()
        _write_synced(file, text, os.O_WRONLY)


def _write_synced(file: Path, text: bytes, flags: int) -> None:
    fd = os.open(file, flags | os.O_CLOEXEC, 0o600)
    try:
        os.write(fd, text)
        os.fsync(fd)
    finally:
        os.close(fd)
