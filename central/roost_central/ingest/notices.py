"""What ingest has to write beside reports: events of the centre's own, and dead letters.

They wait here for the next transaction. Bounded: a flood of faults must not become a flood of rows,
so one kind of event about one node is said once in PACE_MS.
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.alarms.facts import Event as AlarmEvent
from roost_central.alarms.facts import OwnRaised
from roost_central.fleet.entity import entity_of
from roost_central.ingest.counters import Counters
from roost_central.ports import Clock
from roost_central.storage import dead_letters, events
from roost_protocol.alarm import Scalar
from roost_protocol.catalogue import cut
from roost_protocol.severity import Severity

WAITING_MAX: Final = 10_000  # events or letters: what a database that is down may cost in memory
PACE_MS: Final = 600_000  # one event of a kind about a node in ten minutes
FAULT_MS: Final = 900_000  # a fault that was not seen for so long is over; longer than the pace
NO_PARAMS: Final[Mapping[str, Scalar]] = {}
PACED_MAX: Final = 100_000  # remembered (kind, node) pairs: two of each of 50,000 nodes


@dataclass(frozen=True, slots=True)
class Waiting:
    """What one transaction wrote; forgotten only once that is committed."""

    events: list[events.NewEvent]
    letters: list[dead_letters.NewDeadLetter]


class Notices:
    """Collects events and dead letters until a transaction takes them."""

    def __init__(
        self, clock: Clock, counters: Counters, signal: Callable[[AlarmEvent], None]
    ) -> None:
        self._clock = clock
        self._signal = signal
        self._counters = counters
        self._events: deque[events.NewEvent] = deque()
        self._letters: deque[dead_letters.NewDeadLetter] = deque()
        self._said: dict[tuple[str, str | None], int] = {}

    def say(self, event: events.NewEvent) -> None:
        """Keep an event for the next transaction."""
        if len(self._events) >= WAITING_MAX:
            self._counters.refused["overload-event"] += 1
            return
        self._events.append(event)

    def complain(
        self,
        type_: str,
        text: str,
        *,
        node: str | None,
        severity: Severity,
        params: Mapping[str, Scalar] = NO_PARAMS,
    ) -> None:
        """Keep an event of a fault, unless the same was said of this node a while ago.

        It is an alarm as well, until nothing of the kind was said for FAULT_MS.
        """
        now_ms = self._clock.wall_ms()
        key = (type_, node)
        said_ms = self._said.get(key)
        if said_ms is not None and 0 <= now_ms - said_ms < PACE_MS:
            return
        if len(self._said) >= PACED_MAX:
            del self._said[next(iter(self._said))]
        self._said[key] = now_ms
        self._signal(fault(type_, node, severity, {"reason": text, **params}))
        self.say(
            events.NewEvent(
                at_ms=now_ms,
                received_ms=now_ms,
                kind="ingest",
                type=type_,
                severity=severity,
                text=text,
                site=node.partition(".")[0] if node else None,
                node=node,
            )
        )

    def refuse(self, code: str) -> None:
        """Count a refused message or item."""
        self._counters.refused[code] += 1

    def bury(self, letter: dead_letters.NewDeadLetter) -> None:
        """Keep a refused message for the next transaction."""
        if len(self._letters) >= WAITING_MAX:
            self._counters.refused["overload-letter"] += 1
            return
        self._counters.dead_letters += 1
        self._letters.append(letter)

    def __bool__(self) -> bool:
        """Whether something waits."""
        return bool(self._events or self._letters)

    async def write(self, connection: AsyncConnection) -> Waiting:
        """Write all that waits; call ``written`` after the commit."""
        taken = Waiting(list(self._events), list(self._letters))
        await events.append(connection, taken.events)
        await dead_letters.append(connection, taken.letters)
        return taken

    def written(self, taken: Waiting) -> None:
        """Forget what a committed transaction holds."""
        for _ in taken.events:
            self._events.popleft()
        for _ in taken.letters:
            self._letters.popleft()


def fault(
    type_: str, node: str | None, severity: Severity, params: Mapping[str, Scalar]
) -> OwnRaised:
    """Return the alarm of something wrong that was seen once and has no end of its own."""
    site = node.partition(".")[0] if node else None
    return OwnRaised(
        type_,
        entity_of(site, node) or "central=roost",
        severity,
        {name: cut(value) if isinstance(value, str) else value for name, value in params.items()},
        site=site,
        node=node,
        ttl_ms=FAULT_MS,
    )
