"""One alarm of the table as it stands on disk, and as it is told.

What was told and what is wanted differ while a flapping alarm is held: both survive a restart, so
that a clear that was answered is not forgotten.
"""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from roost_protocol.alarm import AlarmState, AlarmText, Entity, Params, TypeId
from roost_protocol.codec import Decoder, encode
from roost_protocol.envelope import Count, ShortText
from roost_protocol.severity import Severity

OWNER_CHARS_MAX: Final = 128  # of the cgroup of the application that raised it


class Held(msgspec.Struct, frozen=True, array_like=True):
    """What is wanted and not told yet; severity cleared with its reason."""

    severity: Severity
    text: AlarmText = ""
    params: Params = {}
    reason: ShortText = ""


class Row(msgspec.Struct, frozen=True, array_like=True):
    """One alarm.

    Attributes:
        severity: as told; the digest is over it.
        raised_ms: begin of the episode, by the node's UTC clock.
        changed_ms: last change that was told, by the same clock.
        owner: the application's cgroup; empty: the agent's own.
        ttl_ms: it clears when it is not repeated within; 0: sticky.
    """

    type: TypeId
    entity: Entity
    severity: Severity
    raised_ms: Count
    changed_ms: Count
    text: AlarmText = ""
    params: Params = {}
    count: Count = 1
    flapping: bool = False
    owner: Annotated[str, Meta(max_length=OWNER_CHARS_MAX)] = ""
    ttl_ms: Count = 0
    held: Held | None = None

    @property
    def key(self) -> tuple[str, str]:
        """The identity."""
        return self.type, self.entity

    @property
    def state(self) -> AlarmState:
        """The row as a set tells it."""
        return AlarmState(
            self.type,
            self.entity,
            self.severity,
            self.raised_ms,
            self.changed_ms,
            self.text,
            self.params,
            self.count,
            self.flapping,
        )


_rows: Final = Decoder[Row](Row)


def dump(row: Row) -> bytes:
    """Return a row as it is kept."""
    return encode(row)


def load(raw: bytes) -> Row:
    """Return a row that was kept.

    Raises:
        ProtocolError: it makes no sense.
    """
    return _rows.decode(raw)
