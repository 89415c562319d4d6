"""The desk that boxes come to: lets the core decide, in one transaction, and hands out identities.

Leaves HTTP to api/enrolling.py, certificates to issue.py, who may decide in the queue to the API.
Invariants: nothing is written for a claim that was not shown; what is decided, spent and audited
is one transaction; a box that lost the reply gets it again.
"""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Final

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.access.chain import Act
from roost_central.access.signatures import KEYS
from roost_central.alarms.ulid import ulid
from roost_central.enrol import core
from roost_central.enrol.factory import Makers
from roost_central.enrol.fleet import Fleet
from roost_central.enrol.holder import claim_of, holder_of
from roost_central.enrol.issue import Issuer
from roost_central.enrol.nonce import KEY_BYTES, RANDOM_BYTES, make_nonce
from roost_central.enrol.proof import Proven, certified, check_request
from roost_central.enrol.refused import RefusedError
from roost_central.enrol.renewals import Renewals, Returned
from roost_central.enrol.rules import Rule, first_fit, said_of
from roost_central.enrol.slots import box_of, empty_slots
from roost_central.enrol.states import State
from roost_central.fleet.view import FleetView
from roost_central.ports import Clock, Entropy
from roost_central.storage import audit, claims, enrolments, identities, settings
from roost_central.storage.claims import ClaimRecord, ClaimType
from roost_central.storage.engine import Database
from roost_central.storage.enrolments import EnrolmentRecord
from roost_protocol.enrol import (
    RETRY_S,
    TICKET_BYTES,
    ClaimKind,
    EnrolRequest,
    Hello,
    Issued,
    Waiting,
    code_words,
)
from roost_protocol.errors import ProtocolError
from roost_protocol.join_token import is_secret

logger = logging.getLogger(__name__)

NONCE_KEY: Final = "enrol_nonce_key"  # shared by every process of the centre; no box knows it
BAD_SECRETS_TOLD: Final = 20  # wrong secrets of one claim, and the log says that somebody guesses
BAD_CLAIMS_MAX: Final = 1_000
BY_CLAIM: Final = frozenset({ClaimKind.TOKEN, ClaimKind.KEY})  # that somebody here made


@dataclass(frozen=True, slots=True)
class Shown:
    """The claims that a request has shown, none of them checked for anything else."""

    claim: ClaimRecord | None = None
    listed: ClaimRecord | None = None


