"""A moment that somebody asks about: RFC 3339, and not to come."""

from typing import Final

from roost_central.api.instants import instant, parse_instant
from roost_central.api.problem import FieldError, blame

AHEAD_MS_MAX: Final = 60_000  # of the asker's clock: by so much it may be before the centre's


def moment(text: str, field: str, now_ms: int) -> int:
    """Return a moment as UTC milliseconds, at most now; empty: now.

    Args:
        text: RFC 3339 with its offset.
        field: the parameter that it comes by.
        now_ms: UTC.

    Raises:
        ApiError: it is none, or is to come.
    """
    if not text:
        return now_ms
    at_ms = parse_instant(text)
    if at_ms is None:
        detail = "is not a time such as 2026-11-01T03:00:00Z"
        raise blame("bad-parameter", FieldError(field=field, code="invalid", detail=detail))
    if at_ms > now_ms + AHEAD_MS_MAX:
        now = instant(now_ms)
        detail = f"is a time to come, and nobody knows what is there then; at most {now}"
        raise blame(
            "bad-parameter", FieldError(field=field, code="range", detail=detail, bound=now)
        )
    return min(at_ms, now_ms)
