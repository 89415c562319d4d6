"""When one process is looked for: often while it is away, else together with all others. Pure."""

from typing import Final

AUDIT_MS: Final = 2_000  # between two looks at one that runs
SOON_MS: Final = 250  # between two looks while it is away, for as long as it may come by itself


class Looks:
    """Those at one process.

    Args:
        now_ms: the first one.
        has_process: whether there is anything to look for.

    Attributes:
        due_ms: the next one; None: there is none ever.
    """

    def __init__(self, now_ms: int, *, has_process: bool) -> None:
        self.due_ms: int | None = now_ms if has_process else None

    def is_due(self, now_ms: int) -> bool:
        """Whether one is."""
        return self.due_ms is not None and now_ms >= self.due_ms

    def soon(self, now_ms: int) -> None:
        """Look at once."""
        if self.due_ms is not None:
            self.due_ms = now_ms

    def plan(self, now_ms: int, away_until_ms: int) -> None:
        """Plan the next; those at what runs fall together, so that the node wakes once.

        Args:
            now_ms: the boot clock.
            away_until_ms: so long it is away and may come by itself; 0: it is there.
        """
        if self.due_ms is not None:
            is_away = now_ms < away_until_ms
            self.due_ms = now_ms + SOON_MS if is_away else (now_ms // AUDIT_MS + 1) * AUDIT_MS
