"""How much the alarms ask of operators: ISA-18.2 and EEMUA 191, over the transitions kept. Pure.

Counts what an operator was shown: raises that were neither masked, shelved nor suppressed, and of
an incident's members none but the incident.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from roost_central.alarms.row import AlarmRow
from roost_central.alarms.transition import Transition

HOUR_MS: Final = 3_600_000
FLOOD_MS: Final = 600_000
FLOOD_ALARMS: Final = 10  # in FLOOD_MS, an operator: a flood
GOOD_AN_HOUR: Final = 6.0  # an operator
LIMIT_AN_HOUR: Final = 12.0
FLOOD_SHARE_LIMIT: Final = 0.01
STALE_MS: Final = 24 * HOUR_MS
CHATTER_TURNS: Final = 3  # turns ..
CHATTER_MS: Final = 60_000  # .. within that time
FLEETING_MS: Final = 10_000  # over before anybody could look
TOP: Final = 10


@dataclass(slots=True)
class Load:
    """The figures of one span; shares are from 0 to 1."""

    alarms: int = 0
    floods: int = 0
    spans: int = 0
    by_severity: Counter[str] = field(default_factory=Counter)
    by_type: Counter[str] = field(default_factory=Counter)
    by_site: Counter[str] = field(default_factory=Counter)
    by_hour: Counter[int] = field(default_factory=Counter)
    flood_hours: set[int] = field(default_factory=set)
    chattering: int = 0
    fleeting: int = 0
    acked: int = 0
    acked_ms: int = 0
    cleared: int = 0
    cleared_ms: int = 0

    def an_hour(self, hours: int, operators: int) -> float:
        """Return alarms an operator and hour."""
        return self.alarms / hours / operators

    @property
    def flood_share(self) -> float:
        """Return the share of the time that was a flood."""
        return self.floods / self.spans if self.spans else 0.0


def band(value: float) -> str:
    """Return how a rate of alarms an operator and hour is judged."""
    if value <= GOOD_AN_HOUR:
        return "good"
    return "manageable" if value <= LIMIT_AN_HOUR else "overloaded"


def stale(rows: Iterable[AlarmRow], now_ms: int) -> int:
    """Count open alarms in the list for more than a day."""
    return sum(row.is_open and row.is_visible and now_ms - row.raised_ms > STALE_MS for row in rows)


def measure(steps: Iterable[Transition], *, since_ms: int, now_ms: int, operators: int) -> Load:
    """Return the load of the steps between two times, which come oldest first."""
    load = Load()
    spans: Counter[int] = Counter()
    turns: dict[str, list[int]] = defaultdict(list)
    raised_ms: dict[str, int] = {}
    for step in steps:
        if step.event == "incident-open":
            _show(load, spans, step.received_ms)
        row = step.alarm
        if row is None:
            continue
        if step.event == "raise":
            turns[row.key_id].append(step.received_ms)
            raised_ms[row.id] = step.received_ms
            if row.is_visible and not row.incident:
                _show(load, spans, step.received_ms)
                load.by_severity[row.severity.word] += 1
                load.by_type[row.type] += 1
                load.by_site[row.site or ""] += 1
        elif step.event == "ack" and row.id in raised_ms:
            load.acked += 1
            load.acked_ms += step.received_ms - raised_ms[row.id]
        elif step.event == "clear":
            turns[row.key_id].append(step.received_ms)
            if row.id in raised_ms:
                lasted_ms = step.received_ms - raised_ms[row.id]
                load.fleeting += lasted_ms < FLEETING_MS
                load.cleared += 1
                load.cleared_ms += lasted_ms
    load.chattering = sum(map(_chatters, turns.values()))
    load.spans = max(1, -(-(now_ms - since_ms) // FLOOD_MS))
    flooded = [span for span, count in spans.items() if count >= FLOOD_ALARMS * operators]
    load.floods = len(flooded)
    load.flood_hours = {span * FLOOD_MS // HOUR_MS for span in flooded}
    return load


def _show(load: Load, spans: Counter[int], at_ms: int) -> None:
    load.alarms += 1
    load.by_hour[at_ms // HOUR_MS] += 1
    spans[at_ms // FLOOD_MS] += 1


def _chatters(turns: list[int]) -> bool:
    return any(
        later - first <= CHATTER_MS
        for first, later in zip(turns, turns[CHATTER_TURNS - 1 :], strict=False)
    )
