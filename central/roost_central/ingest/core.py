"""The mark rule: which reports take effect. Pure.

A stream's mark is the last sequence number that took effect. A report is applied only if its
``prev`` is the mark; below it is a duplicate, above it something before it is missing. Either way
the receipt repeats the mark, and the agent goes on from there (architecture.md section 5).
"""

from collections.abc import Mapping
from enum import Enum

from roost_protocol.envelope import Report

StreamKey = tuple[str, bytes]  # node, stream


class Verdict(Enum):
    """What becomes of a report."""

    APPLY = "apply"
    DUPLICATE = "duplicate"
    AHEAD = "ahead"


class Ledger:
    """The marks that one batch moves, over those that are committed."""

    def __init__(self, committed: Mapping[StreamKey, int]) -> None:
        self._committed = committed
        self.moved: dict[StreamKey, int] = {}

    def mark(self, key: StreamKey) -> int:
        """Return a stream's mark as this batch sees it; a stream never seen has 0."""
        moved = self.moved.get(key)
        return self._committed.get(key, 0) if moved is None else moved

    def judge(self, report: Report) -> Verdict:
        """Say what becomes of a report, and move the mark when it is applied."""
        key = (report.node, report.stream)
        mark = self.mark(key)
        if report.prev < mark:
            return Verdict.DUPLICATE
        if report.prev > mark:
            return Verdict.AHEAD
        if report.items:
            self.moved[key] = report.last
        return Verdict.APPLY
