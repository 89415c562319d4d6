"""When a peer's silence counts, and for what: suspicion that adapts, loss that is confirmed.

Invariants (design: ha, section 4):
- any proof of life that is fresh enough refutes suspicion at once;
- nobody is LOST by silence that our own broken link, broker or stall could explain: a path on
  which our own frames come back must be silent too, or another voter must not hear the node;
- FENCED and LEFT end only with a higher incarnation.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from roost_agent.ha.freshness import Freshness
from roost_agent.ha.health import LHM_UNFIT, LocalHealth
from roost_agent.ha.matrix import Way
from roost_agent.ha.member import ENDED, GONE, Member, MemberState
from roost_agent.ha.peer_path import PeerPathState

SUSPECT_BEATS: Final = (3, 10)  # T_suspect lies between
MARGIN_BEATS: Final = 2  # above the longest usual gap, and from T_suspect to T_lost
JOINING_MS: Final = 10_000

DARK: Final = frozenset({PeerPathState.DOWN, PeerPathState.ONEWAY_OUT})


class Suspicion:
    """What each peer is to be taken for.

    Args:
        freshness: of the same node.
        health: of the same node.
        members: as noted; only read here, but for when one has joined.
        voters: indices.
        ways: what each path counts for.
        start_ms: when this node began to listen.
    """

    def __init__(  # noqa: PLR0913 - what it judges by
        self,
        freshness: Freshness,
        health: LocalHealth,
        members: Mapping[int, Member],
        *,
        voters: Sequence[int],
        ways: Sequence[Way],
        start_ms: int,
    ) -> None:
        self.margin_ms = MARGIN_BEATS * freshness.h_ms  # from T_suspect to T_lost
        self.echoing = [False] * len(ways)  # the paths on which our own frames come back
        self.start_ms = start_ms
        self._fresh = freshness
        self._health = health
        self._members = members
        self.voters = voters
        self._ways = ways

    def suspect_ms(self, node: int, now_ms: int) -> int:
        """Return T_suspect of a peer: its own usual gaps, within bounds, times our own troubles."""
        h_ms = self._fresh.h_ms
        low, high = SUSPECT_BEATS
        usual_ms = self._fresh.gap_ms(node, now_ms) + self.margin_ms
        return min(max(usual_ms, low * h_ms), high * h_ms) * self._health.lhm

    def lost_ms(self, node: int, now_ms: int) -> int:
        """Return T_lost of a peer."""
        return self.suspect_ms(node, now_ms) + self.margin_ms

    def judge(self, node: int, now_ms: int) -> tuple[MemberState, str]:
        """Return what a peer is to be taken for now, and why if that is new."""
        member = self._members[node]
        state = member.state
        known = self._fresh.incarnation(node)
        if state in ENDED and (known is None or known[0] <= member.ended_inc):
            return state, ""
        alive_ms = self._fresh.alive_as_of(node)
        age_ms = now_ms - (self.start_ms if alive_ms is None else alive_ms)
        if alive_ms is not None and age_ms <= self.suspect_ms(node, now_ms):
            return self._there(member, now_ms)
        if state in ENDED or state is MemberState.LOST:
            return state, ""
        why = f"no proof of life for {age_ms} ms"
        if age_ms > self.lost_ms(node, now_ms) and self._is_confirmed(node, now_ms):
            return MemberState.LOST, why
        return (state, "") if state is MemberState.UNKNOWN else (MemberState.SUSPECT, why)

    def _there(self, member: Member, now_ms: int) -> tuple[MemberState, str]:
        if member.state in GONE:
            member.joined_ms = max(member.joined_ms, now_ms + JOINING_MS)
        if now_ms < member.joined_ms:
            is_replaced = member.state is MemberState.ALIVE  # it was never silent
            return (
                MemberState.JOINING,
                "it lost a group to another" if is_replaced else "heard again",
            )
        return MemberState.ALIVE, "a proof of life is fresh"

    def _is_confirmed(self, node: int, now_ms: int) -> bool:
        """Whether the silence of a node is its own: see this page's invariants."""
        states = self._members[node].paths
        if any(state in DARK and self.echoing[path] for path, state in states.items()):
            return True
        if any(
            not member.report.seen.get(node, 0)
            and member.report.lhm < LHM_UNFIT
            and now_ms - member.report.as_of_ms <= self.suspect_ms(voter, now_ms)
            for voter, member in self._members.items()
            if voter in self.voters and voter != node and member.report is not None
        ):
            return True
        # One peer and no broker: nothing could confirm it, and a pair needs proof to take over.
        return len(self._members) == 1 and not any(way.brings_back for way in self._ways)
