"""What is done about one node that should be off: ask, read, switch off, keep off, switch on again.

Leaves to others: for whom it begins, and when (core); who may be switched off (right).
"""

from collections.abc import Iterable, Mapping
from typing import Final

from roost_agent.ha.fence.act import FREE, Act, Phase, lifting
from roost_agent.ha.fence.budget import Budget
from roost_agent.ha.fence.event import (
    Ask,
    Case,
    Drive,
    Driven,
    Effect,
    Keep,
    NoProof,
    Power,
    Proven,
    Situation,
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


class Ladder:
    """See the module; at most one act at a time.

    Args:
        me: this node.
        uuids: node to its machine's UUID, empty where its device need not say.
        trials: a reading that is good is one that passed.
        spent_ms: attempts of before, on the boot clock.
        off: nodes that an agent before this one switched off, and not on again.
        now_ms: the boot clock.

    Attributes:
        now: how things stand.
        act: that is under way.
        retry_ms: node to when it is tried again.
        out: effects that nobody took yet.
    """

    def __init__(  # noqa: PLR0913 - what it is, what it knows, and what was before it
        self,
        me: int,
        uuids: Mapping[int, str],
        trials: Trials,
        *,
        spent_ms: Iterable[int],
        off: Iterable[int],
        now_ms: int,
    ) -> None:
        self.now = Situation()
        self.act: Act | None = None
        self.retry_ms: dict[int, int] = {}
        self.out: list[Effect] = []
        self.budget = Budget(spent_ms)
        self.off = {node for node in off if node in uuids}
        self.lift_ms = now_ms + KEEP_OFF_MS  # when those are switched on, whoever holds what
        self._me = me
        self._uuids = uuids
        self._trials = trials
        self._token = 0
        self._on_ms: dict[int, int] = {}  # when a node's power last read On
        self._no_proof = ""
        self._said: dict[int, str] = {}

    def reads_on(self, node: int, now_ms: int) -> bool:
        """Return whether a node that should be off was read to have power, and that of late."""
        read_ms = self._on_ms.get(node)
        return read_ms is not None and now_ms - read_ms <= READING_MS

    def begin(self, case: Case, now_ms: int) -> None:
        """Begin with a node, after a moment where that is the first try."""
        first = case.node not in self.retry_ms
        wait_ms = SETTLE_MS * case.is_needed + case.wait_ms if first else 0
        self.act = Act(case, self._leases_of(case.node), now_ms + wait_ms)
        self._ask(self.act, now_ms)

    def lift(self, node: int, now_ms: int) -> None:
        """Switch a node on that was left off."""
        self.act = act = lifting(node, now_ms)
        self.step(act, now_ms)

    def look(self, now_ms: int) -> None:
        """Let go of what is no longer wanted."""
        act = self.act
        if act is not None and act.phase in FREE:
            self._look_free(act, now_ms)
        elif act is not None and act.node in self.now.present:
            self._end(act, f"node {act.node} is heard again", now_ms)
        back = self.off & self.now.present
        if back:
            self.off -= back
            self._keep(now_ms)

    def _leases_of(self, node: int) -> frozenset[str]:
        return frozenset(each.lease for each in self.now.cases if each.node == node)

    def _case_of(self, act: Act) -> Case | None:
        """Return why it is done, as things stand now; None where nothing asks for it any more."""
        cases = (each for each in self.now.cases if act.is_about(each))
        return max(cases, key=lambda each: each.may_off, default=None)

    def _off_refusal(self, act: Act) -> str:
        """Return why it is not switched off now, whatever was right a moment ago."""
        case = self._case_of(act)
        return NO_CASE if case is None else off_refusal(self._me, case, self.now)

    def _look_free(self, act: Act, now_ms: int) -> None:
        """Let a node be that was not switched off yet, if anything says so."""
        case = self._case_of(act)
        refusal = NO_CASE
        if case is not None:
            act.case, act.leases = case, self._leases_of(case.node)
            refusal = reading_refusal(self._me, case, self.now)
        if refusal:
            self._end(act, f"node {act.node} is let be: {refusal}", now_ms)

    def step(self, act: Act, now_ms: int) -> None:
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
            for case in self.now.cases:
                if case.node == act.node and case.epoch:
                    self.out.append(Ask(case.node, case.lease, case.epoch))
        act.due_ms = min(act.until_ms, now_ms + CONFIRM_MS)

    def _drive(self, act: Act, verb: Verb) -> None:
        act.token = self.next_token()
        act.due_ms = None
        self.out.append(Drive(act.token, act.node, verb))

    def next_token(self) -> int:
        """Return the token of another answer that is waited for."""
        self._token += 1
        return self._token

    def driven(self, event: Driven, now_ms: int) -> None:
        """Go on with what a device answered, if it is the present act that waits for it."""
        act = self.act
        if act is None or event.token != act.token:
            return  # of an act that was ended meanwhile
        fault = self.fault(act.node, event)
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

    def fault(self, node: int, event: Driven) -> str:
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

    def _count(self, act: Act, now_ms: int) -> None:
        """Count an attempt before it is made: what is not counted is not done."""
        if refusal := self.budget.refusal(now_ms):
            self._fail(act, refusal, now_ms)
            return
        self.budget.spend(now_ms)
        act.attempts += 1
        act.phase, act.due_ms = Phase.COUNT, None
        act.is_new = act.node not in self.off
        self.off.add(act.node)
        act.token = self._keep(now_ms)

    def _keep(self, now_ms: int) -> int:
        token = self.next_token()
        spent_ms = self.budget.spent_ms(now_ms)
        self.out.append(Keep(token, spent_ms, tuple(sorted(self.off))))
        return token

    def kept(self, token: int, fault: str, now_ms: int) -> None:
        """Go on once an attempt is on disk, or was not written: what is not counted is not done."""
        act = self.act
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
        self.tried(act.node, "", now_ms)
        self.tell_no_proof("")
        act.fault = how
        self._hold(act, now_ms)

    def _hold(self, act: Act, now_ms: int) -> None:
        """Say it again until it had its effect: voters may not have heard it."""
        holders = (self.now.holders.get(lease) for lease in act.leases)
        is_won = all(holder not in {None, act.node} for holder in holders)
        if not is_won and now_ms < act.until_ms:
            act.due_ms = now_ms + SAY_MS
            self.out.append(Proven(act.node, act.case.boot, act.fault))
        elif act.node in self.off:
            act.phase, act.attempts = Phase.LIFT, 0
            self.step(act, now_ms)
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
        self.off.discard(act.node)
        self._keep(now_ms)
        self._end(act, sentence, now_ms)

    def _fail(self, act: Act, why: str, now_ms: int) -> None:
        if act.case.is_needed:
            self.tell_no_proof(f"nothing proves that node {act.node} is off: {why}")
        self._end(act, f"node {act.node} is not proven to be off: {why}", now_ms)

    def _end(self, act: Act, sentence: str, now_ms: int) -> None:
        self.act = None
        self.retry_ms[act.node] = now_ms + RETRY_MS
        self.lift_ms = now_ms + KEEP_OFF_MS
        if act.phase == Phase.COUNT and act.is_new:
            self.off.discard(act.node)
            self._keep(now_ms)
        if sentence:
            self._explain(act.node, sentence)

    def _explain(self, node: int, sentence: str) -> None:
        """Say it, unless it was the last thing that was said of the node."""
        if self._said.get(node) != sentence:
            self._said[node] = sentence
            self.out.append(Explain(sentence, {"node": node}))

    def tell_no_proof(self, sentence: str) -> None:
        """Tell that nothing proves a node off; an empty sentence ends that."""
        if sentence != self._no_proof:
            self._no_proof = sentence
            self.out.append(NoProof(sentence))

    def tried(self, node: int, fault: str, now_ms: int) -> None:
        """Note that a fence was tried; an empty fault says that it works."""
        self._trials.tried(node, fault, now_ms)
        self.out.append(Tried(node, fault))
