"""When a node that came back after its certificate ended is well again. Pure.

It leaves quarantine by itself once it was well for CLEAN_MS without a break: heard, its inventory
here as it says, no alarm of its own that stops service. A human may let it out before.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

CLEAN_MS: Final = 900_000  # thirty beats and a whole round of its samples


@dataclass(frozen=True, slots=True)
class Seen:
    """A node in quarantine, now.

    Attributes:
        is_heard: its presence is known, by what it says itself.
        is_behind: it has more to tell than is here.
        alarms: critical and major ones that stand on it, beside the quarantine's own.
    """

    node: str
    is_heard: bool
    is_behind: bool
    alarms: int

    @property
    def is_clean(self) -> bool:
        """Whether nothing is wrong with it."""
        return self.is_heard and not self.is_behind and not self.alarms


@dataclass(slots=True)
class Probation:
    """Since when each node has been well; what is not looked at any more is forgotten."""

    _clean_since_ms: dict[str, int] = field(default_factory=dict)

    def handle(self, seen: Iterable[Seen], now_ms: int) -> list[str]:
        """Take in all that are in quarantine; return those that may leave it."""
        before = self._clean_since_ms
        self._clean_since_ms = {
            each.node: before.get(each.node, now_ms) for each in seen if each.is_clean
        }
        return [
            node for node, since_ms in self._clean_since_ms.items() if now_ms - since_ms >= CLEAN_MS
        ]
