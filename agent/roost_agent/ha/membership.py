"""Who is there, by which paths, how well each is connected, and which of them is the better host.

It decides *when* a lease may be tried, never *who* may be active: no grant depends on it.

Leaves to others: what a frame proves (freshness), who holds what (lease), sockets.
"""

from collections.abc import Mapping, Sequence
from typing import Final, assert_never

import msgspec

from roost_agent.ha.freshness import Freshness
from roost_agent.ha.health import LocalHealth
from roost_agent.ha.matrix import Report, Way
from roost_agent.ha.member import DEAD, PRESENT, Member, MemberState
from roost_agent.ha.membership_events import (
    Action,
    BeatHeard,
    Ended,
    Event,
    Lagged,
    MemberChanged,
    PathChanged,
    RedundancyChanged,
    Replaced,
    Score,
    Synced,
    Tick,
)
from roost_agent.ha.peer_path import CARRIES, PeerPathState
from roost_agent.ha.ranking import Ranking
from roost_agent.ha.redundancy import Look, Redundancy, RedundancyState
from roost_agent.ha.suspicion import DARK, SUSPECT_BEATS, Suspicion
from roost_agent.ha.view import PeerEvidence, View
from roost_protocol.ha import Beat

REPLACED_MS: Final = 30_000  # of a holder whose lease went to another


class Plan(msgspec.Struct, frozen=True):
    """What the site's file says that membership needs.

    Attributes:
        voters: indices.
        hosts: of any group that fails over.
        ways: what each path counts for.
        defs: digest of this node's service definitions.
    """

    voters: tuple[int, ...]
    hosts: frozenset[int]
    ways: tuple[Way, ...]
    defs: bytes


