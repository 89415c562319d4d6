"""Carries orders: has them signed when their node is there, sends them until they are taken.

The table is the truth: a centre that was killed goes on where it was. One order a node is under way
at a time, the oldest first.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.access.chain import Act
from roost_central.errors import SignerError, SignerUnavailableError, StorageError
from roost_central.orders import core
from roost_central.orders.core import OrderRecord, State
from roost_central.orders.desk import OPEN_MAX, OrderDesk
from roost_central.orders.words import event_of
from roost_central.ports import Clock
from roost_central.signer.client import Signer
from roost_central.storage import audit, events, identities, orders
from roost_central.storage.engine import Database
from roost_protocol.codec import VERSION, encode
from roost_protocol.order import Order, next_seq, signed_message

logger = logging.getLogger(__name__)

LOOK_S: Final = 1.0
REST: Final = (
    20  # times as long as a turn took: thousands of orders to dark nodes cost 5 % of a core
)
SIGNER_RETRY_S: Final = 10.0
KEPT_MS: Final = 400 * 86_400_000  # after its end, as long as the history of alarms
PRUNE_S: Final = 86_400.0

Hears = Callable[[str], int | None]  # node -> the generation that it speaks with
Send = Callable[[str, bytes], bool]  # node, message before its seal


class OrderRunner:
    """Works on the orders that have not ended.

    Attributes:
        desk: takes what people order.
        hears: says with which generation a node speaks.
        send: sends to a node by every broker; False where none takes it.
    """

    def __init__(self, database: Database, signer: Signer, clock: Clock, desk: OrderDesk) -> None:
        self.hears: Hears = lambda _node: None
        self.send: Send = lambda _node, _message: False
        self._database = database
        self._signer = signer
        self._clock = clock
        self.desk = desk
        self._signer_due_s = 0.0

    async def run(self) -> None:
        """Work until cancelled."""
        pruned_s = float("-inf")
        try:
            while True:
                self.desk.wake.clear()
                begun_s, is_any = asyncio.get_running_loop().time(), True
                try:
                    is_any = await self.turn()
                    if asyncio.get_running_loop().time() - pruned_s >= PRUNE_S:
                        pruned_s = asyncio.get_running_loop().time()
                        await self._prune()
                except StorageError as err:
                    logger.warning("orders: tried again: %s", err)
                spent_s = asyncio.get_running_loop().time() - begun_s
                rest_s = max(LOOK_S, spent_s * REST) if is_any else PRUNE_S
                with suppress(TimeoutError):
                    async with asyncio.timeout(rest_s):
                        await self.desk.wake.wait()
        finally:
            await self._signer.close()

    async def turn(self) -> bool:
        """Do what is to be done now, once; return whether there is any order."""
        async with self._database.read() as connection:
            open_ = await orders.load_open(connection, limit=OPEN_MAX)
        busy = {record.node for record in open_ if record.state is State.TAKEN}
        for record in open_:
            is_turn = record.state is not State.READY or record.node not in busy
            generation = self.hears(record.node) if is_turn else None
            if record.state is State.READY:
                busy.add(record.node)
            await self._do(record, core.step(record, generation, self._clock.wall_ms()))
        return bool(open_)

    async def _do(self, record: OrderRecord, step: core.Step | None) -> None:
        match step:
            case core.End(ended):
                await self._end(record, ended)
            case core.Sign(generation):
                if asyncio.get_running_loop().time() >= self._signer_due_s:
                    await self._sign(record, generation)
            case core.Send():
                await self._send(record)
            case None:
                pass

    async def _end(self, before: OrderRecord, ended: OrderRecord) -> None:
        async with self._database.write() as connection:
            if await _is_still(connection, before):
                await orders.save(connection, ended)
                await events.append(connection, [event_of(ended, self._clock.wall_ms())])

    async def _sign(self, record: OrderRecord, generation: int) -> None:
        """Number it and write down what is to be signed; then have it signed, and send it."""
        now_ms = self._clock.wall_ms()
        async with self._database.write() as connection:
            if not await _is_still(connection, record):
                return
            identity = await identities.find(connection, record.node, generation)
            seq = next_seq(await orders.last_seq(connection, record.node), now_ms)
            numbered = core.numbered(record, generation, seq)
            payload = _payload(numbered, now_ms)
            await orders.save(connection, numbered)
            await audit.add(connection, _signing(numbered, payload, now_ms))
        try:
            key_id = await self._key_for(0 if identity is None else identity.issued_ms)
            signature, key_id = await self._signer.sign_order(payload, key_id=key_id)
        except SignerUnavailableError as err:
            self._signer_due_s = asyncio.get_running_loop().time() + SIGNER_RETRY_S
            logger.warning("order %s: not signed yet: %s", record.id, err)
            return
        except SignerError as err:
            if err.code == "busy":
                self._signer_due_s = asyncio.get_running_loop().time() + SIGNER_RETRY_S
                return
            why = f"the signer refuses: {err.detail}"
            await self._end(numbered, core.ended(numbered, State.REFUSED, err.code, why, now_ms))
            return
        signed = core.signed(numbered, signed_message(payload, signature, key_id))
        async with self._database.write() as connection:
            if not await _is_still(connection, numbered):
                return
            await orders.save(connection, signed)
        await self._send(signed)

    async def _key_for(self, issued_ms: int) -> str:
        """Return the newest order key that an identity of this age was told of; empty: the newest.

        A node learns of a new key when it renews; until then the one before goes on (keys.py).
        """
        keys = (await self._signer.info()).order_keys
        known = [key.key_id for key in keys if key.since_s * 1_000 <= issued_ms]
        return known[-1] if known else ""

    async def _send(self, record: OrderRecord) -> None:
        if not self.send(record.node, record.message):
            return
        async with self._database.write() as connection:
            if await _is_still(connection, record):
                await orders.save(connection, core.sent(record, self._clock.wall_ms()))

    async def _prune(self) -> None:
        async with self._database.write() as connection:
            await orders.prune(connection, before_ms=self._clock.wall_ms() - KEPT_MS)


async def _is_still(connection: AsyncConnection, record: OrderRecord) -> bool:
    """Say whether an order is as it was read: nobody else moved it meanwhile."""
    return await orders.find(connection, record.id) == record


def _payload(record: OrderRecord, now_ms: int) -> bytes:
    return encode(
        Order(
            v=VERSION,
            id=bytes.fromhex(record.id),
            node=record.node,
            generation=record.generation,
            seq=record.seq,
            not_before_ms=now_ms,
            not_after_ms=record.not_after_ms,
            verb=record.verb,
            given=record.given,
            reason=record.reason,
            by=record.by,
            approved_by=record.approved_by,
        )
    )


def _signing(record: OrderRecord, payload: bytes, now_ms: int) -> Act:
    """Return the audit row that explains the signer's: a signature without one is an alarm."""
    detail = {
        "id": record.id,
        "order": sha256(payload).hexdigest(),
        "verb": record.verb,
        "generation": record.generation,
        "seq": record.seq,
    }
    return Act(now_ms, audit.CENTRE, "", "order.sign", record.node, detail, reason=record.reason)
