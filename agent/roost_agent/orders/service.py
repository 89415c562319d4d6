"""Orders at work: the desk of core.py joined to the child, the outbox and the acts.

Nothing here waits in ``came`` or ``told_time``: they queue, ``run`` works.
"""

import asyncio
import logging
import sys
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from roost_agent.child import run as run_child
from roost_agent.errors import StorageError
from roost_agent.orders import core, memory
from roost_agent.orders.memory import Memory, Taken
from roost_agent.orders.verbs import HANDLERS
from roost_agent.orders.verbs.handler import ActError, LaterError, Node, Placed
from roost_agent.outbox.spool import Batch, Spool
from roost_agent.outbox.store import Entry
from roost_agent.ports import Clock
from roost_protocol.alarm import Event
from roost_protocol.codec import VERSION, pack
from roost_protocol.envelope import ItemKind, Lane
from roost_protocol.errors import ProtocolError
from roost_protocol.order import OrderState, OrderTold
from roost_protocol.severity import Severity

log = logging.getLogger(__name__)

NOTE: Final = "orders"
EVENTS_MAX: Final = 64  # messages and times not looked at yet; the centre repeats both
CHECK_S: Final = 30.0  # for a child on a loaded node
GENUINE, FORGED = 0, 3  # exit statuses of verify.py
CHILD_BYTES_MAX: Final = 256
RETRY_S: Final = 1.0  # after an outbox that took nothing
IDLE_S: Final = 3_600.0
FORGED_TYPE: Final = "200.811"
FORGED_EVERY_MS: Final = 60_000  # one event for all that came in between
CODES_MAX: Final = 8

Verify = Callable[[bytes], Awaitable[core.Checked]]


