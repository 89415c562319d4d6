"""A box that asks and has proven something, and the record of it as it shows itself now."""

from dataclasses import dataclass, replace
from hashlib import sha256

import msgspec

from roost_central.alarms.ulid import ulid
from roost_central.enrol.proof import Proven
from roost_central.enrol.rules import Rule
from roost_central.enrol.states import State
from roost_central.storage.enrolments import EnrolmentRecord


@dataclass(frozen=True, slots=True)
class Returned:
    """A node that came back, about which a human decides."""

    site: str
    reason: str


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks.

    Attributes:
        words: the six words of its request.
        ticket: that it is to ask with from now on.
        rule: of the configuration, which it fits.
        returned: None: it is a new box.
    """

    proven: Proven
    address: str
    words: str
    ticket: bytes
    now_ms: int
    rule: Rule | None = None
    returned: Returned | None = None

    @property
    def key_hash(self) -> bytes:
        """Of the key that it wants a certificate for."""
        return self.proven.key_hash


def seen(caller: Caller, before: EnrolmentRecord | None) -> EnrolmentRecord:
    """Return the record of a box; what was decided of it stays as it was decided."""
    ticket_hash = sha256(caller.ticket).digest()
    if before is not None and before.state is not State.PENDING:
        return replace(before, seen_ms=caller.now_ms, ticket_hash=ticket_hash)
    request = caller.proven.request
    now = EnrolmentRecord(
        id=ulid(caller.now_ms, caller.key_hash.hex()),
        key_hash=caller.key_hash,
        kind=request.kind,
        claim="",
        state=State.PENDING,
        site="",
        node="",
        broker=False,
        csr=request.csr,
        lan_key=request.lan_key,
        broker_key=request.broker_key,
        sealing_key=request.sealing_key,
        hardware=msgspec.json.encode(request.hardware).decode(),
        agent=request.agent,
        address=caller.address,
        words=caller.words,
        ticket_hash=ticket_hash,
        asked_ms=caller.now_ms,
        seen_ms=caller.now_ms,
    )
    if before is None:
        return now
    return replace(
        now, id=before.id, claim=before.claim, site=before.site, asked_ms=before.asked_ms,
        reason=before.reason,
    )  # fmt: skip
