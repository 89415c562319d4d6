"""How often nodes are asked for their alarms: each once a minute, all together so many a second.

A lasting difference must not fill a node's uplink, and a restored centre must not be answered by
the whole fleet at once. Pure.
"""

from typing import Final

RESYNC_EVERY_MS: Final = 60_000  # one node
RESYNC_PER_S: Final = 50  # the fleet: 10,000 nodes are through in 200 s
BURST: Final = 50


class AlarmPacing:
    """Remembers when each node was asked last; bounded by those heard since the start."""

    def __init__(self) -> None:
        self._asked_ms: dict[str, int] = {}
        self._tokens = float(BURST)
        self._at_ms: int | None = None

    def may_ask(self, node: str, now_ms: int) -> bool:
        """Return whether a node may be asked now, and note it if so."""
        asked_ms = self._asked_ms.get(node)
        if asked_ms is not None and now_ms - asked_ms < RESYNC_EVERY_MS:
            return False
        if self._at_ms is not None:
            gained = (now_ms - self._at_ms) * RESYNC_PER_S / 1000
            self._tokens = min(BURST, self._tokens + gained)
        self._at_ms = now_ms
        if self._tokens < 1:
            return False
        self._tokens -= 1
        self._asked_ms[node] = now_ms
        return True
