"""Has every node of a site know its site's board controllers: seals, and places orders.

What is to be done is decided in core.py, signing and sending is orders/runner.py's. A password is
opened here for the moment in which it is sealed to a node; neither log nor order nor audit row has
it. The tables are the truth: a centre that was killed goes on where it was.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.boards import core
from roost_central.boards.core import BoardRecord, Given, Member
from roost_central.boards.vault import Vault, VaultError
from roost_central.enrol.states import LIVE
from roost_central.enrol.states import State as IdentityState
from roost_central.errors import StorageError
from roost_central.fleet.view import FleetView
from roost_central.orders import core as orders_core
from roost_central.orders.core import OrderRecord, State
from roost_central.orders.desk import ID_BYTES
from roost_central.ports import Clock, Entropy
from roost_central.storage import boards, identities, orders
from roost_central.storage.engine import Database
from roost_protocol.board_verbs import SetBoards
from roost_protocol.boards import SECRET_CHARS_MAX, about
from roost_protocol.codec import encode
from roost_protocol.errors import ProtocolError
from roost_protocol.limits import NAME_CHARS_MAX, ORDER_BODY_BYTES_MAX
from roost_protocol.order import body_digest
from roost_protocol.sealed import KEY_BYTES, OVERHEAD_BYTES, seal_for
from roost_protocol.topics import split_node_id

logger = logging.getLogger(__name__)

LOOK_S: Final = 5.0
UNSETTLED_MS: Final = 15_000  # a site with an order under way, or a node that is not heard
SETTLED_MS: Final = 600_000  # others, for boxes that were replaced or are new
LIFE_MS: Final = 86_400_000
BY: Final = "central"
DOCUMENT_BYTES_MAX: Final = ORDER_BODY_BYTES_MAX - OVERHEAD_BYTES

Hears = Callable[[str], int | None]  # node -> the generation that it speaks with


class BoardKeeper:
    """Works on the nodes that do not know their site's controllers.

    Attributes:
        wake: set when there is something new.
        hears: says with which generation a node speaks.
        wake_orders: has the orders looked at now.
    """

    def __init__(
        self, database: Database, view: FleetView, vault: Vault, clock: Clock, entropy: Entropy
    ) -> None:
        self.wake = asyncio.Event()
        self.hears: Hears = lambda _node: None
        self.wake_orders: Callable[[], None] = lambda: None
        self.vault = vault
        self._database = database
        self._view = view
        self._clock = clock
        self._entropy = entropy
        self._due_ms: dict[str, int] = {}  # by site, on the steady clock
        self._is_read = False

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            self.wake.clear()
            try:
                await self.turn()
            except StorageError as err:
                logger.warning("board controllers are not told yet: %s", err)
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self.wake.wait()

    def changed(self, site: str) -> None:
        """Take in that a site's controllers were set."""
        self._due_ms[site] = 0
        self.wake.set()

    async def turn(self) -> None:
        """Do what is to be done now, once.

        Raises:
            StorageError: it is done with the next turn.
        """
        if not self._is_read:
            async with self._database.read() as connection:
                nodes = {each.node for each in await boards.load(connection)}
                nodes |= (await boards.load_given(connection)).keys()
            self._due_ms = dict.fromkeys((split_node_id(node)[0] for node in nodes), 0)
            self._is_read = True
        now_ms = self._clock.mono_ms()
        for site in sorted(site for site, due_ms in self._due_ms.items() if due_ms <= now_ms):
            is_settled = await self._site(site)
            self._due_ms[site] = now_ms + (SETTLED_MS if is_settled else UNSETTLED_MS)

    def excess(self, records: Sequence[BoardRecord]) -> int:
        """Return by how many bytes a site's controllers are more than an order can bring."""
        opened = [(each, "x" * SECRET_CHARS_MAX) for each in records]
        return len(encode(core.document(opened, ()))) + NAME_CHARS_MAX - DOCUMENT_BYTES_MAX

    async def _site(self, site: str) -> bool:
        """Tell a site's nodes what they do not know; return whether all know it."""
        nodes = self._view.sites[site].nodes if site in self._view.sites else []
        async with self._database.read() as connection:
            records = await boards.load(connection, nodes)
            members = await _members(connection, nodes)
            given = await boards.load_given(connection, nodes)
            placed = await orders.by_ids(connection, [each.order for each in given.values()])
        try:
            document = core.document([(each, self._opened(each)) for each in records], members)
        except VaultError as err:
            logger.warning("board controllers of %s are not told: %s; set them anew", site, err)
            return True
        plain, now_ms, is_settled = encode(document), self._clock.wall_ms(), True
        for member in members:
            last = given.get(member.node)
            if last is None and not document.boards:
                continue
            mark = self.vault.mark(member.sealing_key + plain)
            order = None if last is None else placed.get(last.order)
            state = None if order is None else order.state
            is_told = last is not None and last.mark == mark and state is State.DONE
            is_settled = is_settled and is_told
            if core.is_due(mark, last, state, now_ms) and self.hears(member.node) is not None:
                await self._place(member, mark, plain, last)
        return is_settled

    def _opened(self, record: BoardRecord) -> str:
        return self.vault.open(record.node, record.secret) if record.secret else ""

    async def _place(self, member: Member, mark: bytes, plain: bytes, last: Given | None) -> None:
        once = self._entropy.token(KEY_BYTES)
        try:
            body = seal_for(member.sealing_key, plain, about(member.node), once=once)
        except ProtocolError as err:
            logger.warning("board controllers are not told to %s: %s", member.node, err)
            return
        digest, now_ms = body_digest(body), self._clock.wall_ms()
        order = OrderRecord(
            id=self._entropy.token(ID_BYTES).hex(),
            node=member.node,
            site=split_node_id(member.node)[0],
            verb=SetBoards.verb,
            given={"digest": digest},
            reason="",
            by=BY,
            placed_ms=now_ms,
            not_after_ms=now_ms + LIFE_MS,
            state=State.READY,
            changed_ms=now_ms,
        )
        tries = last.tries + 1 if last is not None and last.mark == mark else 0
        async with self._database.write() as connection:
            if last is not None:
                await _give_up(connection, last.order, now_ms)
            await orders.save(connection, order)
            given = Given(member.node, mark, order.id, digest, body, now_ms, tries)
            await boards.save_given(connection, given)
        self.wake_orders()


async def _give_up(connection: AsyncConnection, order_id: str, now_ms: int) -> None:
    """End an order that waits still: what it brings along is not kept any more."""
    former = await orders.find(connection, order_id)
    if former is not None and former.state is State.READY:
        why = "others are told by now"
        gone = orders_core.ended(former, State.CANCELLED, "superseded", why, now_ms)
        await orders.save(connection, gone)


async def _members(connection: AsyncConnection, nodes: Sequence[str]) -> list[Member]:
    """Return who can be told, with the key of the box that stands there now."""
    found = []
    for node, rows in sorted((await identities.of_nodes(connection, nodes)).items()):
        live = [each for each in rows if each.state in LIVE]
        is_shut = any(each.state is IdentityState.QUARANTINED or each.quarantine for each in live)
        if live and not is_shut:
            found.append(Member(node, live[0].sealing_key))
    return found
