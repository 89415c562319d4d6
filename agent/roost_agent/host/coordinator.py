"""Watches the other hosts of a site, and tells the centre of all in its turn as coordinator.

Each node watches; the one that holds the lease ``site`` tells. Every change of a state is a report
of its own; all else stands in place of what still waits for the centre.

Invariants: a report never has another node's epoch; while the centre is away the outbox holds one
report for each change, at most BURST at once and one more every PACE_MS, and the latest beside.
"""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from roost_agent.errors import StorageError
from roost_agent.host import kept
from roost_agent.host.around import Site
from roost_agent.host.core import Moment
from roost_agent.host.site import TICK_MS, Policy, SiteHosts
from roost_agent.outbox.latest import Outbox
from roost_agent.outbox.spool import Batch
from roost_agent.outbox.store import Entry, LaneCounts
from roost_protocol.codec import VERSION, pack
from roost_protocol.envelope import ItemKind, Lane
from roost_protocol.host import HostSaid, HostsReport

log = logging.getLogger(__name__)

MNFA_TICKS: Final = 4  # while the network is to blame, a tick is so many times as long
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


class Coordinator:
    """See the module.

    Args:
        by: this node's id.
        site: that it is of.
        outbox: of the node.
        folder: where it keeps who was locked.
        policy: what is done about silence.
    """

    def __init__(
        self,
        by: str,
        site: Site,
        outbox: Outbox,
        folder: Path,
        policy: Policy = Policy(),  # noqa: B008 - frozen
    ) -> None:
        self.hosts: SiteHosts | None = None
        self._by = by
        self._site = site
        self._policy = policy
        self._telling = Telling(outbox)
        self.locked = kept.read_locked(folder)  # as it is on the disk
        self._due_ms = 0

    def begin(self, now: Moment) -> None:
        """Begin to listen."""
        self.hosts = SiteHosts(now, self._policy, self.locked)

    def look(self, own: Callable[[], HostSaid], now: Moment) -> list[str] | None:
        """Take in a tick where one is due, and tell the centre in this node's turn.

        Args:
            own: returns how this node itself stands.
            now: of this look.

        Returns:
            Who is locked, where that is to be kept anew; None: as before.
        """
        hosts = self.hosts
        if hosts is None or now.ms < self._due_ms:
            return None
        is_late = now.ms - self._due_ms > TICK_MS
        tick_ms = TICK_MS * (MNFA_TICKS if hosts.is_mnfa else 1)
        self._due_ms = now.ms + tick_ms if is_late else self._due_ms + tick_ms
        hosts.tick(self._site.sights(), now.ms, now)
        epoch = self._site.turn()
        if epoch is not None and (epoch == 0 or hosts.may_tell(now)):
            self._telling.offer(self._report(own(), epoch, hosts), now)
        locked = hosts.locked()
        return locked if locked != self.locked and hosts.may_tell(now) else None

    def _report(self, own: HostSaid, epoch: int, hosts: SiteHosts) -> HostsReport:
        said = sorted((own, *hosts.hosts()), key=lambda each: each.node)
        return HostsReport(
            v=VERSION,
            epoch=epoch,
            by=self._by,
            hosts=said,
            is_mnfa=hosts.is_mnfa,
            is_dead_office=hosts.is_dead_office,
            evidence=list(hosts.evidence),
        )


def _triples(report: HostsReport) -> list[tuple[str, str, str, str]]:
    return [(each.node, each.admin, each.oper, each.avail) for each in report.hosts]


def _steady(report: HostsReport) -> HostsReport:
    """Return a report without what changes by itself from second to second."""
    return replace(report, hosts=[replace(each, uptime_s=0) for each in report.hosts])
