"""The audit log as a hash chain: what is hashed, how rows are linked, how a chain is checked. Pure.

``hash = sha256(prev_hash | row)`` where ``row`` is a JSON array of the fields in the order of
``row_bytes``: UTF-8, no blanks, keys of ``detail`` in order. Anybody can compute it from an export.
The first row follows GENESIS; after a cut the first one that is left follows the row that the cut
names. A chain says that nothing in it was changed; that its end is the end, only a head that was
kept elsewhere says (docs/security.md).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest
from typing import Any, Final

import msgspec

GENESIS: Final = bytes(32)
DONE: Final = "done"
REFUSED: Final = "refused"

_encode: Final = msgspec.json.Encoder(order="sorted").encode


@dataclass(frozen=True, slots=True)
class Act:
    """One act, before it has a number.

    Attributes:
        at_ms: UTC.
        actor, role: who, and the role that allowed it.
        action: ``alarm.ack``, ``site.delete``.
        object: what it was done to: an id, or a query.
        detail: what was asked and what came of it, of JSON's types; no secret.
        via: how the actor proved who it is: ``token:NAME``, ``password``, ``oidc``; empty: local.
        source: the address that it came from.
        request_id: the request's, as in the log.
        reason: the actor's words.
        before, after: ``digest`` of the object then and now; empty where there is none.
        outcome: DONE or REFUSED.
    """

    at_ms: int
    actor: str
    role: str
    action: str
    object: str
    detail: Mapping[str, Any]
    via: str = ""
    source: str = ""
    request_id: str = ""
    reason: str = ""
    before: str = ""
    after: str = ""
    outcome: str = DONE


TEXTS: Final = (  # the fields of an Act that are text
    "actor", "role", "action", "object", "via", "source", "request_id", "reason", "before", "after",
    "outcome",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """An act with its place in the chain."""

    seq: int
    act: Act
    prev_hash: bytes
    hash: bytes


@dataclass(frozen=True, slots=True)
class Anchor:
    """A place in the chain and the hash of the row there: a head, or the last row that was cut."""

    seq: int
    hash: bytes


START: Final = Anchor(0, GENESIS)


class BrokenChainError(Exception):
    """Where a chain does not hold, and how."""

    def __init__(self, seq: int, why: str) -> None:
        super().__init__(f"row {seq}: {why}")
        self.seq = seq


def digest(value: object) -> str:
    """Return the digest of an object's state, hex; of anything that JSON holds."""
    return sha256(_encode(value)).hexdigest()


def row_bytes(seq: int, act: Act) -> bytes:
    """Return what is hashed of a row."""
    return _encode(
        [
            seq,
            act.at_ms,
            act.actor,
            act.role,
            act.via,
            act.source,
            act.action,
            act.object,
            act.request_id,
            act.reason,
            act.detail,
            act.before,
            act.after,
            act.outcome,
        ]
    )


def entry(head: Anchor, act: Act) -> Entry:
    """Return an act as the row after ``head``."""
    seq = head.seq + 1
    return Entry(seq, act, head.hash, sha256(head.hash + row_bytes(seq, act)).digest())


class ChainCheck:
    """Goes along a chain, row by row.

    Args:
        start: what the first row must follow: START, or the last row that was cut.
        heads: hashes that were kept elsewhere, by number.
    """

    def __init__(self, start: Anchor = START, heads: Iterable[Anchor] = ()) -> None:
        self.at = start
        self.rows = 0
        self._heads = {head.seq: head.hash for head in heads if head.seq > start.seq}

    def see(self, row: Entry) -> None:
        """Take the next row.

        Raises:
            BrokenChainError: it does not follow, or is not what was written.
        """
        if row.seq != self.at.seq + 1:
            raise BrokenChainError(row.seq, f"follows {self.at.seq}: rows are missing or doubled")
        if not compare_digest(row.prev_hash, self.at.hash):
            raise BrokenChainError(row.seq, "does not name the hash of the row before it")
        if not compare_digest(entry(self.at, row.act).hash, row.hash):
            raise BrokenChainError(row.seq, "its hash is not that of its words: it was changed")
        kept = self._heads.pop(row.seq, row.hash)
        if not compare_digest(kept, row.hash):
            raise BrokenChainError(row.seq, "its hash is not the one that was kept elsewhere")
        self.at = Anchor(row.seq, row.hash)
        self.rows += 1

    def end(self) -> None:
        """Say that there are no more rows.

        Raises:
            BrokenChainError: a head that was kept elsewhere was not reached.
        """
        if self._heads:
            seq = max(self._heads)
            raise BrokenChainError(seq, f"is missing: the chain ends at {self.at.seq}")
