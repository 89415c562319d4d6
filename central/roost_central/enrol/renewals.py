"""The next generation for a box that is a node: before its certificate ends, and after.

Leaves who waits for a human to desk.py, certificates to issue.py, what is decided of an ended one
to grace.py. Invariants: who the holder is, and whether it may, is the database's word, not the
certificate's; a key that comes back after its successor was heard puts the node in quarantine.
"""

from hashlib import sha256
from typing import Final

from roost_central.ca.request import key_of_request
from roost_central.enrol import grace
from roost_central.enrol.caller import Returned
from roost_central.enrol.hardware import hardware_of
from roost_central.enrol.issue import Issuer
from roost_central.enrol.proof import Proven, key_hash
from roost_central.enrol.quarantine import SUCCESSOR, suspect
from roost_central.enrol.refused import RefusedError
from roost_central.enrol.states import LIVE, State
from roost_central.ports import Clock
from roost_central.storage import identities
from roost_central.storage.engine import Database
from roost_central.storage.identities import IdentityRecord
from roost_protocol.enrol import Issued, RenewRequest
from roost_protocol.hardware import compare
from roost_protocol.topics import split_node_id

RENEWABLE: Final = frozenset({State.ISSUED, State.ACTIVE, State.RENEWAL_DUE})
ENDED_HINT: Final = "join with --new-key, or ask who did that"
TWO_HINT: Final = "two boxes have it: an operator has to choose"


class Renewals:
    """Gives nodes their next generation."""

    def __init__(self, database: Database, clock: Clock, issuer: Issuer) -> None:
        self._database = database
        self._clock = clock
        self._issuer = issuer

    async def renew(self, certificate: bytes, request: RenewRequest) -> Issued:
        """Return the next generation for the holder of a certificate (DER), which TLS has proven.

        Raises:
            ProtocolError: the request proves nothing.
            RefusedError: ``unknown``; ``ended``, ``quarantined`` or ``clone``: it may not.
            SignerError: ask again.
        """
        key = key_hash(key_of_request(request.csr))
        async with self._database.read() as connection:
            fingerprint = sha256(certificate).digest()
            holder = await identities.by_fingerprint(connection, fingerprint)
            other = await identities.by_key(connection, key)
        if holder is None:
            raise RefusedError("unknown", "no node has this certificate: join")
        if await self._is_followed(holder):
            raise await self._two_boxes(holder)
        if holder.quarantine:
            hint = "it is renewed once it is out: roost node release"
            raise RefusedError("quarantined", f"{holder.node} is in quarantine; {hint}")
        if holder.state not in RENEWABLE:
            raise RefusedError("ended", f"this identity is {holder.state}: {ENDED_HINT}")
        _check_new(other, holder.node)
        return await self._issuer.renewed(holder, request.csr, key)

    async def granted(self, proven: Proven) -> Issued | Returned:
        """Return the short certificate for a key whose own has ended, or what a human decides.

        Raises:
            RefusedError: neither.
            SignerError: ask again.
        """
        request, now_ms = proven.request, self._clock.wall_ms()
        async with self._database.read() as connection:
            holder = await identities.by_key(connection, bytes.fromhex(proven.announced))
            other = await identities.by_key(connection, proven.key_hash)
        if holder is None:
            raise RefusedError("unknown", "no node ever had this key: join")
        facts = grace.Holder(
            holder.node,
            holder.state,
            holder.not_after_ms,
            holder.quarantine,
            is_followed=await self._is_followed(holder),
        )
        alike = compare(hardware_of(holder.hardware), request.hardware)
        match grace.handle(facts, alike, now_ms):
            case grace.Refuse(code="clone"):
                raise await self._two_boxes(holder)
            case grace.Refuse() as refused:
                raise RefusedError(refused.code, refused.detail)
            case grace.Ask(reason=reason):
                return Returned(split_node_id(holder.node)[0], reason)
            case grace.Grant(reason=reason):
                _check_new(other, holder.node)
                return await self._issuer.renewed(
                    holder, request.csr, proven.key_hash, grace=reason
                )

    async def _is_followed(self, holder: IdentityRecord) -> bool:
        """Whether a newer key of the same box was heard, so that this one ought to be gone."""
        if holder.state is not State.REPLACED:
            return False
        async with self._database.read() as connection:
            rows = await identities.of_node(connection, holder.node)
        return any(row.state in LIVE and row.box == holder.box for row in rows)

    async def _two_boxes(self, holder: IdentityRecord) -> RefusedError:
        """Put a node in quarantine whose key was in two boxes; return what the caller is told."""
        async with self._database.write() as connection:
            await suspect(connection, holder.node, SUCCESSOR, now_ms=self._clock.wall_ms())
        return RefusedError("clone", f"a newer key of {holder.node} was heard; {TWO_HINT}")


def _check_new(other: IdentityRecord | None, node: str) -> None:
    """Refuse a key that is in use; of a renewal whose reply was lost it is no other's.

    Raises:
        RefusedError: ``key-used``.
    """
    if other is not None and (other.node, other.state) != (node, State.ISSUED):
        raise RefusedError("key-used", "a renewal brings a new key")
