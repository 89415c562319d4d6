"""Brings the latest state of one kind to the centre: each stands in place of the one before.

A state is put into the outbox when it is another than the last, and never while the last still
waits: a WAN that is gone for days holds one state, not a thousand.
"""

from collections.abc import Callable, Mapping
from typing import Final, Generic, Protocol, TypeVar

from roost_agent.errors import StorageError
from roost_agent.outbox.spool import Batch
from roost_agent.outbox.store import Entry, LaneCounts
from roost_protocol.codec import pack
from roost_protocol.envelope import ItemKind, Lane

SETTLE_MS: Final = 2_000  # from one state to the next
AGAIN_MS: Final = 1_800_000  # what did not change is told again: an age of days would say nothing

T = TypeVar("T")


class Outbox(Protocol):
    """What takes entries: the node's outbox."""

    @property
    def lanes(self) -> Mapping[Lane, LaneCounts]:
        """Empty until it is open."""

    def append(self, batch: Batch) -> None:
        """Put a batch on its way to disk; StorageError when it takes none."""


class Latest(Generic[T]):
    """The states of one kind.

    Args:
        outbox: of the node.
        kind: of the items.
        steady: returns a state without what changes by itself, for the comparison.
        may: whether one more may go at a time, where more than SETTLE_MS bounds them.
    """

    def __init__(
        self,
        outbox: Outbox,
        kind: ItemKind,
        steady: Callable[[T], object],
        *,
        may: Callable[[int], bool] = lambda _now_ms: True,
    ) -> None:
        self._outbox = outbox
        self._kind = kind
        self._steady = steady
        self._may = may
        self._told: T | None = None
        self._told_ms = 0  # boot clock
        self._seq = 0  # of the last state in the lane; 0: it is on its way to the disk
        self._is_writing = False

    def tell(self, state: T, *, now_ms: int, wall_ms: int) -> bool:
        """Put a state on its way where it is due; False: it is to be offered again.

        Args:
            state: as it is now.
            now_ms: the boot clock.
            wall_ms: UTC, of the item.
        """
        if not self._outbox.lanes:
            return False
        if not self._is_other(state, now_ms):
            return True
        if now_ms - self._told_ms < SETTLE_MS and self._told is not None:
            return False
        if self._waits() or not self._may(now_ms):
            return False
        body, compressed = pack(state)
        entry = Entry(Lane.BULK, self._kind, max(wall_ms, 0), body, compressed)
        self._is_writing = True
        try:
            self._outbox.append(Batch((entry,), {}, self._on_disk))
        except StorageError:
            self._is_writing = False
            return False
        self._told, self._told_ms = state, now_ms
        return True

    def _is_other(self, state: T, now_ms: int) -> bool:
        if self._told is None or now_ms - self._told_ms >= AGAIN_MS:
            return True
        return self._steady(state) != self._steady(self._told)

    def _waits(self) -> bool:
        """Whether the last state is still on its way to the centre."""
        if self._is_writing:
            return True
        lane = self._outbox.lanes[Lane.BULK]
        return lane.mark < self._seq <= lane.last  # past the last: another stream has begun

    def _on_disk(self, lanes: Mapping[Lane, LaneCounts]) -> None:
        self._is_writing = False
        self._seq = lanes[Lane.BULK].last
