"""What ingest did since it started, for GET /status. Written by one task at a time."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class BrokerStatus:
    """One broker as this worker sees it: ``state`` is ``connected`` or ``lost``."""

    name: str
    url: str
    state: str = "lost"
    since_ms: int | None = None


@dataclass(slots=True)
class Counters:
    """Totals, and the last batch's times.

    Attributes:
        alarm_resyncs: nodes asked for their alarms, because a digest differed.
        refused: messages and items refused, by code.
        commit_ms: the last transaction of reports.
        lag_ms: age of the oldest message when its batch was taken up.
    """

    beats: int = 0
    reports: int = 0
    duplicates: int = 0
    items: int = 0
    receipts: int = 0
    dead_letters: int = 0
    alarm_resyncs: int = 0
    commits: int = 0
    commits_failed: int = 0
    queue: int = 0
    commit_ms: int = 0
    lag_ms: int = 0
    quiet: bool = False
    refused: Counter[str] = field(default_factory=Counter)
    brokers: list[BrokerStatus] = field(default_factory=list)
