"""Which orders a node does: each check in its turn, the cheap ones first. Pure.

What comes here was sealed with the node's report key, so junk of a broker costs nothing. The last
check, of the signature, is made by a child (``Check``); then the order is kept on disk together
with the word that it was taken (``Keep``), and only then done (``Act``). One at a time.

Leaves to others: the seal (driver), the signature (verify.py), the disk and the acts (service.py).

Invariants:
- an order is done at most once, over restarts, and not after its end by the centre's own time;
- time is never this node's clock: it is the centre's, by that word of it which came fastest;
- nothing is done that was not on disk as taken; how it ended is told with what is remembered of it;
- what is refused changes nothing that is remembered.
"""

from collections import Counter, deque
from dataclasses import dataclass
from typing import Final, assert_never

from roost_agent.orders.memory import Memory, Taken
from roost_protocol.codec import VERSION
from roost_protocol.errors import ProtocolError
from roost_protocol.limits import ALARM_TEXT_BYTES_MAX, ORDER_EARLY_MS
from roost_protocol.order import (
    Order,
    OrderState,
    OrderTold,
    check_body,
    read_order,
    read_signed,
)
from roost_protocol.order_act import Act as Verb
from roost_protocol.order_backing import check_backing
from roost_protocol.order_verbs import act_of

WAITING_MAX: Final = 8  # the centre sends one after the other, so more are somebody's flood
CHECKS_MAX: Final = 10  # children at once, and
CHECK_MS: Final = 6_000  # one more in so many ms: ten a minute
REFUSALS_TOLD_MAX: Final = 10  # of orders that carry the seal, one more in CHECK_MS


@dataclass(frozen=True, slots=True)
class Came:
    """A message came, its seal is off."""

    message: bytes


@dataclass(frozen=True, slots=True)
class Time:
    """The centre said what time it is (UTC ms), in a message that was sealed."""

    centre_ms: int


@dataclass(frozen=True, slots=True)
class Checked:
    """The child's word on a signature; None: it could not say."""

    is_genuine: bool | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """That an order was taken is on disk."""

    order_id: bytes


@dataclass(frozen=True, slots=True)
class Ended:
    """How an order went; ``state`` is one of the ends."""

    order_id: bytes
    seq: int
    state: OrderState
    code: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Tick:
    """Time passed."""


Event = Came | Time | Checked | Kept | Ended | Tick


@dataclass(frozen=True, slots=True)
class Check:
    """Have a signature checked; ``message`` is a SignedOrder."""

    message: bytes


@dataclass(frozen=True, slots=True)
class Keep:
    """Put a memory and a word to the centre on disk, both or neither.

    Attributes:
        begins: the order that is done after it: ``Kept`` answers. None: nothing waits for it.
    """

    memory: Memory
    told: OrderTold | None = None
    begins: bytes | None = None


@dataclass(frozen=True, slots=True)
class Tell:
    """Put a word to the centre on disk."""

    told: OrderTold


@dataclass(frozen=True, slots=True)
class Act:
    """Do it; ``Ended`` answers. ``message`` is the SignedOrder, for whom must check it again."""

    order: Order
    verb: Verb
    message: bytes


Action = Check | Keep | Tell | Act


@dataclass(frozen=True, slots=True)
class Addressee:
    """Whom orders must be for.

    Attributes:
        enrolled_ms: when the centre made this generation (UTC ms): no order to it is older.
        forgot: what was remembered is lost, as far as is known.
    """

    node: str
    generation: int
    boot_id: bytes
    enrolled_ms: int
    forgot: bool = False


@dataclass(frozen=True, slots=True)
class _Waiting:
    message: bytes
    order: Order
    verb: Verb


