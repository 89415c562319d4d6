"""A weekly window in which a node may be worked on, judged by the node's own clock. Pure.

The start is wall time in a zone, the length is elapsed minutes. A start inside a gap of daylight
saving is the gap's end; an hour that is there twice counts once, the first time (updates.md 5).
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from roost_protocol.errors import ProtocolError
from roost_protocol.patterns import END

SECTION: Final = "update-window"  # of a profile
MINUTES_MAX: Final = 7 * 24 * 60
DAYS: Final = 7
START: Final = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
ZONE: Final = re.compile(r"[A-Za-z0-9_+-]{1,32}(/[A-Za-z0-9_+-]{1,32}){0,2}")
_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MS: Final = 1_000
HORIZON_MS: Final = 42 * 24 * 3_600_000  # past the longest deadline of a wave, 30 days and a week
_YEAR_MS_MAX: Final = 253_370_764_800_000  # 9999, so that a week more is still a date


class Window(msgspec.Struct, frozen=True):
    """When, every week.

    Attributes:
        days: on which it starts, Monday is 0.
        start: ``HH:MM``, wall time in the zone.
        minutes: it is open after that.
        tz: of the IANA data base.
    """

    days: Annotated[tuple[Annotated[int, Meta(ge=0, le=6)], ...], Meta(min_length=1, max_length=7)]
    start: Annotated[str, Meta(pattern=rf"^({START.pattern})" + END)]
    minutes: Annotated[int, Meta(ge=1, le=MINUTES_MAX)]
    tz: Annotated[str, Meta(max_length=98)] = "UTC"


def window_of(said: Mapping[str, Any]) -> Window | None:
    """Return the window that a document's section ``update-window`` says; None: it says none.

    Args:
        said: within the schema; without days it is every day, without a zone UTC.
    """
    if "start" not in said:
        return None
    days = tuple(sorted(_DAYS.index(day) for day in said.get("days", _DAYS)))
    return Window(days, said["start"], said["minutes"], said.get("timezone", "UTC"))


def check(window: Window) -> None:
    """Refuse what is no window here.

    Raises:
        ProtocolError: ``field``: the field and its bound.
    """
    _zone(window)
    if START.fullmatch(window.start) is None:
        raise ProtocolError("field", field="start", got=window.start, bound="HH:MM, 00:00 to 23:59")
    if not window.days or not all(0 <= day < DAYS for day in window.days):
        raise ProtocolError("field", field="days", bound="1 to 7 of 0 (Monday) to 6")
    if not 1 <= window.minutes <= MINUTES_MAX:
        raise ProtocolError(
            "field", field="minutes", got=window.minutes, bound=f"1 to {MINUTES_MAX}"
        )


def open_until_ms(window: Window, wall_ms: int) -> int | None:
    """Return until when it is open, None where it is not; UTC, in ms since the epoch.

    Raises:
        ProtocolError: the zone is not known here, or the clock is beyond any calendar.
    """
    length_ms = window.minutes * 60 * _MS
    ends = [start + length_ms for start in _starts(window, wall_ms) if start <= wall_ms]
    last = max(ends, default=wall_ms)
    return last if last > wall_ms else None


def next_start_ms(window: Window, wall_ms: int) -> int:
    """Return when it opens next, after this moment.

    Raises:
        ProtocolError: as open_until_ms.
    """
    return min(start for start in _starts(window, wall_ms) if start > wall_ms)


def both_open_ms(windows: Sequence[Window], wall_ms: int, until_ms: int) -> int | None:
    """Return the first moment from now on at which all are open; None: there is none before then.

    Args:
        windows: one or more.
        wall_ms: now, UTC.
        until_ms: UTC; what is more than HORIZON_MS from now is not looked at.

    Raises:
        ProtocolError: as open_until_ms.
    """
    at_ms, until_ms = wall_ms, min(until_ms, wall_ms + HORIZON_MS)
    while at_ms < until_ms:
        shut = [each for each in windows if open_until_ms(each, at_ms) is None]
        if not shut:
            return at_ms
        at_ms = max(next_start_ms(each, at_ms) for each in shut)  # none of these opens before
    return None


def longest_apart_ms(windows: Sequence[Window], wall_ms: int) -> int | None:
    """Return for how long not all are open at most, from now to HORIZON_MS; None: they never are.

    Args:
        windows: one or more.
        wall_ms: now, UTC.

    Raises:
        ProtocolError: as open_until_ms.
    """
    at_ms, end_ms, longest_ms = wall_ms, wall_ms + HORIZON_MS, 0
    while (opens_ms := both_open_ms(windows, at_ms, end_ms)) is not None:
        longest_ms = max(longest_ms, opens_ms - at_ms)
        at_ms = min(open_until_ms(each, opens_ms) or opens_ms for each in windows)
    return None if at_ms == wall_ms else max(longest_ms, end_ms - at_ms)


def longest_shut_ms(window: Window) -> int:
    """Return for how long it is shut at most, in ms of wall time: a change of it may add an hour.

    Args:
        window: within its bounds; where it opens again before it closes it is never shut.
    """
    hour, _, minute = window.start.partition(":")
    starts = [(day * 24 + int(hour)) * 60 + int(minute) for day in sorted(window.days)]
    again = [*starts[1:], starts[0] + MINUTES_MAX]
    waits = [after - start for start, after in zip(starts, again, strict=True)]
    return max(0, max(waits) - window.minutes) * 60 * _MS


def _starts(window: Window, wall_ms: int) -> list[int]:
    """Return the starts of the weeks before and after."""
    if not 0 <= wall_ms <= _YEAR_MS_MAX:
        raise ProtocolError("field", field="clock", bound="1970 to 9998")
    zone = _zone(window)
    today = datetime.fromtimestamp(wall_ms / _MS, UTC).astimezone(zone).date()
    first = max(today.toordinal() - DAYS - 1, 1)
    days = [date.fromordinal(number) for number in range(first, first + 2 * DAYS + 3)]
    hour, _, minute = window.start.partition(":")
    at = time(int(hour), int(minute))
    return [_instant_ms(day, at, zone) for day in days if day.weekday() in window.days]


def _instant_ms(day: date, at: time, zone: tzinfo) -> int:
    wall = datetime.combine(day, at, zone)  # fold 0: the first of two
    moment = wall.astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) != wall.replace(tzinfo=None):
        moment = _gap_end(wall, zone)
    return round(moment.timestamp() * _MS)


def _gap_end(wall: datetime, zone: tzinfo) -> datetime:
    """Return the moment of the change over which this wall time does not exist."""
    before = wall.replace(fold=1).astimezone(UTC)  # by the offset after the change: too early
    after = wall.astimezone(UTC)
    old = before.astimezone(zone).utcoffset()
    low, high = 0, int((after - before).total_seconds())
    while low + 1 < high:
        middle = (low + high) // 2
        there = (before + timedelta(seconds=middle)).astimezone(zone).utcoffset()
        low, high = (middle, high) if there == old else (low, middle)
    return before + timedelta(seconds=high)


def _zone(window: Window) -> tzinfo:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # noqa: PLC0415 - for who has a window

    if ZONE.fullmatch(window.tz) is not None:
        try:
            return ZoneInfo(window.tz)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            pass
    raise ProtocolError("field", field="tz", got=window.tz, bound="a zone that this machine knows")