class Desk:
    """Takes requests of boxes.

    Args:
        fleet: what every node is told.
        view: to know the slots of a site.
        nonce_key: of this centre.
        makers, rules: of its configuration.

    Attributes:
        renewals: for boxes that are nodes already.
    """

    def __init__(  # noqa: PLR0913 - the parts it stands on
        self,
        database: Database,
        view: FleetView,
        clock: Clock,
        entropy: Entropy,
        *,
        fleet: Fleet,
        issuer: Issuer,
        nonce_key: bytes,
        makers: Makers | None = None,
        rules: Sequence[Rule] = (),
    ) -> None:
        self.fleet = fleet
        self._database = database
        self._view = view
        self._clock = clock
        self._entropy = entropy
        self._issuer = issuer
        self._nonce_key = nonce_key
        self._makers = makers or Makers()
        self._rules = rules
        self._bad = Counter[str]()
        self.renewals = Renewals(database, clock, issuer)

    def follow(self, fleet: Fleet) -> None:
        """Hand out from now on what the fleet is now: its signer's keys were rotated."""
        self.fleet = self._issuer.fleet = fleet

    def hello(self, commit: bytes) -> Hello:
        """Return who this centre is, and a nonce for the one who committed to its own."""
        now_ms = self._clock.wall_ms()
        nonce = make_nonce(
            self._nonce_key, commit, self._entropy.token(RANDOM_BYTES), now_ms=now_ms
        )
        return Hello(nonce, self.fleet.root, self.fleet.domain, now_ms)

    async def enrol(self, request: EnrolRequest, address: str) -> Issued | Waiting:
        """Return the identity of a box, or what it waits for.

        Raises:
            ProtocolError: the request proves nothing.
            RefusedError: it is not let in.
            SignerError: it is let in, and has to ask again for its certificate.
        """
        now_ms = self._clock.wall_ms()
        if request.kind is ClaimKind.EXPIRED:
            raise ProtocolError("kind", field="kind", bound="expired: at /api/v1/enrol/expired")
        proven = check_request(request, self._nonce_key, now_ms=now_ms, makers=self._makers)
        async with self._database.read() as connection:
            shown = await self._shown(connection, proven)
            is_stranger = (
                request.kind in BY_CLAIM
                and shown.claim is None
                and await enrolments.by_key(connection, proven.key_hash) is None
            )
        if is_stranger:  # told so without the only write lock
            raise RefusedError("claim-unknown", core.UNKNOWN)
        ticket = self._entropy.token(TICKET_BYTES)
        async with self._database.write() as connection:
            enrolment = await self._decided(connection, proven, address, ticket, now_ms)
        if enrolment.state is State.PENDING:
            return _waiting(enrolment, ticket, now_ms)
        return await self._issuer.hand_out(enrolment)

    async def ask(self, ticket: bytes) -> Issued | Waiting:
        """Return what was decided of a box that waits.

        Raises:
            RefusedError: ``denied``, or ``ticket``: there is no such one.
            SignerError: it is let in, and has to ask again for its certificate.
        """
        async with self._database.read() as connection:
            found = await enrolments.by_ticket(connection, sha256(ticket).digest())
        if found is None:
            raise RefusedError("ticket", "no box waits with this ticket: join again")
        if found.state is State.DENIED:
            raise RefusedError("denied", f"denied: {found.reason}")
        if found.state is State.PENDING:
            return _waiting(found, ticket, self._clock.wall_ms())
        return await self._issuer.hand_out(found)

    async def expired(self, request: EnrolRequest, address: str) -> Issued | Waiting:
        """Return what a node gets whose certificate ended, signed for by its old key and a new one.

        Raises:
            ProtocolError: the request proves nothing.
            RefusedError: it gets nothing, or was denied.
            SignerError: ask again.
        """
        now_ms = self._clock.wall_ms()
        if request.kind is not ClaimKind.EXPIRED:
            raise ProtocolError("kind", field="kind", got=request.kind, bound=ClaimKind.EXPIRED)
        proven = check_request(request, self._nonce_key, now_ms=now_ms)
        granted = await self.renewals.granted(proven)
        if isinstance(granted, Issued):
            return granted
        ticket = self._entropy.token(TICKET_BYTES)
        async with self._database.write() as connection:
            seen = await self._returned(connection, proven, granted, address, now_ms)
            box = replace(seen, ticket_hash=sha256(ticket).digest())
            await enrolments.save(connection, box)
        if box.state is State.PENDING:
            return _waiting(box, ticket, now_ms)
        return await self._issuer.hand_out(box)

    async def _returned(
        self,
        connection: AsyncConnection,
        proven: Proven,
        asked: Returned,
        address: str,
        now_ms: int,
    ) -> EnrolmentRecord:
        """Return the record of a node that came back, in the queue where it is not decided.

        Raises:
            RefusedError: it was denied, or too many wait.
        """
        before = await enrolments.by_key(connection, proven.key_hash)
        waiting = 0 if before else await enrolments.count(connection, State.PENDING)
        known = core.Known(prior=await _prior(connection, before), waiting=waiting)
        action = core.returned(asked.site, asked.reason, known, now_ms)
        if isinstance(action, core.Refuse):
            raise RefusedError(action.code, action.detail)
        seen = self._seen(proven, before, address, now_ms)
        if not isinstance(action, core.Queue):
            return seen
        logger.info("a node came back and waits: %s", action.reason)
        return replace(seen, site=action.site, reason=action.reason)

    async def _shown(self, connection: AsyncConnection, proven: Proven) -> Shown:
        """Return the claims that a request has shown the secret, the key or the number of."""
        proof, kind = proven.request.proof, proven.request.kind
        if kind is ClaimKind.KEY:
            found = await claims.by_subject(connection, ClaimType.KEY, proven.announced)
            return Shown(next(iter(found), None))
        if kind is not ClaimKind.TOKEN or proof.claim is None or proof.secret is None:
            return Shown()
        claim = await claims.find(connection, proof.claim)
        if claim is None or claim.secret_hash is None:
            return Shown()
        if not is_secret(claim.secret_hash, proof.secret):
            self._note_bad(claim.id)
            return Shown()
        serial = proven.request.hardware.serial
        found = await claims.by_subject(connection, ClaimType.SERIAL, serial) if serial else []
        return Shown(claim, next((each for each in found if each.site == claim.site), None))

    def _note_bad(self, claim: str) -> None:
        if claim not in self._bad and len(self._bad) >= BAD_CLAIMS_MAX:
            self._bad.clear()
        self._bad[claim] += 1
        if self._bad[claim] == BAD_SECRETS_TOLD:
            logger.warning("claim %s: %d wrong secrets: somebody guesses", claim, BAD_SECRETS_TOLD)

    async def _decided(
        self,
        connection: AsyncConnection,
        proven: Proven,
        address: str,
        ticket: bytes,
        now_ms: int,
    ) -> EnrolmentRecord:
        """Decide and write; return the box as it is now.

        Raises:
            RefusedError: it is not let in.
        """
        request = proven.request
        shown = await self._shown(connection, proven)
        before = await enrolments.by_key(connection, proven.key_hash)
        known = await self._known(connection, proven, shown, before)
        action = core.handle(core.Asked(request.kind, address, request.wish), known, now_ms)
        if isinstance(action, core.Refuse):
            raise RefusedError(action.code, action.detail)
        seen = self._seen(proven, before, address, now_ms)
        seen = replace(seen, ticket_hash=sha256(ticket).digest())
        if not isinstance(action, core.Resume):
            if proven.vouched is not None:
                seen = replace(seen, claim=claim_of(proven.vouched))
            seen = await self._applied(connection, seen, action, now_ms)
        await enrolments.save(connection, seen)
        return seen

    async def _known(
        self,
        connection: AsyncConnection,
        proven: Proven,
        shown: Shown,
        before: EnrolmentRecord | None,
    ) -> core.Known:
        vouched = proven.vouched
        rule = first_fit(self._rules, said_of(proven.request, vouched))
        site = (rule if vouched else shown.listed or shown.claim) or before
        return core.Known(
            claim=_claim(shown.claim),
            listed=_claim(shown.listed),
            rule=rule,
            voucher=str(vouched or ""),
            holder=await holder_of(connection, vouched, proven.key_hash) if vouched else "",
            prior=await _prior(connection, before),
            empty=await empty_slots(connection, self._view, site.site) if site else (),
            boxes=await _boxes(connection, shown),
            waiting=0 if before else await enrolments.count(connection, State.PENDING),
        )

    def _seen(
        self, proven: Proven, before: EnrolmentRecord | None, address: str, now_ms: int
    ) -> EnrolmentRecord:
        """Return the record of a box as it shows itself now."""
        request = proven.request
        words = code_words(
            self.fleet.root_spki, request.csr, request.node_nonce, request.server_nonce
        )
        now = EnrolmentRecord(
            id=ulid(now_ms, proven.key_hash.hex()),
            key_hash=proven.key_hash,
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
            address=address,
            words=words,
            ticket_hash=b"",
            asked_ms=now_ms,
            seen_ms=now_ms,
        )
        if before is None:
            return now
        if before.state is not State.PENDING:
            return replace(before, seen_ms=now_ms)  # what was decided stays as it was decided
        return replace(
            now, id=before.id, claim=before.claim, site=before.site, asked_ms=before.asked_ms,
            reason=before.reason,
        )  # fmt: skip

    async def _applied(
        self,
        connection: AsyncConnection,
        seen: EnrolmentRecord,
        action: core.Queue | core.Admit,
        now_ms: int,
    ) -> EnrolmentRecord:
        """Spend, and note what was decided."""
        for claim in action.spend:
            if not await claims.spend(connection, claim):
                raise RefusedError("claim-spent", "the claim let in as many boxes as it may")
        decided = replace(
            seen,
            site=action.site,
            claim=action.spend[0] if action.spend else seen.claim,
            broker=action.broker,
        )
        if isinstance(action, core.Queue):
            logger.info("a box waits at %s: %s", action.site or "no site", action.reason)
            return replace(decided, reason=action.reason)
        decided = replace(
            decided,
            node=action.node,
            state=State.APPROVED,
            decided_ms=now_ms,
            decided_by=action.by,
        )
        key = decided.key_hash.hex()
        detail: dict[str, Any] = {
            "enrolment": decided.id,
            "key": key,
            KEYS: certified(decided),
            "claims": list(action.spend),
        }
        if action.replaces:
            detail |= {"replaces": action.replaces}
        act = Act(
            at_ms=now_ms,
            actor=action.by,
            role="",
            action="enrol.approve",
            object=decided.node_id,
            detail=detail,
            via=f"enrol:{decided.kind}",
            source=decided.address,
        )
        await audit.add(connection, act)
        return decided


