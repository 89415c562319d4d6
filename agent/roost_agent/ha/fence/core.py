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

from roost_agent.ha.fence.act import FREE, Act, Phase, lifting
from roost_agent.ha.fence.budget import Budget
from roost_agent.ha.fence.event import (
    Ask,
    Case,
    Drive,
    Driven,
    Effect,
    Elsewhere,
    Event,
    Keep,
    KeepFailed,
    Kept,
    NoProof,
    Power,
    Proven,
    Situation,
    Tick,
    Tried,
    Verb,
)
from roost_agent.ha.fence.machine import is_same_machine
from roost_agent.ha.fence.right import off_refusal, reading_refusal
from roost_agent.ha.fence.trial import Trials
from roost_protocol.explain import Explain

ATTEMPTS_MAX: Final = 2  # to switch one node off, or on again
SETTLE_MS: Final = 2_000  # from the first word of a loss to the first reading; rank comes on top
CONFIRM_MS: Final = 1_000  # between two readings
SWITCH_MS: Final = 30_000  # for a device to do what it was told: an emulator took 10.3 s
RETRY_MS: Final = 10_000  # after a try that proved nothing
SAY_MS: Final = 2_000  # between two words of one proof
KEEP_OFF_MS: Final = 120_000  # a node stays off no longer, whoever holds what
READING_MS: Final = 60_000  # so long a reading says something of a node
NO_CASE: Final = "no lease waits for its end"
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
        self._budget = Budget(spent_ms)
        self._off = {node for node in off if node in uuids}
        self._lift_ms = now_ms + KEEP_OFF_MS  # when those are switched on, whoever holds what
        self._now = Situation()
        self._act: Act | None = None
        self._retry_ms: dict[int, int] = {}
        self._token = 0
        self._trying: dict[int, int] = {}  # token -> node of a trial
        self._fenced: list[tuple[int, bytes]] = []
        self._on_ms: dict[int, int] = {}  # when a node's power last read On
        self._no_proof = ""
        self._said: dict[int, str] = {}
        self._out: list[Effect] = []

    @property
    def doing(self) -> str:
        """What it does now, for people; empty for nothing."""
        act = self._act
        return "" if act is None else f"node {act.node}: {act.phase}"

    def spent(self, now_ms: int) -> int:
        """Return how many attempts count now."""
        return len(self._budget.spent_ms(now_ms))

    def reads_on(self, node: int, now_ms: int) -> bool:
        """Return whether a node that should be off was read to have power, and that of late."""
        read_ms = self._on_ms.get(node)
        return read_ms is not None and now_ms - read_ms <= READING_MS

    def handle(self, event: Event, now_ms: int) -> list[Effect]:
        """Take in one event and return what is to be done, in order.

        Args:
            event: what happened.
            now_ms: the boot clock.
        """
        match event:
            case Situation():
                self._now = event
                self._look(now_ms)
            case Tick(jitter):
                self._tick(jitter, now_ms)
            case Driven():
                self._driven(event, now_ms)
            case Kept(token):
                self._kept(token, "", now_ms)
            case KeepFailed(token, why):
                self._kept(token, why, now_ms)
            case Elsewhere(node, boot):
                if (node, boot) not in self._fenced:
                    self._fenced = [*self._fenced, (node, boot)][-FENCED_MAX:]
                    self._budget.spend(now_ms)
            case _:
                assert_never(event)
        out, self._out = self._out, []
        return out

    def due_ms(self, now_ms: int) -> int | None:
        """Return when the next Tick is needed, None when nothing is waited for."""
        if self._act is not None:
            return self._act.due_ms
        waits = [self.trials.due_ms(now_ms)]
        waits += [self._retry_ms.get(case.node, now_ms) for case in self._open_cases()]
        waits += [self._lift_ms] * bool(self._off - self._waiting())
        return min((each for each in waits if each is not None), default=None)

    # -- when ----------------------------------------------------------------------------------

    def _open_cases(self) -> list[Case]:
        """Return the cases that could be acted on, those that may be switched off first."""
        known = (case for case in self._now.cases if case.node in self._uuids)
        found = [each for each in known if not reading_refusal(self._me, each, self._now)]
        return sorted(found, key=lambda case: bool(off_refusal(self._me, case, self._now)))

    def _leases_of(self, node: int) -> frozenset[str]:
        return frozenset(each.lease for each in self._now.cases if each.node == node)

    def _waiting(self) -> set[int]:
        return {case.node for case in self._now.cases}

    def _look(self, now_ms: int) -> None:
        """Let go of what is no longer wanted."""
        act = self._act
        if act is not None and act.phase in FREE:
            self._look_free(act, now_ms)
        elif act is not None and act.node in self._now.present:
            self._end(act, f"node {act.node} is heard again", now_ms)
        back = self._off & self._now.present
        if back:
            self._off -= back
            self._keep(now_ms)
        waiting = self._waiting()
        self._retry_ms = {node: ms for node, ms in self._retry_ms.items() if node in waiting}
        if not waiting:
            self._tell_no_proof("")

    def _case_of(self, act: Act) -> Case | None:
        """Return why it is done, as things stand now; None where nothing asks for it any more."""
        cases = (each for each in self._now.cases if act.is_about(each))
        return max(cases, key=lambda each: each.may_off, default=None)

    def _off_refusal(self, act: Act) -> str:
        """Return why it is not switched off now, whatever was right a moment ago."""
        case = self._case_of(act)
        return NO_CASE if case is None else off_refusal(self._me, case, self._now)

    def _look_free(self, act: Act, now_ms: int) -> None:
        """Let a node be that was not switched off yet, if anything says so."""
        case = self._case_of(act)
        refusal = NO_CASE
        if case is not None:
            act.case, act.leases = case, self._leases_of(case.node)
            refusal = reading_refusal(self._me, case, self._now)
        if refusal:
            self._end(act, f"node {act.node} is let be: {refusal}", now_ms)

    def _tick(self, jitter: float, now_ms: int) -> None:
        act = self._act
        if act is None:
            self._try(jitter, now_ms)
            self._begin(now_ms)
        elif act.due_ms is not None and now_ms >= act.due_ms:
            self._step(act, now_ms)

    def _begin(self, now_ms: int) -> None:
        for case in self._open_cases():
            if now_ms < self._retry_ms.get(case.node, now_ms):
                continue
            first = case.node not in self._retry_ms
            wait_ms = SETTLE_MS * case.is_needed + case.wait_ms if first else 0
            self._act = Act(case, self._leases_of(case.node), now_ms + wait_ms)
            self._ask(self._act, now_ms)
            return
        if now_ms >= self._lift_ms and (left := self._off - self._waiting()):
            self._act = act = lifting(min(left), now_ms)
            self._step(act, now_ms)

    # -- what ----------------------------------------------------------------------------------

    def _step(self, act: Act, now_ms: int) -> None:
        """Do what is due."""
        match act.phase:
            case Phase.ASK:
                self._ask(act, now_ms)
            case Phase.HELD:
                self._hold(act, now_ms)
            case Phase.LIFT:
                act.attempts += 1
                act.until_ms = now_ms + SWITCH_MS
                self._drive(act, Verb.ON)
            case _:
                self._drive(act, Verb.STATUS)

    def _ask(self, act: Act, now_ms: int) -> None:
        """Ask the owner to go by itself, while there is time and the next rung would force it."""
        if now_ms >= act.until_ms:
            act.phase = Phase.READ
            self._drive(act, Verb.STATUS)
            return
        if not self._off_refusal(act):
            for case in self._now.cases:
                if case.node == act.node and case.epoch:
                    self._out.append(Ask(case.node, case.lease, case.epoch))
        act.due_ms = min(act.until_ms, now_ms + CONFIRM_MS)

    def _drive(self, act: Act, verb: Verb) -> None:
        act.token = self._next_token()
        act.due_ms = None
        self._out.append(Drive(act.token, act.node, verb))

    def _next_token(self) -> int:
        self._token += 1
        return self._token

    def _driven(self, event: Driven, now_ms: int) -> None:
        if event.token in self._trying:
            self._tried(self._trying.pop(event.token), event, now_ms)
        act = self._act
        if act is None or event.token != act.token:
            return  # of an act that was ended meanwhile
        fault = self._fault(act.node, event)
        self._on_ms.pop(act.node, None)
        if event.power is Power.ON and not fault:
            self._on_ms[act.node] = now_ms
        self._answered(act, Power.UNKNOWN if fault else event.power, fault, now_ms)

    def _answered(self, act: Act, power: Power, fault: str, now_ms: int) -> None:
        match act.phase:
            case Phase.CONFIRM if power is Power.OFF:
                self._prove(act, "its power reads Off", now_ms)
            case Phase.READ | Phase.CONFIRM:
                self._was_read(act, power, fault, now_ms)
            case Phase.CUT:
                act.fault = fault
                act.phase, act.due_ms = Phase.WAIT, now_ms
                act.until_ms = now_ms + (0 if fault else SWITCH_MS)
            case Phase.WAIT | Phase.CONFIRM_CUT:
                self._was_cut(act, power, fault, now_ms)
            case Phase.LIFT:
                act.phase, act.due_ms = Phase.LIFTED, now_ms + CONFIRM_MS
            case _:  # LIFTED: in no other phase was a device asked
                self._was_lifted(act, power, fault, now_ms)

    def _fault(self, node: int, event: Driven) -> str:
        """Return why an answer says nothing of the node."""
        if event.fault:
            return event.fault
        wanted = self._uuids[node]
        if wanted and not is_same_machine(wanted, event.uuid):
            said = f"machine {event.uuid}" if event.uuid else "no machine's UUID"
            return f"its device says {said}, the node is {wanted}"
        return ""

    def _was_read(self, act: Act, power: Power, fault: str, now_ms: int) -> None:
        if power is Power.OFF:
            act.phase, act.due_ms = Phase.CONFIRM, now_ms + CONFIRM_MS
        elif power is Power.ON and not self._off_refusal(act):
            self._count(act, now_ms)
        elif power is Power.ON:
            why = f", and {self._off_refusal(act)}" if act.case.is_needed else ""
            self._fail(act, f"its power reads On{why}", now_ms)
        else:
            self._fail(act, fault or "its power reads neither On nor Off", now_ms)

    # -- off -----------------------------------------------------------------------------------

    def _count(self, act: Act, now_ms: int) -> None:
        """Count an attempt before it is made: what is not counted is not done."""
        if refusal := self._budget.refusal(now_ms):
            self._fail(act, refusal, now_ms)
            return
        self._budget.spend(now_ms)
        act.attempts += 1
        act.phase, act.due_ms = Phase.COUNT, None
        act.is_new = act.node not in self._off
        self._off.add(act.node)
        act.token = self._keep(now_ms)

    def _keep(self, now_ms: int) -> int:
        token = self._next_token()
        spent_ms = self._budget.spent_ms(now_ms)
        self._out.append(Keep(token, spent_ms, tuple(sorted(self._off))))
        return token

    def _kept(self, token: int, fault: str, now_ms: int) -> None:
        act = self._act
        if act is None or token != act.token or act.phase != Phase.COUNT:
            return
        fault = fault or self._off_refusal(act)
        if fault:
            self._fail(act, fault, now_ms)
            return
        act.phase = Phase.CUT
        held = ", ".join(sorted(act.leases))
        self._explain(act.node, f"switches node {act.node} off: it is lost, and holds {held}")
        self._drive(act, Verb.OFF)

    def _was_cut(self, act: Act, power: Power, fault: str, now_ms: int) -> None:
        if power is Power.OFF and act.phase == Phase.CONFIRM_CUT:
            self._prove(act, "it was switched off, and its power reads Off", now_ms)
        elif power is Power.OFF:
            act.phase, act.due_ms = Phase.CONFIRM_CUT, now_ms + CONFIRM_MS
        elif now_ms < act.until_ms:
            act.phase, act.due_ms = Phase.WAIT, now_ms + CONFIRM_MS
        elif act.attempts < ATTEMPTS_MAX and not self._off_refusal(act):
            self._count(act, now_ms)
        else:
            why = act.fault or fault or f"its power still reads {power}"
            self._fail(act, f"it was to be switched off {act.attempts} times: {why}", now_ms)

    def _prove(self, act: Act, how: str, now_ms: int) -> None:
        act.phase, act.until_ms = Phase.HELD, now_ms + KEEP_OFF_MS
        self._explain(act.node, f"node {act.node} is off: {how}, twice")
        self._pass(act.node, "", now_ms)
        self._tell_no_proof("")
        act.fault = how
        self._hold(act, now_ms)

    def _hold(self, act: Act, now_ms: int) -> None:
        """Say it again until it had its effect: voters may not have heard it."""
        holders = (self._now.holders.get(lease) for lease in act.leases)
        is_won = all(holder not in {None, act.node} for holder in holders)
        if not is_won and now_ms < act.until_ms:
            act.due_ms = now_ms + SAY_MS
            self._out.append(Proven(act.node, act.case.boot, act.fault))
        elif act.node in self._off:
            act.phase, act.attempts = Phase.LIFT, 0
            self._step(act, now_ms)
        else:
            self._end(act, "", now_ms)

    def _was_lifted(self, act: Act, power: Power, fault: str, now_ms: int) -> None:
        if power is Power.ON:
            self._switched_on(act, f"node {act.node} is switched on again", now_ms)
        elif now_ms < act.until_ms:
            act.due_ms = now_ms + CONFIRM_MS
        elif act.attempts < ATTEMPTS_MAX:
            act.phase, act.due_ms = Phase.LIFT, now_ms
        else:
            why = fault or f"its power reads {power}"
            sentence = f"node {act.node} stays off, switch it on by hand: {why}"
            self._switched_on(act, sentence, now_ms)

    def _switched_on(self, act: Act, sentence: str, now_ms: int) -> None:
        self._off.discard(act.node)
        self._keep(now_ms)
        self._end(act, sentence, now_ms)

    # -- ends ----------------------------------------------------------------------------------

    def _fail(self, act: Act, why: str, now_ms: int) -> None:
        if act.case.is_needed:
            self._tell_no_proof(f"nothing proves that node {act.node} is off: {why}")
        self._end(act, f"node {act.node} is not proven to be off: {why}", now_ms)

    def _end(self, act: Act, sentence: str, now_ms: int) -> None:
        self._act = None
        self._retry_ms[act.node] = now_ms + RETRY_MS
        self._lift_ms = now_ms + KEEP_OFF_MS
        if act.phase == Phase.COUNT and act.is_new:
            self._off.discard(act.node)
            self._keep(now_ms)
        if sentence:
            self._explain(act.node, sentence)

    def _explain(self, node: int, sentence: str) -> None:
        """Say it, unless it was the last thing that was said of the node."""
        if self._said.get(node) != sentence:
            self._said[node] = sentence
            self._out.append(Explain(sentence, {"node": node}))

    def _tell_no_proof(self, sentence: str) -> None:
        if sentence != self._no_proof:
            self._no_proof = sentence
            self._out.append(NoProof(sentence))

    # -- trials --------------------------------------------------------------------------------

    def _try(self, jitter: float, now_ms: int) -> None:
        for node in self.trials.due(jitter, now_ms):
            token = self._next_token()
            self._trying[token] = node
            self._out.append(Drive(token, node, Verb.STATUS))

    def _tried(self, node: int, event: Driven, now_ms: int) -> None:
        fault = self._fault(node, event)
        is_heard = node == self._me or node in self._now.present
        if not fault and event.power is Power.UNKNOWN:
            fault = "its power reads neither On nor Off"
        elif not fault and event.power is Power.OFF and is_heard:
            fault = "its power reads Off, and the node is heard"
        self._pass(node, fault, now_ms)

    def _pass(self, node: int, fault: str, now_ms: int) -> None:
        self.trials.tried(node, fault, now_ms)
        self._out.append(Tried(node, fault))
