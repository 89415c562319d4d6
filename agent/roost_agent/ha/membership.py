"""Who is there: suspicion that adapts, loss that is confirmed, ranks that all compute alike.

It decides *when* a lease may be tried, never *who* may be active: no grant depends on it.

Leaves to others: what a frame proves (freshness), who holds what (lease), sockets.

Invariants (design: ha, section 4):
- any proof of life that is fresh enough refutes suspicion at once;
- nobody is LOST by silence that our own broken link, broker or stall could explain: a path on
  which our own frames come back must be silent too, or another voter must not hear the node;
- FENCED and LEFT end only with a higher incarnation.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final, assert_never

import msgspec

from roost_agent.ha.freshness import Freshness
from roost_agent.ha.health import LHM_UNFIT, SCORE_MAX, LocalHealth
from roost_agent.ha.matrix import Report, Way, path_score, voters_seen
from roost_agent.ha.peer_path import CARRIES, PeerPathState
from roost_agent.ha.redundancy import Look, Redundancy, RedundancyState, Standing
from roost_agent.ha.view import PeerEvidence, View
from roost_protocol.ha import Beat

SUSPECT_BEATS: Final = (3, 10)  # T_suspect lies between
MARGIN_BEATS: Final = 2  # above the longest usual gap, and from T_suspect to T_lost
JOINING_MS: Final = 10_000
REPLACED_MS: Final = 30_000  # of a holder whose lease went to another

_DARK: Final = frozenset({PeerPathState.DOWN, PeerPathState.ONEWAY_OUT})


class MemberState(StrEnum):
    """What this node takes another for."""

    UNKNOWN = "unknown"  # never heard since this agent's start
    JOINING = "joining"
    ALIVE = "alive"
    SUSPECT = "suspect"
    LOST = "lost"
    FENCED = "fenced"
    LEFT = "left"


class BeatHeard(msgspec.Struct, frozen=True):
    """A beat of a peer counts; ``age_ms`` bounds its age, None if it echoes nothing of ours."""

    beat: Beat
    age_ms: int | None


class Lagged(msgspec.Struct, frozen=True):
    """The loop woke late."""

    lag_ms: int


class Synced(msgspec.Struct, frozen=True):
    """The disk took what it was given."""

    took_ms: int


class Score(msgspec.Struct, frozen=True):
    """This node's health was looked at."""

    score: int


class Replaced(msgspec.Struct, frozen=True):
    """A node, perhaps this one, lost a lease to another."""

    node: int


class Ended(msgspec.Struct, frozen=True):
    """A node ended: fenced with proof, or it said good-bye."""

    node: int
    is_fenced: bool


class Tick(msgspec.Struct, frozen=True):
    """Time has passed."""


Event = BeatHeard | Lagged | Synced | Score | Replaced | Ended | Tick


class MemberChanged(msgspec.Struct, frozen=True):
    """A node is taken for something else now."""

    node: int
    old: MemberState
    new: MemberState
    why: str


class PathChanged(msgspec.Struct, frozen=True):
    """A path to a peer is worth something else now."""

    node: int
    path: int
    old: PeerPathState
    new: PeerPathState


class RedundancyChanged(msgspec.Struct, frozen=True):
    """To be kept over a restart."""

    state: RedundancyState


Action = MemberChanged | PathChanged | RedundancyChanged


