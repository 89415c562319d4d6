"""Fencing as one node decides it: the ladder of asking, reading, switching off, and an operator.

Leaves to others: who may hold a lease (lease, voter), devices and credentials (driver), disks.

Invariants (design: ha, 8; I11):
- nobody is switched off but with the right to (right.py), judged at the moment of the order and
  after the attempt was counted on disk, ATTEMPTS_MAX for an act and HOURLY_MAX of a site;
- a node counts as off after two readings that say so, at least CONFIRM_MS apart, by a device that
  says it is that node's;
- what this node switched off stays off until its leases have another holder, or KEEP_OFF_MS have
  passed, and is switched on then; what it found off stays off.
"""

from collections.abc import Iterable, Mapping
from typing import Final, assert_never

from roost_agent.ha.fence.event import (
    Case,
    Drive,
    Driven,
    Effect,
    Elsewhere,
    Event,
    KeepFailed,
    Kept,
    Power,
    Situation,
    Tick,
    Verb,
)
from roost_agent.ha.fence.ladder import Ladder
from roost_agent.ha.fence.right import off_refusal, reading_refusal
from roost_agent.ha.fence.trial import Trials

FENCED_MAX: Final = 64  # boots of other nodes' fencing that are remembered


class FenceCore:
    """See the module.

    Args:
        me: this node.
        uuids: node to its machine's UUID, empty where its device need not say; whoever stands
            here has a fence.
        spent_ms: attempts of before, on the boot clock.
        off: nodes that an agent before this one switched off, and not on again.
        now_ms: the boot clock.
    """

    def __init__(
        self,
        me: int,
        uuids: Mapping[int, str],
        *,
        spent_ms: Iterable[int] = (),
        off: Iterable[int] = (),
        now_ms: int = 0,
    ) -> None:
        self.trials = Trials(uuids)
        self._me = me
        self._uuids = uuids
        self._ladder = Ladder(me, uuids, self.trials, spent_ms=spent_ms, off=off, now_ms=now_ms)
        self._trying: dict[int, int] = {}  # token -> node of a trial
        self._fenced: list[tuple[int, bytes]] = []

    @property
    def doing(self) -> str:
        """What it does now, for people; empty for nothing."""
        act = self._ladder.act
        return "" if act is None else f"node {act.node}: {act.phase}"

    @property
    def off(self) -> frozenset[int]:
        """Nodes that were switched off, and not on again."""
        return frozenset(self._ladder.off)

    def spent(self, now_ms: int) -> int:
        """Return how many attempts count now."""
        return len(self._ladder.budget.spent_ms(now_ms))

    def reads_on(self, node: int, now_ms: int) -> bool:
        """Return whether a node that should be off was read to have power, and that of late."""
        return self._ladder.reads_on(node, now_ms)

    def handle(self, event: Event, now_ms: int) -> list[Effect]:
        """Take in one event and return what is to be done, in order.

        Args:
            event: what happened.
            now_ms: the boot clock.
        """
        ladder = self._ladder
        match event:
            case Situation():
                ladder.now = event
                self._look(now_ms)
            case Tick(jitter):
                self._tick(jitter, now_ms)
            case Driven():
                if event.token in self._trying:
                    self._tried(self._trying.pop(event.token), event, now_ms)
                ladder.driven(event, now_ms)
            case Kept(token):
                ladder.kept(token, "", now_ms)
            case KeepFailed(token, why):
                ladder.kept(token, why, now_ms)
            case Elsewhere(node, boot):
                if (node, boot) not in self._fenced:
                    self._fenced = [*self._fenced, (node, boot)][-FENCED_MAX:]
                    ladder.budget.spend(now_ms)
            case _:
                assert_never(event)
        out, ladder.out = ladder.out, []
        return out

    def due_ms(self, now_ms: int) -> int | None:
        """Return when the next Tick is needed, None when nothing is waited for."""
        ladder = self._ladder
        if ladder.act is not None:
            return ladder.act.due_ms
        waits = [self.trials.due_ms(now_ms)]
        waits += [ladder.retry_ms.get(case.node, now_ms) for case in self._open_cases()]
        waits += [ladder.lift_ms] * bool(ladder.off - self._waiting())
        return min((each for each in waits if each is not None), default=None)

    # -- when ----------------------------------------------------------------------------------

    def _open_cases(self) -> list[Case]:
        """Return the cases that could be acted on, those that may be switched off first."""
        now = self._ladder.now
        known = (case for case in now.cases if case.node in self._uuids)
        found = [each for each in known if not reading_refusal(self._me, each, now)]
        return sorted(found, key=lambda case: bool(off_refusal(self._me, case, now)))

    def _waiting(self) -> set[int]:
        return {case.node for case in self._ladder.now.cases}

    def _look(self, now_ms: int) -> None:
        ladder = self._ladder
        ladder.look(now_ms)
        waiting = self._waiting()
        ladder.retry_ms = {node: ms for node, ms in ladder.retry_ms.items() if node in waiting}
        if not waiting:
            ladder.tell_no_proof("")

    def _tick(self, jitter: float, now_ms: int) -> None:
        act = self._ladder.act
        if act is None:
            self._try(jitter, now_ms)
            self._begin(now_ms)
        elif act.due_ms is not None and now_ms >= act.due_ms:
            self._ladder.step(act, now_ms)

    def _begin(self, now_ms: int) -> None:
        ladder = self._ladder
        for case in self._open_cases():
            if now_ms >= ladder.retry_ms.get(case.node, now_ms):
                ladder.begin(case, now_ms)
                return
        if now_ms >= ladder.lift_ms and (left := ladder.off - self._waiting()):
            ladder.lift(min(left), now_ms)

    # -- trials --------------------------------------------------------------------------------

    def _try(self, jitter: float, now_ms: int) -> None:
        for node in self.trials.due(jitter, now_ms):
            token = self._ladder.next_token()
            self._trying[token] = node
            self._ladder.out.append(Drive(token, node, Verb.STATUS))

    def _tried(self, node: int, event: Driven, now_ms: int) -> None:
        fault = self._ladder.fault(node, event)
        is_heard = node == self._me or node in self._ladder.now.present
        if not fault and event.power is Power.UNKNOWN:
            fault = "its power reads neither On nor Off"
        elif not fault and event.power is Power.OFF and is_heard:
            fault = "its power reads Off, and the node is heard"
        self._ladder.tried(node, fault, now_ms)
