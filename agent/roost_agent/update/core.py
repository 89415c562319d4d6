"""One node's update, step by step: what is done next, and what after a crash. Pure.

The shell records what ``Record`` says before it does anything that follows, and answers each step.
Invariants:

- the intent of a step is on disk before the step begins, its nonce too;
- a step runs once for its key; an answer with another key, or by somebody else, changes nothing;
- from the intent to install until the release is committed, every way out leads through rollback;
- after the commit nothing leads back, and an abort is refused;
- every way ends in cleanup.

Leaves to others: when the node may go down (site_job.py), what a step does, the disk.
"""

from typing import Final, assert_never

from msgspec.structs import replace

from roost_agent.update.events import (
    Action,
    Alarm,
    Ask,
    Cancel,
    Did,
    Do,
    Event,
    Go,
    Known,
    Plan,
    Record,
    Refused,
    Started,
    State,
    Tick,
)
from roost_agent.update.step import AFTER, BACK, HARMLESS, REBOOTS, TABLE, Step, Who
from roost_protocol.update import FailureType

ROLLBACKS_MAX: Final = 3
DETAIL_CHARS_MAX: Final = 400
_WAITS: Final = frozenset({Step.DOWNLOAD, Step.STAGED})
_SYSTEM: Final = frozenset({Step.INSTALL, Step.REBOOT, Step.VERIFY_REBOOT, Step.COMMIT})
_BOUNDARIES: Final = HARMLESS | {Step.DRAIN, Step.SWACT, Step.LOCK} | _SYSTEM


