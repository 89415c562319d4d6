"""The grantor of the leases: to whom this node gave its word, and until when.

Shared by the nodes of a site and a witness elsewhere. Every node has one, for its identity and its
file; those that are no voters refuse.

Leaves to others: frames and their age, disks, what holders do with grants.

Invariants:
- a promise to one owner ends by its time, by the owner's release, or by proof that the owner's
  boot ended, and by nothing else; while it stands, nobody else is granted;
- a new epoch is on disk before it is granted, and no epoch is granted to two owners;
- after a boot nothing is granted until every promise of before has run out, or every node of the
  site, this one among them, said since what it holds.
"""

from collections.abc import Mapping
from typing import Final, assert_never

import msgspec

from roost_protocol.electorate import Electorate
from roost_protocol.explain import Explain
from roost_protocol.ha import Kind, LeaseFrame
from roost_protocol.terms import Terms
from roost_protocol.voter_answer import Answers
from roost_protocol.voter_cfg import Acceptor
from roost_protocol.voter_end import Ends
from roost_protocol.voter_events import (
    Begin,
    Bound,
    Effect,
    Event,
    Persisted,
    PersistFailed,
    Request,
    Rests,
    RolledBack,
    Showed,
    Tick,
    Won,
)
from roost_protocol.voter_memory import Memory, Promise, Write
from roost_protocol.voter_rules import ABSTAINS, BLANK, BOOT_WAIT, DISK, STALE, Rules
from roost_protocol.voter_start import Start
from roost_protocol.voter_state import VoterState
from roost_protocol.voter_words import lateness

DISK_RETRY_MS: Final = 1_000  # after a write that failed
_ASKS: Final = frozenset({Kind.PREVOTE, Kind.ACQUIRE, Kind.RENEW})


