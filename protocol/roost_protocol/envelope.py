"""What every message says of its sender, and the report that carries outbox items.

Two lanes, each a stream of its own: ``alarm`` overtakes ``bulk`` (everything else), which one
mark could not follow. Who vouches for a message is no part of it: see seal.py.
"""

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from roost_protocol.errors import ProtocolError
from roost_protocol.limits import (
    ENTITY_BYTES_MAX,
    MESSAGE_BYTES_MAX,
    NAME_CHARS_MAX,
    NODE_ID_CHARS_MAX,
    PATH_NAME_CHARS_MAX,
    REPORT_ITEMS_MAX,
    RESYNC_MAX,
    SAMPLE_ASK_SERIES_MAX,
    SAMPLE_STEP_S_MAX,
    SAMPLE_STEP_S_MIN,
)
from roost_protocol.patterns import END

Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]
NodeText = Annotated[str, Meta(max_length=NODE_ID_CHARS_MAX)]
PathText = Annotated[str, Meta(max_length=PATH_NAME_CHARS_MAX)]
Id16 = Annotated[bytes, Meta(min_length=16, max_length=16)]
Digest8 = Annotated[bytes, Meta(min_length=8, max_length=8)]
ShortText = Annotated[str, Meta(max_length=64)]
StepSeconds = Annotated[int, Meta(ge=SAMPLE_STEP_S_MIN, le=SAMPLE_STEP_S_MAX)]
# A node's name in its site, which becomes a folder's: nothing else may stand there.
BoardName = Annotated[
    str, Meta(max_length=NAME_CHARS_MAX, pattern=r"^([a-z0-9]([a-z0-9-]*[a-z0-9])?)?" + END)
]
SeriesName = Annotated[str, Meta(max_length=ENTITY_BYTES_MAX + 32)]


class Lane(StrEnum):
    """A lane of the outbox."""

    ALARM = "alarm"
    BULK = "bulk"


class ItemKind(StrEnum):
    """What a report item holds."""

    INVENTORY = "inventory"
    ALARM = "alarm"
    ALARM_SET = "alarm-set"
    EVENT = "event"
    HA = "ha"
    HOST = "host"
    HOSTS = "hosts"
    BMC = "bmc"
    JOB = "job"
    UPDATE = "update"
    SOFTWARE = "software"
    CONFIG = "config"
    ORDER = "order"
    SAMPLES = "samples"
    GAP = "gap"


class Envelope(msgspec.Struct, kw_only=True, frozen=True, omit_defaults=True):
    """The sender: slot, boot, start of the agent, and the path the message took.

    Attributes:
        v: version of the wire.
        node: node id; must equal the topic's.
        boot_id: the kernel's, 16 bytes.
        incarnation: +1 at each start of the agent, persisted.
        path: name of the path at the sender.
        sent_ms: sender's UTC clock.
    """

    v: int
    node: NodeText
    boot_id: Id16
    incarnation: Count
    path: PathText
    sent_ms: Count


class Gone(Envelope, frozen=True):
    """The will of a path: a hint that the connection ended, never a proof of death."""


class Item(msgspec.Struct, frozen=True, array_like=True):
    """One row of the outbox: a document of ``kind`` under a sequence number.

    A gap stands for what the agent no longer has: its ``seq`` is the last one missing.
    """

    seq: Count
    kind: ItemKind
    at_ms: Count
    body: Annotated[bytes, Meta(max_length=MESSAGE_BYTES_MAX)]
    compressed: bool = False


class Gap(msgspec.Struct, frozen=True):
    """The body of a gap item: ``first`` to ``last`` are lost, and why."""

    first: Count
    last: Count
    reason: ShortText


class Report(Envelope, frozen=True):
    """Items of one lane in order; ``prev`` is the sequence number before the first of them."""

    lane: Lane
    stream: Id16
    prev: Count
    items: Annotated[list[Item], Meta(max_length=REPORT_ITEMS_MAX)]

    def check_order(self) -> None:
        """Check that the sequence numbers follow ``prev`` one by one, a gap standing for many.

        Raises:
            ProtocolError: ``order``.
        """
        seq = self.prev
        for index, item in enumerate(self.items):
            follows = item.seq > seq if item.kind is ItemKind.GAP else item.seq == seq + 1
            if not follows:
                raise ProtocolError(
                    "order", field=f"items[{index}].seq", got=item.seq, bound=seq + 1
                )
            seq = item.seq

    @property
    def last(self) -> int:
        """The sequence number that the stream's mark has once this report is applied."""
        return self.items[-1].seq if self.items else self.prev


class Resync(msgspec.Struct, frozen=True, omit_defaults=True):
    """A request to say again in full: ``inventory`` or ``alarms``; no sections means all."""

    what: ShortText
    sections: Annotated[list[ShortText], Meta(max_length=64)] = []


class SamplesAsk(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A wish for samples (samples.py), answered by an item ``samples`` with its number.

    Attributes:
        number: not 0, and another for each wish of this centre.
        since_ms, until_ms: UTC; the first step begins at a multiple of its length.
        step_s: a multiple of 60 s.
        series: names, or kinds for all of a kind; empty: all.
        board: the node of this site whose board controller's sensors are meant; empty: the node's
            own samples.
    """

    number: Annotated[int, Meta(ge=1, le=2**53)]
    since_ms: Count
    until_ms: Count
    step_s: StepSeconds
    series: Annotated[list[SeriesName], Meta(max_length=SAMPLE_ASK_SERIES_MAX)] = []
    board: BoardName = ""


class Receipt(msgspec.Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Central's word that everything of ``stream`` up to ``seq`` is committed to disk.

    One that only asks for samples has a stream of zeros, which is nobody's.

    Attributes:
        central_epoch: new at each restore of central; another one makes agents replay their ring.
        reconnect_window_s: over how long a lost fleet should spread its reconnects.
    """

    v: int
    node: NodeText
    lane: Lane
    stream: Id16
    seq: Count
    central_epoch: Digest8
    sent_ms: Count
    resync: Annotated[list[Resync], Meta(max_length=RESYNC_MAX)] = []
    reconnect_window_s: Count = 0
    samples: SamplesAsk | None = None