class Node:
    """One job on one node.

    Args:
        plan: what it asks.
        state: of the journal, None: a new job.
        boot_id: of the running system.
        now_ms: CLOCK_BOOTTIME.
    """

    def __init__(self, plan: Plan, state: State | None, boot_id: str, now_ms: int) -> None:
        self.plan = plan
        self.state = state or State(Step.PRECHECK, now_ms, boot_id)
        self._boot_id = boot_id

    @property
    def key(self) -> str:
        """Of the step that is under way: job, attempt, step and, on the way back, which try."""
        state, plan = self.state, self.plan
        suffix = f".{state.tries}" if state.step in BACK else ""
        return f"{plan.job}.{plan.attempt}.{state.step}{suffix}"

    @property
    def is_ended(self) -> bool:
        """Whether there is nothing more to do."""
        return self.state.step is Step.END

    @property
    def due_ms(self) -> int | None:
        """When the step times out by its own deadline (boot clock); None: it has none."""
        row = TABLE.get(self.state.step)
        if row is None or not row.deadline_s:
            return None
        return self.state.since_ms + row.deadline_s * 1_000

    @property
    def outcome(self) -> str:
        """How it ended, in words of the site job; empty: it has not."""
        state = self.state
        if not self.is_ended:
            return ""
        if state.failure is None:
            return "succeeded"
        if state.stuck or state.committed:
            return "failed"
        if state.failure is FailureType.OPERATOR:
            return "canceled"
        return "rolled_back" if state.installed else "failed"

    def handle(self, event: Event, now_ms: int) -> list[Action]:  # noqa: PLR0911 - one rule, one return
        """Return what is to be done, in this order.

        Args:
            event: what happened.
            now_ms: CLOCK_BOOTTIME.
        """
        if self.is_ended:
            return [Refused("the job has ended")]
        match event:
            case Did():
                return self._did(event, now_ms)
            case Go(epoch):
                return self._go(epoch, now_ms)
            case Cancel(why):
                return self._cancel(why, now_ms)
            case Tick():
                return self._tick(event, now_ms)
            case Started(boot_id):
                return self._started(boot_id, now_ms)
            case Known():
                return self._known(event, now_ms)
            case _:
                assert_never(event)

    def _did(self, event: Did, now_ms: int) -> list[Action]:
        row = TABLE[self.state.step]
        if event.key != self.key:
            return [Refused(f"{event.key}: not the step under way, which is {self.key}")]
        if event.who is not row.who or row.who is Who.SITE:  # whose word is Go
            return [Refused(f"{event.key}: the word of {event.who}, not of {row.who}")]
        if event.why:
            return self._failed(event.why, row.failure, now_ms)
        return self._passed(event, now_ms)

    def _passed(self, event: Did, now_ms: int) -> list[Action]:  # noqa: PLR0911 - one rule, one return
        step = self.state.step
        match step:
            case Step.DRAIN:
                return self._enter(Step.SWACT if event.holds_lease else Step.LOCK, now_ms)
            case Step.INSTALL:
                boots = self.plan.needs_reboot or event.reboot
                return self._enter(Step.REBOOT if boots else Step.VERIFY_REBOOT, now_ms)
            case Step.COMMIT:
                self.state = replace(self.state, committed=True)
                return self._enter(self._way_out(), now_ms)
            case Step.ROLLBACK:
                boots = self.state.rebooted or event.reboot
                return self._enter(Step.ROLLBACK_REBOOT if boots else Step.VERIFY_ROLLBACK, now_ms)
            case Step.VERIFY_ROLLBACK:
                return self._enter(self._way_out(), now_ms)
            case _ if step in REBOOTS:
                return []  # the boot itself answers
            case _:
                return self._enter(AFTER[step], now_ms)

    def _go(self, epoch: int, now_ms: int) -> list[Action]:
        if epoch < self.state.epoch:
            return [Refused(f"epoch {epoch}: {self.state.epoch} was heard of before")]
        if self.state.step is not Step.STAGED:
            return [Refused(f"nothing waits for the site's word: {self.state.step}")]
        goes_down = self.plan.needs_drain or self.plan.needs_reboot
        self.state = replace(self.state, epoch=epoch, touched=True)
        return self._enter(Step.DRAIN if goes_down else Step.INSTALL, now_ms)

    def _cancel(self, why: str, now_ms: int) -> list[Action]:
        if self.state.committed or self.state.step is Step.COMMIT:
            return [Refused("the release is committed: cancel rejected")]
        if self.state.failure is not None:
            return [Refused("it is given up already")]
        self.state = replace(self.state, canceled=True, given_up=why[:DETAIL_CHARS_MAX])
        if self.state.step is Step.STAGED:  # a boundary by itself
            return self._enter(Step.STAGED, now_ms)
        return [Record(self.state)]

    def _tick(self, event: Tick, now_ms: int) -> list[Action]:
        state = self.state
        if state.step in HARMLESS and event.wall_ms >= self.plan.not_after_ms:
            waits = f": {event.waits}" if event.waits and state.step in _WAITS else ""
            text = f"not applied within the job's time{waits}"
            return self._failed(text, FailureType.TIMEOUT, now_ms)
        due_ms = self.due_ms
        if due_ms is None or now_ms < due_ms:
            return []
        row = TABLE[state.step]
        text = f"{state.step}: not done within {row.deadline_s} s"
        # Who rolls back because a boot or a check never came knows more than that time passed.
        failure = row.failure if state.step in _SYSTEM else FailureType.TIMEOUT
        return self._failed(text, failure, now_ms)

    def _started(self, boot_id: str, now_ms: int) -> list[Action]:  # noqa: PLR0911 - one rule, one return
        """Begin, or go on after a crash (updates.md 9)."""
        step, is_new = self.state.step, boot_id != self.state.boot_id
        self._boot_id = boot_id
        if step in HARMLESS or step in {Step.UNLOCK, Step.CLEANUP}:
            return self._enter(step, now_ms)
        if step in REBOOTS:
            if is_new:
                self.state = replace(self.state, nonce="", rebooted=step is Step.REBOOT)
                return self._enter(AFTER[step], now_ms)
            return [Do(step, self.key, self.state.nonce)]  # the same nonce: at most one boot
        if step is Step.COMMIT:
            return [Ask(self.key)]
        if step in BACK:
            # A boot that came late may have been one into the new release.
            boots = self.state.rebooted or (is_new and step is Step.ROLLBACK)
            self.state = replace(self.state, since_ms=now_ms, boot_id=boot_id, rebooted=boots)
            return [Record(self.state), Do(step, self.key)]
        if is_new:
            text = f"{step}: the machine was booted in the middle of it"
            return self._failed(text, TABLE[step].failure, now_ms)
        return [Ask(self.key)] if step is Step.INSTALL else [Do(step, self.key)]

    def _known(self, event: Known, now_ms: int) -> list[Action]:
        if event.key != self.key or self.state.step not in {Step.INSTALL, Step.COMMIT}:
            return [Refused(f"{event.key}: nobody asked")]
        if event.word == "running":
            return []
        if event.word == "done":
            return self._did(Did(event.key, Who.HELPER, reboot=event.reboot), now_ms)
        if event.word == "failed":
            return self._did(Did(event.key, Who.HELPER, event.why or "it failed"), now_ms)
        text = f"{self.state.step}: the helper knows nothing of it"
        return self._failed(text, TABLE[self.state.step].failure, now_ms)

    def _failed(self, why: str, failure: FailureType, now_ms: int) -> list[Action]:
        """Leave a step by its error edge; the first failure is the one that is told."""
        state, step = self.state, self.state.step
        why = why[:DETAIL_CHARS_MAX]
        alarms: list[Action] = []
        if step is Step.CLEANUP:
            alarms = [Alarm("cleanup-failed", why)]
        else:
            state = replace(
                state, failure=state.failure or failure, detail=state.detail or f"{step}: {why}"
            )
        goal = TABLE[step].error
        if step is Step.UNLOCK:
            alarms = [Alarm("unlock-failed", why)]
        elif step in BACK:
            state = replace(state, tries=state.tries + 1)
            if state.tries >= ROLLBACKS_MAX:
                state = replace(state, stuck=True)
                alarms = [Alarm("rollback-failed", why)]
                goal = Step.CLEANUP  # it stays locked: nobody knows what it would serve with
        self.state = state
        return [*alarms, *self._enter(goal, now_ms, why)]

    def _way_out(self) -> Step:
        return Step.UNLOCK if self.state.touched else Step.CLEANUP

    def _enter(self, step: Step, now_ms: int, why: str = "") -> list[Action]:
        """Record the intent of a step and begin it; an abort is looked at before that."""
        ended = self.state.step
        if self.state.canceled and self.state.failure is None and step in _BOUNDARIES:
            text = self.state.given_up or "given up by an operator"
            self.state = replace(self.state, failure=FailureType.OPERATOR, detail=text)
            step = Step.ROLLBACK if self.state.installed else self._way_out()
        self.state = replace(
            self.state,
            step=step,
            since_ms=now_ms,
            boot_id=self._boot_id,
            installed=self.state.installed or step is Step.INSTALL,
            nonce=f"{self.plan.job}.{self.plan.attempt}.{step}.{self.state.tries}"
            if step in REBOOTS
            else "",
        )
        actions: list[Action] = [Record(self.state, ended, why)]
        if step not in {Step.STAGED, Step.END}:
            actions.append(Do(step, self.key, self.state.nonce))
        return actions
