"""Carries orders: has them signed when their node is there, sends them until they are taken.

The table is the truth: a centre that was killed goes on where it was. One order a node is under way
at a time, the oldest first.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.access.chain import Act
from roost_central.errors import SignerError, SignerUnavailableError, StorageError
from roost_central.orders import core
from roost_central.orders.box import has_come
from roost_central.orders.core import OrderRecord, State
from roost_central.orders.desk import OPEN_MAX, OrderDesk
from roost_central.orders.words import event_of
from roost_central.pace import Pace
from roost_central.ports import Clock
from roost_central.signer.client import Signer
from roost_central.storage import audit, events, identities, orders
from roost_central.storage.engine import Database
from roost_protocol.codec import VERSION, encode
from roost_protocol.order import Order, next_seq, read_signed, signed_message
from roost_protocol.order_verbs import VERBS
from roost_protocol.topics import node_id

logger = logging.getLogger(__name__)

LOOK_S: Final = 1.0
REST: Final = 20  # thousands of orders to dark nodes cost 5 % of a core
SIGNER_RETRY_S: Final = 10.0
KEPT_MS: Final = 400 * 86_400_000  # after its end, as long as the history of alarms
PRUNE_S: Final = 86_400.0

PEOPLE: Final = "people"  # whose orders the signer counts apart from those with a body

Hears = Callable[[str], int | None]  # node -> the generation that it speaks with
Send = Callable[[str, bytes], bool]  # node, message before its seal
BodyOf = Callable[[AsyncConnection, OrderRecord], Awaitable[bytes]]  # what an order brings along


class OrderRunner:
    """Works on the orders that have not ended.

    Attributes:
        desk: takes what people order.
        hears: says with which generation a node speaks.
        send: sends to a node by every broker; False where none takes it.
        body_of: reads what an order brings along; it is not kept with the order.
    """

    def __init__(self, database: Database, signer: Signer, clock: Clock, desk: OrderDesk) -> None:
        self.hears: Hears = lambda _node: None
        self.send: Send = lambda _node, _message: False
        self._database = database
        self._signer = signer
        self._clock = clock
        self.desk = desk
        self.body_of: BodyOf = _no_body
        self._signer_due_s: dict[str, float] = {}

    async def run(self) -> None:
        """Work until cancelled."""
        pruned_s = float("-inf")
        pace = Pace(self.desk.wake, REST)
        try:
            while True:
                pace.begin()
                is_any = True
                try:
                    is_any = await self.turn()
                    if asyncio.get_running_loop().time() - pruned_s >= PRUNE_S:
                        pruned_s = asyncio.get_running_loop().time()
                        await self._prune()
                except StorageError as err:
                    logger.warning("orders: tried again: %s", err)
                await pace.rest(LOOK_S if is_any else PRUNE_S)
        finally:
            await self._signer.close()

    async def handed(self, order_id: str, generation: int) -> bytes:
        """Return an order as its node is given it with an identity of this generation.

        It counts as sent; empty where it cannot be signed now, or does not wait any more.

        Raises:
            StorageError: it cannot be read now.
        """
        async with self._database.read() as connection:
            record = await orders.find(connection, order_id)
        if record is None or record.state is not State.READY:
            return b""
        signed: OrderRecord | None = record
        if not record.message or record.generation != generation:
            signed = await self._signed(record, generation)
        if signed is None:
            return b""
        async with self._database.write() as connection:
            if await _is_still(connection, signed):
                await orders.save(connection, core.sent(signed, self._clock.wall_ms()))
            return _with_body(signed.message, await self.body_of(connection, signed))

    async def turn(self) -> bool:
        """Do what is to be done now, once; return whether there is any order."""
        async with self._database.read() as connection:
            open_ = await orders.load_open(connection, limit=OPEN_MAX)
        busy = {  # who did its part and waits for a box takes the next one
            record.node
            for record in open_
            if record.state is State.TAKEN and not core.awaits_box(record)
        }
        for record in open_:
            if core.awaits_box(record) and await self._has_come(record):
                continue
            is_turn = record.state is not State.READY or record.node not in busy
            is_turn = is_turn and self.desk.is_managed(record.site)
            generation = self.hears(record.node) if is_turn else None
            if record.state is State.READY:
                busy.add(record.node)
            await self._do(record, core.step(record, generation, self._clock.wall_ms()))
        return bool(open_)

    async def _has_come(self, record: OrderRecord) -> bool:
        """End an order whose box has come back; say whether it has."""
        async with self._database.read() as connection:
            if not await has_come(connection, record):
                return False
        await self._end(record, core.box_came(record, self._clock.wall_ms()))
        return True

    async def _do(self, record: OrderRecord, step: core.Step | None) -> None:
        match step:
            case core.End(ended):
                await self._end(record, ended)
            case core.Sign(generation):
                due_s = self._signer_due_s.get(_kind(record), 0.0)
                if asyncio.get_running_loop().time() >= due_s:
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
        signed = await self._signed(record, generation)
        if signed is not None:
            await self._send(signed)

    async def _signed(self, record: OrderRecord, generation: int) -> OrderRecord | None:
        """Number it, write down what is to be signed, and have it signed; None: not now."""
        now_ms = self._clock.wall_ms()
        async with self._database.write() as connection:
            if not await _is_still(connection, record):
                return None
            identity = await identities.find(connection, record.node, generation)
            if identity is None or identity.quarantine:
                return None  # it is put there by a transaction, and heard a moment longer
            if await _is_replaced(connection, record):
                why = "another box stands there since it was ordered"
                gone = core.ended(record, State.REFUSED, "replaced", why, now_ms)
                await orders.save(connection, gone)
                await events.append(connection, [event_of(gone, now_ms)])
                return None
            seq = next_seq(await orders.last_seq(connection, record.node), now_ms)
            numbered = core.numbered(record, generation, seq)
            payload = _payload(numbered, now_ms)
            await orders.save(connection, numbered)
            await audit.add(connection, _signing(numbered, payload, now_ms))
        message = await self._message(numbered, payload, identity.issued_ms)
        if message is None:
            return None
        signed = core.signed(numbered, message)
        async with self._database.write() as connection:
            if not await _is_still(connection, numbered):
                return None
            await orders.save(connection, signed)
        return signed

    async def _message(self, record: OrderRecord, payload: bytes, issued_ms: int) -> bytes | None:
        """Return what the signer makes of an order; None: nothing now, or never."""
        try:
            key_id = await self._key_for(issued_ms)
            signature, key_id = await self._signer.sign_order(payload, key_id=key_id)
        except SignerUnavailableError as err:
            self._rest_signer(record)
            logger.warning("order %s: not signed yet: %s", record.id, err)
            return None
        except SignerError as err:
            if err.code == "busy":
                self._rest_signer(record)
                return None
            why, now_ms = f"the signer refuses: {err.detail}", self._clock.wall_ms()
            await self._end(record, core.ended(record, State.REFUSED, err.code, why, now_ms))
            return None
        return signed_message(payload, signature, key_id)

    async def _key_for(self, issued_ms: int) -> str:
        """Return the newest order key that an identity of this age was told of; empty: the newest.

        A node learns of a new key when it renews; until then the one before goes on (keys.py).
        """
        keys = (await self._signer.info()).order_keys
        known = [key.key_id for key in keys if key.since_s * 1_000 <= issued_ms]
        return known[-1] if known else ""

    def _rest_signer(self, record: OrderRecord) -> None:
        due_s = asyncio.get_running_loop().time() + SIGNER_RETRY_S
        self._signer_due_s[_kind(record)] = due_s

    async def _send(self, record: OrderRecord) -> None:
        body = b""
        if not VERBS[record.verb].is_by_hand:
            async with self._database.read() as connection:
                body = await self.body_of(connection, record)
        if not self.send(record.node, _with_body(record.message, body)):
            return
        async with self._database.write() as connection:
            if await _is_still(connection, record):
                await orders.save(connection, core.sent(record, self._clock.wall_ms()))

    async def _prune(self) -> None:
        async with self._database.write() as connection:
            await orders.prune(connection, before_ms=self._clock.wall_ms() - KEPT_MS)


async def _no_body(_connection: AsyncConnection, _record: OrderRecord) -> bytes:
    return b""


def _kind(record: OrderRecord) -> str:
    """Return for which of the signer's rates an order counts."""
    return PEOPLE if VERBS[record.verb].is_by_hand else record.verb


def _with_body(message: bytes, body: bytes) -> bytes:
    if not body:
        return message
    signed = read_signed(message)
    return signed_message(signed.order, signed.signature, signed.key_id, body)


async def _is_still(connection: AsyncConnection, record: OrderRecord) -> bool:
    """Say whether an order is as it was read: nobody else moved it meanwhile."""
    return await orders.find(connection, record.id) == record


async def _is_replaced(connection: AsyncConnection, record: OrderRecord) -> bool:
    """Say whether the box that an order is meant for left its slot after it was ordered."""
    if not VERBS[record.verb].is_for_box:
        return False
    meant = node_id(record.site, str(record.given["node"]))
    rows = await identities.of_node(connection, meant)
    newest = max((row.box for row in rows), default=0)
    came_ms = min((row.issued_ms for row in rows if row.box == newest), default=0)
    return came_ms > record.placed_ms


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
