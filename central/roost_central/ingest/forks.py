"""Whether two boxes report as one node: streams that take turns, or one number for two items. Pure.

An agent's lane is one stream at a time, numbered once: what it sends again it sends byte for byte,
and a stream that was followed by another never speaks again. Two boxes with one identity speak by
turns, or each puts an item of its own under the next number. Of the second the centre takes nothing
(a duplicate, by its mark), and its box believes it delivered: so this is told, not passed over.

Beats tell the same (liveness/turns.py) of boxes that beat; a thief may just report. Leaves what
follows to others. Invariants: what is heard again changes nothing; a gap is no other content; what
is remembered is bounded by nodes, streams and numbers.
"""

from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from roost_central.liveness.turns import Turns
from roost_protocol.envelope import Item, ItemKind, Lane

if TYPE_CHECKING:
    from roost_protocol.envelope import Report

PACE_MS: Final = 60_000  # of turns: half of it is one burst, twenty of it four rounds of questions
NODES_MAX: Final = 50_000  # who was heard first is forgotten first; some 3 KiB each
STREAMS_MAX: Final = 2  # of a lane, whose items are remembered
NUMBERS: Final = 32  # of a stream: more than waits for a receipt at two boxes with one disk

_MASK: Final = (1 << 64) - 1

BY_TURNS: Final = "two streams of its reports take turns"
ONE_NUMBER: Final = "one number of its reports has two contents"


class Forks:
    """What was heard of each node's lanes.

    Args:
        sent_ms: tells when a node last spoke, by its own clock, before anything was heard here:
            what it said before that is an echo.
    """

    def __init__(self, sent_ms: Callable[[str], int | None]) -> None:
        self._sent_ms = sent_ms
        self._lanes: dict[str, dict[Lane, _Lane]] = {}

    def hear(self, report: "Report", now_ms: int) -> str | None:
        """Take in who reports; return why two boxes are suspected, or None.

        Args:
            report: well formed and authentic.
            now_ms: when it arrived, by the centre's monotonic clock.
        """
        turns = self._lane(report).turns
        start = (report.boot_id + report.stream, report.incarnation)
        turns.hear(start, now_ms, PACE_MS, report.sent_ms)
        is_seen = turns.is_suspected and turns.turned_ms == now_ms
        return BY_TURNS if is_seen else None

    def applied(self, report: "Report") -> None:
        """Remember the items of a report that took effect."""
        streams = self._lane(report).streams
        numbers = streams.get(report.stream)
        if numbers is None:
            if len(streams) >= STREAMS_MAX:
                del streams[next(iter(streams))]
            numbers = streams[report.stream] = _Numbers()
        for item in report.items:
            if item.kind is not ItemKind.GAP:
                numbers.put(item)

    def repeated(self, report: "Report") -> str | None:
        """Compare a report that the mark calls a duplicate; return why two boxes are suspected."""
        numbers = self._lane(report).streams.get(report.stream)
        if numbers is None:
            return None
        differs = any(
            numbers.differs(item) for item in report.items if item.kind is not ItemKind.GAP
        )
        return ONE_NUMBER if differs else None

    def _lane(self, report: "Report") -> "_Lane":
        lanes = self._lanes.get(report.node)
        if lanes is None:
            if len(self._lanes) >= NODES_MAX:
                del self._lanes[next(iter(self._lanes))]
            lanes = self._lanes[report.node] = {}
        lane = lanes.get(report.lane)
        if lane is None:
            lane = lanes[report.lane] = _Lane()
            lane.turns.forgotten_ms = self._sent_ms(report.node) or -1
        return lane


class _Numbers:
    """The last items of a stream: number and digest, in a ring."""

    __slots__ = ("_digests", "_seqs")

    def __init__(self) -> None:
        self._seqs = array("Q", bytes(8 * NUMBERS))
        self._digests = array("Q", bytes(8 * NUMBERS))

    def put(self, item: Item) -> None:
        at = item.seq % NUMBERS
        self._seqs[at], self._digests[at] = item.seq, _digest(item)

    def differs(self, item: Item) -> bool:
        at = item.seq % NUMBERS
        return self._seqs[at] == item.seq and self._digests[at] != _digest(item)


@dataclass(slots=True)
class _Lane:
    turns: Turns = field(default_factory=Turns)
    streams: dict[bytes, _Numbers] = field(default_factory=dict)


def _digest(item: Item) -> int:
    """Return what tells contents apart in this process: keyed anew each start, so not to forge."""
    return hash((item.at_ms, item.body)) & _MASK
