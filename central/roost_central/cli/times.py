"""Times for people: an age, or a clock time with its zone."""

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from roost_central.cli.failure import RefusedError

MINUTE, HOUR, DAY = 60, 3600, 86400
_TENTHS_BELOW_S = 10


def age(seconds: float | None) -> str:
    """Return an age in at most two units: ``4.2 s``, ``2 h 10 m``; a dash when unknown."""
    if seconds is None:
        return "-"
    if seconds < _TENTHS_BELOW_S:
        return f"{max(seconds, 0):.1f} s"
    whole = int(seconds)
    if whole < MINUTE:
        return f"{whole} s"
    if whole < HOUR:
        return f"{whole // MINUTE} m {whole % MINUTE} s"
    if whole < DAY:
        return f"{whole // HOUR} h {whole % HOUR // MINUTE} m"
    return f"{whole // DAY} d {whole % DAY // HOUR} h"


def zone(name: str) -> tzinfo | None:
    """Return the zone of ``--tz``: None stands for this machine's own.

    Raises:
        RefusedError: no such zone.
    """
    if name == "local":
        return None
    try:
        return UTC if name.upper() == "UTC" else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as err:
        raise RefusedError(f"--tz {name!r}: no such zone; say UTC, local or Europe/Berlin") from err


def clock(text: str | None, where: tzinfo | None) -> str:
    """Return an RFC 3339 time in a zone, with the zone's offset."""
    if text is None:
        return "-"
    at = datetime.fromisoformat(text).astimezone(where)
    offset = "Z" if at.utcoffset() == UTC.utcoffset(None) else at.strftime("%z")
    return at.strftime("%Y-%m-%d %H:%M:%S") + offset


def seconds(text: str | None) -> float | None:
    """Return an RFC 3339 time in seconds since 1970."""
    return None if text is None else datetime.fromisoformat(text).timestamp()


def span(text: str, *, least_s: int = 1) -> int:
    """Return a length of time such as ``90s``, ``8h`` or ``7d`` in whole seconds.

    Raises:
        RefusedError: it is not one, or less than ``least_s``.
    """
    from roost_central.fleet.query_values import duration_ms  # noqa: PLC0415 - only these verbs

    found = duration_ms(text)
    if found is None or found < least_s * 1000:
        raise RefusedError(f"{text!r} is no length of time; say 90s, 10m, 8h or 7d")
    return int(found // 1000)
