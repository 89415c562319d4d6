"""How far a failing service has climbed its ladder (ha.md 2): restarts first, then bigger steps.

Invariant: it only climbs, until HEALTHY_MS without a failure reset it.
"""

from typing import Final

from roost_agent.ha.rung import Ladder

HEALTHY_MS: Final = 300_000  # without a failure: all is forgiven
BACKOFF_MS_MAX: Final = 60_000  # between two restarts, and between two attempts at the top
SECOND_MS: Final = 1_000


class Climb:
    """One service's failures.

    Args:
        ladder: its rungs.
        can_act: whether its impact is critical: else only restarts are tried.
    """

    __slots__ = ("_can_act", "_failed_ms", "_ladder", "_restarts_ms", "_step")

    def __init__(self, ladder: Ladder, *, can_act: bool) -> None:
        self._ladder = ladder
        self._can_act = can_act
        self._restarts_ms: list[int] = []
        self._step = 0
        self._failed_ms: int | None = None

    @property
    def restarts(self) -> int:
        """How many restarts count now."""
        return len(self._restarts_ms)

    def failed(self, now_ms: int) -> tuple[str, int]:
        """Take in a failure and return what to do, and after how many ms.

        ``restart`` comes at once the first time, then after 2, 4, 8 s and so on; a step of the
        ladder at once; past its top, ``retry`` after BACKOFF_MS_MAX.
        """
        if self._failed_ms is not None and now_ms - self._failed_ms >= HEALTHY_MS:
            self._restarts_ms.clear()
            self._step = 0
        self._failed_ms = now_ms
        window_ms = self._ladder.window_ms
        self._restarts_ms = [each for each in self._restarts_ms if now_ms - each < window_ms]
        if len(self._restarts_ms) < self._ladder.restarts:
            count = len(self._restarts_ms)
            self._restarts_ms.append(now_ms)
            return "restart", min(SECOND_MS << count, BACKOFF_MS_MAX) if count else 0
        if self._can_act and self._step < len(self._ladder.steps):
            self._step += 1
            self._restarts_ms.clear()
            return self._ladder.steps[self._step - 1], 0
        return "retry", BACKOFF_MS_MAX