class Membership:
    """The members of one site, seen from one node.

    Args:
        freshness: of the same node; it hears each frame first.
        plan: of the site.
        now_ms: the boot clock.
        redundancy: the state kept from before.
    """

    def __init__(
        self,
        freshness: Freshness,
        plan: Plan,
        *,
        now_ms: int,
        redundancy: RedundancyState = RedundancyState.NORMAL,
    ) -> None:
        self.me = freshness.me
        self._fresh = freshness
        self._h_ms = freshness.h_ms
        self._voters = plan.voters
        self._hosts = plan.hosts
        self._ways = plan.ways
        self._health = LocalHealth(freshness.h_ms)
        self._redundancy = Redundancy(freshness.h_ms, redundancy)
        self._members = {peer: Member(len(plan.ways)) for peer in freshness.peers}
        self._suspicion = Suspicion(
            freshness,
            self._health,
            self._members,
            voters=plan.voters,
            ways=plan.ways,
            start_ms=now_ms,
        )
        self.ranking = Ranking(
            freshness, self._members, voters=plan.voters, ways=plan.ways, defs=plan.defs
        )
        self.suspect_ms = self._suspicion.suspect_ms
        self.lost_ms = self._suspicion.lost_ms
        self.is_there = self.ranking.is_there
        self.rank = self.ranking.rank
        self.strangers = self.ranking.strangers
        self._replaced_ms = 0  # until when this node itself is JOINING

    def vote(self, voters: tuple[int, ...]) -> None:
        """Take in who votes from now on."""
        self._voters = self._suspicion.voters = self.ranking.voters = voters

    @property
    def lhm(self) -> int:
        """The local health multiplier."""
        return self._health.lhm

    @property
    def redundancy(self) -> RedundancyState:
        """Where this node stands since redundancy was lost."""
        return self._redundancy.state

    @property
    def score(self) -> int:
        """This node's health, 0 to 1,000."""
        return self.ranking.score

    def handle(self, event: Event, now_ms: int) -> list[Action]:
        """Take in one event and return what changed.

        Args:
            event: what happened.
            now_ms: the boot clock.
        """
        actions: list[Action] = []
        match event:
            case BeatHeard(beat, age_ms):
                self._report(beat, age_ms, now_ms)
            case Lagged(lag_ms):
                self._health.lagged(lag_ms, now_ms)
            case Synced(took_ms):
                self._health.synced(took_ms, now_ms)
            case Score(score):
                self.ranking.score = score
            case Replaced(node):
                self._replaced(node, now_ms)
            case Ended(node, is_fenced):
                self._end(node, is_fenced, now_ms, actions)
            case Tick():
                self._health.pass_time(now_ms)
                self._look(now_ms, actions)
            case _:
                assert_never(event)
        told = (event.beat.node,) if isinstance(event, BeatHeard) else self._members
        for node in told:
            self._judge(node, now_ms, actions)
        return actions

    def state(self, node: int) -> MemberState:
        """Return what a peer is taken for."""
        return self._members[node].state

    def since_ms(self, node: int) -> int:
        """Return since when."""
        return self._members[node].since_ms

    def paths(self, node: int) -> Mapping[int, PeerPathState]:
        """Return the state of each path to a peer, as of the last tick."""
        return dict(self._members[node].paths)

    def report(self, node: int) -> Report | None:
        """Return what a peer last told of itself, None before it did."""
        return self._members[node].report

    def joining_ms(self, node: int, now_ms: int) -> int:
        """Return for how long a node is still to be let be by choice; 0: it is not joining.

        It was heard again, or lost a lease to another, so lately that it is no target of a move
        that could wait; who takes over from the dead waits for nothing.
        """
        until_ms = self._replaced_ms if node == self.me else self._members[node].joined_ms
        return max(0, until_ms - now_ms)

    def due_ms(self, now_ms: int) -> int:
        """Return when a peer that stays silent must be looked at: at least once a beat."""
        due_ms = now_ms + self._h_ms
        for node, member in self._members.items():
            alive_ms = self._fresh.alive_as_of(node)
            if alive_ms is None or member.state not in PRESENT:
                continue
            suspect_ms = self.suspect_ms(node, now_ms)
            for wait_ms in (suspect_ms, suspect_ms + self._suspicion.margin_ms):
                if now_ms <= alive_ms + wait_ms < due_ms:
                    due_ms = alive_ms + wait_ms + 1
        return due_ms

    def matrix(self, now_ms: int) -> dict[int, Mapping[int, int]]:
        """Return whom each node hears: this one now, the others as of their last report."""
        told = {
            node: member.report.seen
            for node, member in self._members.items()
            if member.report is not None and member.state in PRESENT
        }
        return {self.me: self._fresh.seen(now_ms), **told}

    def view(self, hosts: Sequence[int], now_ms: int) -> View:
        """Return what the lease of a group is told."""
        seen = frozenset(n for n, each in self._members.items() if each.state in PRESENT)
        return View(
            seen=seen | {self.me},
            lost=frozenset(n for n, each in self._members.items() if each.state in DEAD),
            lhm=self.lhm,
            rank=self.rank(hosts, now_ms),
            isolated=self._is_isolated(now_ms),
            evidence={node: self.evidence(node, now_ms) for node in self._members},
        )

    def evidence(self, node: int, now_ms: int) -> PeerEvidence:
        """Return how silent a peer is."""
        states = self._members[node].paths
        alive_ms = self._fresh.alive_as_of(node)
        silent_ms = now_ms - (self._suspicion.start_ms if alive_ms is None else alive_ms)
        dark = sum(state in DARK for state in states.values())
        return PeerEvidence(paths_silent=dark, paths=len(states), silent_ms=silent_ms)

    def is_barred(self) -> bool:
        """Whether this node, worse connected than another, may not become active by choice."""
        rivals = self._hosts.difference({self.me})
        return self._redundancy.is_barred(is_sole=not any(map(self.is_there, rivals)))

    def _report(self, beat: Beat, age_ms: int | None, now_ms: int) -> None:
        """Take what a peer tells, if it is known how old it is and nothing later was told."""
        member = self._members[beat.node]
        if age_ms is None:
            return
        as_of_ms = now_ms - age_ms
        if member.report is None or as_of_ms >= member.report.as_of_ms:
            member.report = Report.of(beat, as_of_ms)

    def _replaced(self, node: int, now_ms: int) -> None:
        if node == self.me:
            self._replaced_ms = now_ms + REPLACED_MS
            return
        member = self._members[node]
        member.joined_ms = now_ms + REPLACED_MS

    def _end(self, node: int, is_fenced: bool, now_ms: int, actions: list[Action]) -> None:
        known = self._fresh.incarnation(node)
        self._members[node].ended_inc = -1 if known is None else known[0]
        new = MemberState.FENCED if is_fenced else MemberState.LEFT
        why = "proven to be off" if is_fenced else "it said good-bye"
        self._change(node, new, why, now_ms, actions)

    def _look(self, now_ms: int, actions: list[Action]) -> None:
        """Look at the paths, and at how this node is connected."""
        brokers = [path for path, way in enumerate(self._ways) if way.brings_back]
        was_echoing = any(self._suspicion.echoing[path] for path in brokers)
        echoing = [self._fresh.is_echoing(path, now_ms) for path in range(len(self._ways))]
        self._suspicion.echoing = echoing
        if was_echoing and not any(echoing[path] for path in brokers):
            self._health.fault(now_ms)  # one broker's death is not ours: all of them are silent
        for node, member in self._members.items():
            states = self._fresh.states(node, self._seen_me(member.report, now_ms), now_ms)
            actions.extend(
                PathChanged(node, path, member.paths[path], new)
                for path, new in states.items()
                if new is not member.paths[path]
            )
            member.paths = states
        connections = self._connections(now_ms)
        if self._redundancy.handle(connections, now_ms):
            state = self._redundancy.state
            actions.append(RedundancyChanged(state, connections.mine, connections.other))

    def _seen_me(self, report: Report | None, now_ms: int) -> int:
        """Return the paths on which a peer hears us, as far as what it told is not too old."""
        limit_ms = SUSPECT_BEATS[1] * self._h_ms
        if report is None or now_ms - report.as_of_ms > limit_ms:
            return 0
        return report.seen.get(self.me, 0)

    def _is_told_of_late(self, node: int, now_ms: int) -> bool:
        report = self._members[node].report
        return report is not None and now_ms - report.as_of_ms <= SUSPECT_BEATS[0] * self._h_ms

    def _connections(self, now_ms: int) -> Look:
        live = [node for node in self._members if self.is_there(node)]
        is_whole = all(
            state in CARRIES
            for node in live
            if node in self._voters
            for state in self._members[node].paths.values()
        )
        # A dead rival's last word would look better than what its death leaves to us.
        rivals = [
            node
            for node in self._hosts.intersection(live)
            if self.me in self._hosts and self._is_told_of_late(node, now_ms)
        ]
        others = [self.ranking.standing(node, now_ms) for node in rivals]
        return Look(is_whole, self.ranking.standing(self.me, now_ms), max(others, default=None))

    def _judge(self, node: int, now_ms: int, actions: list[Action]) -> None:
        """Move a member to the state that its age says."""
        new, why = self._suspicion.judge(node, now_ms)
        if new is not self._members[node].state:
            self._change(node, new, why, now_ms, actions)

    def _change(
        self, node: int, new: MemberState, why: str, now_ms: int, actions: list[Action]
    ) -> None:
        member = self._members[node]
        actions.append(MemberChanged(node, member.state, new, why))
        member.state, member.since_ms = new, now_ms

    def _is_isolated(self, now_ms: int) -> bool:
        is_alone = bool(self._members) and not any(map(self.is_there, self._members))
        paths = range(len(self._ways))
        return is_alone and not any(self._fresh.is_echoing(path, now_ms) for path in paths)
