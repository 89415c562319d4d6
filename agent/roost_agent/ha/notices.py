"""Releases that a node has yet to acknowledge: told again until it does."""

from collections.abc import Mapping

from roost_agent.ha.lease_events import Effect
from roost_protocol.ha import LeaseFrame
from roost_protocol.voter_events import Send


class Notices:
    """What was given back, and who has not said that it heard it.

    Args:
        again_ms: between two tellings.
    """

    def __init__(self, again_ms: int) -> None:
        self._again_ms = again_ms
        self._unheard: dict[int, Send] = {}
        self._due_ms = 0

    def tell(
        self, notices: Mapping[int, Send], *, once: frozenset[int], now_ms: int, out: list[Effect]
    ) -> None:
        """Tell these from now on, in place of those before; those in ``once`` are told once."""
        self._unheard = dict(notices)
        self._due_ms = now_ms
        self.tick(now_ms, out)
        for node in sorted(once):
            self._unheard.pop(node, None)

    def tick(self, now_ms: int, out: list[Effect]) -> None:
        """Tell again what was not acknowledged."""
        if self._unheard and now_ms >= self._due_ms:
            self._due_ms = now_ms + self._again_ms
            out += self._unheard.values()

    def answered(self, frame: LeaseFrame) -> None:
        """Take in that a node heard it."""
        waiting = self._unheard.get(frame.node)
        if waiting is not None and waiting.nonce == frame.nonce:
            del self._unheard[frame.node]

    def forget(self) -> None:
        """Tell nobody any more: a later round began."""
        self._unheard = {}

    def due_ms(self) -> int | None:
        """Return when to tell again, None when all heard it."""
        return self._due_ms if self._unheard else None
