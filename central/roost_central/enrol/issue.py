"""Hands out identities: asks the signer, keeps what it gave, and gives the same again.

Invariants: one certificate is kept for one key, whoever raced; nothing is handed out that is not
kept; the same key gets the same bytes again.
"""

import asyncio
import logging
from collections import defaultdict
from dataclasses import replace
from typing import Final

from roost_central.access.chain import Act
from roost_central.access.signatures import KEYS
from roost_central.enrol.fleet import Fleet
from roost_central.enrol.grace import GRACE_DAYS
from roost_central.enrol.states import LIVE, Cause, Event, State, after
from roost_central.errors import StorageRefusedError
from roost_central.ports import Clock
from roost_central.signer.client import Signer
from roost_central.storage import audit, enrolments, identities
from roost_central.storage.engine import Database
from roost_central.storage.enrolments import EnrolmentRecord
from roost_central.storage.identities import IdentityRecord
from roost_protocol.certificate import Kind, node_holder
from roost_protocol.enrol import Issued
from roost_protocol.seal import report_key
from roost_protocol.topics import split_node_id

logger = logging.getLogger(__name__)

PEM_END: Final = "-----END CERTIFICATE-----\n"


class Issuer:
    """Makes identities of approved boxes."""

    def __init__(self, database: Database, signer: Signer, clock: Clock, fleet: Fleet) -> None:
        self._database = database
        self._signer = signer
        self._clock = clock
        self.fleet = fleet  # as the signer says it is; another one once keys were rotated
        self._locks: defaultdict[bytes, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def hand_out(self, enrolment: EnrolmentRecord) -> Issued:
        """Return the identity of an approved box, made where there is none yet.

        Raises:
            SignerError: it cannot be made now; the box asks again.
        """
        key = enrolment.key_hash
        try:
            async with self._locks[key]:
                async with self._database.read() as connection:
                    rows = await identities.of_node(connection, enrolment.node_id)
                known = next((row for row in rows if row.key_hash == key), None)
                generation = max((row.generation for row in rows), default=0) + 1
                box = max((row.box for row in rows), default=0) + 1
                return self.answer(known or await self._made(enrolment, generation, box))
        finally:
            self._locks.pop(key, None)

    async def renewed(
        self, before: IdentityRecord, csr: str, key_hash: bytes, *, grace: str = ""
    ) -> Issued:
        """Return the next generation of a node, for a new key of the same box.

        Args:
            before: what it follows.
            csr: by the new key.
            key_hash: of the new key.
            grace: why it is for a day and in quarantine; empty: it is not.

        Raises:
            SignerError: it cannot be made now; the node asks again.
        """
        try:
            async with self._locks[key_hash]:
                async with self._database.read() as connection:
                    rows = await identities.of_node(connection, before.node)
                known = next((row for row in rows if row.key_hash == key_hash), None)
                generation = rows[0].generation + 1  # the newest is first, and there is one
                made = known or await self._next(before, csr, key_hash, generation, grace)
                return self.answer(made)
        finally:
            self._locks.pop(key_hash, None)

    async def _next(
        self, before: IdentityRecord, csr: str, key_hash: bytes, generation: int, grace: str
    ) -> IdentityRecord:
        site, node = split_node_id(before.node)
        detail = {"generation": generation, KEYS: [key_hash.hex()]}
        act = Act(
            self._clock.wall_ms(),
            f"node:{before.node}",
            "",
            "identity.renew",
            before.node,
            detail,
            reason=grace,
        )
        async with self._database.write() as connection:  # before the signer is asked
            await audit.add(connection, act)
        days = GRACE_DAYS if grace else 0
        signed = await self._signer.issue_node(
            csr, site=site, node=node, generation=generation, days=days
        )
        now_ms = self._clock.wall_ms()
        identity = replace(
            before,
            generation=generation,
            serial=signed.serial,
            fingerprint=bytes.fromhex(signed.fingerprint),
            key_hash=key_hash,
            state=State.ISSUED,
            quarantine=Cause.GRACE if grace else Cause.NONE,
            not_after_ms=signed.not_after_s * 1000,
            certificate=signed.certificate_pem + signed.chain_pem,
            issued_ms=now_ms,
            changed_ms=now_ms,
            lan_certificate="",  # membership of the LAN is the box's, and goes on
            broker_certificate="",
            reason=grace or f"renews generation {before.generation}",
        )
        async with self._database.write() as connection:
            for row in await identities.of_node(connection, before.node):
                if row.state is State.ISSUED and row.generation > before.generation:
                    reason = f"never heard, and generation {generation} was asked for"
                    await identities.happen(
                        connection, row, Event.REVOKE, now_ms=now_ms, reason=reason
                    )
            kept = await identities.add(connection, identity)
        logger.info("%s: generation %d renews %d", before.node, generation, before.generation)
        return kept

    async def _made(self, enrolment: EnrolmentRecord, generation: int, box: int) -> IdentityRecord:
        site, node = enrolment.site, enrolment.node
        signed = await self._signer.issue_node(
            enrolment.csr, site=site, node=node, generation=generation
        )
        lan = await self._signer.issue_lan(
            node_holder(Kind.LAN, site, node, box), public_key_pem=enrolment.lan_key
        )
        broker = ""
        if enrolment.broker:
            made = await self._signer.issue_lan(
                node_holder(Kind.BROKER, site, node, box), public_key_pem=enrolment.broker_key
            )
            broker = made.certificate_pem
        now_ms = self._clock.wall_ms()
        identity = IdentityRecord(
            node=enrolment.node_id,
            generation=generation,
            box=box,
            serial=signed.serial,
            fingerprint=bytes.fromhex(signed.fingerprint),
            key_hash=enrolment.key_hash,
            state=State.ISSUED,
            not_after_ms=signed.not_after_s * 1000,
            hardware=enrolment.hardware,
            sealing_key=enrolment.sealing_key,
            certificate=signed.certificate_pem + signed.chain_pem,
            issued_ms=now_ms,
            changed_ms=now_ms,
            lan_certificate=lan.certificate_pem,
            broker_certificate=broker,
            reason=f"replaces box {box - 1}" if box > 1 else "",
        )
        return await self._kept(enrolment, identity)

    async def _kept(self, enrolment: EnrolmentRecord, identity: IdentityRecord) -> IdentityRecord:
        """Keep an identity; where another process was first, what that one kept."""
        now_ms = identity.issued_ms
        try:
            async with self._database.write() as connection:
                await enrolments.save(
                    connection,
                    replace(
                        enrolment,
                        state=after(enrolment.state, Event.HAND_OUT),
                        generation=identity.generation,
                    ),
                )
                for row in await identities.of_node(connection, identity.node):
                    if (
                        row.state in LIVE
                    ):  # of the box before: it was replaced when this was approved
                        reason = f"replaced by box {identity.box}"
                        await identities.happen(
                            connection, row, Event.SUCCEED, now_ms=now_ms, reason=reason
                        )
                kept = await identities.add(connection, identity)
        except StorageRefusedError:
            async with self._database.read() as connection:
                other = await identities.by_key(connection, identity.key_hash)
            if other is None:
                raise
            return other
        logger.info(
            "%s: generation %d is handed out to %s",
            identity.node, identity.generation, enrolment.address,
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
        )
