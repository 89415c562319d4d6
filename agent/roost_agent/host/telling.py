"""Brings a coordinator's reports to the outbox: each change of a state, and else the latest.

Invariants: while the centre is away the outbox holds one report for each change, at most BURST at
once and one more every PACE_MS, and the latest beside.
"""

from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from roost_agent.errors import StorageError
from roost_agent.host.moment import Moment
from roost_agent.outbox.latest import Outbox
from roost_agent.outbox.spool import Batch
from roost_agent.outbox.store import Entry, LaneCounts
from roost_protocol.codec import pack
from roost_protocol.envelope import ItemKind, Lane
from roost_protocol.host import HostsReport

SETTLE_MS: Final = 2_000  # from one report that changes no state to the next
AGAIN_MS: Final = 1_800_000  # told again by then, so that its age says something
BURST: Final = 40  # changes of states at once
PACE_MS: Final = 10_000  # and one more for each of these


class Telling:
    """Brings reports to the outbox.

    Args:
        outbox: of the node.
    """

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._told: HostsReport | None = None
        self._told_ms = 0  # boot clock
        self._spent_ms = 0  # when the allowance of changes is whole again
        self._seq = 0  # of the last report in the lane
        self._is_writing = False

    def offer(self, report: HostsReport, now: Moment) -> None:
        """Put a report on its way where it is due; otherwise it is offered again."""
        if not self._outbox.lanes or self._is_writing or not self._is_due(report, now.ms):
            return
        body, compressed = pack(report)
        entry = Entry(Lane.BULK, ItemKind.HOSTS, max(now.wall_ms, 0), body, compressed)
        self._is_writing = True
        try:
            self._outbox.append(Batch((entry,), {}, self._on_disk))
        except StorageError:
            self._is_writing = False
            return
        self._told, self._told_ms = report, now.ms

    def _is_due(self, report: HostsReport, now_ms: int) -> bool:
        told = self._told
        if told is None or told.epoch != report.epoch:
            return True
        if _triples(told) != _triples(report):
            return self._may_change(now_ms)
        if now_ms - self._told_ms < SETTLE_MS or self._waits():
            return False
        return _steady(told) != _steady(report) or now_ms - self._told_ms >= AGAIN_MS

    def _may_change(self, now_ms: int) -> bool:
        spent_ms = max(self._spent_ms, now_ms) + PACE_MS
        if spent_ms - now_ms > BURST * PACE_MS:
            return False
        self._spent_ms = spent_ms
        return True

    def _waits(self) -> bool:
        """Whether the last report is still on its way to the centre."""
        lane = self._outbox.lanes[Lane.BULK]
        return lane.mark < self._seq <= lane.last  # past the last: another stream has begun

    def _on_disk(self, lanes: Mapping[Lane, LaneCounts]) -> None:
        self._is_writing = False
        self._seq = lanes[Lane.BULK].last


def _triples(report: HostsReport) -> list[tuple[str, str, str, str]]:
    return [(each.node, each.admin, each.oper, each.avail) for each in report.hosts]


def _steady(report: HostsReport) -> HostsReport:
    """Return a report without what changes by itself from second to second."""
    return replace(report, hosts=[replace(each, uptime_s=0) for each in report.hosts])
