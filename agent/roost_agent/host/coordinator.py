"""Watches the other hosts of a site, and tells the centre of all in its turn as coordinator.

Each node watches; the one that holds the lease ``site`` tells. Every change of a state is a report
of its own; all else stands in place of what still waits for the centre.

Invariants: a report never has another node's epoch; while the centre is away the outbox holds one
report for each change, at most BURST at once and one more every PACE_MS, and the latest beside.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from roost_agent.host import kept
from roost_agent.host.around import Site
from roost_agent.host.core import TICK_MS
from roost_agent.host.kept import Locked
from roost_agent.host.moment import Moment
from roost_agent.host.reasons import LAN, SENSOR
from roost_agent.host.telling import Telling
from roost_agent.outbox.latest import Outbox
from roost_protocol.codec import VERSION
from roost_protocol.host import HostSaid, HostsReport

if TYPE_CHECKING:
    from roost_agent.host.policy import Policy
    from roost_agent.host.power import Powers
    from roost_agent.host.resetting import Resetting
    from roost_agent.host.site import SiteHosts

MNFA_TICKS: Final = 4  # while the network is to blame, a tick is so many times as long


class Coordinator:
    """See the module; of a node alone it tells that one, and brings no code to watch others.

    Args:
        by: this node's id.
        site: that it is of.
        outbox: of the node.
        folder: where it keeps who was locked.
        policy: what is done about silence; None: what is usual.

    Attributes:
        hosts: the others; None: there are none.
        resetting: what is done about those that stay silent; None: nothing.
        ill: what a host's board controller reads of it that is critical; empty: nothing.
        powers: which of those have no power; None: nobody asks.
    """

    def __init__(
        self,
        by: str,
        site: Site,
        outbox: Outbox,
        folder: Path,
        policy: "Policy | None" = None,
    ) -> None:
        self.hosts: SiteHosts | None = None
        self.resetting: Resetting | None = None
        self.powers: Powers | None = None
        self.ill: Callable[[str], str] = lambda _node: ""
        self._own_since: dict[str, int] = {}
        self._by = by
        self._site = site
        self._policy = policy
        self._telling = Telling(outbox)
        self.locked = kept.read_locked(folder)  # as it is on the disk
        self._due_ms = 0

    def begin(self, now: Moment) -> None:
        """Begin to listen."""
        if self._site.others:
            from roost_agent.host.policy import Policy  # noqa: PLC0415 - see the class
            from roost_agent.host.site import SiteHosts  # noqa: PLC0415 - as above

            locked = self.locked
            policy = self._policy or Policy()
            self.hosts = SiteHosts(now, policy, locked)

    def may_tell(self, now: Moment) -> bool:
        """Say whether it knows by now how the others stand."""
        return self.hosts is None or self.hosts.may_tell(now)

    def serving(self) -> list[str]:
        """Return the names of the others that are enabled now."""
        return [] if self.hosts is None else self.hosts.serving()

    def others(self) -> list[HostSaid]:
        """Return how the others stand."""
        found = [] if self.hosts is None else self.hosts.hosts()
        return found if self.resetting is None else [self.resetting.told(each) for each in found]

    @property
    def is_mnfa(self) -> bool:
        """Whether several are silent together, so that the network is to blame."""
        return self.hosts is not None and self.hosts.is_mnfa

    def own_reasons(self, name: str, now: Moment) -> dict[str, int]:
        """Return why this host is degraded by what only who watches others knows: since when, UTC.

        Args:
            name: of this host.
            now: of this look.
        """
        found = [SENSOR] if self._ill(name) else []
        found += [LAN] if self.hosts is not None and self.hosts.own_bad else []
        since = {each: self._own_since.get(each, max(now.wall_ms, 0)) for each in found}
        self._own_since = since
        return since

    def _ill(self, name: str) -> str:
        """Return which sensor of a host is critical, in this node's turn."""
        return "" if self._site.turn() is None else self.ill(name)

    def absent(self) -> dict[str, str]:
        """Return the hosts that this one, as the coordinator, locked while they were silent."""
        return {} if self.hosts is None or self._site.turn() is None else self.hosts.absent()

    def anew(self, now: Moment) -> frozenset[str]:
        """Return the hosts that this one, as the coordinator, has run their recovery."""
        if self.hosts is None or self._site.turn() is None:
            return frozenset()
        return self.hosts.anew(now)

    def look(self, own: Callable[[], HostSaid], now: Moment) -> Locked | None:
        """Take in a tick where one is due, and tell the centre in this node's turn.

        Args:
            own: returns how this node itself stands.
            now: of this look.

        Returns:
            Who is locked or failed, where that is to be kept anew; None: as before.
        """
        hosts = self.hosts
        if now.ms < self._due_ms:
            return None
        is_late = now.ms - self._due_ms > max(TICK_MS, self._site.beat_ms)
        tick_ms = max(TICK_MS, self._site.beat_ms) * (MNFA_TICKS if self.is_mnfa else 1)
        self._due_ms = now.ms + tick_ms if is_late else self._due_ms + tick_ms
        if hosts is not None:
            if self.powers is not None:
                self.powers.look()
            ill = {name: why for name in self._site.others if (why := self._ill(name))}
            hosts.tick(self._site.sights(), now.ms, now, ill)
            if (told := self._site.absent()) is not None:
                hosts.adopt(*told, now)
        epoch = self._site.turn()
        if epoch is not None and self.may_tell(now):
            self._telling.offer(self._report(own(), epoch), now)
        if hosts is None:
            return None
        locked = hosts.memory()
        return locked if locked != self.locked and hosts.may_tell(now) else None

    def _report(self, own: HostSaid, epoch: int) -> HostsReport:
        said = sorted((own, *self.others()), key=lambda each: each.node)
        hosts = self.hosts
        return HostsReport(
            v=VERSION,
            epoch=epoch,
            by=self._by,
            hosts=said,
            is_mnfa=self.is_mnfa,
            is_dead_office=hosts is not None and hosts.is_dead_office,
            evidence=[] if hosts is None else list(hosts.evidence),
        )
