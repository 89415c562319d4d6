"""What the agent knows of itself: its outbox, and its clock against the centre's."""

from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from roost_agent.alarms.rules import Finding, Reading, Sample
from roost_agent.alarms.samples.sampler import Look
from roost_protocol.severity import Severity

BACKLOG: Final = "280.803"
STORE: Final = "100.807"
CLOCK: Final = "100.805"
WINDOW_MS: Final = 120_000  # of what the centre's receipts told
TOLD_MIN: Final = 2  # receipts: a single one may have been on its way for long
TOLD_MAX: Final = 64


class OutboxState(msgspec.Struct, frozen=True):
    """The outbox as alarms see it; ``fault`` empty: it takes writes."""

    waiting_bytes: int
    bytes_max: int
    fault: str


class ClockOffset:
    """How far the centre's clock is ahead, by its receipts.

    A receipt was sent before it came, so the centre is at least as far ahead as it seems: the
    highest of a while is nearest to the truth.
    """

    def __init__(self) -> None:
        self._seen: list[tuple[int, int]] = []  # boot clock, offset

    def told(self, offset_ms: int, now_ms: int) -> None:
        """Take in the time that a receipt was sent, less the time it came."""
        self._seen = [each for each in self._seen if now_ms - each[0] < WINDOW_MS][1 - TOLD_MAX :]
        self._seen.append((now_ms, offset_ms))

    def offset_s(self, now_ms: int) -> float | None:
        """Return the offset; None where the centre has told too little of late."""
        fresh = [offset for at_ms, offset in self._seen if now_ms - at_ms < WINDOW_MS]
        return max(fresh) / 1000 if len(fresh) >= TOLD_MIN else None


class Inside:
    """See the module.

    Args:
        outbox: tells how it is.
        clock: the offset to the centre.
    """

    types = frozenset({BACKLOG, STORE, CLOCK})
    interval_s = 10
    may_hang = False

    def __init__(self, outbox: Callable[[], OutboxState], clock: ClockOffset) -> None:
        self._outbox = outbox
        self._clock = clock

    def sample(self, look: Look) -> Iterator[Sample]:
        """Return how it is."""
        state = self._outbox()
        yield Reading(BACKLOG, "", 100 * state.waiting_bytes / state.bytes_max)
        severity = Severity.CRITICAL if state.fault else Severity.CLEARED
        yield Finding(STORE, "", severity, {"errno": state.fault[:80]})
        offset_s = self._clock.offset_s(look.now_ms)
        yield Reading(CLOCK, "", None if offset_s is None else abs(offset_s))
