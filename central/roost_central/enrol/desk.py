"""The desk that boxes come to: checks what they prove, has it decided, hands out identities.

Leaves HTTP to api/enrolling.py, deciding to deciding.py, certificates to issue.py, boxes that are
nodes already to renewals.py, and who may decide in the queue to the API. Invariant: a box that
lost the reply gets it again.
"""

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.alarms.book import AlarmBook
from roost_central.enrol.caller import Caller, Returned
from roost_central.enrol.deciding import Deciding
from roost_central.enrol.factory import Makers
from roost_central.enrol.fleet import Fleet
from roost_central.enrol.guesses import Guesses
from roost_central.enrol.issue import Issuer
from roost_central.enrol.nonce import KEY_BYTES, RANDOM_BYTES, make_nonce
from roost_central.enrol.proof import Proven, check_request
from roost_central.enrol.refused import RefusedError
from roost_central.enrol.renewals import Renewals
from roost_central.enrol.rules import Rule, first_fit, said_of
from roost_central.enrol.states import State
from roost_central.enrol.tpm.activation import Activations
from roost_central.enrol.tpm.credential import SEED_BYTES
from roost_central.enrol.tpm.endorsement import TpmMakers
from roost_central.enrol.withdrawal import withdraw
from roost_central.fleet.view import FleetView
from roost_central.ports import Clock, Entropy
from roost_central.storage import enrolments, settings
from roost_central.storage.engine import Database
from roost_central.storage.enrolments import EnrolmentRecord
from roost_protocol.enrol import (
    RETRY_S,
    TICKET_BYTES,
    Activation,
    Challenge,
    ClaimKind,
    EnrolRequest,
    Hello,
    Issued,
    Waiting,
    code_words,
)
from roost_protocol.errors import ProtocolError

NONCE_KEY: Final = "enrol_nonce_key"  # shared by every process of the centre; no box knows it


class Desk:
    """Takes requests of boxes.

    Args:
        fleet: what every node is told.
        view: to know the slots of a site.
        nonce_key: of this centre.
        makers, tpm_makers, rules: of its configuration.
        book: of alarms; None: nobody looks.

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
        tpm_makers: TpmMakers | None = None,
        rules: Sequence[Rule] = (),
        book: AlarmBook | None = None,
    ) -> None:
        self.fleet = fleet
        self._database = database
        self._clock = clock
        self._entropy = entropy
        self._nonce_key = nonce_key
        self._makers = makers or Makers()
        self._activations = Activations(tpm_makers or TpmMakers(), nonce_key)
        self._rules = rules
        self._issuer = issuer
        self._deciding = Deciding(database, view, Guesses(book))
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

    async def enrol(self, request: EnrolRequest, address: str) -> Issued | Waiting | Challenge:
        """Return the identity of a box, what it waits for, or what its TPM has to answer.

        Raises:
            ProtocolError: the request proves nothing.
            RefusedError: it is not let in.
            SignerError: it is let in, and has to ask again for its certificate.
        """
        now_ms = self._clock.wall_ms()
        if request.kind is ClaimKind.EXPIRED:
            raise ProtocolError("kind", field="kind", bound="expired: at /api/v1/enrol/expired")
        proven = check_request(request, self._nonce_key, now_ms=now_ms, makers=self._makers)
        if request.kind is ClaimKind.TPM:
            seed = self._entropy.token(SEED_BYTES)
            return self._activations.challenge(request, now_ms, seed=seed)
        return await self._ruled(proven, address, now_ms)

    async def activate(self, activation: Activation, address: str) -> Issued | Waiting:
        """Return the identity of a box whose TPM has answered, or what it waits for.

        Raises:
            ProtocolError: it proves nothing.
            RefusedError: it is not let in.
            SignerError: it is let in, and has to ask again for its certificate.
        """
        now_ms, request = self._clock.wall_ms(), activation.request
        if request.kind is not ClaimKind.TPM:
            raise ProtocolError("kind", field="request.kind", got=request.kind, bound=ClaimKind.TPM)
        proven = check_request(request, self._nonce_key, now_ms=now_ms)
        endorsed = self._activations.check(activation, now_ms)
        return await self._ruled(replace(proven, vouched=endorsed), address, now_ms)

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

    async def withdraw(self, ticket: bytes) -> Waiting:
        """Let a box go that waits and does not want to any more.

        Raises:
            RefusedError: ``withdrawn``: so it is; or ``ticket``: no box waits with it.
        """
        now_ms = self._clock.wall_ms()
        await withdraw(self._database, sha256(ticket).digest(), now_ms=now_ms)
        raise RefusedError("withdrawn", "this box waits no more, as it wanted")

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
        return await self._decided(self._caller(proven, address, now_ms, returned=granted))

    async def _ruled(self, proven: Proven, address: str, now_ms: int) -> Issued | Waiting:
        rule = first_fit(self._rules, said_of(proven.request, proven.vouched))
        return await self._decided(self._caller(proven, address, now_ms, rule=rule))

    def _caller(
        self,
        proven: Proven,
        address: str,
        now_ms: int,
        *,
        rule: Rule | None = None,
        returned: Returned | None = None,
    ) -> Caller:
        request, root = proven.request, self.fleet.root_spki
        return Caller(
            proven,
            address,
            code_words(root, request.csr, request.node_nonce, request.server_nonce),
            self._entropy.token(TICKET_BYTES),
            now_ms,
            rule,
            returned,
        )

    async def _decided(self, caller: Caller) -> Issued | Waiting:
        box = await self._deciding.decide(caller)
        if box.state is State.PENDING:
            return _waiting(box, caller.ticket, caller.now_ms)
        return await self._issuer.hand_out(box)


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
