"""Values of the query language: how each kind is written, put into normal form and compared.

Leaves which field is of which kind to fields.py. Every ``canonical_*`` returns the one way to write
a value, never longer than what it was given, or None when the text is not such a value.

Invariants: numbers stay inside the integers a double holds exactly, so that Python and JavaScript
compare alike; digits are ASCII digits.
"""

import re
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Final, TypeAlias

from roost_central.fleet.query_glob import fold

SAFE_MAX: Final = 2**53 - 1
TIME_MS_END: Final = 253_402_300_800_000  # the year 10000, which RFC 3339 cannot write
VERSIONS_CACHED_MAX: Final = 4096  # distinct versions in a fleet: some releases, many firmwares

DURATION_MS: Final = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
_BINARY: Final = ("", "KiB", "MiB", "GiB", "TiB", "PiB")
_DECIMAL: Final = ("B", "kB", "MB", "GB", "TB", "PB")

_NUMBER: Final = re.compile(r"(-?)0*([0-9]{1,15})(?:\.([0-9]{1,6}))?")
_DURATION: Final = re.compile(r"([0-9]{1,15})(ms|s|m|h|d)")
_SIZE: Final = re.compile(r"([0-9]{1,15})(B|[KMGTP]iB|[kMGTP]B)?")
_TIME: Final = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,9}))?"
    r"(?:[Zz]|([+-])([0-9]{2}):([0-5][0-9])))?"
)
_VERSION_RUN: Final = re.compile(r"[0-9]+|[a-z]+|~")
_EARLY: Final = ("~", "dev", "alpha", "beta", "pre", "preview", "rc")  # in this order
_WORD, _DIGITS = 2, 3  # ranks of runs; 1 is the end
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

VersionKey: TypeAlias = tuple[tuple[int, int, str], ...]


def canonical_number(text: str) -> str | None:
    """Return a decimal number without needless zeros; 15 digits before the point, 6 behind it."""
    found = _NUMBER.fullmatch(text)
    if found is None:
        return None
    sign, whole, fraction = found.group(1), found.group(2), (found.group(3) or "").rstrip("0")
    number = (whole.lstrip("0") or "0") + (f".{fraction}" if fraction else "")
    return number if number == "0" else sign + number


def canonical_duration(text: str) -> str | None:
    """Return a duration in its largest whole unit: ``3600s`` is ``1h``."""
    ms = duration_ms(text)
    if ms is None:
        return None
    unit = next(unit for unit, size in DURATION_MS.items() if ms % size == 0) if ms else "s"
    return f"{ms // DURATION_MS[unit]}{unit}"


def duration_ms(text: str) -> int | None:
    """Return the milliseconds of a duration such as ``90s 10m 8h 7d 250ms``."""
    found = _DURATION.fullmatch(text)
    ms = None if found is None else int(found.group(1)) * DURATION_MS[found.group(2)]
    return ms if ms is not None and ms <= SAFE_MAX else None


def canonical_size(text: str) -> str | None:
    """Return a size in the largest whole unit of its family: ``65536MiB`` is ``64GiB``.

    Families are KiB to PiB and kB to PB; plain bytes belong to the first.
    """
    size = size_bytes(text)
    found = _SIZE.fullmatch(text)
    if size is None or found is None:
        return None
    if size == 0:
        return "0"
    count, unit = int(found.group(1)), found.group(2) or ""
    family, step = (_DECIMAL, 1000) if unit in _DECIMAL[1:] else (_BINARY, 1024)
    place = 0 if unit == "B" else family.index(unit)
    while count % step == 0 and place + 1 < len(family):
        count, place = count // step, place + 1
    return f"{count}{family[place]}"


def size_bytes(text: str) -> int | None:
    """Return the bytes of a size such as ``64GiB``, ``500GB`` or ``4096``."""
    found = _SIZE.fullmatch(text)
    if found is None:
        return None
    unit = found.group(2) or ""
    factor = 1024 ** _BINARY.index(unit) if unit in _BINARY else 1000 ** _DECIMAL.index(unit)
    size = int(found.group(1)) * factor
    return size if size <= SAFE_MAX else None


def canonical_time(text: str) -> str | None:
    """Return a moment as RFC 3339 in UTC (midnight as its date), or ``-24h`` in normal form."""
    if text.startswith("-"):
        ago = canonical_duration(text[1:])
        return None if ago is None else f"-{ago}"
    ms = time_ms(text)
    if ms is None:
        return None
    date, _, clock = (_EPOCH + timedelta(milliseconds=ms)).isoformat().partition("T")
    clock, _, fraction = clock.removesuffix("+00:00").partition(".")
    if clock == "00:00:00" and not fraction:
        return date
    return f"{date}T{clock}{('.' + fraction).rstrip('.0')}Z"


def time_ms(text: str) -> int | None:
    """Return the milliseconds since 1970 of an RFC 3339 time or a date (its midnight in UTC)."""
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
    fraction_ms = int((found.group(7) or "").ljust(3, "0")[:3])
    try:
        zone = timezone(_offset(found.group(8), found.group(9), found.group(10)))
        moment = datetime(year, month, day, hour, minute, second, fraction_ms * 1000, tzinfo=zone)
        ms = (moment - _EPOCH) // timedelta(milliseconds=1)
    except ValueError:
        return None
    return ms if 0 <= ms < TIME_MS_END else None


def _offset(sign: str | None, hours: str | None, minutes: str | None) -> timedelta:
    """Return the offset of a time zone."""
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    return -offset if sign == "-" else offset


@lru_cache(maxsize=VERSIONS_CACHED_MAX)
def version_key(text: str) -> VersionKey:
    """Return what a version is ordered by: its runs of digits as numbers, letters as words.

    Everything else only separates. A number comes after a word, a word after the end (``1.0`` <
    ``1.0a`` < ``1.0.1``), and the words of _EARLY before the end (``4.3.0-rc1`` < ``4.3.0``).
    Numbers are kept as digits without leading zeros and compared by length first, so that no
    number is too long.
    """
    return (*(_run_key(run) for run in _VERSION_RUN.findall(fold(text))), (1, 0, ""))


def version_place(text: str) -> bytes:
    """Return bytes that are ordered as ``version_key`` orders, for a database.

    A run begins with its rank; a word ends with a zero byte and digits begin with their number,
    so that no run's bytes begin another's.
    """
    return b"".join(map(_run_place, version_key(text)))


def _run_place(run: tuple[int, int, str]) -> bytes:
    rank, number, text = run
    if rank == _DIGITS:
        return bytes((rank,)) + number.to_bytes(2, "big") + text.encode()
    return bytes((rank,)) + (text.encode() + b"\0" if rank == _WORD else bytes((number,)))


def _run_key(run: str) -> tuple[int, int, str]:
    """Return the rank of one run of a version."""
    if run[0].isdigit():
        digits = run.lstrip("0")
        return _DIGITS, len(digits), digits
    return (0, _EARLY.index(run), "") if run in _EARLY else (_WORD, 0, run)
