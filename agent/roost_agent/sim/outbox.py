"""The outbox of a simulated node: lanes in memory, in place of SQLite.

What it does not have: a disk, so a simulated node loses its outbox with the process, and a ring, so
a central that was restored gets gaps for what it had receipted, and then asks for a snapshot.

Invariants: sequence numbers rise by one; what is above the mark is kept, or a gap stands for it.
"""

from typing import Final

from roost_agent.outbox.core import Position
from roost_agent.outbox.gaps import gap, reason_of, without_holes
from roost_protocol.beat import LaneReport
from roost_protocol.envelope import Item, ItemKind
from roost_protocol.limits import REPORT_BYTES_AIM, REPORT_ITEMS_MAX

WAITING_MAX: Final = 256  # items of a lane that wait: hours of churn, 64 KiB a node
FULL: Final = "full"


class MemoryLane:
    """One lane."""

    __slots__ = ("dropped", "epoch", "items", "last", "mark", "stream")

    def __init__(self, stream: bytes) -> None:
        self.stream = stream
        self.last = 0
        self.mark = 0
        self.epoch: bytes | None = None
        self.dropped = 0
        self.items: list[Item] = []  # above the mark, oldest first

    @property
    def position(self) -> Position:
        """What delivery needs of it."""
        return Position(self.stream, self.last, self.mark, self.epoch)

    @property
    def report(self) -> LaneReport:
        """What a beat tells of it."""
        size = sum(len(item.body) for item in self.items)
        return LaneReport(self.stream, self.last, len(self.items), size, self.dropped)

    def append(self, kind: ItemKind, at_ms: int, body: bytes, *, compressed: bool) -> None:
        """Put an item in; the oldest becomes a gap when there are too many."""
        self.last += 1
        self.items.append(Item(self.last, kind, at_ms, body, compressed))
        if len(self.items) > WAITING_MAX:
            self._drop_oldest()

    def fetch(self, prev: int) -> tuple[Item, ...]:
        """Return the items that follow ``prev``, as many as fit one report."""
        rows: list[Item] = []
        size = 0
        for item in self.items:
            if item.seq <= prev:
                continue
            size += len(item.body)
            if rows and (size > REPORT_BYTES_AIM or len(rows) == REPORT_ITEMS_MAX // 2):
                break  # half of what a report holds: each may bring a gap along
            rows.append(item)
        return tuple(without_holes(prev, self.last, rows))

    def set_mark(self, seq: int, epoch: bytes) -> int:
        """Keep central's mark and let go what it has; return by how much the mark rose."""
        risen = seq - self.mark
        self.mark, self.epoch = seq, epoch
        self.items = [item for item in self.items if item.seq > seq]
        return risen

    def restart(self, stream: bytes, after: int) -> None:
        """Begin a new stream with what follows ``after``, numbered from 1."""
        self.items = [
            Item(item.seq - after, item.kind, item.at_ms, item.body, item.compressed)
            for item in self.items
            if item.seq > after
        ]
        self.stream, self.last, self.mark, self.epoch = stream, self.last - after, 0, None

    def _drop_oldest(self) -> None:
        """Let the oldest item go; the gap in its place grows over it."""
        oldest, follower = self.items[0], self.items[1]
        first = oldest.seq
        why = reason_of(oldest) if oldest.kind is ItemKind.GAP else FULL
        self.items[:2] = [gap(first, follower.seq, why, follower.at_ms)]
        self.dropped += 1 if oldest.kind is ItemKind.GAP else 2
