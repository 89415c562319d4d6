"""What a coordinator does about a host that stays silent: has its board controller reset it. Pure.

The last rung of hosts.md section 6. Leaves to others: who is lost (site), the controller and how
often it may be asked, and the look at lease and storm right before the order leaves (resetting).

Invariants:
- no reset without an epoch of ``site``, none while several hosts are silent together or the site
  powers up, none earlier than AFTER_MS after the loss;
- one loss is worth one reset: what was ordered, or may have been, is not ordered again, and a turn
  that began so late that another coordinator may have done it gives up;
- none where machines of the site were acted on often enough this hour (bmc/budget): it waits.
"""

from collections.abc import Collection
from enum import Enum, auto
from typing import Final, assert_never

import msgspec

from roost_agent.host.moment import Moment

AFTER_MS: Final = 300_000  # after the loss (StarlingX's)
TRIES: Final = 10  # of an order that the controller did not take, TRY_MS apart (StarlingX's)
TRY_MS: Final = 10_000
BOOT_MS: Final = 1_200_000  # until a machine that was reset is heard (StarlingX's of a controller)
SKEW_MS: Final = 30_000  # by which two hosts may note one loss apart from each other


class Lost(msgspec.Struct, frozen=True):
    """A host in service whose heartbeat is lost; ``since_ms`` by the boot clock."""

    node: str
    since_ms: int


class Tick(msgspec.Struct, frozen=True):
    """How it is now.

    Attributes:
        epoch: of ``site``, where this node holds it.
        lost: the hosts that are.
        held_back: why nothing is done about any of them; empty: nothing holds back.
        boards: hosts whose controllers are known here.
        is_spent: no machine of the site may be acted on now.
    """

    epoch: int | None
    lost: tuple[Lost, ...] = ()
    held_back: str = ""
    boards: Collection[str] = ()
    is_spent: bool = False


class Answered(msgspec.Struct, frozen=True):
    """What came of a reset.

    Attributes:
        why: it was not read; empty: it was.
        may_have_been: it was ordered, or nobody knows.
        is_early: nobody was asked: no machine may be acted on now.
    """

    node: str
    why: str = ""
    may_have_been: bool = False
    is_early: bool = False


Event = Tick | Answered


class Reset(msgspec.Struct, frozen=True):
    """Have a controller reset a host."""

    node: str
    epoch: int


class _Phase(Enum):
    WAITS = auto()
    ASKED = auto()
    ORDERED = auto()
    OVER = auto()


class _Case(msgspec.Struct):
    since_ms: int
    phase: _Phase = _Phase.WAITS
    tries: int = 0
    due_ms: int = 0
    why: str = ""


class Resets:
    """See the module."""

    def __init__(self) -> None:
        self._cases: dict[str, _Case] = {}  # of each host its last loss
        self._lost: frozenset[str] = frozenset()
        self._epoch: int | None = None
        self._turn_ms = 0

    def task(self, node: str) -> str:
        """Return what is under way with a host; empty: nothing yet, or nothing any more."""
        case = self._cases.get(node)
        if case is None or node not in self._lost or case.phase is _Phase.OVER:
            return ""
        if case.phase is _Phase.ORDERED:
            return "reset by its board controller, boots"
        return f"is reset: try {case.tries} of {TRIES}" if case.tries else ""

    def gave_up(self, node: str) -> str:
        """Return why nothing more is done about a host; empty: that is not so."""
        case = self._cases.get(node)
        is_over = case is not None and node in self._lost and case.phase is _Phase.OVER
        return case.why if case is not None and is_over else ""

    def handle(self, event: Event, now: Moment) -> list[Reset]:
        """Take in one event and return what is to be done."""
        match event:
            case Tick():
                return self._tick(event, now)
            case Answered():
                self._answered(event, now)
                return []
            case _:
                assert_never(event)

    # -- the parts -----------------------------------------------------------------------------

    def _tick(self, tick: Tick, now: Moment) -> list[Reset]:
        if tick.epoch != self._epoch:
            self._epoch, self._turn_ms = tick.epoch, now.ms
        lost = {each.node: each.since_ms for each in tick.lost}
        self._lost = frozenset(lost)
        for node, since_ms in lost.items():  # who speaks for a second and is lost still keeps its
            case = self._cases.get(node)  # case: it is the same loss
            if case is None or case.since_ms != since_ms:
                self._cases[node] = _Case(since_ms)
        if tick.epoch is None:
            return []
        found = (self._step(node, tick.epoch, tick, now) for node in lost)
        return [each for each in found if each is not None]

    def _step(self, node: str, epoch: int, tick: Tick, now: Moment) -> Reset | None:
        case = self._cases[node]
        if case.phase is _Phase.ORDERED and now.ms >= case.due_ms:
            self._give_up(case, f"it was not heard {BOOT_MS // 1000} s after its reset")
        is_early = now.ms - case.since_ms < AFTER_MS
        if case.phase is not _Phase.WAITS or tick.held_back or is_early or now.ms < case.due_ms:
            return None
        if why := self._why_not(case, node, tick):
            self._give_up(case, why)
            return None
        if tick.is_spent:
            return None  # it waits for its turn
        case.phase, case.tries = _Phase.ASKED, case.tries + 1
        return Reset(node, epoch)

    def _why_not(self, case: _Case, node: str, tick: Tick) -> str:
        if node not in tick.boards:
            return "no board controller of it is known here"
        if self._turn_ms - case.since_ms >= AFTER_MS - SKEW_MS:
            return "the coordinator before this one may have reset it"
        return case.why if case.tries >= TRIES else ""

    def _answered(self, event: Answered, now: Moment) -> None:
        case = self._cases.get(event.node)
        if case is None or case.phase is not _Phase.ASKED:
            return  # another loss began meanwhile
        if event.is_early:
            case.tries -= 1
        if not event.why or event.may_have_been:
            case.phase, case.due_ms = _Phase.ORDERED, now.ms + BOOT_MS
        else:
            case.phase, case.due_ms, case.why = _Phase.WAITS, now.ms + TRY_MS, event.why

    def _give_up(self, case: _Case, why: str) -> None:
        case.phase, case.why = _Phase.OVER, why
