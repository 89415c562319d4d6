"""The head of the audit log as a retained topic: ``noc/v1/audit/head``.

Whoever keeps what was told there can show later that the log was not written anew: the rows up to
``seq`` must still end in ``hash`` (``roost audit verify --head SEQ:HASH``). Pure.
"""

from typing import Final

import msgspec

from roost_central.access.chain import Anchor
from roost_central.alarms.flat import rfc3339
from roost_central.northbound.noc_tree import ROOT, Message

TOPIC: Final = f"{ROOT}/audit/head"
TOLD_MS: Final = 60_000  # so old is what was told at most, where acts came since
ROWS_MAX: Final = 1_000  # and so many rows behind


class ToldHead(msgspec.Struct, frozen=True, kw_only=True):
    """``noc/v1/audit/head``: the number of the last act and the hash of the chain there, hex."""

    v: int = 1
    seq: int
    hash: str
    at: str
    ts: int


class HeadNews:
    """Says when the head is to be told: first at once, then by time or by number."""

    def __init__(self) -> None:
        self._told: Anchor | None = None
        self._told_ms = 0

    def due(self, head: Anchor, now_ms: int) -> bool:
        """Say whether a head is to be told now; if so it counts as told."""
        told = self._told
        if told is not None:
            is_late = now_ms - self._told_ms >= TOLD_MS
            if head == told or not (is_late or head.seq - told.seq >= ROWS_MAX):
                return False
        self._told, self._told_ms = head, now_ms
        return True


def head_message(head: Anchor, now_ms: int) -> Message:
    """Return the retained message of a head; ``now_ms`` is UTC."""
    told = ToldHead(seq=head.seq, hash=head.hash.hex(), at=rfc3339(now_ms), ts=now_ms // 1000)
    return Message(TOPIC, msgspec.json.encode(told))
