"""How often a node is asked for its whole inventory: once a minute, whatever the reason. Pure."""

from roost_central.inventory.core import RESYNC_EVERY_MS


class ResyncPacing:
    """Remembers when each node was asked last; bounded by those heard since the start."""

    def __init__(self) -> None:
        self._asked_ms: dict[str, int] = {}

    def may_ask(self, node: str, now_ms: int) -> bool:
        """Return whether a node may be asked now, and note it if so."""
        asked_ms = self._asked_ms.get(node)
        if asked_ms is not None and now_ms - asked_ms < RESYNC_EVERY_MS:
            return False
        self._asked_ms[node] = now_ms
        return True
