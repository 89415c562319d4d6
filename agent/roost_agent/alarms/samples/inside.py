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


class OutboxState(msgspec.Struct, frozen=True):
    """The outbox as alarms see it; ``fault`` empty: it takes writes."""

    waiting_bytes: int
    bytes_max: int
    fault: str


class Inside:
    """See the module.

    Args:
        outbox: tells how it is.
        offset_s: tells how far the centre's clock is ahead; None: it is not known.
    """

    types = frozenset({BACKLOG, STORE, CLOCK})
    interval_s = 10
    may_hang = False

    def __init__(
        self, outbox: Callable[[], OutboxState], offset_s: Callable[[], float | None]
    ) -> None:
        self._outbox = outbox
        self._offset_s = offset_s

    def sample(self, _look: Look) -> Iterator[Sample]:
        """Return how it is."""
        state = self._outbox()
        yield Reading(BACKLOG, "", 100 * state.waiting_bytes / state.bytes_max)
        severity = Severity.CRITICAL if state.fault else Severity.CLEARED
        yield Finding(STORE, "", severity, {"errno": state.fault[:80]})
        offset_s = self._offset_s()
        yield Reading(CLOCK, "", None if offset_s is None else abs(offset_s))
