"""The next generation of a node: on record as asked for, signed, kept.

Invariants: one certificate is kept for one key, whoever raced; its audit row is written before
the signer is asked.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.access.chain import Act
from roost_central.access.signatures import KEYS
from roost_central.enrol.grace import GRACE_DAYS
from roost_central.enrol.states import Cause, Event, State
from roost_central.ports import Clock
from roost_central.signer.client import Signer
from roost_central.storage import audit, identities
from roost_central.storage.engine import Database
from roost_central.storage.identities import IdentityRecord
from roost_protocol.topics import split_node_id

logger = logging.getLogger(__name__)


class Generations:
    """Makes the identities that follow others."""

    def __init__(self, database: Database, signer: Signer, clock: Clock) -> None:
        self._database = database
        self._signer = signer
        self._clock = clock
        self._locks: defaultdict[bytes, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def next(
        self, before: IdentityRecord, csr: str, key_hash: bytes, *, grace: str = ""
    ) -> IdentityRecord:
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
                return known or await self._made(before, csr, key_hash, generation, grace)
        finally:
            self._locks.pop(key_hash, None)

    async def _made(
        self, before: IdentityRecord, csr: str, key_hash: bytes, generation: int, grace: str
    ) -> IdentityRecord:
        site, node = split_node_id(before.node)
        detail = {"generation": generation, KEYS: [key_hash.hex()]}
        act = self._act(before.node, "identity.renew", detail, grace)
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
                    await self._lost(connection, row, reason)
            kept = await identities.add(connection, identity)
        logger.info("%s: generation %d renews %d", before.node, generation, before.generation)
        return kept

    async def _lost(self, connection: AsyncConnection, row: IdentityRecord, reason: str) -> None:
        """Revoke a generation whose key got lost on its way."""
        now_ms = self._clock.wall_ms()
        await identities.happen(connection, row, Event.REVOKE, now_ms=now_ms, reason=reason)
        detail = {"generation": row.generation}
        await audit.add(connection, self._act(row.node, "identity.revoke", detail, reason))

    def _act(self, node: str, action: str, detail: Mapping[str, object], reason: str) -> Act:
        """Return the audit row of what a node brought about."""
        now_ms = self._clock.wall_ms()
        return Act(now_ms, f"node:{node}", "", action, node, detail, reason=reason)
