"""Takes orders from people: places, approves and cancels them, each with its audit row.

What the signer will refuse is refused here already, while somebody is there to read why.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.access.chain import Act
from roost_central.enrol.states import LIVE
from roost_central.enrol.states import State as IdentityState
from roost_central.errors import NotFoundError
from roost_central.orders import core
from roost_central.orders.box import expect_no_box
from roost_central.orders.core import OrderRecord, State
from roost_central.ports import Clock, Entropy
from roost_central.signer.client import Signer
from roost_central.signer.message import OrderRules
from roost_central.storage import audit, identities, orders
from roost_central.storage.engine import Database
from roost_protocol.errors import ProtocolError
from roost_protocol.order_verbs import act_of, given_of
from roost_protocol.topics import split_node_id

ID_BYTES: Final = 16
OPEN_OF_A_NODE_MAX: Final = 16  # one is sent at a time; a longer list is a mistake
OPEN_MAX: Final = 10_000  # of the fleet

Check = Callable[[AsyncConnection], Awaitable[None]]
Note = Callable[[OrderRecord, OrderRecord | None], Act]  # after, before; the row of the audit log


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody orders.

    Attributes:
        given: arguments by name, numbers as text will do.
        life_s: for how long it counts.
    """

    node: str
    verb: str
    given: Mapping[str, Any]
    reason: str
    life_s: int


class OrderRefusedError(Exception):
    """It is not ordered; the text says why, and what to do."""


class OrderDesk:
    """Orders as people see them.

    Attributes:
        wake: set when there is something new for the runner.
        is_managed: says whether a site takes orders.
    """

    def __init__(self, database: Database, signer: Signer, clock: Clock, entropy: Entropy) -> None:
        self.wake = asyncio.Event()
        self.is_managed: Callable[[str], bool] = lambda _site: True
        self._database = database
        self._signer = signer
        self._clock = clock
        self._entropy = entropy

    async def rules(self) -> OrderRules:
        """Return what the signer's policy says of orders.

        Raises:
            SignerError: it cannot be asked.
        """
        return (await self._signer.info()).orders

    async def place(
        self, wanted: Wanted, who: str, note: Note, check: Check | None = None
    ) -> OrderRecord:
        """Take an order.

        Args:
            wanted: what is ordered.
            who: orders it.
            note: writes the row of the audit log.
            check: looks once more, where nobody else can order anything meanwhile; raises
                OrderRefusedError.

        Raises:
            OrderRefusedError: it cannot be ordered.
            ProtocolError: the verb or its arguments are wrong.
            SignerError: the signer, whose policy says who must approve, cannot be asked.
        """
        act = act_of(wanted.verb, wanted.given, is_typed=False)
        if not act.is_by_hand:
            bound = (
                f"one that people order: {wanted.verb} is the centre's own, see roost node desired"
            )
            raise ProtocolError("verb", field="verb", got=wanted.verb, bound=bound)
        site = split_node_id(wanted.node)[0]
        if not self.is_managed(site):
            raise OrderRefusedError(
                f"site {site} is not managed and takes no orders: `roost site manage {site}` first"
            )
        rules = await self.rules()
        if wanted.verb in rules.never:
            raise OrderRefusedError(f"the signer's policy never signs {wanted.verb}")
        if act.needs_reason and not wanted.reason:
            raise ProtocolError("reason", field="reason", bound=f"{wanted.verb} needs one")
        if wanted.life_s > rules.hours_max * 3_600:
            bound = f"{rules.hours_max} h, as the signer's policy says"
            raise ProtocolError("life", field="life_s", got=wanted.life_s, bound=bound)
        if act.life_s_max and wanted.life_s > act.life_s_max:
            bound = f"{act.life_s_max} s, as {wanted.verb} asks"
            raise ProtocolError("life", field="life_s", got=wanted.life_s, bound=bound)
        now_ms = self._clock.wall_ms()
        by_two = act.by_two or wanted.verb in rules.by_two
        record = OrderRecord(
            id=self._entropy.token(ID_BYTES).hex(),
            node=wanted.node,
            site=site,
            verb=wanted.verb,
            given=given_of(act),
            reason=wanted.reason,
            by=who,
            placed_ms=now_ms,
            not_after_ms=now_ms + wanted.life_s * 1_000,
            state=State.PENDING if by_two else State.READY,
            changed_ms=now_ms,
            by_two=by_two,
        )
        async with self._database.write() as connection:
            _check_identity(wanted.node, await identities.of_node(connection, wanted.node))
            _check_room(wanted.node, *await orders.count_open(connection, wanted.node))
            if check is not None:
                await check(connection)
            await orders.save(connection, record)
            await audit.add(connection, note(record, None))
        self.wake.set()
        return record

    async def approve(self, order_id: str, who: str, note: Note) -> OrderRecord:
        """Stand behind somebody else's order.

        Raises:
            NotFoundError: there is no such order.
            OrderMoveError: it cannot be approved, or not by this person.
        """
        return await self._moved(
            order_id, lambda record, now_ms: core.approve(record, who, now_ms), note
        )

    async def cancel(self, order_id: str, why: str, note: Note) -> OrderRecord:
        """Send an order no more.

        Raises:
            NotFoundError: there is no such order.
            OrderMoveError: its node took it, or it has ended.
        """
        return await self._moved(
            order_id, lambda record, now_ms: core.cancel(record, why, now_ms), note
        )

    async def _moved(
        self, order_id: str, move: Callable[[OrderRecord, int], OrderRecord], note: Note
    ) -> OrderRecord:
        async with self._database.write() as connection:
            before = await orders.find(connection, order_id)
            if before is None:
                raise NotFoundError("order", got=order_id)
            now_ms = self._clock.wall_ms()
            after = move(before, now_ms)
            await orders.save(connection, after)
            if core.awaits_box(before):
                await expect_no_box(connection, before, now_ms)
            await audit.add(connection, note(after, before))
        self.wake.set()
        return after


def _check_identity(node: str, rows: list[identities.IdentityRecord]) -> None:
    live = [row for row in rows if row.state in LIVE]
    if any(row.state is IdentityState.QUARANTINED or row.quarantine for row in live):
        raise OrderRefusedError(f"{node} is in quarantine: roost node release {node}")
    if not live:
        raise OrderRefusedError(
            f"{node} is not enrolled: a node without an identity cannot check who orders"
        )


def _check_room(node: str, of_node: int, of_all: int) -> None:
    if of_node >= OPEN_OF_A_NODE_MAX:
        raise OrderRefusedError(f"{node} has {of_node} orders that have not ended, the most it may")
    if of_all >= OPEN_MAX:
        raise OrderRefusedError(f"{of_all} orders have not ended, the most there may be")
