"""Holds by file: what lies in inhibit.d keeps releases from going in, for 7 days at the most.

For programs of a site, such as one that takes stock: a file ``NAME.toml`` with ``reason`` and
``until``, a moment with its zone. Each ends by itself: at ``until``, and 7 days after the file was
last changed whatever it says. One that cannot be read holds that long, too, and says what is wrong
with it: whoever wrote it meant to hold. One of a day to come holds
nothing, or it would for ever.
"""

import os
import stat
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from roost_agent.update.kept import HOLD_MS_MAX, Hold

FOLDER: Final = "/etc/roost/inhibit.d"
SUFFIX: Final = ".toml"
FILES_MAX: Final = 32
FILE_BYTES_MAX: Final = 4_096
REASON_CHARS_MAX: Final = 200
FUTURE_MS_MAX: Final = 86_400_000  # that a file may be younger than now: clocks are set


@dataclass(frozen=True, slots=True)
class Inhibit:
    """One file.

    Attributes:
        path: of it.
        hold: what it comes to; None: it holds nothing, or no more.
        fault: what is wrong with it; empty: nothing.
    """

    path: str
    hold: Hold | None
    fault: str = ""


def read(folder: str, now_ms: int) -> list[Inhibit]:
    """Return what lies in a folder, in the order of names; empty where there is none.

    Args:
        folder: of the files.
        now_ms: UTC.
    """
    try:
        paths = sorted(path for path in Path(folder).iterdir() if path.suffix == SUFFIX)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as err:
        return [Inhibit(folder, None, f"{err.strerror}: what it holds is not known")]
    found = [_one(path, now_ms) for path in paths[:FILES_MAX]]
    if len(paths) > FILES_MAX:
        found.append(Inhibit(folder, None, f"more than {FILES_MAX} files: the others hold nothing"))
    return found


def longest(holds: Iterable[Hold | None], now_ms: int) -> Hold | None:
    """Return the hold that ends last of those that have not ended; None: there is none."""
    left = [each for each in holds if each is not None and each.until_ms > now_ms]
    return max(left, key=lambda each: each.until_ms, default=None)


@dataclass(frozen=True, slots=True)
class Said:
    """What a file says: why, until when (UTC, ms), and what is wrong with it; empty: nothing."""

    reason: str = ""
    until_ms: int = 0
    fault: str = ""


def judge(path: str, said: Said, changed_ms: int, now_ms: int) -> Inhibit:
    """Return what a file comes to. Pure.

    Args:
        path: of the file.
        said: in it.
        changed_ms: when it was changed last, UTC.
        now_ms: UTC.
    """
    if changed_ms > now_ms + FUTURE_MS_MAX:
        return Inhibit(path, None, "it was changed on a day to come: it holds nothing")
    latest_ms, fault = changed_ms + HOLD_MS_MAX, said.fault
    if not fault and said.until_ms > latest_ms:
        days = HOLD_MS_MAX // 86_400_000
        fault = f"until: {_shown(said.until_ms)} is more than {days} days after it was written"
    if fault:
        fault = f"{fault}; it holds until {_shown(latest_ms)}"
    ends_ms = latest_ms if fault else said.until_ms
    hold = Hold(ends_ms, f"{said.reason or 'no reason'} ({path})") if ends_ms > now_ms else None
    return Inhibit(path, hold, fault)


def parse(raw: bytes) -> Said:
    """Return what the bytes of a file say. Pure.

    Args:
        raw: one byte more than FILE_BYTES_MAX at the most.
    """
    if len(raw) > FILE_BYTES_MAX:
        return Said(fault=f"longer than {FILE_BYTES_MAX} bytes")
    try:
        table = tomllib.loads(raw.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as err:
        return Said(fault=f"not TOML: {str(err)[:REASON_CHARS_MAX]}")
    reason, until = table.get("reason"), table.get("until")
    if not isinstance(reason, str) or not reason.strip():
        return Said(fault="reason: missing, a sentence")
    reason = "".join(char if char.isprintable() else " " for char in reason)[:REASON_CHARS_MAX]
    if not isinstance(until, datetime) or until.tzinfo is None:
        fault = "until: missing, or no moment with its zone, such as 2027-01-31T06:00:00Z"
        return Said(reason, fault=fault)
    if unknown := sorted(table.keys() - {"reason", "until"}):
        return Said(reason, fault=f"unknown key {unknown[0]!r}: there are reason and until")
    return Said(reason, round(until.timestamp() * 1_000))


def _one(path: Path, now_ms: int) -> Inhibit:
    try:
        changed_ms = path.lstat().st_mtime_ns // 1_000_000
    except OSError as err:
        return Inhibit(str(path), None, f"{err.strerror}: it holds nothing")
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        with os.fdopen(os.open(path, flags), "rb") as stream:
            is_plain = stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
            raw = stream.read(FILE_BYTES_MAX + 1) if is_plain else None
    except OSError as err:
        said = Said(fault=err.strerror or "it cannot be read")
    else:
        said = Said(fault="no plain file") if raw is None else parse(raw)
    return judge(str(path), said, changed_ms, now_ms)


def _shown(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
