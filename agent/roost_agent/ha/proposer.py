"""Changes the voters of a site, one step after the other, where this node holds the lease ``site``.

The epoch is the ballot. What another holder may have begun is finished first: it comes with the
grants of the epoch. The next step waits until a majority of the voters (all of them, if sticky)
showed that they adopted the last one, and then until every promise from before it has run out.

Leaves to others: accepting and adopting (the voters, this node's own first), who holds ``site``.

Invariants:
- nothing is proposed but under an epoch that enough voters of the present configuration granted,
  each for itself;
- one epoch proposes one configuration after each other one.
"""

from collections.abc import Callable, Mapping
from typing import Final, assert_never

from roost_agent.ha.lease_events import Answer, RoundWon
from roost_agent.ha.proposer_events import Answered, Effect, Event, Shown, Tick, Wanted
from roost_agent.ha.timing import Timing
from roost_protocol.configuration import SITE_LEASE, Accepted, Configuration, Joined, is_later
from roost_protocol.electorate import Electorate
from roost_protocol.electorate_change import added, fault, removed
from roost_protocol.explain import Explain
from roost_protocol.ha import Kind, LeaseFrame, Nonce
from roost_protocol.terms import WHOLE_BP
from roost_protocol.voter_cfg import DISK_GONE
from roost_protocol.voter_events import Configured, Send

PAIR: Final = 2


class Proposal:
    """What is proposed under one epoch, and who accepted it."""

    __slots__ = ("acks", "cfg", "epoch", "epochs", "is_disk_gone", "nonce", "tell_ms")

    def __init__(self, epoch: int, cfg: Configuration, nonce: Nonce, *, is_disk_gone: bool) -> None:
        self.epoch = epoch
        self.cfg = cfg
        self.nonce = nonce
        self.is_disk_gone = is_disk_gone
        self.acks: set[int] = set()
        self.epochs: dict[str, int] = {}
        self.tell_ms = 0


