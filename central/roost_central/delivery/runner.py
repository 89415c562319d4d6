"""Brings nodes what they should be: looks at who differs, places orders, raises 250.001.

The cores decide (core.py, late.py); orders/runner.py has orders signed and sent. What counts is in
storage: the heads of what nodes should be, the orders, and the last attempt for each node; a centre
that was killed goes on from there. Bounded by the fleet in memory and by IN_FLIGHT_MAX in orders.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Collection, Iterable
from dataclasses import replace
from typing import Final

from roost_central.access.chain import Act
from roost_central.alarms.book import AlarmBook
from roost_central.delivery import core
from roost_central.delivery.core import Attempt, Outcome, Standing, Step, Target, Word
from roost_central.delivery.late import OUT_OF_DATE, LateWatch
from roost_central.delivery.wanted import NOBODY_WAITS, Held, WantedNow
from roost_central.errors import StorageError
from roost_central.fleet.view import Changes, FleetView
from roost_central.orders import core as orders_core
from roost_central.orders.core import OrderMoveError, OrderRecord, State
from roost_central.orders.desk import ID_BYTES
from roost_central.pace import Pace
from roost_central.ports import Clock, Entropy
from roost_central.storage import audit, delivery, orders
from roost_central.storage.engine import Database
from roost_protocol.order_verbs import Configure
from roost_protocol.topics import split_node_id

logger = logging.getLogger(__name__)

LOOK_S: Final = 1.0
REST: Final = 10  # a fleet that waits costs a tenth of a core
SLICE: Final = 500  # nodes before other tasks get the loop: some 10 ms
BY: Final = "central"  # whose orders these are: who changed what a node should be stands there
HEARD: Final = frozenset({"online", "degraded"})

_OVER: Final = frozenset({Outcome.DONE, Outcome.FAILED, Outcome.MISSED})

Hears = Callable[[str], int | None]  # node -> the generation that it speaks with


class NothingWantedError(Exception):
    """A node has no settings to be told; the text says so."""


class DeliveryRunner:
    """Works on the nodes that are not what they should be.

    Attributes:
        hears: says with which generation a node speaks.
        wake_orders: has the orders looked at now.
        held: the nodes that rollouts of profiles hold back.
    """

    def __init__(
        self,
        database: Database,
        view: FleetView,
        book: AlarmBook,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self.hears: Hears = lambda _node: None
        self.wake_orders: Callable[[], None] = lambda: None
        self.held: Held = NOBODY_WAITS
        self.wake = asyncio.Event()
        self._database = database
        self._view = view
        self._book = book
        self._clock = clock
        self._entropy = entropy
        self._wanted = WantedNow(database)
        self._attempts: dict[str, Attempt] = {}
        self._open: dict[str, None] = {}  # nodes with something to do, or to wait for
        self._queue: list[str] = []
        self._is_queue_old = True
        self._stale: set[str] | None = None  # whose head is to be read anew; None: all
        self._late = LateWatch()
        self._turning = asyncio.Lock()

    def desired_changed(self, nodes: Iterable[str]) -> None:
        """Take in that nodes should be something else, or that somebody wants one told again."""
        if self._stale is not None:
            self._stale.update(nodes)
        self.wake.set()

    async def run(self) -> None:
        """Work until cancelled."""
        rows = (row for row in self._book.open_alarms() if row.type == OUT_OF_DATE)
        self._late = LateWatch({row.node: row.severity for row in rows if row.node})
        with self._view.listen() as changes:
            pace = Pace(self.wake, REST)
            while True:
                pace.begin()
                try:
                    await self.turn(changes)
                except StorageError as err:
                    logger.warning("what nodes should be is not told yet: %s", err)
                await pace.rest(LOOK_S)

    async def turn(self, changes: Changes) -> None:
        """Do what is to be done now, once.

        Raises:
            StorageError: it is done with the next turn.
        """
        async with self._turning:
            await self._turn(changes)

    async def place_now(self, node: str, generation: int) -> str:
        """Order the settings of a box that is just being given an identity; return the order.

        Empty where it should have none. Its site's other nodes are not waited for: it serves
        nothing yet. What the box before it took is at an end.

        Args:
            node: whose.
            generation: of the identity.

        Raises:
            StorageError: it cannot be written now.
        """
        async with self._turning:
            await self._read_wanted()
            target = self._wanted.target(node, self.held)
            if target is None:
                return ""
            before = self._attempts.get(node) or Attempt(node)
            now_ms = self._clock.wall_ms()
            async with self._database.write() as connection:
                if before.outcome is Outcome.UNDER_WAY:
                    former = await orders.find(connection, before.order)
                    is_same = before.digest == target.digest
                    if is_same and former is not None and former.state is State.READY:
                        return former.id
                    if former is not None and former.state in orders_core.OPEN:
                        why = f"generation {generation} of its identity was handed out"
                        end = orders_core.ended(former, State.FAILED, "interrupted", why, now_ms)
                        await orders.save(connection, end)
                order = self._order(node, target, now_ms)
                attempt = core.placed(before, order.id, target, now_ms)
                await orders.save(connection, order)
                await delivery.save(connection, [attempt])
            self._attempts[node] = attempt
            self._look(node, now_ms)
            return order.id

    async def force(self, node: str, act: Act) -> None:
        """Have a node told its settings again, whatever it says and however often it failed.

        Args:
            node: whose.
            act: the row of the audit log.

        Raises:
            NothingWantedError: no profile is for it.
            StorageError: it cannot be written now.
        """
        async with self._turning:
            await self._read_wanted()
            if self._wanted.target(node, self.held) is None:
                raise NothingWantedError(f"no profile is for {node}: there is nothing to apply")
            attempt = replace(self._attempts.get(node) or Attempt(node), is_forced=True)
            async with self._database.write() as connection:
                await delivery.save(connection, [attempt])
                await audit.add(connection, act)
            self._attempts[node] = attempt
            self._look(node, self._clock.wall_ms())
        self.wake.set()

    async def _turn(self, changes: Changes) -> None:
        news = changes.drain()
        looked_at = {*news.nodes, *await self._read_wanted()}
        if news.structure:
            looked_at |= self._view.nodes.keys()
            self._forget_gone()
        looked_at |= await self._read_ended()
        now_ms = self._clock.wall_ms()
        async for node in sliced(looked_at):
            self._look(node, now_ms)
        to_place: list[str] = []
        to_take_back: list[str] = []
        async for node in sliced(self._in_turn()):
            match self._look(node, now_ms):
                case Step.PLACE:
                    to_place.append(node)
                case Step.TAKE_BACK:
                    to_take_back.append(node)
                case None:
                    pass
        await self._take_back(to_take_back, now_ms)
        await self._place(to_place, now_ms)

    @property
    def is_read(self) -> bool:
        """Whether what nodes should be, and were told, is at hand."""
        return self._stale is not None

    def newest(self, node: str, past: int) -> Target | None:
        """Return what a node should be once nobody holds it back; None: not read yet.

        Args:
            node: whose.
            past: the generation that it had; a later one counts.
        """
        head = self._wanted.heads.get(node)
        if head is None or head.generation <= past:
            return None
        return self._wanted.target(node, NOBODY_WAITS)

    def word(self, node: str) -> Word:
        """Return where a node stands with what it should be now."""
        return core.word(self.standing(node), self._clock.wall_ms())

    async def renew(self, nodes: Iterable[str]) -> None:
        """Have nodes told again what they refused: another attempt of their rollout begins.

        Raises:
            StorageError: it cannot be written now.
        """
        async with self._turning:
            known = [self._attempts[node] for node in nodes if node in self._attempts]
            fresh = [Attempt(each.node) for each in known if each.outcome in _OVER]
            async with self._database.write() as connection:
                await delivery.save(connection, fresh)
            self._attempts |= {each.node: each for each in fresh}
        self.desired_changed([each.node for each in fresh])

    def standing(self, node: str) -> Standing:
        """Return what is known of a node."""
        row = self._view.nodes[node]
        said = row.config.applied_digest
        return Standing(
            self._wanted.target(node, self.held),
            None if said is None else bytes.fromhex(said),
            self._attempts.get(node) or Attempt(node),
            row.presence in HEARD
            and self.hears(node) is not None
            and self._view.sites[row.site].managed,  # else it is left alone
        )

    async def _read_wanted(self) -> Collection[str]:
        """Read what nodes should be where that is another; return these nodes."""
        stale, self._stale = self._stale, set()
        if stale is not None and not stale:
            return ()
        try:
            nodes = await self._wanted.read(stale)
            async with self._database.read() as connection:
                if stale is None:
                    self._attempts = await delivery.load(connection)
                else:
                    self._attempts |= await delivery.load(connection, stale)
        except StorageError:
            self._stale = None if stale is None or self._stale is None else self._stale | stale
            raise
        return nodes if stale is not None else self._view.nodes.keys()

    async def _read_ended(self) -> set[str]:
        """Take in which orders have ended; return their nodes."""
        waiting = {attempt.order: node for node, attempt in self._under_way()}
        if not waiting:
            return set()
        now_ms = self._clock.wall_ms()
        async with self._database.read() as connection:
            found = await orders.by_ids(connection, waiting.keys())
        ended = [
            after
            for order, node in waiting.items()
            if (after := core.ended(self._attempts[node], found.get(order), now_ms))
        ]
        if ended:
            async with self._database.write() as connection:
                await delivery.save(connection, ended)
            self._attempts |= {each.node: each for each in ended}
        return {each.node for each in ended}

    def _under_way(self) -> list[tuple[str, Attempt]]:
        """Return the nodes whose orders have not ended."""
        return [
            (node, attempt)
            for node in self._open
            if (attempt := self._attempts.get(node)) and attempt.outcome is Outcome.UNDER_WAY
        ]

    async def _take_back(self, nodes: Collection[str], now_ms: int) -> None:
        """Take back orders that wait for documents that are not wanted any more."""
        unwanted = [self._attempts[node].order for node in nodes]
        if not unwanted:
            return
        async with self._database.write() as connection:
            found = await orders.by_ids(connection, unwanted)
            for record in found.values():
                try:
                    after = orders_core.cancel(record, "another document is wanted", now_ms)
                except OrderMoveError:
                    continue  # the node has it: its word is waited for
                await orders.save(connection, after)

    async def _place(self, nodes: Collection[str], now_ms: int) -> None:
        if not nodes:
            return
        under_way: dict[str, int] = {}
        for node in self._open:
            attempt = self._attempts.get(node)
            if attempt is None or not (attempt.is_tried or attempt.outcome is Outcome.UNDER_WAY):
                continue
            if node in self._view.nodes and core.takes_slot(self.standing(node), now_ms):
                site = split_node_id(node)[0]
                under_way[site] = under_way.get(site, 0) + 1
        made: list[tuple[OrderRecord, Attempt]] = []
        for node in core.chosen(iter(nodes), under_way, sum(under_way.values())):
            target = self._wanted.target(node, self.held)
            if target is None:
                continue  # there would have been no step
            order = self._order(node, target, now_ms)
            before = self._attempts.get(node) or Attempt(node)
            made.append((order, core.placed(before, order.id, target, now_ms)))
        if not made:
            return
        async with self._database.write() as connection:
            await orders.save(connection, *(order for order, _ in made))
            await delivery.save(connection, [attempt for _, attempt in made])
        self._attempts |= {attempt.node: attempt for _, attempt in made}
        self.wake_orders()

    def _order(self, node: str, target: Target, now_ms: int) -> OrderRecord:
        return OrderRecord(
            id=self._entropy.token(ID_BYTES).hex(),
            node=node,
            site=split_node_id(node)[0],
            verb=Configure.verb,
            given={"digest": target.digest.hex(), "desired": str(target.generation)},
            reason=f"generation {target.generation}",
            by=BY,
            placed_ms=now_ms,
            not_after_ms=now_ms + core.LIFE_MS,
            state=State.READY,
            changed_ms=now_ms,
        )

    def _in_turn(self) -> list[str]:
        """Return the nodes to work on, in the order in which they are told."""
        if self._is_queue_old:
            self._queue = core.in_turn(self._open)
            self._is_queue_old = False
        return self._queue

    def _look(self, node: str, now_ms: int) -> Step | None:
        """Show where a node stands, keep or drop it among those to work on; return what to do."""
        row = self._view.nodes.get(node)
        if row is None:
            self._drop(node)
            self._late.forget(node)
            return None
        standing = self.standing(node)
        word = core.word(standing, now_ms)
        step = core.step(standing, now_ms)
        is_idle = step is None and word in {Word.NONE, Word.UNABLE, Word.IN_SYNC}
        if is_idle and standing.attempt.outcome is not Outcome.UNDER_WAY:
            self._drop(node)
        elif node not in self._open:
            self._open[node] = None
            self._is_queue_old = True
        self._tell(node, standing)
        head = self._wanted.heads.get(node)
        shown = row.config
        after = replace(
            shown,
            state=word,
            desired_gen=head.generation if head is not None and head.generation else None,
            profiles=self._wanted.profiles(node),
            held_by=self.held.change_of(node),
            why=_why(standing.attempt) if word in {Word.FAILED, Word.WAITING} else "",
        )
        if after != shown:
            row.config = after
            self._view.touch_node(node)
        return step

    def _tell(self, node: str, standing: Standing) -> None:
        """Raise or clear the alarm."""
        applied = self._view.nodes[node].config.applied_gen or 0
        alarm = self._late.note(node, standing, applied, self._clock.mono_ms())
        if alarm is not None:
            self._book.signal(alarm)

    def _drop(self, node: str) -> None:
        if node in self._open:
            del self._open[node]
            self._is_queue_old = True

    def _forget_gone(self) -> None:
        for node in [each for each in self._open if each not in self._view.nodes]:
            self._drop(node)
            self._late.forget(node)


async def sliced(nodes: Iterable[str]) -> AsyncIterator[str]:
    """Give nodes, and others the loop every SLICE of them."""
    for number, node in enumerate(nodes, start=1):
        yield node
        if not number % SLICE:
            await asyncio.sleep(0)


def _why(attempt: Attempt) -> str:
    """Return why a node is not what it should be, in a sentence."""
    if attempt.is_tried:
        return "it was tried and did not stay: what the node reports says why"
    if attempt.outcome is Outcome.DONE and not attempt.waits_for_window:
        return "it said that it was done, and says another digest"
    return attempt.text or attempt.code
