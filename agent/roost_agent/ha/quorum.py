"""One round of asking the voters, and when it is won or cannot be any more."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from roost_agent.ha.view import View
from roost_protocol.electorate import Electorate
from roost_protocol.explain import Explain
from roost_protocol.ha import Kind, LeaseFrame, Nonce
from roost_protocol.voter_words import refusal

if TYPE_CHECKING:
    from roost_protocol.configuration import Accepted


class Round:
    """The answers to one nonce.

    Attributes:
        kind: prevote, acquire or renew.
        sent_ms: read before the first of its frames was sent: validity counts from here.
        grants: who said yes.
        refusals: who said no, and how.
        accepted: of the configurations that they accepted, the one of the highest epoch.
    """

    __slots__ = ("accepted", "epoch", "grants", "kind", "nonce", "refusals", "sent_ms")

    def __init__(self, kind: Kind, epoch: int, nonce: Nonce, sent_ms: int) -> None:
        self.kind = kind
        self.epoch = epoch
        self.nonce = nonce
        self.sent_ms = sent_ms
        self.grants: set[int] = set()
        self.refusals: dict[int, LeaseFrame] = {}
        self.accepted: Accepted | None = None

    def count(self, frame: LeaseFrame, electorate: Electorate) -> bool:
        """Take in an answer; False where it is none to this round, or of nobody who votes."""
        if (
            frame.nonce != self.nonce
            or frame.cfgver != electorate.cfgver
            or frame.node not in electorate.voters
        ):
            return False
        if frame.kind is Kind.GRANT:
            self.grants.add(frame.node)
            self.refusals.pop(frame.node, None)
            told = frame.accepted
            if told is not None and (self.accepted is None or told.epoch > self.accepted.epoch):
                self.accepted = told
        elif frame.node not in self.grants:
            self.refusals[frame.node] = frame
        return True

    def is_won(self, electorate: Electorate, proofs: Mapping[int, bytes]) -> bool:
        """Whether the grants are enough.

        In a sticky configuration the proof that a node's boot has ended stands in for its vote;
        never for this node's own, which is what two candidates of a pair must both have.
        """
        votes = len(self.grants)
        if electorate.sticky and votes:
            votes += sum(
                voter in proofs and voter not in self.grants for voter in electorate.voters
            )
        return votes >= electorate.needed

    def is_full(self, electorate: Electorate) -> bool:
        """Whether every voter granted it, itself."""
        return self.grants >= frozenset(electorate.voters)

    def is_lost(self, electorate: Electorate, proofs: Mapping[int, bytes]) -> bool:
        """Whether the voters that did not refuse are too few."""
        refused = sum(not (electorate.sticky and voter in proofs) for voter in self.refusals)
        return len(electorate.voters) - refused < electorate.needed

    def refused(self) -> str:
        """Return in words who refused, and why."""
        said = (self.refusals[node] for node in sorted(self.refusals))
        return "; ".join(
            f"node {each.node} {refusal(each.reason, each.owner, each.remaining_ms)}"
            for each in said
        )

    def bound_ms(self) -> int:
        """Return after how long the first of those who refused is free again."""
        return min((each.remaining_ms or 0 for each in self.refusals.values()), default=0)

    def explain(  # noqa: PLR0913 - what it rests on
        self,
        name: str,
        was: int | None,
        view: View,
        electorate: Electorate,
        proofs: Mapping[int, bytes],
        *,
        is_given_back: bool = False,
        is_mine: bool = False,
    ) -> Explain:
        """Say in one sentence why this round was won, and what it rests on.

        Args:
            name: of the lease.
            was: who held it before; None: nobody is known to have.
            view: of this node.
            electorate: that was asked.
            proofs: of boots that ended.
            is_given_back: ``was`` gave it back.
            is_mine: nobody else can have had it since this node held it last.
        """
        by = ", ".join(f"node {node}" for node in sorted(self.grants))
        seen = view.evidence.get(was) if was is not None else None
        why = "nobody held it" if was is None else f"node {was} holds it no more"
        if is_given_back and was is not None:
            why = f"node {was} gave it back"
        elif seen is not None and was in view.lost:
            why = (
                f"node {was} silent on {seen.paths_silent} of {seen.paths} paths for "
                f"{seen.silent_ms / 1_000:.1f} s"
            )
        if was in proofs:
            why = f"node {was} is proven to be off"
        if is_mine and not self.is_full(electorate):
            why = "this node had it last, so nobody else can have had it since"
        votes = f"{len(self.grants)} of {len(electorate.voters)} votes"
        return Explain(
            f"took {name} (epoch {self.epoch}): {why}, granted by {by} ({votes})",
            {"epoch": self.epoch, "was": was, "votes": len(self.grants), "by": by},
        )
