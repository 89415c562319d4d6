"""From changed values to numbered frames: coalescing, the ring, and what a returning client gets.

Leaves reading the fleet to columns.py, each client's queue to backlog.py and sockets to api/sse.py.

Invariants:
- at most one frame in FRAME_INTERVAL_MS, and one at least every KEEPALIVE_MS, if only an empty one;
- of several values for one cell only the last is in the frame;
- frame numbers rise by one; a new layout (rows or fields changed) takes a number for itself and
  empties the ring, so that no position from before it can be resumed;
- the ring holds at most RING_FRAMES_MAX frames and RING_BYTES_MAX bytes.
"""

import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias, assert_never

import msgspec

FRAME_INTERVAL_MS: Final = 250  # four a second: an eye sees no more, a browser paints in time
KEEPALIVE_MS: Final = 5_000  # a client calls itself stale after 12 s: two may be lost
RING_FRAMES_MAX: Final = 2_400  # ten minutes at the full rate: a laptop lid, a train tunnel
RING_BYTES_MAX: Final = 4 << 20
_POSITION: Final = re.compile(r"([0-9a-f]{1,32})(?:-([0-9]{1,15}))?", re.ASCII)

Value: TypeAlias = str | int | None


@dataclass(frozen=True, slots=True)
class Cell:
    """One changed value: the row's index, the field's index in the snapshot, the value."""

    row: int
    field: int
    value: Value


@dataclass(frozen=True, slots=True)
class Changed:
    """Values changed, of rows and fields that the last snapshot has."""

    cells: Sequence[Cell]


@dataclass(frozen=True, slots=True)
class LaidOut:
    """Rows or fields are others now: only a new snapshot helps."""


@dataclass(frozen=True, slots=True)
class Tick:
    """Time went on."""


Event: TypeAlias = Changed | LaidOut | Tick


@dataclass(frozen=True, slots=True)
class Frame:
    """What is sent to every client; ``cells`` is the JSON array of the changed values."""

    n: int
    cells: bytes

    @property
    def size(self) -> int:
        """Bytes it weighs in the ring and in a client's queue."""
        return len(self.cells) + FRAME_OVERHEAD_BYTES


FRAME_OVERHEAD_BYTES: Final = 64  # number, time, event name and JSON around the cells


@dataclass(frozen=True, slots=True)
class Resync:
    """Frames cannot mend the client's picture; ``n`` is the frame number it may go on at."""

    n: int
    reason: str


Action: TypeAlias = Frame | Resync


class FrameLog:
    """The frames of one process, from its start."""

    def __init__(self, epoch: str, now_ms: int) -> None:
        self.epoch = epoch
        self.n = 0
        self._base = 0  # the ring follows this number without a gap
        self._last_ms = now_ms
        self._pending: dict[tuple[int, int], Value] = {}
        self._ring: deque[Frame] = deque()
        self._ring_bytes = 0

    def handle(self, event: Event, now_ms: int) -> list[Action]:
        """Take an event at a monotonic time; return what goes to every client, in order."""
        match event:
            case Changed(cells):
                for cell in cells:
                    self._pending[cell.row, cell.field] = cell.value
                return []
            case LaidOut():
                return [self._lay_out(now_ms)]
            case Tick():
                return self._tick(now_ms)
            case _:
                assert_never(event)

    def resume(self, position: str) -> list[Action]:
        """Return what a client at ``<epoch>-<n>`` lacks, one Resync when that is not to be had.

        An epoch without a number is a client that just read the snapshot's epoch and takes what
        comes; the empty position is a client that has no snapshot yet.
        """
        if not position:
            return []
        found = _POSITION.fullmatch(position)
        if found is None or found[1] != self.epoch:
            return [Resync(self.n, "epoch")]
        if found[2] is None:
            return []
        n = int(found[2])
        if not self._base <= n <= self.n:
            return [Resync(self.n, "gap")]
        return [frame for frame in self._ring if frame.n > n]

    def check_invariants(self) -> None:
        """Assert what must hold after every event."""
        assert [frame.n for frame in self._ring] == list(range(self._base + 1, self.n + 1))  # noqa: S101  an invariant, checked by tests
        assert len(self._ring) <= RING_FRAMES_MAX  # noqa: S101  as above
        assert self._ring_bytes == sum(frame.size for frame in self._ring)  # noqa: S101  as above
        assert self._ring_bytes <= RING_BYTES_MAX  # noqa: S101  as above

    def _lay_out(self, now_ms: int) -> Resync:
        self.n += 1
        self._base = self.n
        self._ring.clear()
        self._ring_bytes = 0
        self._pending.clear()  # the new snapshot holds these values
        self._last_ms = now_ms
        return Resync(self.n, "structure")

    def _tick(self, now_ms: int) -> list[Action]:
        since_ms = now_ms - self._last_ms
        if since_ms < (FRAME_INTERVAL_MS if self._pending else KEEPALIVE_MS):
            return []
        cells = [(row, field, value) for (row, field), value in self._pending.items()]
        self._pending.clear()
        self.n += 1
        self._last_ms = now_ms
        frame = Frame(self.n, msgspec.json.encode(cells))
        self._keep(frame)
        return [frame]

    def _keep(self, frame: Frame) -> None:
        self._ring.append(frame)
        self._ring_bytes += frame.size
        while len(self._ring) > RING_FRAMES_MAX or self._ring_bytes > RING_BYTES_MAX:
            gone = self._ring.popleft()
            self._ring_bytes -= gone.size
            self._base = gone.n
