"""When a node is told what it should be, and what that has come to. Pure.

Level-triggered: what counts is the digest that the node says and the one that is wanted, not what
was sent. Leaves to others: orders and their signatures (orders/), who is held back by a rollout of
profiles (rollout/), storage.

Invariants:
- a node is told a document only while it is heard, and one at a time;
- what it refused, or could not do, is not told again before its pause, and TRIES_MAX times at most,
  unless another document is wanted or somebody says so;
- an order for a document that is no longer wanted is taken back while it waits;
- a node is in sync by its own word alone.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final
from zlib import crc32

from roost_central.orders.core import OPEN, OrderRecord
from roost_central.orders.core import State as OrderState
from roost_protocol.profile.document import MARK_BYTES

LIFE_MS: Final = 3_600_000  # of an order: a node that is heard takes it within seconds
IN_FLIGHT_MAX: Final = 200  # of the fleet: as many as are signed and sent in some ten seconds
OF_A_SITE_MAX: Final = 1  # the other nodes of a site stay as they are until this one is through
SLOT_MS: Final = 900_000  # in which a document is applied; who then is silent blocks nobody else
SEEN_MS: Final = 90_000  # what was done shows in a beat within three of the usual intervals
TRIES_MAX: Final = 8  # of one document: a day and a half
RETRY_MS: Final = (900_000, 21_600_000)  # after the first that failed, and at most
AGAIN_MS: Final = 60_000  # after an order that did not reach the node
TRIAL: Final = "trial"  # the code of an order that the agent was restarted over, and tries
TRIAL_MS: Final = 240_000  # a node has two minutes, and its agent has to end and begin before
WINDOW: Final = "window"  # the code of an order that a node keeps until its window opens
WINDOW_MS: Final = 90_000_000  # 25 h: then a node with a window each day should have it


class Word(StrEnum):
    """Where a node stands."""

    NONE = "none"  # no profile is for it
    UNABLE = "unable"  # its agent takes no settings, or has not said yet whether it does
    IN_SYNC = "in-sync"  # by its own word
    PENDING = "pending"  # its turn has not come, or it is not heard
    APPLYING = "applying"  # it was told
    WAITING = "waiting"  # it has taken it up, and waits for its window
    FAILED = "failed"  # it refused, could not, or says something else than it should


class Outcome(StrEnum):
    """What became of the last order by which a node was told a document."""

    NONE = ""
    UNDER_WAY = "under-way"
    DONE = "done"
    FAILED = "failed"  # by the node's word, or the signer's
    MISSED = "missed"  # it ended before the node took it


@dataclass(frozen=True, slots=True)
class Target:
    """The document that a node should have; ``digest`` is of its settings, 32 bytes."""

    generation: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class Attempt:
    """The last order by which a node was told a document.

    Attributes:
        order: its id; empty before the first.
        tries: how often this document came to an end there, other than by being missed.
        is_forced: somebody wants it told again, whatever the node says.
        code, text: why it ended so.
    """

    node: str
    order: str = ""
    generation: int = 0
    digest: bytes = b""
    outcome: Outcome = Outcome.NONE
    placed_ms: int = 0
    ended_ms: int | None = None
    tries: int = 0
    is_forced: bool = False
    code: str = ""
    text: str = ""

    @property
    def is_tried(self) -> bool:
        """Whether the agent was restarted over it, and says later whether it stays."""
        return self.outcome is Outcome.DONE and self.code == TRIAL

    @property
    def waits_for_window(self) -> bool:
        """Whether the node has taken it up, and applies it by itself when its window opens."""
        return self.outcome is Outcome.DONE and self.code == WINDOW


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a node.

    Attributes:
        said: the digest in its beats, MARK_BYTES of it; None: nobody can configure it.
        is_heard: it speaks with an identity, and not long ago.
    """

    target: Target | None
    said: bytes | None
    attempt: Attempt
    is_heard: bool

    @property
    def is_same(self) -> bool:
        """Whether the node says that it is what it should be."""
        return self.target is not None and self.said == self.target.digest[:MARK_BYTES]

    @property
    def is_told(self) -> bool:
        """Whether the last order was for the document that is wanted."""
        return self.target is not None and self.attempt.digest == self.target.digest


class Step(StrEnum):
    """What is to be done for a node."""

    PLACE = "place"  # an order
    TAKE_BACK = "take-back"  # the one that waits