class Proposer:
    """See the module.

    Args:
        me: this node.
        boot: its boot id.
        electorate: the present one.
        timing: of the site.
        watchdog_ms: the slowest of its groups.
        hosts: by lease, who may hold it; ``site`` left out.
        nonce: of the lease ``site``.
        epochs: of this node's voter.
    """

    def __init__(  # noqa: PLR0913 - what it is to one node
        self,
        me: int,
        boot: bytes,
        *,
        electorate: Electorate,
        timing: Timing,
        watchdog_ms: int,
        hosts: Mapping[str, tuple[int, ...]],
        nonce: Callable[[], Nonce],
        epochs: Callable[[], dict[str, int]],
    ) -> None:
        self._me = me
        self._boot = boot
        self._electorate = electorate
        self._timing = timing
        # The voters' clocks may be as much slower than this one as the bound allows.
        promise_ms, rate_bp = timing.promise_ms(watchdog_ms), timing.rate_bp
        self._settle_ms = -(-promise_ms * (WHOLE_BP + rate_bp) // (WHOLE_BP - rate_bp))
        self._hosts = hosts
        self._nonce = nonce
        self._epochs = epochs
        self._epoch = 0  # of ``site``, 0: it is not held here
        self._ready: RoundWon | None = None
        self._inherited: Accepted | None = None
        self._proposal: Proposal | None = None
        self._wanted: Wanted | None = None
        self._shown: dict[int, Shown] = {}
        self._adopted_ms: int | None = (
            None  # since when enough of the voters are known to be as far
        )
        self._seen: frozenset[int] = frozenset({me})

    @property
    def is_changing(self) -> bool:
        """Whether a change is wanted or under way."""
        return self._wanted is not None or self._proposal is not None

    def handle(self, event: Event, now_ms: int) -> list[Effect]:
        """Take in one event and return what is to be done, in order."""
        out: list[Effect] = []
        match event:
            case Tick(epoch, seen):
                self._seen = seen
                self._tick(epoch, now_ms, out)
            case Shown():
                self._shown[event.node] = event
                self._count_adopted(now_ms)
            case Answered(frame):
                self._answered(frame, now_ms, out)
            case RoundWon():
                self._ready = event
                told = event.accepted
                if told is not None and (
                    self._inherited is None or told.epoch > self._inherited.epoch
                ):
                    self._inherited = told
            case Configured(electorate, _, _):
                self._configured(electorate, now_ms, out)
            case Wanted():
                out.append(self._want(event))
            case _:
                assert_never(event)
        return out

    # -- orders --------------------------------------------------------------------------------

    def _want(self, wanted: Wanted) -> Answer:
        refusal = self._refusal(wanted)
        if refusal:
            return Answer(ok=False, sentence=refusal)
        self._wanted = wanted
        if self._proposal is not None:  # the operator's word for one that does not answer
            self._proposal.is_disk_gone = True
            self._proposal.tell_ms = 0
            self._proposal.acks.clear()
        what = "to vote" if wanted.is_added else "to vote no more"
        return Answer(ok=True, sentence=f"node {wanted.node} is {what}, once the voters accept it")

    def _refusal(self, wanted: Wanted) -> str:
        """Return why it cannot be wanted, empty where it can."""
        refusal = self._refusal_node(wanted) or self._refusal_now(wanted)
        if refusal:
            return refusal
        cfg = self._step(wanted)
        return fault(self._electorate, cfg) or self._refusal_hosts(cfg)

    def _refusal_now(self, wanted: Wanted) -> str:
        electorate = self._electorate
        if not self._epoch:
            return f"this node does not hold the lease {SITE_LEASE}: order it where it is held"
        if wanted.is_disk_gone:
            proposal = self._proposal
            if proposal is None or proposal.cfg == self._step(wanted):
                return self._refusal_disk_gone(wanted.node)
        if self.is_changing:
            return "the change before this one is not through yet"
        heard = sum(voter in self._seen for voter in electorate.voters)
        if heard < electorate.needed:
            return f"{heard} voters are heard, and {electorate.needed} have to accept it"
        return ""

    def _refusal_node(self, wanted: Wanted) -> str:
        node, electorate = wanted.node, self._electorate
        if wanted.is_added and node in electorate.voters:
            return f"node {node} votes already"
        if not wanted.is_added and node not in electorate.voters:
            return f"node {node} does not vote"
        if wanted.is_added and (node not in self._seen or node not in self._shown):
            return f"node {node} is not heard"
        return ""

    def _refusal_disk_gone(self, node: int) -> str:
        if not self._electorate.sticky or len(self._electorate.voters) != PAIR or node == self._me:
            return "only the peer of a pair can be removed by an operator's word"
        if node in self._seen:
            return f"node {node} is heard: stop its agent first"
        return ""

    def _refusal_hosts(self, cfg: Configuration) -> str:
        """A pair's hosts are its voters, or an owner could not refuse to end the mode."""
        others = sorted(
            {host for hosts in self._hosts.values() for host in hosts} - set(cfg.voters)
        )
        if cfg.sticky and len(cfg.voters) == PAIR and others:
            return f"node {others[0]} hosts a group, and the hosts of a pair are its two voters"
        return ""

    def _step(self, wanted: Wanted) -> Configuration:
        if not wanted.is_added:
            return removed(self._electorate, wanted.node)
        life = self._shown[wanted.node]
        return added(self._electorate, Joined(life.node, life.boot, life.inc))

    # -- proposing -----------------------------------------------------------------------------

    def _tick(self, epoch: int, now_ms: int, out: list[Effect]) -> None:
        if epoch != self._epoch:
            self._held(epoch, out)
        self._count_adopted(now_ms)
        ready, cfgver = self._ready, self._electorate.cfgver
        if not epoch or ready is None or (ready.epoch, ready.cfgver) != (epoch, cfgver):
            return
        if self._proposal is None:
            self._begin(now_ms, out)
        if self._proposal is not None and now_ms >= self._proposal.tell_ms:
            self._tell(self._proposal, now_ms, out)

    def _held(self, epoch: int, out: list[Effect]) -> None:
        """Take in that ``site`` is held anew, or no more."""
        if self._wanted is not None:
            out.append(
                Explain(
                    f"the change of node {self._wanted.node} is given up or for the next holder of "
                    f"{SITE_LEASE} to finish",
                    {"node": self._wanted.node},
                )
            )
        self._epoch, self._proposal, self._wanted = epoch, None, None
        if self._ready is None or self._ready.epoch != epoch:
            self._ready = self._inherited = None

    def _begin(self, now_ms: int, out: list[Effect]) -> None:
        inherited = self._inherited
        if inherited is not None and is_later(inherited.cfg.cfgver, self._electorate.cfgver):
            if self._is_reachable(inherited.cfg):
                self._propose(inherited.cfg, "it was begun before", out)
        elif self._wanted is not None and self._is_settled(now_ms):
            wanted = self._wanted
            refusal = "" if wanted.is_added != (wanted.node in self._electorate.voters) else "done"
            cfg = self._step(wanted)
            if refusal or fault(self._electorate, cfg) or self._refusal_hosts(cfg):
                self._wanted = None
                return
            self._propose(cfg, wanted.why, out)

    def _is_settled(self, now_ms: int) -> bool:
        """Whether no right of a configuration before this one can be left."""
        if not self._electorate.is_changed:
            return True
        return self._adopted_ms is not None and now_ms - self._adopted_ms > self._settle_ms

    def _propose(self, cfg: Configuration, why: str, out: list[Effect]) -> None:
        is_disk_gone = self._wanted is not None and self._wanted.is_disk_gone
        self._proposal = Proposal(self._epoch, cfg, self._nonce(), is_disk_gone=is_disk_gone)
        voters = ", ".join(str(voter) for voter in cfg.voters)
        out.append(
            Explain(
                f"proposes {voters} as voters (epoch {self._epoch} of {SITE_LEASE}): {why}",
                {"voters": voters, "sticky": cfg.sticky, "epoch": self._epoch},
            )
        )

    def _tell(self, proposal: Proposal, now_ms: int, out: list[Effect]) -> None:
        """Ask this node's own voter, then the others; once it is decided, say so."""
        proposal.tell_ms = now_ms + self._timing.renew_ms
        if len(proposal.acks) >= self._electorate.needed:
            out += (self._commit(node, proposal) for node in self._mine_first())
        elif not self._is_reachable(proposal.cfg):
            pass  # decided now, it would leave nobody who could hold anything
        elif self._me not in proposal.acks:
            out.append(self._ask(self._me, proposal))
        else:
            out += (
                self._ask(voter, proposal)
                for voter in self._deciding(proposal.cfg)
                if voter not in proposal.acks
            )

    def _deciding(self, cfg: Configuration) -> tuple[int, ...]:
        """Return who is asked to accept it: those who stay, where they are enough.

        One who goes could have it decided while those who have to live with it are not there.
        """
        electorate = self._electorate
        staying = tuple(voter for voter in electorate.voters if voter in cfg.voters)
        return staying if len(staying) >= electorate.needed else electorate.voters

    def _is_reachable(self, cfg: Configuration) -> bool:
        """Whether enough of the voters of a configuration are heard to live under it."""
        heard = sum(voter == self._me or voter in self._seen for voter in cfg.voters)
        return heard >= self._electorate.under(cfg).needed

    def _mine_first(self) -> list[int]:
        everybody = {*self._electorate.nodes, *self._electorate.voters}
        return sorted(everybody, key=lambda node: (node != self._me, node))

    def _ask(self, to: int, proposal: Proposal) -> Send:
        return Send(
            to, Kind.CFG_PROPOSE, SITE_LEASE, proposal.epoch, proposal.nonce, self._me, self._boot,
            reason=DISK_GONE if proposal.is_disk_gone else "", cfg=proposal.cfg,
            epochs=self._epochs(),
        )  # fmt: skip

    def _commit(self, to: int, proposal: Proposal) -> Send:
        return Send(
            to, Kind.CFG_COMMIT, SITE_LEASE, proposal.epoch, proposal.nonce, self._me, self._boot,
            cfg=proposal.cfg, epochs=proposal.epochs,
        )  # fmt: skip

    def _answered(self, frame: LeaseFrame, now_ms: int, out: list[Effect]) -> None:
        proposal = self._proposal
        if (
            proposal is None
            or frame.nonce != proposal.nonce
            or frame.node not in self._electorate.voters
        ):
            return
        proposal.acks.add(frame.node)
        for name, epoch in (frame.epochs or {}).items():
            proposal.epochs[name] = max(proposal.epochs.get(name, 0), epoch)
        if frame.node == self._me or len(proposal.acks) >= self._electorate.needed:
            self._tell(proposal, now_ms, out)

    # -- what is decided -----------------------------------------------------------------------

    def _configured(self, electorate: Electorate, now_ms: int, out: list[Effect]) -> None:
        if electorate == self._electorate:
            return
        proposal = self._proposal
        self._electorate = electorate
        self._adopted_ms = self._inherited = None
        if proposal is not None and not is_later(proposal.cfg.cfgver, electorate.cfgver):
            self._proposal = None
            if electorate.under(proposal.cfg) == electorate:  # and no other of that number
                out += (self._commit(node, proposal) for node in self._mine_first()[1:])
        wanted = self._wanted
        if wanted is not None and wanted.is_added == (wanted.node in electorate.voters):
            self._wanted = None
        self._count_adopted(now_ms)

    def _count_adopted(self, now_ms: int) -> None:
        """Note since when enough voters are known to be under the present configuration."""
        if self._adopted_ms is not None:
            return
        cfgver = self._electorate.cfgver
        adopted = sum(
            voter == self._me or (voter in self._shown and self._shown[voter].cfgver >= cfgver)
            for voter in self._electorate.voters
        )
        if adopted >= self._electorate.needed:
            self._adopted_ms = now_ms
