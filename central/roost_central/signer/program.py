"""``roost-central signer``: opens folder, log and socket, and serves until a signal comes."""

import asyncio
import logging
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from roost_central.ca import names
from roost_central.errors import ConfigError
from roost_central.file_lock import held
from roost_central.ports import Clock, Entropy, SystemClock, SystemEntropy
from roost_central.private_file import sync_folder
from roost_central.signer import keys, policy, release_keys
from roost_central.signer.core import Policy
from roost_central.signer.issue import Desk
from roost_central.signer.keys import KeyRing
from roost_central.signer.log import SignatureLog, rows
from roost_central.signer.row import BEGIN, BEGUN, Row
from roost_central.signer.server import serving, user_ids

logger = logging.getLogger(__name__)

DEFAULT_FOLDER: Final = Path("/var/lib/roost-signer")


@contextmanager
def desk_of(folder: Path, clock: Clock, entropy: Entropy) -> Iterator[tuple[Desk, frozenset[int]]]:
    """Give the desk of a folder, and who may ask there, while the context lasts.

    Raises:
        ConfigError: what is in the folder cannot be used, or another signer uses it.
        OSError: it cannot be read or written.
    """
    given, allowed, ring = _opened(folder, clock)
    with _alone(folder):
        log = SignatureLog(folder / names.LOG)
        try:
            releases = release_keys.opened(folder)
            yield Desk(given, ring, log, clock, entropy, releases=releases), allowed
        finally:
            log.close()


async def run(folder: Path, socket: Path) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        ConfigError: see desk_of.
        OSError: see desk_of, or the socket cannot be bound.
    """
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with desk_of(folder, SystemClock(), SystemEntropy()) as (desk, allowed):
        async with serving(socket, desk, allowed):
            logger.info("signing on %s for the users %s", socket, sorted(allowed))
            await stop.wait()
            logger.info("stopping: a signal asked for it")


def checked(folder: Path) -> str:
    """Return what a folder holds, in a sentence; it is read only, also beside a running signer.

    Raises:
        ConfigError: it cannot be used.
        OSError: it cannot be read.
    """
    given, allowed, ring = _opened(folder, SystemClock())
    log = folder / names.LOG
    count = max((row.n for row, _, _ in rows(log)), default=0) if log.exists() else 0
    return (
        f"{folder} signs for {given.domain}; users {', '.join(map(str, sorted(allowed)))} may ask; "
        f"{count} signatures so far; `roost ca rotate` by {ring.rotate_by:%Y-%m-%d}"
    )


def log_lines(folder: Path, *, is_verifying: bool) -> Iterator[str]:
    """Yield each row of the record as JSON, or how many there are and the last hash.

    Raises:
        ConfigError: a row does not follow the one before.
        OSError: it cannot be read.
    """
    head, count = BEGIN, 0
    for row, digest, _ in rows(folder / names.LOG):
        head, count = digest, row.n
        if not is_verifying:
            yield msgspec.json.encode(row).decode()
    if is_verifying:
        yield f"{count} signatures, each follows the one before; last hash {head}"


def _opened(folder: Path, clock: Clock) -> tuple[Policy, frozenset[int], KeyRing]:
    file = folder / names.POLICY
    if not file.exists():
        way = "`roost ca init` makes such a folder, --dir names another"
        raise ConfigError("policy", field=str(file), got="no file", bound=way)
    given = policy.load(file)
    return given, user_ids(given.users), keys.load(folder, given.domain, _now(clock))


def _now(clock: Clock) -> datetime:
    return datetime.fromtimestamp(clock.wall_ms() / 1_000, UTC)


def archived(folder: Path) -> Path:
    """Put the record aside and begin another, which names its last hash; return where it is.

    What was revoked is told again in the new one. The signer must not run.

    Raises:
        ConfigError: it does not hold together, or the signer runs.
        OSError: it cannot be written.
    """
    clock = SystemClock()
    log, fresh = folder / names.LOG, folder / f"{names.LOG}.new"
    aside = folder / f"signatures-{names.stamp(_now(clock))}.log"
    with _alone(folder):
        fresh.unlink(missing_ok=True)
        old, new = SignatureLog(log), SignatureLog(fresh)
        try:
            new.append([Row(uid=os.geteuid(), verb=BEGUN, after=old.head)], clock.wall_ms())
            for row in old.revocations:
                new.append([row], row.at_ms)
        finally:
            old.close()
            new.close()
        aside.hardlink_to(log)
        fresh.replace(log)
        sync_folder(folder)
    return aside


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    with held(handle, ConfigError("signer", field=str(folder), got="two", bound="one at a time")):
        yield
