"""The end of an agent that was told to end: what it holds goes to others, then it says good-bye.

A group is given only to a node that could take it, and this node stays until that one says that it
has it: of a pair both must vote. What nobody could take goes on under the guard, as it does when
the agent dies: in a pair without end, elsewhere until the lease's deadline.

Leaves to others: how a lease is given back (lease), what the guard does.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from roost_agent.ha.fitness import unfit
from roost_agent.ha.lease import Lease
from roost_agent.ha.lease_phase import Phase
from roost_agent.ha.member import MemberState
from roost_agent.ha.membership import Membership

WHY: Final = "its agent was told to end"
_AT_REST: Final = frozenset({Phase.UNKNOWN, Phase.FOLLOWING, Phase.HOLDING})


class Leaving:
    """See the module.

    Args:
        members: of this node.
        leases: as this node sees them; only read here.
        hosts: by lease, in order of priority.
    """

    def __init__(
        self,
        members: Membership,
        leases: Mapping[str, Lease],
        hosts: Mapping[str, Sequence[int]],
    ) -> None:
        self.has_begun = False
        self.is_over = False
        self._members = members
        self._leases = leases
        self._hosts = hosts
        self._given: set[str] = set()  # ordered away, and held by nobody else yet

    def begin(self) -> None:
        """Begin; there is no way back but another start of the agent."""
        self.has_begun = True

    def look(self, order: Callable[[str, int], None]) -> list[str] | None:
        """Order away what can be taken; return what is left to the guard, None before all is done.

        Args:
            order: gives a lease to a node.
        """
        for name, lease in self._leases.items():
            to = self.successor(name)
            if lease.phase == Phase.HOLDING and to is not None:
                self._given.add(name)
                order(name, to)
        self._given = {name for name in self._given if not self._is_taken(name)}
        self.is_over = not self._given and all(
            lease.phase in _AT_REST for lease in self._leases.values()
        )
        kept = [name for name, lease in self._leases.items() if lease.is_held]
        return kept if self.is_over else None

    def successor(self, name: str) -> int | None:
        """Return who could take a lease: its first other host that is fit; one that joins last."""
        others = [host for host in self._hosts[name] if host != self._members.me]
        fit = [host for host in others if not unfit(self._members, host, name)]
        fit.sort(key=lambda host: self._members.state(host) is MemberState.JOINING)
        return next(iter(fit), None)

    def _is_taken(self, name: str) -> bool:
        """Whether somebody else says that it has it, or nobody is left who could."""
        others = [host for host in self._hosts[name] if host != self._members.me]
        reports = (self._members.report(host) for host in others)
        if any(report is not None and name in report.holds for report in reports):
            return True
        return not self._leases[name].is_held and self.successor(name) is None
