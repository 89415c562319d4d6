"""Proof: a hostile broker has nothing done by orders, and what it tries is counted and told.

It holds all that was ever sent, the node's report key and an order key of its own; it repeats,
redirects, reorders, holds back, changes and makes up, across restarts of the node. What is done
must be what the centre ordered, each at most once, in its time. The node's door is the product's
own: the seal, the desk (orders/core.py) with its memory as bytes, and the child's check.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterator

from orders import HOUR_MS, NOW_MS, OrderPen
from proof import Proof

from roost_agent.orders import memory
from roost_agent.orders.core import (
    Act,
    Action,
    Addressee,
    Came,
    Check,
    Checked,
    Ended,
    Event,
    Keep,
    Kept,
    OrderDesk,
    Tell,
    Tick,
    Time,
)
from roost_agent.orders.verify import fault
from roost_protocol.errors import ProtocolError
from roost_protocol.order import OrderState, read_order, read_signed, signed_message
from roost_protocol.seal import Seal, is_sealed, report_key
from roost_protocol.topics import NodeTopics

MESSAGES = 200_000
SPAN = 10_000  # messages between two words of progress
STEP_MS = 6_000  # between messages, so that every one could have its child
NODE, OTHER = "lab.n1", "lab.n2"
GENERATION = 3
KEY = bytes(range(32))
PEN, FORGER = OrderPen(), OrderPen(b"\x66" * 32)
BOOT = bytes(16)

Trick = tuple[str, bytes, str]  # topic, message, the trick's name


class Node:
    """The door of one node, with the disk that outlives it."""

    def __init__(self) -> None:
        self.now_ms = 0
        self.acts: list[bytes] = []
        self.refused: Counter[str] = Counter()  # by the seal
        self.told: Counter[str] = Counter()
        self.late = self.forgotten = 0
        self.counted: Counter[str] = Counter()  # by desks before this one
        self.seal = Seal(report_key(KEY, NODE, GENERATION), GENERATION)
        self.disk: bytes | None = None
        self.restart()

    def restart(self) -> None:
        """End and begin again, with what the disk has."""
        if self.disk is not None:
            self.counted += self.desk.refused
            self.counted["repeated"] += self.desk.repeated
            self.forgotten += len(self.desk._waiting)  # the centre would send them again
        kept = None if self.disk is None else memory.load(self.disk)
        who = Addressee(NODE, GENERATION, BOOT, NOW_MS - HOUR_MS)
        self.desk = OrderDesk(who, kept)
        for taken in self.desk.interrupted:
            self._feed(Ended(taken.id, taken.seq, OrderState.FAILED, "interrupted"))

    def hear(self, topic: str, message: bytes) -> None:
        """Take in what the broker brings on the topic of orders."""
        if not is_sealed(message):
            self.refused["unsealed"] += 1
            return
        try:
            self._feed(Came(self.seal.open(topic, message)))
        except ProtocolError as err:
            self.refused[err.code] += 1

    def time(self, held_ms: int = 0) -> None:
        """Hear a receipt that the broker held back for a while."""
        self._feed(Time(NOW_MS + self.now_ms - held_ms))

    def tick(self) -> None:
        """Let a clock go on."""
        self._feed(Tick())

    def _feed(self, event: Event) -> None:
        actions: list[Action] = self.desk.handle(event, self.now_ms)
        while actions:
            action = actions.pop(0)
            actions += self._do(action)

    def _do(self, action: Action) -> list[Action]:
        match action:
            case Check(message):
                why = fault(message, (PEN.known(),))
                return self.desk.handle(Checked(not why, why), self.now_ms)
            case Keep(kept, told, begins):
                self.disk = memory.dump(kept)
                if told is not None:
                    self.told[told.code or str(told.state)] += 1
                return [] if begins is None else self.desk.handle(Kept(begins), self.now_ms)
            case Tell(told):
                self.told[told.code] += 1
                return []
            case Act(order):
                self.acts.append(order.id)
                self.late += NOW_MS + self.now_ms >= order.not_after_ms
                end = Ended(order.id, order.seq, OrderState.DONE)
                return self.desk.handle(end, self.now_ms)


def prove(say: Callable[[str], None], seed: int, share: float) -> Iterator[Proof]:
    """Try all tricks in any order."""
    runs = max(SPAN, round(MESSAGES * share))
    yield Proof(
        "orders.hostile",
        runs=runs,
        failures=_tried(say, random.Random(seed), runs),  # noqa: S311 - repeatable, not secret
        seed=seed,
        note="messages of a broker that repeats, redirects, holds back, changes and forges",
    )


def _tried(say: Callable[[str], None], dice: random.Random, runs: int) -> int:
    node, ordered, stock = Node(), {}, []
    topic = NodeTopics.of(NODE).order
    tries: Counter[str] = Counter()
    node.time()
    for number in range(runs):
        node.now_ms += STEP_MS
        if number % 50 == 0:  # the centre orders something; the broker may keep it for later
            order_id = dice.randbytes(16)
            span = {"not_before_ms": NOW_MS + node.now_ms}
            span["not_after_ms"] = span["not_before_ms"] + dice.choice((60_000, HOUR_MS))
            raw = PEN.write(
                id=order_id, node=NODE, generation=GENERATION, seq=span["not_before_ms"], **span
            )
            ordered[order_id] = span["not_after_ms"]
            stock.append(PEN.sign(raw))
            stock = stock[-100:]
            if dice.random() < 0.5:
                node.hear(topic, node.seal.seal(topic, stock[-1]))
                tries["genuine"] += 1
        where, message, name = dice.choice(TRICKS)(dice, node, stock)
        tries[name] += 1
        node.hear(where, message)
        if dice.random() < 0.05:
            node.time(dice.choice((0, 0, 10_000, HOUR_MS)))
        if dice.random() < 0.01:
            node.restart()
            node.time(dice.choice((0, HOUR_MS)))
        node.tick()
        if number % SPAN == 0:
            say(f"{number:,} of {runs:,}, {len(node.acts):,} genuine ones done")
    return _faults(say, node, ordered, tries)


def _faults(
    say: Callable[[str], None], node: Node, ordered: dict[bytes, int], tries: Counter[str]
) -> int:
    node.restart()  # so that every desk has been counted
    known = node.counted.total() + node.refused.total() + len(node.acts) + node.forgotten
    say(f"tried: {dict(tries)}")
    say(f"refused by the seal {dict(node.refused)}, by the desk {dict(node.counted)}")
    say(f"told: {dict(node.told)}")
    found = {
        "made up and done": sum(each not in ordered for each in node.acts),
        "done twice": len(node.acts) - len(set(node.acts)),
        "done late": node.late,
        "kinds never told": sum(not node.told[code] for code in TOLD),
        "kinds never refused by the seal": sum(not node.refused[code] for code in SEALED),
        "unaccounted for": abs(tries.total() - known),
        "nothing was done at all": int(not node.acts),  # a door that is always shut proves nothing
    }
    for what, count in found.items():
        if count:
            say(f"{what}: {count}")
    return sum(found.values())


def _forged(by: OrderPen, **changes: object) -> Callable[[random.Random, Node, list[bytes]], Trick]:
    """Return a trick: an order that the broker made up, sealed by a report key that it holds."""

    def trick(dice: random.Random, node: Node, _stock: list[bytes]) -> Trick:
        begin_ms = NOW_MS + node.now_ms + int(changes.get("shift_ms", 0))
        good = {
            "id": dice.randbytes(16), "node": NODE, "generation": GENERATION,
            "seq": begin_ms + HOUR_MS, "not_before_ms": begin_ms,
            "not_after_ms": begin_ms + HOUR_MS,
        }  # fmt: skip
        rest = {name: value for name, value in changes.items() if name != "shift_ms"}
        topic = NodeTopics.of(NODE).order
        name = f"made up, {', '.join(changes) or 'a key of its own'}"
        return topic, node.seal.seal(topic, by.message(**good | rest)), name

    return trick


def _sent(message: Callable[[random.Random, Node, bytes], Trick]) -> Callable[..., Trick]:
    """Return a trick on something that the centre sent."""

    def trick(dice: random.Random, node: Node, stock: list[bytes]) -> Trick:
        return message(dice, node, dice.choice(stock))

    return trick


def _again(_dice: random.Random, node: Node, sent: bytes) -> Trick:
    topic = NodeTopics.of(NODE).order
    return topic, node.seal.seal(topic, sent), "sent again or held back"


def _bare(_dice: random.Random, _node: Node, sent: bytes) -> Trick:
    return NodeTopics.of(NODE).order, sent, "its seal taken off"


def _redirected(dice: random.Random, node: Node, sent: bytes) -> Trick:
    topics = NodeTopics.of(dice.choice((NODE, OTHER)))
    of = dice.choice((NodeTopics.of(OTHER).order, topics.receipt))
    return NodeTopics.of(NODE).order, node.seal.seal(of, sent), "of another node or topic"


def _another_generation(dice: random.Random, _node: Node, sent: bytes) -> Trick:
    topic, generation = NodeTopics.of(NODE).order, dice.choice((1, 2, 4))
    seal = Seal(report_key(KEY, NODE, generation), generation)
    return topic, seal.seal(topic, sent), "of another generation"


def _altered(dice: random.Random, node: Node, sent: bytes) -> Trick:
    changed, topic = bytearray(sent), NodeTopics.of(NODE).order
    for _ in range(dice.randint(1, 3)):
        changed[dice.randrange(len(changed))] ^= dice.randint(1, 255)
    return topic, node.seal.seal(topic, bytes(changed)), "altered below the seal"


def _resigned(dice: random.Random, node: Node, sent: bytes) -> Trick:
    """Put a genuine signature over another order."""
    signed, topic = read_signed(sent), NodeTopics.of(NODE).order
    order = read_order(signed.order)
    raw = PEN.write(
        id=dice.randbytes(16), node=NODE, generation=GENERATION, seq=order.seq + HOUR_MS,
        not_before_ms=order.not_before_ms, not_after_ms=order.not_after_ms,
    )  # fmt: skip
    message = signed_message(raw, signed.signature, signed.key_id)
    return topic, node.seal.seal(topic, message), "another order under a genuine signature"


TOLD = ("signature", "audience", "verb", "expired", "replayed")
SEALED = ("mac", "kid", "unsealed")
TRICKS: tuple[Callable[..., Trick], ...] = (
    _sent(_again),
    _sent(_again),
    _sent(_bare),
    _sent(_redirected),
    _sent(_another_generation),
    _sent(_altered),
    _sent(_resigned),
    _forged(FORGER),
    _forged(FORGER, node=OTHER),
    _forged(PEN, node=OTHER),  # genuine, and for somebody else
    _forged(PEN, generation=GENERATION - 1),
    _forged(PEN, verb="wipe"),
    _forged(PEN, shift_ms=-2 * HOUR_MS),
    _forged(PEN, shift_ms=2 * HOUR_MS),
)
