"""Whether a changed network may stay: is the node reached, by signs that are newer than it? Pure.

By a receipt of the centre. Where the centre was out of reach before, a change cannot be blamed for
that: then the site must be reached, a gateway and a majority of it (design, "confirm or revert").

Invariants: no sign counts that may have been on its way before the change; what was never asked or
never answered is no sign.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

SETTLE_MS: Final = 5_000  # what was on its way before the change has come by then
FRESH_MS: Final = 360_000  # an idle node asks for a receipt every 300 s: an older one tells nothing


@dataclass(frozen=True, slots=True)
class Signs:
    """When the node was reached last, on the boot clock; None: never.

    Attributes:
        receipt_ms: a receipt of the centre came.
        gateway_ms: a gateway of its networks answered.
        peers_ms: each other node of the site was heard.
    """

    receipt_ms: int | None = None
    gateway_ms: int | None = None
    peers_ms: Sequence[int | None] = ()


class Probation:
    """One change of the network.

    Args:
        before: as the change was done; a receipt that has come since then is none of them.
        since_ms: when that was.
    """

    def __init__(self, before: Signs, since_ms: int) -> None:
        self._since_ms = since_ms
        last_ms = before.receipt_ms
        self.had_centre = last_ms is not None and since_ms - last_ms <= FRESH_MS

    def is_reached(self, now: Signs) -> bool:
        """Say whether the node is reached since the change."""
        if self._is_new(now.receipt_ms):
            return True
        if self.had_centre or not self._is_new(now.gateway_ms):
            return False
        heard = sum(map(self._is_new, now.peers_ms))
        return 2 * (heard + 1) > len(now.peers_ms) + 1  # with this node itself

    def _is_new(self, sign_ms: int | None) -> bool:
        return sign_ms is not None and sign_ms >= self._since_ms + SETTLE_MS
