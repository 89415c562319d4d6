"""How much history is kept: by time and by size, and when the size becomes tight. Pure.

Audit has no size of its own: who did what must not go because much was done.
"""

from dataclasses import dataclass
from typing import Final

PRESSURE: Final = 0.8  # of a size: from here on it is told
RELIEF: Final = 0.75  # below it, it is over: a table at the edge must not flap
DAYS: Final = range(1, 3_651)
ROWS: Final = range(1_000, 200_000_001)  # 200 million are some 100 GB


@dataclass(frozen=True, slots=True)
class Retention:
    """What is kept of each history; a row goes when it is past either bound.

    Attributes:
        alarm_days, alarm_rows: of the steps of alarms and incidents.
        event_days, event_rows: of the other events.
        audit_days: of operators' acts.
    """

    alarm_days: int = 400
    alarm_rows: int = 20_000_000
    event_days: int = 90
    event_rows: int = 20_000_000
    audit_days: int = 730


BOUNDS: Final = {
    "alarm_days": DAYS,
    "alarm_rows": ROWS,
    "event_days": DAYS,
    "event_rows": ROWS,
    "audit_days": DAYS,
}


def is_tight(rows: int, rows_max: int, *, was_tight: bool) -> bool:
    """Return whether a table is near its size, with hysteresis."""
    return rows >= rows_max * (RELIEF if was_tight else PRESSURE)
