"""What stands in a report for items that the node no longer has.

Two kinds of hole: what was dropped before central had it stands in the store as a gap item with
its reason; what left the ring after its receipt leaves no trace, and is found when a restored
central asks for it. Either way a report follows its ``prev`` without a silent hole.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from roost_protocol.codec import Decoder, encode
from roost_protocol.envelope import Gap, Item, ItemKind

EXPIRED: Final = "expired"  # receipted once, and no longer in the ring

_gaps: Final = Decoder[Gap](Gap)


def gap(first: int, last: int, reason: str, at_ms: int) -> Item:
    """Return the item that stands for ``first`` to ``last``."""
    return Item(last, ItemKind.GAP, at_ms, encode(Gap(first, last, reason)))


def reason_of(item: Item) -> str:
    """Return why the items behind a gap item are missing."""
    return _gaps.decode(item.body).reason


def without_holes(prev: int, last: int, rows: Iterable[Item]) -> Iterator[Item]:
    """Yield the rows that follow ``prev``, with a gap item for every hole between them.

    Args:
        prev: the sequence number that the report follows.
        last: the last sequence number of the lane: where no row is left, all up to it is a hole.
        rows: what the store still has after ``prev``, in order.
    """
    due = prev + 1
    for row in rows:
        if row.kind is ItemKind.GAP:
            yield gap(due, row.seq, reason_of(row), row.at_ms)
        else:
            if row.seq > due:
                yield gap(due, row.seq - 1, EXPIRED, row.at_ms)
            yield row
        due = row.seq + 1
    if due == prev + 1 and due <= last:
        yield gap(due, last, EXPIRED, 0)
