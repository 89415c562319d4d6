"""When windows are open together, worked out once until one of them opens or shuts next. Pure.

Two windows that never meet are walked over six weeks, some 20 ms of a small processor, and a node
that waits asks every 2 s.

Invariant: what is kept is what ``both_open_ms`` says of that moment; of windows that never meet it
is what it said at the last boundary.
"""

from dataclasses import dataclass
from typing import Final

from roost_protocol.window import HORIZON_MS, Window, both_open_ms, next_start_ms, open_until_ms

KEPT_MAX: Final = 2  # the plan's alone, and with that of the node's profile

Windows = tuple[Window, ...]


@dataclass(frozen=True, slots=True)
class Opening:
    """From when on windows are open together, as long as none of them opens or shuts.

    Attributes:
        from_ms, until_ms: UTC, for which moments it counts; the second is the first for which not.
        opens_ms: UTC; None: they never are. Up to ``from_ms``: they are now.
    """

    from_ms: int
    until_ms: int
    opens_ms: int | None

    def at(self, wall_ms: int) -> int | None:
        """Return the first moment from this one on at which they are; None: never."""
        return None if self.opens_ms is None else max(self.opens_ms, wall_ms)


class Openings:
    """What is known of the windows of one node."""

    def __init__(self) -> None:
        self._known: dict[Windows, Opening] = {}

    def of(self, windows: Windows, wall_ms: int) -> Opening:
        """Return what counts at a moment.

        Args:
            windows: one or more.
            wall_ms: UTC, as far as the node knows it; it may go back.

        Raises:
            ProtocolError: as both_open_ms.
        """
        known = self._known.get(windows)
        if known is not None and known.from_ms <= wall_ms < known.until_ms:
            return known
        opens_ms = both_open_ms(windows, wall_ms, wall_ms + HORIZON_MS)
        until_ms = min(
            open_until_ms(each, wall_ms) or next_start_ms(each, wall_ms) for each in windows
        )
        while len(self._known) >= KEPT_MAX and windows not in self._known:
            del self._known[next(iter(self._known))]
        found = self._known[windows] = Opening(wall_ms, until_ms, opens_ms)
        return found
