"""What a node remembers of orders, on disk: what makes that none is done twice.

A number that only rises, and the last orders by their ids: an order that is signed anew keeps its
id. It is kept by the outbox in one transaction with what is told, so that neither is there alone.

Pure. Invariants: ``last_seq`` never falls; an order that runs is never forgotten.
"""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from roost_protocol.codec import Decoder, encode
from roost_protocol.envelope import Count, Id16, ShortText
from roost_protocol.order import Given, Order

KEPT: Final = 64  # orders; a node gets a few a day, and older ones are below the number
MEMORY_BYTES_MAX: Final = KEPT * 12 * 1024  # of orders with all arguments at their bounds


class Taken(msgspec.Struct, frozen=True):
    """An order that was begun.

    Attributes:
        boot_id: the kernel's, when it was begun.
        own_generation: of the node's identity, when it was begun.
        is_running: how it ended is not told yet.
    """

    id: Id16
    seq: Count
    verb: ShortText
    given: Given
    boot_id: Id16
    own_generation: Count
    is_running: bool = True


class Memory(msgspec.Struct, frozen=True):
    """All of it; the newest is last."""

    last_seq: Count
    taken: Annotated[tuple[Taken, ...], Meta(max_length=KEPT)] = ()

    def knows(self, order_id: bytes) -> bool:
        """Say whether an order was begun before."""
        return any(each.id == order_id for each in self.taken)

    def begun(self, order: Order, boot_id: bytes) -> "Memory":
        """Return what is remembered once an order is taken."""
        new = Taken(order.id, order.seq, order.verb, order.given, boot_id, order.generation)
        kept = (*self.taken, new)
        ended = [each for each in kept if not each.is_running]
        gone = ended[: max(0, len(kept) - KEPT)]
        return Memory(order.seq, tuple(each for each in kept if each not in gone))

    def ended(self, order_id: bytes) -> "Memory":
        """Return what is remembered once an order's end is told."""
        taken = tuple(
            msgspec.structs.replace(each, is_running=False) if each.id == order_id else each
            for each in self.taken
        )
        return Memory(self.last_seq, taken)


_decoder: Final = Decoder[Memory](Memory, limit=MEMORY_BYTES_MAX)


def dump(memory: Memory) -> bytes:
    """Return a memory's bytes."""
    return encode(memory)


def load(raw: bytes) -> Memory:
    """Return the memory in these bytes.

    Raises:
        ProtocolError: they make no sense.
    """
    return _decoder.decode(raw)
