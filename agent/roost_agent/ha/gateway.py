"""What the silence of this node's gateways says: whether this node may be cut off. Pure.

A gateway has no vote. Both halves of a cut may reach the same one, and many a site has none. So it
lowers a candidate's score, and keeps a standby of a pair from switching an owner off that may run.

Invariants:
- where no gateway ever answered, its silence says nothing;
- nor does a silence that began long before a node's: a gateway that died is no reason not to take
  over from an owner that dies later.
"""

from typing import Final

SILENT_MS: Final = 10_000  # before the score falls
STALE_MS: Final = 60_000  # a gateway that answered last so long before a node did died by itself


class Gateways:
    """When any of them answered.

    Args:
        slack_ms: by how much the last proof of a peer's life may be older than the cut.
    """

    def __init__(self, slack_ms: int) -> None:
        self._slack_ms = slack_ms
        self._answered_ms: int | None = None

    def answered(self, now_ms: int) -> None:
        """Take in an answer."""
        self._answered_ms = now_ms

    def silent_ms(self, now_ms: int) -> int | None:
        """Return since when none answered; None where none ever did."""
        return None if self._answered_ms is None else now_ms - self._answered_ms

    def is_silent(self, now_ms: int) -> bool:
        """Whether those that did answer have been silent for long enough to count."""
        silent_ms = self.silent_ms(now_ms)
        return silent_ms is not None and silent_ms >= SILENT_MS

    def fell_silent_with(self, peer_silent_ms: int, now_ms: int) -> bool:
        """Whether they fell silent together with a peer, as they do for whoever is cut off."""
        silent_ms = self.silent_ms(now_ms)
        if silent_ms is None or silent_ms > peer_silent_ms + STALE_MS:
            return False
        return silent_ms + self._slack_ms >= peer_silent_ms
