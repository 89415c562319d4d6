"""Who votes, as one node's core knows it: tells the parts that count voters, and drives changes.

Leaves to others: what a change is (the voter, the proposer); frames.
"""

from collections.abc import Callable, Mapping

from roost_agent.ha.config import SITE_LEASE, HaConfig
from roost_agent.ha.lease import Lease
from roost_agent.ha.lease_phase import Phase
from roost_agent.ha.membership import Membership
from roost_agent.ha.proposer import Proposer
from roost_agent.ha.proposer_events import Effect, Event, Shown, Tick, Wanted
from roost_agent.ha.quorum_watch import QuorumWatch
from roost_agent.ha.start import Who
from roost_agent.ha.witness import Witness
from roost_protocol.configuration import WITNESS
from roost_protocol.ha import Header
from roost_protocol.voter import Voter
from roost_protocol.voter_events import Configured


class Electing:
    """See the module.

    Args:
        who: this start.
        config: of the site.
        hosts: by lease; those of the built-in one are kept to be the voters.
        voter: of this node.
        members: as this node sees them.
        quorum: raises the loss of a majority.
        witness: at the centre, where the site has one.
        is_there: whether a voter is heard at a time.

    Attributes:
        configured: as the voter said last; None before this start is on disk.
    """

    def __init__(  # noqa: PLR0913 - the parts that count voters
        self,
        who: Who,
        config: HaConfig,
        *,
        hosts: dict[str, tuple[int, ...]],
        voter: Voter,
        members: Membership,
        quorum: QuorumWatch,
        witness: Witness | None,
        is_there: Callable[[int, int], bool],
    ) -> None:
        self.configured: Configured | None = None
        self._who = who
        self._config = config
        self._hosts = hosts
        self._voter = voter
        self._members = members
        self._quorum = quorum
        self._witness = witness
        self._is_there = is_there
        self._proposer: Proposer | None = None
        self._site: Lease | None = None
        self._shown: dict[int, Shown] = {}

    def adopt(self, configured: Configured) -> list[int]:
        """Take in who votes from now on; return who does not any more."""
        self.configured = configured
        voters = configured.electorate.voters
        gone = [node for node in self._hosts[SITE_LEASE] if node not in voters]
        self._hosts[SITE_LEASE] = configured.electorate.local
        self._members.vote(configured.electorate.local)
        self._quorum.electorate = configured.electorate
        return [node for node in gone if node != self._who.node]

    def begin(
        self, site: Lease, watchdogs: Mapping[str, int], epochs: Callable[[], dict[str, int]]
    ) -> None:
        """Take in that the leases stand."""
        self._site = site
        self._proposer = Proposer(
            self._who.node,
            self._who.boot,
            electorate=self._voter.electorate,
            timing=self._config.timing,
            watchdog_ms=max(watchdogs.values(), default=0),
            hosts={name: hosts for name, hosts in self._hosts.items() if name != SITE_LEASE},
            nonce=site.nonce,
            epochs=epochs,
        )

    def told(self) -> list[Configured]:
        """Return what the voter said last, nothing before this start is on disk."""
        return [] if self.configured is None else [self.configured]

    def shown(self, frame: Header) -> Shown | None:
        """Return what a peer's frame says of its life and its configuration, where that is news."""
        shown = Shown(frame.node, frame.boot, frame.inc, frame.cfgver)
        if self._shown.get(frame.node) == shown or self._proposer is None:
            return None
        self._shown[frame.node] = shown
        return shown

    def propose(self, event: Event | None, now_ms: int) -> list[Effect]:
        """Give the one who proposes changes an event, after what is true now."""
        proposer, site = self._proposer, self._site
        if proposer is None or site is None:
            return []
        epoch = site.epoch if site.phase == Phase.HOLDING else 0
        may_vote = (*self._voter.electorate.nodes, WITNESS)
        seen = frozenset(each for each in may_vote if self._is_there(each, now_ms))
        effects = proposer.handle(Tick(epoch, seen), now_ms)
        return effects if event is None else effects + proposer.handle(event, now_ms)

    def wanted(self, now_ms: int) -> Wanted | None:
        """Return the change that a witness's coming and going makes this node want, if any."""
        proposer, site, witness = self._proposer, self._site, self._witness
        if witness is None or proposer is None or site is None or site.phase != Phase.HOLDING:
            return None
        if proposer.is_changing:
            return None
        members, me = self._members, self._who.node
        nodes = [node for node in self._voter.electorate.nodes if node != me]
        absent = {n: members.since_ms(n) for n in nodes if not members.is_there(n)}
        return witness.wanted(self._voter.electorate, absent, now_ms)
