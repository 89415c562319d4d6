"""What every sampler is: types it speaks of, how often, and one look."""

from collections.abc import Iterable
from typing import Protocol

import msgspec

from roost_agent.alarms.rules import Sample
from roost_agent.discovery.reader import Reader


class Look(msgspec.Struct, frozen=True):
    """One look: the machine, and when by the boot clock."""

    reader: Reader
    now_ms: int


class Measured(msgspec.Struct, frozen=True):
    """A value for the node's history, which no rule judges.

    Attributes:
        kind: of ``roost_protocol.samples.KINDS``.
        of: the entity after ``node=``; empty: the node itself.
        value: None where it could not be read.
    """

    kind: str
    of: str
    value: float | None


class Sampler(Protocol):
    """One kind of look at the node.

    Attributes:
        types: all it may speak of; a thing that is no longer in its samples is over.
        interval_s: how often.
        may_hang: it looks at what another machine or program may hold up.
    """

    types: frozenset[str]
    interval_s: int
    may_hang: bool

    def sample(self, look: Look) -> Iterable[Sample | Measured]:
        """Return how everything of the types is now, and what is to be remembered of it."""
