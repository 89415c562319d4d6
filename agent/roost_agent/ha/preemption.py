"""When a group goes back to the host that comes first: a transfer, and never a takeover.

Only where the site's file says so (``preempt``), to a host that was alive and fit for that long
without a break, that is connected and as healthy as this one, and while nothing else is amiss.

Leaves to others: how many moves there may be (moves), the transfer (lease).
"""

from collections.abc import Iterator, Mapping, Sequence

from roost_agent.ha.config import HaConfig
from roost_agent.ha.fitness import unfit
from roost_agent.ha.lease import Lease
from roost_agent.ha.lease_phase import Phase
from roost_agent.ha.member import MemberState
from roost_agent.ha.membership import Membership
from roost_agent.ha.redundancy import RedundancyState


class Preemption:
    """See the module.

    Args:
        config: of the site.
        members: of this node.
        leases: as this node sees them; only read here.
        hosts: by lease, in order of priority.
    """

    def __init__(
        self,
        config: HaConfig,
        members: Membership,
        leases: Mapping[str, Lease],
        hosts: Mapping[str, Sequence[int]],
    ) -> None:
        self._after_ms = {
            group.name: group.preempt * 1000
            for group in config.groups
            if group.preempt != "never" and group.name in hosts
        }
        self._members = members
        self._leases = leases
        self._hosts = hosts
        self._since_ms: dict[tuple[str, int], int] = {}  # since when a host could have it back

    def look(self, now_ms: int) -> Iterator[tuple[str, int, str]]:
        """Yield what should go back, to whom, and why."""
        for name, after_ms in self._after_ms.items():
            for host in self._better(name):
                if not self._could(name, host, now_ms):
                    self._since_ms.pop((name, host), None)
                    continue
                since_ms = self._since_ms.setdefault((name, host), now_ms)
                if now_ms - since_ms >= after_ms:
                    yield name, host, f"its first host is well for {after_ms // 1000} s"
                    break

    def _better(self, name: str) -> Sequence[int]:
        """Return the hosts before this one."""
        hosts, me = self._hosts[name], self._members.me
        return hosts[: hosts.index(me)] if me in hosts else ()

    def _could(self, name: str, host: int, now_ms: int) -> bool:
        lease = self._leases.get(name)
        return (
            lease is not None
            and lease.phase == Phase.HOLDING
            and self._members.redundancy is RedundancyState.NORMAL
            and self._members.state(host) is MemberState.ALIVE
            and not unfit(self._members, host, name)
            and self._members.ranking.is_as_good(host, now_ms)
        )
