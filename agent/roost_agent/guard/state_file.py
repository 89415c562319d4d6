"""Keeps the holds over a restart of the guard: written before an answer, on a memory file system.

A reboot ends every hold, so a state of another boot counts for nothing.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping, Sequence

from roost_agent.guard.core import ARMED, KILLING, STOPPING, Arm
from roost_agent.guard.record import Any, Final, Record

BOOT_ID: Final = "/proc/sys/kernel/random/boot_id"
FILE_BYTES_MAX: Final = 256 * 1024


class Kept(Record):
    """What a guard finds of the one before it."""

    holds: tuple[tuple[Arm, str], ...] = ()
    ended: Mapping[str, int] = {}
    why_not: str = ""


def boot_id() -> str:
    """Return the kernel's name for this boot."""
    with open(BOOT_ID, encoding="ascii") as stream:
        return stream.read().strip()


def alone(file: str) -> int:
    """Return a descriptor that keeps every other guard away from a state.

    Raises:
        BlockingIOError: there is another guard.
        OSError: nothing can be written there.
    """
    descriptor = os.open(f"{file}.lock", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def save(file: str, boot: str, holds: Sequence[tuple[Arm, str]], ended: Mapping[str, int]) -> None:
    """Replace the state.

    Raises:
        OSError: it was not written.
    """
    table = {
        "boot_id": boot,
        "holds": [[*hold, stage] for hold, stage in holds],
        "ended": dict(ended),
    }
    new = f"{file}.new"
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as stream:  # goes on where a write was cut short
        stream.write(json.dumps(table).encode())
    os.replace(new, file)


def load(file: str, boot: str) -> Kept:
    """Return what was kept; nothing, with the reason, where it cannot be believed."""
    try:
        with open(file, "rb") as stream:
            table = json.loads(stream.read(FILE_BYTES_MAX))
        if table["boot_id"] != boot:
            return Kept(why_not="the state is of another boot")
        holds = tuple(_hold(row) for row in table["holds"])
        ended = {str(lease): int(epoch) for lease, epoch in table["ended"].items()}
    except FileNotFoundError:
        return Kept()
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as err:
        return Kept(why_not=f"the state cannot be read: {err!r}")
    return Kept(holds, ended)


def _hold(row: list[Any]) -> tuple[Arm, str]:
    lease, epoch, d1_ms, d2_ms, d3_ms, cgroups, vips, is_hard, stage = row
    times = [None if each is None else int(each) for each in (d1_ms, d2_ms, d3_ms)]
    if stage not in {ARMED, STOPPING, KILLING} or len({each is None for each in times}) != 1:
        raise ValueError(f"hold of {lease}: {stage}, {times}")
    addresses = tuple((str(address), str(interface)) for address, interface in vips)
    groups = tuple(str(each) for each in cgroups)
    hold = Arm(
        str(lease), int(epoch), times[0], times[1], times[2], groups, addresses, bool(is_hard)
    )
    return hold, stage
