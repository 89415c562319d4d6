"""Hands out identities: asks the signer, keeps what it gave, and gives the same again.

All boxes that wait are one turn: one look at what there is, the signatures, one transaction.

Invariants: one certificate is kept for one key, whoever raced; nothing is handed out that is not
kept; the same key gets the same bytes again, for a day and while its identity may speak: an answer
holds the report key and what the node should be.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.enrol.core import AGAIN_MS_MAX
from roost_central.enrol.fleet import Fleet
from roost_central.enrol.generations import Generations
from roost_central.enrol.group import Group
from roost_central.enrol.refused import RefusedError
from roost_central.enrol.seat import Seat, seats
from roost_central.enrol.states import LIVE, Event, State
from roost_central.errors import SignerError, StorageRefusedError
from roost_central.ports import Clock
from roost_central.signer.client import Signer
from roost_central.storage import enrolments, identities
from roost_central.storage.engine import Database
from roost_central.storage.enrolments import EnrolmentRecord
from roost_central.storage.identities import IdentityRecord
from roost_protocol.enrol import Issued
from roost_protocol.seal import report_key
from roost_protocol.topics import split_node_id

logger = logging.getLogger(__name__)

Configuration = Callable[[str, int], Awaitable[bytes]]  # node, generation; empty: none

_AGAIN: Final = frozenset({State.ISSUED, State.ACTIVE})
PEM_END: Final = "-----END CERTIFICATE-----\n"


async def no_settings(_node: str, _generation: int) -> bytes:
    """Tell a new box no settings."""
    return b""


class Issuer:
    """Makes identities of approved boxes, and those that follow them.

    Args:
        configuration: makes the order by which a new box is told its settings.
    """

    def __init__(
        self,
        database: Database,
        signer: Signer,
        clock: Clock,
        fleet: Fleet,
        *,
        configuration: Configuration = no_settings,
    ) -> None:
        self._database = database
        self._signer = signer
        self._clock = clock
        self._generations = Generations(database, signer, clock)
        self._boxes = Group(self._together)
        self.configuration = configuration
        self.fleet = fleet  # as the signer says it is; another one once keys were rotated

    async def hand_out(self, enrolment: EnrolmentRecord) -> Issued:
        """Return the identity of an approved box, made where there is none yet.

        Raises:
            RefusedError: ``key-used``: it was handed out, and is not any more.
            SignerError: it cannot be made now; the box asks again.
        """
        identity = await self._boxes.ask(enrolment)
        _check_again(identity, self._clock.wall_ms())
        settings = await self.configuration(identity.node, identity.generation)
        return msgspec.structs.replace(self.answer(identity), configuration=settings)

    async def renewed(
        self, before: IdentityRecord, csr: str, key_hash: bytes, *, grace: str = ""
    ) -> Issued:
        """Return the next generation of a node (see Generations.next)."""
        return self.answer(await self._generations.next(before, csr, key_hash, grace=grace))

    async def _together(self, boxes: Sequence[EnrolmentRecord]) -> list[IdentityRecord | Exception]:
        async with self._database.read() as connection:
            rows = await identities.of_nodes(connection, {box.node_id for box in boxes})
        found: dict[bytes, IdentityRecord | Exception] = {
            row.key_hash: row for of_node in rows.values() for row in of_node
        }
        new = {box.key_hash: box for box in boxes if box.key_hash not in found}
        if new:
            found |= await self._made(seats(new.values(), rows))
        return [found[box.key_hash] for box in boxes]

    async def _made(self, new: Sequence[Seat]) -> dict[bytes, IdentityRecord | Exception]:
        """Have new identities signed and keep them; return them by key, or why there is none."""
        wanted = [seat.requests() for seat in new]
        signed = iter(await self._signer.issue_all([each for some in wanted for each in some]))
        now_ms = self._clock.wall_ms()
        found: dict[bytes, IdentityRecord | Exception] = {}
        good: list[tuple[Seat, IdentityRecord]] = []
        for seat, requests in zip(new, wanted, strict=True):
            answers = [next(signed) for _ in requests]
            refused = next((each for each in answers if isinstance(each, SignerError)), None)
            if refused is not None:
                found[seat.box.key_hash] = refused
                continue
            certificates = [each for each in answers if not isinstance(each, SignerError)]
            good.append((seat, seat.identity(certificates, now_ms)))
        kept = await self._kept(good)
        return found | {each.key_hash: each for each in kept}

    async def _kept(self, made: Sequence[tuple[Seat, IdentityRecord]]) -> list[IdentityRecord]:
        """Keep identities; where another process was first, what that one kept."""
        try:
            return await self._written(made)
        except StorageRefusedError:
            if len(made) > 1:
                return [each for one in made for each in await self._kept([one])]
            [(_, identity)] = made
            async with self._database.read() as connection:
                other = await identities.by_key(connection, identity.key_hash)
            if other is None:
                raise
            return [other]

    async def _written(self, made: Sequence[tuple[Seat, IdentityRecord]]) -> list[IdentityRecord]:
        if not made:
            return []
        async with self._database.write() as connection:
            for seat, identity in made:
                if seat.is_filled:
                    await _succeeded(connection, identity)
            kept = await identities.add_all(connection, [identity for _, identity in made])
            generations = {seat.box.id: identity.generation for seat, identity in made}
            await enrolments.handed_out(connection, generations)
        for seat, identity in made:
            logger.info(
                "%s: generation %d is handed out to %s",
                identity.node, identity.generation, seat.box.address,
            )  # fmt: skip
        return kept

    def answer(self, identity: IdentityRecord) -> Issued:
        """Return an identity as its node is told it."""
        site, node = split_node_id(identity.node)
        leaf, end, chain = identity.certificate.partition(PEM_END)
        return Issued(
            site=site,
            node=node,
            generation=identity.generation,
            box=identity.box,
            fleet_domain=self.fleet.domain,
            certificate=leaf + end,
            chain=chain,
            root=self.fleet.root,
            report_key=report_key(self.fleet.ingest_key, identity.node, identity.generation),
            brokers=self.fleet.brokers,
            issued_ms=identity.issued_ms,
            lan_certificate=identity.lan_certificate,
            lan_ca=self.fleet.lan_ca,  # of a renewal too: another one may be live by now
            broker_certificate=identity.broker_certificate,
            order_keys=self.fleet.order_keys,
            order_vouches=dict(self.fleet.order_vouches),
        )


async def _succeeded(connection: AsyncConnection, identity: IdentityRecord) -> None:
    """Let the box before go: it was replaced when this one was approved."""
    for row in await identities.of_node(connection, identity.node):
        if row.state in LIVE:
            reason, now_ms = f"replaced by box {identity.box}", identity.issued_ms
            await identities.happen(connection, row, Event.SUCCEED, now_ms=now_ms, reason=reason)


def _check_again(identity: IdentityRecord, now_ms: int) -> None:
    """Refuse what a box may not be given again, by whatever it asks: its key, or its ticket.

    Raises:
        RefusedError: ``key-used``.
    """
    is_late = now_ms - identity.issued_ms > AGAIN_MS_MAX
    if identity.state in _AGAIN and not identity.quarantine and not is_late:
        return
    state = "in quarantine" if identity.quarantine else identity.state
    hint = "join with --new-key"
    raise RefusedError("key-used", f"this key has an identity that is {state}; {hint}")
