"""The deadlines of a right, from its end backwards."""

import msgspec

from roost_agent.ha.lease_events import Arm
from roost_agent.ha.timing import Timing


class Deadlines(msgspec.Struct, frozen=True):
    """What a validity leaves for stopping.

    Attributes:
        timing: of the site.
        stop_ms: the longest graceful stop of the group (S).
    """

    timing: Timing
    stop_ms: int

    def d1_ms(self, valid_ms: int | None) -> int | None:
        """When the graceful stop begins, so that it ends half a margin before the validity."""
        if valid_ms is None:
            return None
        return valid_ms - self.timing.margin_ms // 2 - self.stop_ms

    def arm(self, epoch: int, valid_ms: int | None) -> Arm:
        """Return what the guard is told; without end where the validity has none."""
        if valid_ms is None:
            return Arm(epoch, None)
        d2_ms = valid_ms - self.timing.margin_ms // 2
        return Arm(epoch, (d2_ms - self.stop_ms, d2_ms, valid_ms))