class Orders:
    """The orders of one node.

    Args:
        addressee: whom they must be for.
        spool: the outbox, which keeps the memory as well.
        clock: for waiting; no order is judged by it.
        node: what acts work with.
        verify: checks a signature.
    """

    def __init__(
        self,
        addressee: core.Addressee,
        spool: Spool,
        clock: Clock,
        node: Node,
        verify: Verify,
    ) -> None:
        self._addressee = addressee
        self._spool = spool
        self._clock = clock
        self._node = node
        self._verify = verify
        self._desk: core.OrderDesk | None = None
        self._events: deque[core.Event] = deque()
        self._actions: deque[core.Action] = deque()
        self._wake = asyncio.Event()
        self.dropped = 0  # events that found no room
        self._forged: Counter[str] = Counter()  # not told yet
        self._forged_due_ms = 0

    @property
    def counts(self) -> dict[str, int]:
        """Orders refused, by code, and how many came again."""
        if self._desk is None:
            return {}
        repeated = {"repeated": self._desk.repeated} if self._desk.repeated else {}
        return {**self._desk.refused, **repeated}

    def came(self, message: bytes) -> None:
        """Take in a message whose seal is off."""
        self._put(core.Came(message))

    def told_time(self, centre_ms: int) -> None:
        """Take in the centre's time (UTC ms), from a sealed message."""
        self._put(core.Time(centre_ms))

    def forged(self, code: str) -> None:
        """Note a message on the topic of orders that was refused for its seal."""
        self._forged[code] += 1
        self._wake.set()

    async def run(self) -> None:
        """Work until cancelled; the outbox is open."""
        kept = await self._load()
        who = core.Addressee(
            self._addressee.node,
            self._addressee.generation,
            self._addressee.boot_id,
            self._addressee.enrolled_ms,
            forgot=self._spool.began_anew,
        )
        self._desk = desk = core.OrderDesk(who, kept)
        async with asyncio.TaskGroup() as group:
            for taken in desk.interrupted:
                if (handler := HANDLERS.get(taken.verb)) and handler.goes_on is not None:
                    goes_on = self._go_on(taken, handler.goes_on)
                    group.create_task(goes_on, name=f"agent.orders.{taken.verb}")
                else:
                    self._decide(self._resumed(taken))
            while True:
                while self._events:
                    self._decide(self._events.popleft())
                while self._actions:
                    await self._do(self._actions.popleft(), group)
                if self._forged and self._clock.boot_ms() >= self._forged_due_ms:
                    await self._tell_forged()
                if not self._events:
                    await self._rest(desk)

    def _put(self, event: core.Event) -> None:
        if len(self._events) >= EVENTS_MAX:
            self.dropped += 1
            return
        self._events.append(event)
        self._wake.set()

    def _answer(self, event: core.Event) -> None:
        """Take in what an action of ours came to; there is always room for it."""
        self._events.append(event)
        self._wake.set()

    def _decide(self, event: core.Event) -> None:
        assert self._desk is not None  # noqa: S101 - run() made it
        self._actions.extend(self._desk.handle(event, self._clock.boot_ms()))

    async def _do(self, action: core.Action, group: asyncio.TaskGroup) -> None:
        match action:
            case core.Check(message):
                group.create_task(self._check(message), name="agent.orders.verify")
            case core.Keep(kept, told, begins):
                await self._append(kept, told, begins)
            case core.Tell(told):
                log.warning("order %s: refused: %s", told.id.hex(), told.text)
                await self._append(None, told, None)
            case core.Act():
                group.create_task(self._act(action), name=f"agent.orders.{action.order.verb}")

    async def _check(self, message: bytes) -> None:
        self._answer(await self._verify(message))

    async def _act(self, action: core.Act) -> None:
        order, handler = action.order, HANDLERS[action.order.verb]
        log.info("order %s: %s, by %s", order.id.hex(), order.verb, order.by)
        try:
            async with asyncio.timeout(handler.seconds):
                placed = Placed(order, action.message)
                text = await handler.act(action.verb, placed, self._node)
            end = core.Ended(order.id, order.seq, OrderState.DONE, "", text)
        except LaterError as err:
            end = core.Ended(order.id, order.seq, OrderState.DONE, err.code, str(err))
        except ActError as err:
            end = core.Ended(order.id, order.seq, OrderState.FAILED, err.code, str(err))
        except TimeoutError:
            text = f"not done within {handler.seconds:.0f} s"
            end = core.Ended(order.id, order.seq, OrderState.FAILED, "timeout", text)
        log.info("order %s: %s: %s", order.id.hex(), end.state, end.text)
        self._answer(end)

    def _resumed(self, taken: Taken) -> core.Ended:
        """Return how an order ended that ran when the agent did."""
        handler = HANDLERS.get(taken.verb)
        if handler is None or handler.resumed is None:
            text = "the agent ended meanwhile: whether it was done is not known"
            return core.Ended(taken.id, taken.seq, OrderState.FAILED, "interrupted", text)
        try:
            text = handler.resumed(taken, self._node)
        except LaterError as err:
            return core.Ended(taken.id, taken.seq, OrderState.DONE, err.code, str(err))
        except ActError as err:
            return core.Ended(taken.id, taken.seq, OrderState.FAILED, err.code, str(err))
        return core.Ended(taken.id, taken.seq, OrderState.DONE, "", text)

    async def _go_on(self, taken: Taken, goes_on: Callable[[Taken, Node], Awaitable[str]]) -> None:
        """Wait for the end of what another part of this agent goes on with."""
        try:
            text = await goes_on(taken, self._node)
            end = core.Ended(taken.id, taken.seq, OrderState.DONE, "", text)
        except ActError as err:
            end = core.Ended(taken.id, taken.seq, OrderState.FAILED, err.code, str(err))
        self._answer(end)

    async def _append(
        self, kept: Memory | None, told: OrderTold | None, begins: bytes | None
    ) -> None:
        """Put it on its way to disk, in the order of the desk, however long the disk refuses."""
        notes = {} if kept is None else {NOTE: memory.dump(kept)}
        entries = () if told is None else (self._entry(told),)

        def then(_lanes: object) -> None:
            if begins is not None:
                self._answer(core.Kept(begins))

        await self._kept(Batch(entries, notes, then))

    async def _kept(self, batch: Batch) -> None:
        while True:
            try:
                self._spool.append(batch)
            except StorageError as err:
                log.warning("orders: not kept yet: %s", err)
                await asyncio.sleep(RETRY_S)
            else:
                return

    def _entry(self, told: OrderTold) -> Entry:
        body, compressed = pack(told)
        return Entry(Lane.BULK, ItemKind.ORDER, self._clock.wall_ms(), body, compressed)

    async def _tell_forged(self) -> None:
        """Put one event into the outbox for all that was refused in between."""
        counts, self._forged = self._forged, Counter()
        self._forged_due_ms = self._clock.boot_ms() + FORGED_EVERY_MS
        codes = ", ".join(f"{count} {code}" for code, count in counts.most_common(CODES_MAX))
        event = Event(
            v=VERSION,
            type=FORGED_TYPE,
            severity=Severity.MAJOR,
            text=f"messages on the topic of orders that the centre did not send: {codes}",
            params={"count": counts.total(), "codes": codes},
        )
        body, compressed = pack(event)
        entry = Entry(Lane.BULK, ItemKind.EVENT, self._clock.wall_ms(), body, compressed)
        await self._kept(Batch((entry,), {}))

    async def _load(self) -> Memory | None:
        raw = await self._spool.note(NOTE)
        if raw is None:
            return None
        try:
            return memory.load(raw)
        except ProtocolError as err:
            log.warning("orders: what was remembered cannot be read: %s", err)
            self._spool.began_anew = True
            return None

    async def _rest(self, desk: core.OrderDesk) -> None:
        dues = [desk.due_ms(), self._forged_due_ms if self._forged else None]
        due_ms = min((each for each in dues if each is not None), default=None)
        wait_s = IDLE_S if due_ms is None else max(due_ms - self._clock.boot_ms(), 0) / 1000
        try:
            async with asyncio.timeout(wait_s):
                await self._wake.wait()
        except TimeoutError:
            self._events.append(core.Tick())
        self._wake.clear()


def by_child(state_dir: Path) -> Verify:
    """Return what checks signatures in a child that exits."""

    async def verify(message: bytes) -> core.Checked:
        words = [
            sys.executable,
            "-m",
            "roost_agent",
            "verify",
            "order",
            "--state-dir",
            str(state_dir),
        ]
        try:
            done = await run_child(words, seconds=CHECK_S, bytes_max=CHILD_BYTES_MAX, given=message)
        except (OSError, TimeoutError) as err:
            log.warning("orders: a signature was not checked: %s", str(err) or "it took too long")
            return core.Checked(None)
        why = done.why
        if done.status in {GENUINE, FORGED}:
            return core.Checked(done.status == GENUINE, why)
        log.warning("orders: a signature was not checked: %s", why)
        return core.Checked(None, why)

    return verify