def step(standing: Standing, now_ms: int) -> Step | None:
    """Return what is to be done for a node now; None: nothing."""
    attempt = standing.attempt
    if attempt.outcome is Outcome.UNDER_WAY:
        return None if standing.is_told else Step.TAKE_BACK
    if standing.target is None or standing.said is None or not standing.is_heard:
        return None
    if attempt.is_forced:
        return Step.PLACE
    if standing.is_same and (standing.is_told or not attempt.waits_for_window):
        return None  # else it would apply what is not wanted any more when its window opens
    if not standing.is_told or attempt.outcome is Outcome.NONE:
        return Step.PLACE
    due_ms = _due_ms(attempt)
    return Step.PLACE if due_ms is not None and now_ms >= due_ms else None


def word(standing: Standing, now_ms: int) -> Word:
    """Return where a node stands."""
    if standing.target is None:
        return Word.NONE
    if standing.said is None:
        return Word.UNABLE
    if standing.is_same and not standing.attempt.is_forced:
        return Word.IN_SYNC
    return _on_its_way(standing, now_ms)


def _on_its_way(standing: Standing, now_ms: int) -> Word:
    attempt = standing.attempt
    if not standing.is_told or attempt.outcome in {Outcome.NONE, Outcome.MISSED}:
        return Word.PENDING
    if attempt.waits_for_window:
        return Word.WAITING
    shows_ms = TRIAL_MS if attempt.is_tried else SEEN_MS
    is_shown_soon = attempt.outcome is Outcome.DONE and now_ms < (attempt.ended_ms or 0) + shows_ms
    if attempt.outcome is Outcome.UNDER_WAY or is_shown_soon:
        return Word.APPLYING
    return Word.FAILED


def placed(attempt: Attempt, order: str, target: Target, now_ms: int) -> Attempt:
    """Return the attempt that begins with an order."""
    is_again = attempt.digest == target.digest and not attempt.is_forced
    return Attempt(
        attempt.node,
        order,
        target.generation,
        target.digest,
        Outcome.UNDER_WAY,
        now_ms,
        tries=attempt.tries if is_again else 0,
    )


def ended(attempt: Attempt, order: OrderRecord | None, now_ms: int) -> Attempt | None:
    """Return the attempt after its order; None: that has not ended. An order may be gone."""
    if order is not None and order.state in OPEN:
        return None
    state = OrderState.EXPIRED if order is None else order.state
    outcome = {
        OrderState.DONE: Outcome.DONE,
        OrderState.FAILED: Outcome.FAILED,
        OrderState.REFUSED: Outcome.FAILED,
    }.get(state, Outcome.MISSED)
    code = "" if order is None else order.code
    is_held = outcome is Outcome.DONE and code == WINDOW  # no try: it has not come to an end
    return replace(
        attempt,
        outcome=outcome,
        ended_ms=now_ms,
        tries=attempt.tries + (outcome is not Outcome.MISSED and not is_held),
        code=code,
        text="" if order is None else order.text,
    )


def in_turn(nodes: Iterable[str]) -> list[str]:
    """Return nodes in the order in which they are told: scattered, and the same each time.

    By name they would follow each other along one carrier, one shard or one site.
    """
    return sorted(nodes, key=lambda node: (crc32(node.encode()), node))


def takes_slot(standing: Standing, now_ms: int) -> bool:
    """Say whether a node counts among those that are being told."""
    attempt = standing.attempt
    if standing.is_same:
        return False
    if attempt.is_tried:
        return now_ms < (attempt.ended_ms or 0) + TRIAL_MS
    return attempt.outcome is Outcome.UNDER_WAY and now_ms - attempt.placed_ms < SLOT_MS


def chosen(nodes: Iterator[str], under_way: Mapping[str, int], in_flight: int) -> Iterator[str]:
    """Give the nodes that may be told now, within the bounds of site and fleet.

    Args:
        nodes: whose turn it would be.
        under_way: nodes that are being told, by site.
        in_flight: the same of the fleet.
    """
    of_site = dict(under_way)
    room = IN_FLIGHT_MAX - in_flight
    while room > 0 and (node := next(nodes, None)) is not None:
        site = node.partition(".")[0]
        if of_site.get(site, 0) < OF_A_SITE_MAX:
            of_site[site] = of_site.get(site, 0) + 1
            room -= 1
            yield node


def _due_ms(attempt: Attempt) -> int | None:
    """Return when the same document may be told again; None: not by itself."""
    ended_ms = attempt.ended_ms or 0
    if attempt.outcome is Outcome.MISSED:
        return ended_ms + AGAIN_MS
    if attempt.waits_for_window:
        return ended_ms + WINDOW_MS
    if attempt.tries >= TRIES_MAX:
        return None
    first_ms, most_ms = RETRY_MS
    return ended_ms + min(first_ms << max(attempt.tries - 1, 0), most_ms)
