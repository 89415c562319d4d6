"""What this node gives to another, by its own choice or because its agent is to end.

A chosen move is none to a node that joined a moment ago, is counted, and is held back where there
were too many, or in maintenance. Leaves to others: how a lease is given (lease), who is the better
host (membership).
"""

from roost_agent.ha import lease_events as le
from roost_agent.ha.candidacy import PAUSED
from roost_agent.ha.config import SITE_LEASE
from roost_agent.ha.exchange import Exchange
from roost_agent.ha.fitness import unready
from roost_agent.ha.known import Known
from roost_agent.ha.lease_phase import Phase
from roost_agent.ha.leaving import WHY, Leaving
from roost_agent.ha.moves import HELD_BACK
from roost_agent.ha.preemption import Preemption
from roost_agent.ha.redundancy import RedundancyState
from roost_protocol.explain import Explain


class Giving:
    """See the module.

    Args:
        known: the parts.
        exchange: between them.
    """

    def __init__(self, known: Known, exchange: Exchange) -> None:
        self._known = known
        self._exchange = exchange
        self._preemption = Preemption(known.config, known.members, known.leases, known.hosts)
        self.leaving = Leaving(known.members, known.leases, known.hosts)
        self._is_yielding = False  # a group is to go to a node that is still joining

    def choose(self, name: str, why: str, to: int | None, now_ms: int) -> None:
        """Give a group away by this node's own choice, unless it moved too often of late."""
        known = self._known
        lease = known.leases.get(name)
        if lease is None or lease.phase != Phase.HOLDING:
            return
        is_damped = not known.moves.may_move(name, now_ms)
        if is_damped or name in known.candidacy.paused:
            held = HELD_BACK if is_damped else PAUSED
            self._exchange.out.append(le.Answer(ok=False, sentence=held))
            self._exchange.out.append(Explain(f"{name} stays: {held}; {why}", {"group": name}))
            return
        known.moves.moved(name, lease.epoch, now_ms)
        self._exchange.lease(name, le.Order(why, to), now_ms)

    def give_way(self, now_ms: int) -> None:
        """Give the groups to the better connected node, unless they moved too often of late.

        To nobody who joined a moment ago: looked at again until this node is whole, or gave all.
        """
        known, members = self._known, self._known.members
        self._is_yielding = False
        for name, lease in known.leases.items():
            if not lease.is_held or name == SITE_LEASE:
                continue
            hosts = [host for host in known.hosts[name] if host != known.who.node]
            ready = [each for each in hosts if not unready(members, each, name, now_ms)]
            is_one_joining = any(members.joining_ms(each, now_ms) for each in hosts)
            if ready:
                to = ready[0] if is_one_joining else None
                self.choose(name, "another node is better connected", to, now_ms)
            elif is_one_joining:
                self._is_yielding = True

    def look_again(self, now_ms: int) -> None:
        """Give away what waited for a node that was joining, if this one is still the worse."""
        if not self._is_yielding:
            return
        self._is_yielding = self._known.members.redundancy is RedundancyState.FAILED
        if self._is_yielding:
            self.give_way(now_ms)

    def prefer(self, now_ms: int) -> None:
        """Give back what another host comes first for, where the site's file says so."""
        known = self._known
        for name, to, why in list(self._preemption.look(now_ms)):
            if known.moves.may_move(name, now_ms) and name not in known.candidacy.paused:
                self.choose(name, why, to, now_ms)

    def leave(self, now_ms: int) -> list[str] | None:
        """Order away what others could take, once the agent was told to end.

        Returns:
            Once, when all is done: what is left to the guard; None before and after that.
        """
        if not self.leaving.has_begun or self.leaving.is_over:
            return None
        return self.leaving.look(
            lambda name, to: self._exchange.lease(name, le.Order(WHY, to), now_ms)
        )
