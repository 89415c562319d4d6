"""Where the agent puts an order down for root, and what it looks like."""

from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from roost_protocol.limits import ORDER_KEYS_MAX, ORDER_MESSAGE_BYTES_MAX
from roost_protocol.order import OrderKey

FOLDER: Final = "/run/roost"  # the agent's own, RuntimeDirectory of its unit
JOB_BYTES_MAX: Final = ORDER_MESSAGE_BYTES_MAX + 1_024


class Job(msgspec.Struct, frozen=True):
    """What the agent writes.

    Attributes:
        message: a SignedOrder.
        keys: those of its identity; root takes them where it has none yet.
        vouches: the words of keys for those after them, by the name of the latter.
    """

    v: int
    message: Annotated[bytes, Meta(max_length=ORDER_MESSAGE_BYTES_MAX)]
    keys: Annotated[tuple[OrderKey, ...], Meta(max_length=ORDER_KEYS_MAX)]
    vouches: Annotated[dict[str, bytes], Meta(max_length=ORDER_KEYS_MAX)] = {}


def job_file(folder: Path, digest: str) -> Path:
    """Return where the job of a document lies."""
    return folder / f"config-{digest}.job"
