"""A moment as people read it, by the minute."""

from datetime import UTC, datetime
from typing import Final

_YEAR_9999_MS: Final = 253_402_300_799_000


def shown(at_ms: int) -> str:
    """Return a moment, UTC in ms; one that no calendar has stays a number."""
    if not 0 <= at_ms <= _YEAR_9999_MS:
        return f"{at_ms} ms"
    return datetime.fromtimestamp(at_ms / 1_000, UTC).strftime("%Y-%m-%d %H:%M UTC")
