"""Times as the API writes and reads them: RFC 3339 in UTC with milliseconds, ages in seconds.

Milliseconds since the epoch come from clocks of nodes too, so a time outside the calendar is
possible: it is shown as unknown rather than refused.
"""

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

_CALENDAR_MS: Final = range(-62_135_596_800_000, 253_402_300_800_000)  # years 1 to 9999
_SPAN: Final = re.compile(r"([0-9]{1,9})([smhd])", re.ASCII)
_SPAN_MS: Final = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
SECONDS_CACHED_MAX: Final = 4_096  # about 400 KB; a list of nodes has eight times in each row
_TEXT_CHARS_MAX: Final = 40  # the longest RFC 3339 text that is of use has 35


def instant(ms: int | None) -> str | None:
    """Return ``2026-11-01T03:04:05.678Z`` of UTC milliseconds; None when there is none."""
    if ms is None or ms not in _CALENDAR_MS:
        return None
    return f"{_second(ms // 1000)}.{ms % 1000:03d}Z"


def age_s(ms: int | None, now_ms: int) -> float | None:
    """Return seconds since a time, never less than 0."""
    return None if ms is None else max(0, now_ms - ms) / 1000


def parse_instant(text: str) -> int | None:
    """Return UTC milliseconds of an RFC 3339 time with its offset, or None where it is not one."""
    if len(text) > _TEXT_CHARS_MAX:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    if found.tzinfo is None:
        return None
    try:
        return round(found.timestamp() * 1000)
    except (OverflowError, ValueError):  # an offset that leaves the calendar
        return None


@lru_cache(maxsize=SECONDS_CACHED_MAX)
def _second(seconds: int) -> str:
    """Return a second as text; beats of one second, and states of one outage, share theirs."""
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None).isoformat()


def parse_since(text: str, now_ms: int) -> int | None:
    """Return the UTC milliseconds of a time or of a span such as ``7d`` before now, or None."""
    found = _SPAN.fullmatch(text.removeprefix("-"))
    if found is None:
        return parse_instant(text)
    return now_ms - int(found[1]) * _SPAN_MS[found[2]]
