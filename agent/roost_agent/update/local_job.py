"""A job as this node has it: what was offered, what is known of it, where it is. Pure."""

from dataclasses import dataclass
from typing import Any

from roost_agent.update import words
from roost_agent.update.core import Node
from roost_agent.update.events import Plan, State
from roost_agent.update.kept import Kept
from roost_agent.update.site_job import Verdict
from roost_agent.update.site_standing import Head
from roost_agent.update.step import Step
from roost_protocol.update import Offer


@dataclass(slots=True, eq=False)
class LocalJob:
    """One job on this node.

    Attributes:
        offer: the order's.
        kept: what is known of what it asks.
        node: its core.
        verdict: where the site is with it; None: it was not asked yet.
    """

    offer: Offer
    kept: Kept
    node: Node
    verdict: Verdict | None = None

    def learn(self, kept: Kept) -> None:
        """Go by what is known now; the journal has it."""
        self.kept = kept
        self.node.plan = _plan(self.offer, kept)

    @property
    def head(self) -> Head:
        """What the site's coordinator hears of it."""
        state = self.node.state
        failure = "" if state.failure is None else str(state.failure)
        return Head(
            state.step, self.node.outcome, failure, committed=state.committed, stuck=state.stuck
        )

    @property
    def is_past_return(self) -> bool:
        """Whether it is committed, or about to be: it is not given up any more."""
        state = self.node.state
        return state.committed or state.step is Step.COMMIT

    @property
    def goes_back(self) -> bool:
        """Whether it goes back already, or will at the end of the step that is under way."""
        return self.node.state.canceled or self.node.state.failure is not None

    @property
    def waits(self) -> str:
        """What the site says of it, such as for what it waits; empty: it was not asked yet."""
        return "" if self.verdict is None else self.verdict.sentence

    def shown(self, now_ms: int) -> dict[str, Any]:
        """Return where it is, as plain data for people.

        Args:
            now_ms: CLOCK_BOOTTIME.
        """
        state, verdict = self.node.state, self.verdict
        return {
            "job": self.offer.job,
            "attempt": self.offer.attempt,
            "release": words.release_of(self.offer),
            "step": str(state.step),
            "for_s": (now_ms - state.since_ms) // 1_000,
            "state": str(words.site_state(self.node, verdict)),
            "failure": str(state.failure or ""),
            "why": state.detail or self.waits,
        }


def local_job(
    offer: Offer, kept: Kept, state: State | None, *, boot_id: str, now_ms: int
) -> LocalJob:
    """Return a job as the journal has it.

    Args:
        offer: the order's.
        kept: what is known of what it asks.
        state: where it was; None: it is a new one.
        boot_id: of the running system.
        now_ms: CLOCK_BOOTTIME.
    """
    return LocalJob(offer, kept, Node(_plan(offer, kept), state, boot_id, now_ms))


def _plan(offer: Offer, kept: Kept) -> Plan:
    return Plan(offer.job, offer.attempt, kept.reboot, kept.drain, offer.not_after_ms)
