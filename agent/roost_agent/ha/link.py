"""The seam between a node's frames and what carries them: a broker, or datagrams."""

from collections.abc import Callable
from typing import Protocol

Hear = Callable[[int, bytes], None]  # the path's number, a payload as it came


class HaPath(Protocol):
    """One way by which frames travel."""

    number: int
    discarded: int  # frames that were not handed to the network
    strangers: int  # what came from no member's address

    @property
    def is_open(self) -> bool:
        """Whether it could carry a frame now, as far as it knows."""

    @property
    def fault(self) -> str:
        """Why it is not open, empty when it is."""

    def beat(self, payload: bytes) -> None:
        """Send a beat to all; a path that takes nothing now drops it, as any frame."""

    def lease(self, to: int, payload: bytes) -> None:
        """Send a lease frame to one node."""

    def abort(self, why: str) -> None:
        """Give the connection up, if there is one, and make another."""

    async def run(self) -> None:
        """Carry frames, until cancelled."""