async def nonce_key(connection: AsyncConnection, entropy: Entropy) -> bytes:
    """Return the key of this centre's nonces, made where there is none yet."""
    found = await settings.read(connection, NONCE_KEY)
    if found is None:
        found = entropy.token(KEY_BYTES)
        await settings.save(connection, NONCE_KEY, found)
    return found


def _waiting(box: EnrolmentRecord, ticket: bytes, now_ms: int) -> Waiting:
    """Return how long a box waits: a tenth of what it has waited, so that a queue stays cheap."""
    soonest_s, latest_s = RETRY_S
    waited_s = (now_ms - box.asked_ms) // 1000
    return Waiting(ticket, min(max(waited_s // 10, soonest_s), latest_s), box.reason)


async def _boxes(connection: AsyncConnection, shown: Shown) -> dict[str, int]:
    """Return which box is in each slot that a claim names."""
    named = [each for each in (shown.claim, shown.listed) if each is not None and each.node]
    return {each.node: await box_of(connection, each.site, each.node) for each in named}


def _claim(record: ClaimRecord | None) -> core.Claim | None:
    if record is None:
        return None
    return core.Claim(
        id=record.id,
        site=record.site,
        node=record.node,
        nodes_max=record.nodes_max,
        used=record.used,
        auto_approve=record.auto_approve or record.kind is not ClaimType.TOKEN,
        broker=record.broker,
        not_after_ms=record.not_after_ms,
        is_revoked=record.revoked_ms is not None,
        cidr=record.cidr,
        replaces=record.replaces,
    )


async def _prior(connection: AsyncConnection, before: EnrolmentRecord | None) -> core.Prior | None:
    if before is None:
        return None
    state, issued_ms = before.state, 0
    if before.state is State.ISSUED:
        identity = await identities.by_key(connection, before.key_hash)
        if identity is not None:
            state, issued_ms = identity.state, identity.issued_ms
    return core.Prior(state, before.claim, issued_ms, before.reason)