class Voter:
    """See the module.

    Args:
        me: this node.
        electorate: of the site.
        terms: of its leases.
        watchdogs: by lease, as this node's own definitions have it, in ms; 0 without one.
        state: from the disk, or blank.
        boot: the kernel's boot id.
        guarded: the node's guard has answered: what this boot ran is known to be under deadlines.
        by_proof: leases that nobody takes over without a release or a proof, whatever ran out.
        life: the incarnation that this node's frames tell; None: as the voter counts its starts.
        ask_ms: how often a starting voter asks what others hold; None: at half a request's age.
        is_wary: its disk may be a backup's: until every node said since the start what it holds, it
            grants nobody but the one who had the last epoch that it knows of.
        takes_proof: that a boot has ended ends the promise to it.
    """

    def __init__(  # noqa: PLR0913 - what it is, what it knows, and what it was
        self,
        me: int,
        electorate: Electorate,
        terms: Terms,
        watchdogs: dict[str, int],
        *,
        state: VoterState,
        boot: bytes,
        guarded: bool,
        by_proof: frozenset[str] = frozenset(),
        life: int | None = None,
        ask_ms: int | None = None,
        is_wary: bool = False,
        takes_proof: bool = True,
    ) -> None:
        self.me = me
        self._takes_proof = takes_proof
        self._terms = terms
        self._watchdogs = watchdogs
        self._boot = boot
        is_restart = guarded and state.boot == boot
        self._memory = Memory(electorate, state, by_proof)
        self._start = Start(
            me,
            self._memory,
            terms,
            watchdogs,
            is_restart=is_restart,
            ask_ms=max(1, terms.age_ms_max // 2) if ask_ms is None else ask_ms,
            is_wary=is_wary,
        )
        self._rules = Rules(me, self._memory, self._start, terms)
        self._answers = Answers(self._memory, self._start)
        self._ends = Ends(me, self._memory, self._rules, self._answers)
        self._acceptor = Acceptor(
            me,
            boot,
            life,
            self._memory,
            start=self._start,
            watchdogs=watchdogs,
            answers=self._answers,
        )

    @property
    def electorate(self) -> Electorate:
        """Of the site."""
        return self._memory.electorate

    @property
    def state(self) -> VoterState:
        """As it is on disk."""
        return self._memory.state

    @property
    def has_begun(self) -> bool:
        """Whether this start of the agent is on disk."""
        return self._memory.has_begun

    @property
    def fenced(self) -> Mapping[int, bytes]:
        """Nodes to their boots that are proven to have ended."""
        return self._memory.fenced

    def promise(self, name: str, now_ms: int) -> Promise | None:
        """Return the promise that binds this node for a lease now."""
        return self._memory.promise(name, now_ms)

    def max_epoch(self, name: str) -> int:
        """Return the highest epoch of a lease that this node granted or may have granted."""
        return self._memory.max_epoch(name)

    def epochs(self) -> dict[str, int]:
        """Return the highest epochs granted here, by lease."""
        return self._acceptor.epochs()

    def lacks(self, now_ms: int) -> str:
        """Return why this voter would grant nobody anything now, empty where it would."""
        if not self._memory.has_begun:
            return ABSTAINS
        if self.me not in self.electorate.voters:
            return ""
        if not all(map(self._start.is_admitted, self._watchdogs)):
            return BLANK
        return BOOT_WAIT if now_ms < self._start.wait_until_ms else ""

    def is_news(self, node: int, cfgver: int) -> bool:
        """Whether it matters here that a peer shows this configuration; see Showed."""
        return self._memory.has_begun and self._acceptor.is_news(node, cfgver)

    def handle(self, event: Event, now_ms: int) -> list[Effect]:
        """Take in one event and return what is to be done, in order.

        Args:
            event: what happened.
            now_ms: CLOCK_BOOTTIME.
        """
        effects: list[Effect] = []
        match event:
            case Request():
                self._request(event, now_ms, effects)
            case Persisted(token):
                self._persisted(token, now_ms, effects)
            case PersistFailed(token):
                self._persist_failed(token, now_ms, effects)
            case Begin():
                self._write_start(effects)
            case RolledBack():
                self._start.roll_back(now_ms, effects)
            case Showed(node, cfgver):
                if self._memory.has_begun:
                    self._acceptor.showed(node, cfgver, effects)
            case Rests() | Won():
                self._held_here(event, effects)
            case Tick():
                pass
            case _:
                assert_never(event)
        self._pass_time(now_ms, effects)
        return effects

    def due_ms(self) -> int | None:
        """Return when the next tick is needed, None when nothing is waited for."""
        return self._memory.due_ms

    # -- requests ------------------------------------------------------------------------------

    def _request(self, event: Request, now_ms: int, effects: list[Effect]) -> None:
        frame = event.frame
        if not self._memory.has_begun and frame.kind not in _ASKS:
            return  # said again until it is answered
        match frame.kind:
            case Kind.PREVOTE | Kind.ACQUIRE | Kind.RENEW:
                self._candidate(frame, event.age_ms, now_ms, effects)
            case Kind.RELEASE:
                self._ends.release(frame, event.age_ms, effects)
            case Kind.FENCE_CONFIRM:
                if self._takes_proof:
                    self._ends.fence_confirm(frame, effects)
            case Kind.ATTEST:
                self._start.attest(frame, now_ms, effects)
            case Kind.CFG_PROPOSE:
                self._acceptor.propose(frame, now_ms, effects)
            case Kind.CFG_COMMIT:
                self._acceptor.commit(frame, effects)
            case _:
                pass  # the candidate's and the holder's

    def _candidate(
        self, frame: LeaseFrame, age_ms: int | None, now_ms: int, effects: list[Effect]
    ) -> None:
        reason = self._rules.reason(frame, age_ms, now_ms)
        if reason:
            more = lateness(age_ms, self._terms.age_ms_max) if reason == STALE else ""
            self._answers.refuse(frame, reason, now_ms, effects, more=more)
        elif frame.kind is Kind.PREVOTE:
            effects.append(self._answers.grant(frame))
        elif self._is_renewal(frame):
            self._promise_to(frame, now_ms)
            effects.append(self._answers.grant(frame))
        else:
            record = msgspec.structs.replace(
                self._memory.latest(frame.name),
                max_epoch=frame.epoch,
                owner=frame.node,
                owner_boot=frame.boot,
                endless=self._memory.is_endless(frame.name),
                watchdog_ms=frame.watchdog_ms,
            )
            self._memory.write(self._memory.state, {frame.name: Write(record, frame)}, effects)

    def _is_renewal(self, frame: LeaseFrame) -> bool:
        """Whether the disk knows all of it already."""
        record = self._memory.latest(frame.name)
        is_endless = self._memory.is_endless(frame.name)
        return frame.epoch == record.max_epoch and record.endless == is_endless

    def _promise_to(self, frame: LeaseFrame, now_ms: int) -> None:
        """Bind this node to the owner; a promise is never shortened.

        But one without end, from before the voters decided by majority, ends like any other from
        the owner's first request since: the owner has armed its deadlines before that.
        """
        until_ms: int | None = None
        if not self._memory.state.records[frame.name].endless:
            watchdog_ms = max(frame.watchdog_ms, self._watchdogs.get(frame.name, 0))
            until_ms = now_ms + self._terms.promise_ms(watchdog_ms)
            promise = self._memory.promise(frame.name, now_ms)
            if promise is not None and promise.until_ms is not None:
                until_ms = max(promise.until_ms, until_ms)
        self._memory.promises[frame.name] = Promise(
            frame.node, frame.boot, frame.epoch, until_ms, frame.nonce
        )

    # -- the disk ------------------------------------------------------------------------------

    def _write_start(self, effects: list[Effect]) -> None:
        """Count the start; nothing else leaves this node before that is on disk."""
        self._memory.state = msgspec.structs.replace(
            self._memory.state, inc=self._memory.state.inc + 1, boot=self._boot
        )
        self._memory.write(self._memory.state, {}, effects)

    def _persisted(self, token: int, now_ms: int, effects: list[Effect]) -> None:
        changes = self._memory.writes.pop(token, None)
        step = self._memory.steps.pop(token, None)
        if changes is None:
            return
        if not self._memory.has_begun:
            self._start.begin(now_ms, effects)
            self._memory.tell(effects)
            return
        for name, write in changes.items():
            self._memory.keep(name, write.record)
            if write.frame is not None:
                self._written(write.frame, now_ms, effects)
        if step is not None:
            before = self._memory.electorate.cfgver
            self._memory.step(step, effects)
            self._acceptor.written(step, before, effects)
            # A voter whose disk knows nothing has to ask, though it was about to know enough.
            for name in self.state.records:
                if not self._start.is_admitted(name):
                    self._start.distrust(name)
            self._memory.due_ms = now_ms

    def _held_here(self, event: Rests | Won, effects: list[Effect]) -> None:
        """Take in on what a right of this node rests, or that it is nobody else's."""
        if isinstance(event, Won):
            self._won(event.name, event.epoch, effects)
        elif event.on_proof:
            self._memory.on_proof.add(event.name)
        else:
            self._memory.on_proof.discard(event.name)

    def _won(self, name: str, epoch: int, effects: list[Effect]) -> None:
        """Keep that this node's right is nobody else's, while its disk says it is the owner."""
        memory = self._memory
        record, cfgver = memory.latest(name), memory.electorate.cfgver
        marked = msgspec.structs.replace(record, won=epoch, won_under=cfgver)
        if marked != record and marked.is_still_mine(self.me, cfgver):
            memory.write(memory.state, {name: Write(marked, None)}, effects)

    def _written(self, frame: LeaseFrame, now_ms: int, effects: list[Effect]) -> None:
        """Answer what had to be on disk first."""
        if frame.kind not in _ASKS:
            effects.append(self._answers.grant(frame))
            return
        if (
            frame.epoch <= self._memory.released.get((frame.name, frame.node), 0)
            or self._memory.fenced.get(frame.node) == frame.boot
        ):
            self._ends.end_endless(frame, effects)
            return
        self._promise_to(frame, now_ms)
        self._answers.agreed(frame)
        effects += (
            self._answers.grant(frame),
            Bound(frame.name, frame.epoch, frame.node),
            Explain(
                f"granted {frame.name} (epoch {frame.epoch}) to node {frame.node}",
                {"epoch": frame.epoch, "owner": frame.node},
            ),
        )

    def _persist_failed(self, token: int, now_ms: int, effects: list[Effect]) -> None:
        """Abstain; the epoch may be on the disk, so nobody gets it any more."""
        changes = self._memory.writes.pop(token, None)
        step = self._memory.steps.pop(token, None)
        if changes is None:
            return
        if step is not None:
            self._memory.tell(effects)
        self._memory.due_ms = now_ms + DISK_RETRY_MS
        for name, write in changes.items():
            self._memory.floor[name] = max(self._memory.floor.get(name, 0), write.record.max_epoch)
            self._start.distrust(name)
            if write.frame is not None and write.frame.kind in _ASKS:
                self._answers.refuse(write.frame, DISK, now_ms, effects)

    def _pass_time(self, now_ms: int, effects: list[Effect]) -> None:
        memory = self._memory
        if memory.due_ms is None or now_ms < memory.due_ms:
            return
        memory.due_ms = None
        if memory.has_begun:
            self._start.ask(now_ms, effects)
        elif not memory.writes:
            self._write_start(effects)
