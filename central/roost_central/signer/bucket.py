"""A token bucket: so many at once, so many a minute in the long run. Pure."""

from dataclasses import dataclass, field
from typing import Annotated, Final

from msgspec import Meta, Struct

RATE_MAX: Final = 100_000  # more than one core signs
MINUTE_MS: Final = 60_000


class Rate(Struct, frozen=True, forbid_unknown_fields=True):
    """How often: ``per_minute`` in the long run, ``burst`` at once."""

    per_minute: Annotated[int, Meta(ge=1, le=RATE_MAX)]
    burst: Annotated[int, Meta(ge=1, le=RATE_MAX)]


@dataclass(slots=True)
class Bucket:
    """Full at first; holds ``rate.burst`` at most and fills by ``rate.per_minute``."""

    rate: Rate
    _held: int = field(init=False)  # tokens times MINUTE_MS: whole numbers do not drift
    _filled_ms: int | None = None

    def __post_init__(self) -> None:
        self._held = self.rate.burst * MINUTE_MS

    def wait_ms(self, now_ms: int) -> int:
        """Return how long until there is a token; 0: now."""
        if self._filled_ms is not None:
            gained = max(0, now_ms - self._filled_ms) * self.rate.per_minute
            self._held = min(self._held + gained, self.rate.burst * MINUTE_MS)
        self._filled_ms = now_ms
        missing = MINUTE_MS - self._held
        return -(-missing // self.rate.per_minute) if missing > 0 else 0

    def take(self) -> None:
        """Take a token; ``wait_ms`` said that there is one."""
        self._held -= MINUTE_MS