class _Member:
    __slots__ = ("ended_inc", "joined_ms", "paths", "report", "since_ms", "state")

    def __init__(self, paths: int) -> None:
        self.state = MemberState.UNKNOWN
        self.since_ms = 0
        self.joined_ms = 0  # until when it is JOINING
        self.ended_inc = -1  # the incarnation that was fenced or left
        self.report: Report | None = None
        self.paths = dict.fromkeys(range(paths), PeerPathState.UNKNOWN)


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
        self.score = SCORE_MAX
        self.defs = plan.defs
        self._fresh = freshness
        self._h_ms = freshness.h_ms
        self._voters = plan.voters
        self._hosts = plan.hosts
        self._ways = plan.ways
        self._start_ms = now_ms
        self._health = LocalHealth(freshness.h_ms)
        self._redundancy = Redundancy(freshness.h_ms, redundancy)
        self._members = {peer: _Member(len(plan.ways)) for peer in freshness.peers}
        self._echoing = [False] * len(plan.ways)
        self._replaced_ms = 0  # until when this node itself is JOINING

    @property
    def lhm(self) -> int:
        """The local health multiplier."""
        return self._health.lhm

    @property
    def redundancy(self) -> RedundancyState:
        """Where this node stands since redundancy was lost."""
        return self._redundancy.state

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
                self.score = score
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

    def is_there(self, node: int) -> bool:
        """Whether a node is there beyond suspicion; this one always is."""
        there = {MemberState.JOINING, MemberState.ALIVE}
        return node == self.me or self._members[node].state in there

    def report(self, node: int) -> Report | None:
        """Return what a peer last told of itself, None before it did."""
        return self._members[node].report

    def is_joining(self, now_ms: int) -> bool:
        """Whether this node lost a lease to another so lately that it should not want it back."""
        return now_ms < self._replaced_ms

    def suspect_ms(self, node: int, now_ms: int) -> int:
        """Return T_suspect of a peer: its own usual gaps, within bounds, times our own troubles."""
        low, high = (beats * self._h_ms for beats in SUSPECT_BEATS)
        usual_ms = self._fresh.gap_ms(node, now_ms) + MARGIN_BEATS * self._h_ms
        return min(max(usual_ms, low), high) * self.lhm

    def lost_ms(self, node: int, now_ms: int) -> int:
        """Return T_lost of a peer."""
        return self.suspect_ms(node, now_ms) + MARGIN_BEATS * self._h_ms

    def due_ms(self, now_ms: int) -> int:
        """Return when a peer that stays silent must be looked at: at least once a beat."""
        due_ms = now_ms + self._h_ms
        for node, member in self._members.items():
            alive_ms = self._fresh.alive_as_of(node)
            if alive_ms is None or member.state not in _PRESENT:
                continue
            for wait_ms in (self.suspect_ms(node, now_ms), self.lost_ms(node, now_ms)):
                if now_ms <= alive_ms + wait_ms < due_ms:
                    due_ms = alive_ms + wait_ms + 1
        return due_ms

    def matrix(self, now_ms: int) -> dict[int, Mapping[int, int]]:
        """Return whom each node hears: this one now, the others as of their last report."""
        told = {
            node: member.report.seen
            for node, member in self._members.items()
            if member.report is not None and member.state in _PRESENT
        }
        return {self.me: self._fresh.seen(now_ms), **told}

    def strangers(self) -> list[int]:
        """Return the peers whose service definitions differ from ours."""
        return [
            node
            for node, member in self._members.items()
            if member.report is not None and member.report.defs != self.defs
        ]

    def rank(self, hosts: Sequence[int], now_ms: int) -> int:
        """Return how many of a group's hosts would be better than this node, in order of hosts."""
        present = {node for node in hosts if self.is_there(node)}
        ordered = sorted(present, key=lambda node: self._worth(node, hosts, now_ms), reverse=True)
        return ordered.index(self.me) if self.me in present else len(ordered)

    def view(self, hosts: Sequence[int], now_ms: int) -> View:
        """Return what the lease of a group is told."""
        by_state = {
            state: frozenset(n for n, each in self._members.items() if each.state is state)
            for state in MemberState
        }
        seen = frozenset(n for n, each in self._members.items() if each.state in _PRESENT)
        return View(
            seen=seen | {self.me},
            lost=by_state[MemberState.LOST] | by_state[MemberState.FENCED],
            lhm=self.lhm,
            rank=self.rank(hosts, now_ms),
            isolated=self._is_isolated(now_ms),
            evidence={node: self.evidence(node, now_ms) for node in self._members},
        )

    def evidence(self, node: int, now_ms: int) -> PeerEvidence:
        """Return how silent a peer is."""
        states = self._members[node].paths
        alive_ms = self._fresh.alive_as_of(node)
        silent_ms = now_ms - (self._start_ms if alive_ms is None else alive_ms)
        dark = sum(state in _DARK for state in states.values())
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
            member.report = Report(beat.seen, beat.lhm, beat.score, beat.defs, as_of_ms)

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
        was_echoing = any(self._echoing[path] for path in brokers)
        self._echoing = [self._fresh.is_echoing(path, now_ms) for path in range(len(self._ways))]
        if was_echoing and not any(self._echoing[path] for path in brokers):
            self._health.fault(now_ms)  # one broker's death is not ours: all of them are silent
        for node, member in self._members.items():
            states = self._fresh.states(node, self._seen_me(member.report, now_ms), now_ms)
            actions.extend(
                PathChanged(node, path, member.paths[path], new)
                for path, new in states.items()
                if new is not member.paths[path]
            )
            member.paths = states
        if self._redundancy.handle(self._connections(now_ms), now_ms):
            actions.append(RedundancyChanged(self._redundancy.state))

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
        others = [self._standing(node, now_ms) for node in rivals]
        return Look(is_whole, self._standing(self.me, now_ms), max(others, default=None))

    def _judge(self, node: int, now_ms: int, actions: list[Action]) -> None:
        """Move a member to the state that its age says."""
        member = self._members[node]
        new, why = self._state_now(node, member, now_ms)
        if new is not member.state:
            self._change(node, new, why, now_ms, actions)

    def _state_now(self, node: int, member: _Member, now_ms: int) -> tuple[MemberState, str]:
        state = member.state
        known = self._fresh.incarnation(node)
        if state in _ENDED and (known is None or known[0] <= member.ended_inc):
            return state, ""
        alive_ms = self._fresh.alive_as_of(node)
        age_ms = now_ms - (self._start_ms if alive_ms is None else alive_ms)
        if alive_ms is not None and age_ms <= self.suspect_ms(node, now_ms):
            return self._there(member, now_ms)
        if state in _ENDED or state is MemberState.LOST:
            return state, ""
        why = f"no proof of life for {age_ms} ms"
        if age_ms > self.lost_ms(node, now_ms) and self._is_confirmed(node, now_ms):
            return MemberState.LOST, why
        return (state, "") if state is MemberState.UNKNOWN else (MemberState.SUSPECT, why)

    def _there(self, member: _Member, now_ms: int) -> tuple[MemberState, str]:
        if member.state in _GONE:
            member.joined_ms = max(member.joined_ms, now_ms + JOINING_MS)
        if now_ms < member.joined_ms:
            return MemberState.JOINING, "heard again"
        return MemberState.ALIVE, "a proof of life is fresh"

    def _is_confirmed(self, node: int, now_ms: int) -> bool:
        """Whether the silence of a node is its own: see this page's invariants."""
        states = self._members[node].paths
        if any(state in _DARK and self._echoing[path] for path, state in states.items()):
            return True
        if any(
            not member.report.seen.get(node, 0)
            and member.report.lhm < LHM_UNFIT
            and now_ms - member.report.as_of_ms <= self.suspect_ms(voter, now_ms)
            for voter, member in self._members.items()
            if voter in self._voters and voter != node and member.report is not None
        ):
            return True
        # One peer and no broker: nothing could confirm it, and a pair needs proof to take over.
        return len(self._members) == 1 and not any(way.brings_back for way in self._ways)

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

    def _seen_by(self, node: int, now_ms: int) -> Mapping[int, int]:
        if node == self.me:
            return self._fresh.seen(now_ms)
        report = self._members[node].report
        return {} if report is None else report.seen

    def _standing(self, node: int, now_ms: int) -> Standing:
        seen = self._seen_by(node, now_ms)
        return (
            voters_seen(node, seen, self._voters),
            path_score(node, seen, self._voters, self._ways),
        )

    def _worth(self, node: int, hosts: Sequence[int], now_ms: int) -> tuple[int, ...]:
        """Return what ranks a node, the greater the better."""
        report = None if node == self.me else self._members[node].report
        score = self.score if node == self.me else 0 if report is None else report.score
        defs = self.defs if report is None else report.defs
        alike = sum(defs == each for each in self._all_defs())
        return (*self._standing(node, now_ms), score, alike, -hosts.index(node), -node)

    def _all_defs(self) -> list[bytes]:
        told = [each.report.defs for each in self._members.values() if each.report is not None]
        return [self.defs, *told]


_PRESENT: Final = frozenset({MemberState.JOINING, MemberState.ALIVE, MemberState.SUSPECT})
_ENDED: Final = frozenset({MemberState.FENCED, MemberState.LEFT})
_GONE: Final = _ENDED | {MemberState.UNKNOWN, MemberState.LOST}