class OrderDesk:
    """The orders of one node.

    Args:
        addressee: whom they must be for.
        memory: of the disk; None: there is none yet.
    """

    __slots__ = (
        "_checking",
        "_checks",
        "_keeping",
        "_offset_ms",
        "_refusals",
        "_running",
        "_waiting",
        "_who",
        "memory",
        "refused",
        "repeated",
    )

    def __init__(self, addressee: Addressee, memory: Memory | None) -> None:
        self.memory = memory
        self.refused: Counter[str] = Counter()  # by code
        self.repeated = 0  # orders that came again: the centre repeats, and so may a broker
        self._who = addressee
        self._waiting: deque[_Waiting] = deque()
        self._checking: _Waiting | None = None
        self._keeping: _Waiting | None = None  # taken, not on disk yet
        self._running: bytes | None = None
        self._offset_ms: int | None = None  # the centre's clock less ours, never too great
        self._checks = _Allowance(CHECKS_MAX)
        self._refusals = _Allowance(REFUSALS_TOLD_MAX)

    def check_invariants(self) -> None:
        """Assert what holds after every event."""
        busy = (self._checking, self._keeping, self._running)
        assert sum(each is not None for each in busy) <= 1  # noqa: S101 - a programmer's error
        assert len(self._waiting) <= WAITING_MAX  # noqa: S101 - as above

    @property
    def interrupted(self) -> list[Taken]:
        """What ran when the agent ended, and is not told."""
        taken = () if self.memory is None else self.memory.taken
        return [each for each in taken if each.is_running and each.id != self._running]

    def due_ms(self) -> int | None:
        """Return when a Tick is due; None: never."""
        return self._checks.due_ms() if self._waiting and self._is_free else None

    def handle(self, event: Event, now_ms: int) -> list[Action]:
        """Return what is to be done.

        Args:
            event: what happened.
            now_ms: of a clock that never steps.
        """
        match event:
            case Came(message):
                actions = self._came(message, now_ms)
            case Time(centre_ms):
                actions = self._timed(centre_ms, now_ms)
            case Checked():
                actions = self._checked(event, now_ms)
            case Kept(order_id):
                actions = self._kept(order_id, now_ms)
            case Ended():
                actions = self._ended(event)
            case Tick():
                actions = []
            case _:
                assert_never(event)
        return actions + self._next(now_ms)

    @property
    def _is_free(self) -> bool:
        return self._checking is None and self._keeping is None and self._running is None

    def _came(self, message: bytes, now_ms: int) -> list[Action]:
        try:
            signed = read_signed(message)
            order = read_order(signed.order)
        except ProtocolError as err:
            self.refused[err.code] += 1
            return []
        if self._is_known(order):
            self.repeated += 1
            return []
        try:
            verb = self._judged(order, now_ms)
            check_body(verb, signed.body)
        except ProtocolError as err:
            return self._refuse(order, err.code, str(err), now_ms)
        if len(self._waiting) >= WAITING_MAX:
            self.refused["busy"] += 1  # not told: the centre sends it again
            return []
        self._waiting.append(_Waiting(message, order, verb))
        return []

    def _is_known(self, order: Order) -> bool:
        at_hand = [*self._waiting, self._checking, self._keeping]
        same = any(each is not None and each.order == order for each in at_hand)
        return same or (self.memory is not None and self.memory.knows(order.id))

    def _judged(self, order: Order, now_ms: int) -> Verb:
        """Return what an order is to do, as far as can be said without its signature.

        Raises:
            ProtocolError: why not.
        """
        who = self._who
        if (order.node, order.generation) != (who.node, who.generation):
            got = f"{order.node}, generation {order.generation}"
            bound = f"{who.node}, generation {who.generation}"
            raise ProtocolError("audience", field="node", got=got, bound=bound)
        if self.memory is not None and order.seq <= self.memory.last_seq:
            bound = f"more than {self.memory.last_seq}"
            raise ProtocolError("replayed", field="seq", got=order.seq, bound=bound)
        self._check_time(order, now_ms)
        act = act_of(order.verb, order.given)
        check_backing(act, order)
        return act

    def _check_time(self, order: Order, now_ms: int) -> None:
        if self._offset_ms is None:
            return  # it waits until the centre has told the time
        centre_ms = now_ms + self._offset_ms
        if centre_ms >= order.not_after_ms:
            late_s = (centre_ms - order.not_after_ms) // 1_000
            raise ProtocolError("expired", field="not_after_ms", detail=f"{late_s} s ago")
        if centre_ms < order.not_before_ms - ORDER_EARLY_MS:
            early_s = (order.not_before_ms - centre_ms) // 1_000
            raise ProtocolError("early", field="not_before_ms", detail=f"in {early_s} s")

    def _timed(self, centre_ms: int, now_ms: int) -> list[Action]:
        offset_ms = centre_ms - now_ms
        if self._offset_ms is None or offset_ms > self._offset_ms:
            self._offset_ms = offset_ms  # a message that was held back tells an earlier time
        if self.memory is not None:
            return []
        # Nothing is older than the identity; who has lost its memory takes nothing of before.
        floor_ms = centre_ms if self._who.forgot else self._who.enrolled_ms
        self.memory = Memory(max(floor_ms - 1, 0))
        return [Keep(self.memory)]

    def _next(self, now_ms: int) -> list[Action]:
        """Take up the next order, where nothing is in hand and the time is known."""
        actions: list[Action] = []
        while self._waiting and self._is_free and self._offset_ms is not None:
            head = self._waiting[0]
            if self.memory is not None and self.memory.knows(head.order.id):
                self._waiting.popleft()  # signed anew, it waited behind itself
                self.repeated += 1
                continue
            try:
                self._judged(head.order, now_ms)
            except ProtocolError as err:
                self._waiting.popleft()
                actions += self._refuse(head.order, err.code, str(err), now_ms)
                continue
            if not self._checks.take(now_ms):
                break
            self._checking = self._waiting.popleft()
            actions.append(Check(head.message))
        return actions

    def _checked(self, event: Checked, now_ms: int) -> list[Action]:
        taken, self._checking = self._checking, None
        if taken is None or self.memory is None:
            return []
        if event.is_genuine is None:
            self.refused["unchecked"] += 1  # not told: the centre sends it again
            return []
        if not event.is_genuine:
            return self._refuse(taken.order, "signature", event.why, now_ms)
        try:
            self._check_time(taken.order, now_ms)
        except ProtocolError as err:
            return self._refuse(taken.order, err.code, str(err), now_ms)
        self.memory = self.memory.begun(taken.order, self._who.boot_id)
        self._keeping = taken
        told = _told(taken.order.id, taken.order.seq, OrderState.TAKEN)
        return [Keep(self.memory, told, begins=taken.order.id)]

    def _kept(self, order_id: bytes, now_ms: int) -> list[Action]:
        taken = self._keeping
        if taken is None or taken.order.id != order_id:
            return []
        self._keeping = None
        self._running = taken.order.id
        try:
            self._check_time(taken.order, now_ms)  # a disk may have refused for long
        except ProtocolError as err:
            self.refused[err.code] += 1
            end = Ended(taken.order.id, taken.order.seq, OrderState.REFUSED, err.code, str(err))
            return self._ended(end)
        return [Act(taken.order, taken.verb, taken.message)]

    def _ended(self, event: Ended) -> list[Action]:
        if self._running == event.order_id:
            self._running = None
        if self.memory is None:
            return []
        self.memory = self.memory.ended(event.order_id)
        told = _told(event.order_id, event.seq, event.state, event.code, event.text)
        return [Keep(self.memory, told)]

    def _refuse(self, order: Order, code: str, text: str, now_ms: int) -> list[Action]:
        self.refused[code] += 1
        if not self._refusals.take(now_ms):
            return []
        return [Tell(_told(order.id, order.seq, OrderState.REFUSED, code, text))]


class _Allowance:
    """So many at once, then one in CHECK_MS."""

    __slots__ = ("_free_ms", "_most")

    def __init__(self, most: int) -> None:
        self._most = most
        self._free_ms: int | None = None  # when all of it is there again

    def take(self, now_ms: int) -> bool:
        """Take one, where there is one."""
        free_ms = max(now_ms, now_ms if self._free_ms is None else self._free_ms)
        if free_ms - now_ms > (self._most - 1) * CHECK_MS:
            return False
        self._free_ms = free_ms + CHECK_MS
        return True

    def due_ms(self) -> int | None:
        """Return when there is one again, None where there was one all along."""
        return None if self._free_ms is None else self._free_ms - (self._most - 1) * CHECK_MS


def _told(
    order_id: bytes, seq: int, state: OrderState, code: str = "", text: str = ""
) -> OrderTold:
    short = text.encode()[:ALARM_TEXT_BYTES_MAX].decode(errors="ignore")
    return OrderTold(v=VERSION, id=order_id, seq=seq, state=state, code=code[:64], text=short)
