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

from typing import Final, assert_never

import msgspec

from roost_protocol.attestation import Attestation, Said
from roost_protocol.electorate import Electorate
from roost_protocol.explain import Explain
from roost_protocol.ha import Kind, LeaseFrame, Nonce
from roost_protocol.limits import HA_LEASES_MAX, HA_NODES_MAX
from roost_protocol.terms import Terms
from roost_protocol.voter_events import (
    Begin,
    Bound,
    Effect,
    Event,
    Persist,
    Persisted,
    PersistFailed,
    Request,
    RolledBack,
    Send,
    Tick,
)
from roost_protocol.voter_state import NO_BOOT, Record, VoterState

# Why a voter refuses.
STALE: Final = "stale"  # too old, or it shows no sign of having heard this start of the agent
CFGVER: Final = "cfgver"
ABSTAINS: Final = "abstains"  # no voter, or its disk did not take the start
OWNER: Final = "owner"  # asks for somebody else, or for an epoch that is not its to take
BLANK: Final = "blank"  # knows nothing of this lease, and not every node said what it holds
BOOT_WAIT: Final = "boot-wait"
PROMISED: Final = "promised"
EPOCH: Final = "epoch"
RELEASED: Final = "released"
FENCED: Final = "fenced"
WATCHDOG: Final = "watchdog"  # slower than the one that the epoch was granted for
BUSY: Final = "busy"  # another epoch of this lease is on its way to the disk
DISK: Final = "disk"

DISK_RETRY_MS: Final = 1_000  # after a write that failed
FIRST_ASK_MS: Final = 50  # after the start: this node's own leases have to answer as well
_ASKS: Final = frozenset({Kind.PREVOTE, Kind.ACQUIRE, Kind.RENEW})


class Promise:
    """This node's word to one owner; ``until_ms`` None: without end."""

    __slots__ = ("boot", "epoch", "nonce", "owner", "until_ms")

    def __init__(
        self, owner: int, boot: bytes, epoch: int, until_ms: int | None, nonce: Nonce | None
    ) -> None:
        self.owner = owner
        self.boot = boot
        self.epoch = epoch
        self.until_ms = until_ms
        self.nonce = nonce


class _Write(msgspec.Struct, frozen=True):
    """A record on its way to the disk, and what was asked; None: the start itself."""

    record: Record
    frame: LeaseFrame | None


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
    ) -> None:
        self.me = me
        self.electorate = electorate
        self.state = state
        self._terms = terms
        self._watchdogs = watchdogs
        self._boot = boot
        self._is_restart = guarded and state.boot == boot
        self._begun = False
        self._wait_until_ms = 0
        self._due_ms: int | None = None
        self._token = 0
        self._writes: dict[int, dict[str, _Write]] = {}
        self._promises: dict[str, Promise] = {}
        self._released: dict[tuple[str, int], int] = {}  # lease and owner -> highest given back
        self._floor: dict[str, int] = {}  # epochs that may be on the disk, whatever it said
        self._fenced: dict[int, bytes] = {}  # node -> its boot that is proven to have ended
        self._attestation = Attestation(electorate.nodes)
        self._met: set[str] = set()  # leases that only others define
        self._said: dict[tuple[str, int], str] = {}

    def promise(self, name: str, now_ms: int) -> Promise | None:
        """Return the promise that binds this node for a lease now."""
        promise = self._promises.get(name)
        if promise is None or promise.until_ms is None or promise.until_ms > now_ms:
            return promise
        return None

    def max_epoch(self, name: str) -> int:
        """Return the highest epoch of a lease that this node granted or may have granted."""
        record = self.state.records.get(name)
        return max(record.max_epoch if record else 0, self._floor.get(name, 0))

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
                self._roll_back(now_ms, effects)
            case Tick():
                pass
            case _:
                assert_never(event)
        self._pass_time(now_ms, effects)
        return effects

    def due_ms(self) -> int | None:
        """Return when the next tick is needed, None when nothing is waited for."""
        return self._due_ms

    # -- requests ------------------------------------------------------------------------------

    def _request(self, event: Request, now_ms: int, effects: list[Effect]) -> None:
        frame = event.frame
        if not self._begun and frame.kind not in _ASKS:
            return  # said again until it is answered
        match frame.kind:
            case Kind.PREVOTE | Kind.ACQUIRE | Kind.RENEW:
                self._candidate(frame, event.age_ms, now_ms, effects)
            case Kind.RELEASE:
                self._release(frame, event.age_ms, effects)
            case Kind.FENCE_CONFIRM:
                self._fence_confirm(frame, effects)
            case Kind.ATTEST:
                self._attest(frame, now_ms, effects)
            case _:
                pass  # the candidate's and the holder's

    def _candidate(
        self, frame: LeaseFrame, age_ms: int | None, now_ms: int, effects: list[Effect]
    ) -> None:
        reason = self._reason(frame, age_ms, now_ms)
        if reason:
            self._refuse(frame, reason, now_ms, effects)
        elif frame.kind is Kind.PREVOTE:
            effects.append(self._grant(frame))
        elif frame.epoch == self.max_epoch(frame.name):
            self._promise_to(frame, now_ms)
            effects.append(self._grant(frame))
        else:
            record = msgspec.structs.replace(
                self._latest(frame.name),
                max_epoch=frame.epoch,
                owner=frame.node,
                owner_boot=frame.boot,
                endless=self.electorate.sticky,
                watchdog_ms=frame.watchdog_ms,
            )
            self._write(self.state, {frame.name: _Write(record, frame)}, effects)

    def _reason(self, frame: LeaseFrame, age_ms: int | None, now_ms: int) -> str:
        """Return why not, empty where everything holds (design: ha, 5.3)."""
        if self._is_stale(age_ms):
            return STALE
        return (
            self._reason_self(frame, now_ms)
            or self._reason_promise(frame, now_ms)
            or self._reason_epoch(frame)
        )

    def _is_stale(self, age_ms: int | None) -> bool:
        return age_ms is None or age_ms > self._terms.age_ms_max

    def _reason_self(self, frame: LeaseFrame, now_ms: int) -> str:
        """Return why this node answers nobody, or nobody of that configuration."""
        if frame.cfgver != self.electorate.cfgver:
            return CFGVER
        if not self._begun or self.me not in self.electorate.voters:
            return ABSTAINS
        if not self._is_admitted(frame.name):
            self._meet(frame.name, now_ms)
            return BLANK
        if now_ms < self._wait_until_ms and frame.name not in self._attestation.complete:
            return BOOT_WAIT
        return ""

    def _reason_promise(self, frame: LeaseFrame, now_ms: int) -> str:
        """Return why this one is not answered, or not before another."""
        if frame.owner != frame.node or frame.owner_boot != frame.boot:
            return OWNER
        if self._fenced.get(frame.node) == frame.boot:
            return FENCED
        promise = self.promise(frame.name, now_ms)
        if promise is not None and promise.owner != frame.node:
            return PROMISED
        if any(frame.name in writes for writes in self._writes.values()):
            return BUSY
        if promise is not None and _is_before(frame.nonce, promise.nonce):
            return STALE
        return ""

    def _reason_epoch(self, frame: LeaseFrame) -> str:
        """Return why this epoch is not to be had."""
        if frame.epoch % HA_NODES_MAX != frame.node:
            return OWNER
        if frame.epoch <= self._released.get((frame.name, frame.node), 0):
            return RELEASED
        record = self.state.records[frame.name]
        if frame.epoch > self.max_epoch(frame.name):
            return ""
        if (frame.epoch, frame.node, frame.boot) != (
            record.max_epoch,
            record.owner,
            record.owner_boot,
        ):
            return EPOCH
        return WATCHDOG if frame.watchdog_ms > record.watchdog_ms else ""

    def _promise_to(self, frame: LeaseFrame, now_ms: int) -> None:
        """Bind this node to the owner; a promise is never shortened."""
        until_ms: int | None = None
        if not self.state.records[frame.name].endless:
            watchdog_ms = max(frame.watchdog_ms, self._watchdogs.get(frame.name, 0))
            until_ms = now_ms + self._terms.promise_ms(watchdog_ms)
            promise = self.promise(frame.name, now_ms)
            if promise is not None:
                until_ms = None if promise.until_ms is None else max(promise.until_ms, until_ms)
        self._promises[frame.name] = Promise(
            frame.node, frame.boot, frame.epoch, until_ms, frame.nonce
        )

    def _grant(self, frame: LeaseFrame) -> Send:
        return Send(
            frame.node,
            Kind.GRANT,
            frame.name,
            frame.epoch,
            frame.nonce,
            frame.owner,
            frame.owner_boot,
            max_epoch=self.max_epoch(frame.name),
        )

    def _refuse(self, frame: LeaseFrame, reason: str, now_ms: int, effects: list[Effect]) -> None:
        promise = self.promise(frame.name, now_ms)
        remaining_ms: int | None = 0
        if reason == BOOT_WAIT:
            remaining_ms = self._wait_until_ms - now_ms
        elif promise is not None and reason == PROMISED:
            remaining_ms = None if promise.until_ms is None else promise.until_ms - now_ms
        effects.append(
            Send(
                frame.node,
                Kind.REFUSE,
                frame.name,
                frame.epoch,
                frame.nonce,
                promise.owner if promise else None,
                promise.boot if promise else NO_BOOT,
                max_epoch=self.max_epoch(frame.name),
                remaining_ms=remaining_ms,
                reason=reason,
            )
        )
        if self._said.get((frame.name, frame.node)) == reason:
            return
        self._said[frame.name, frame.node] = reason
        owner = promise.owner if promise else None
        effects.append(
            Explain(
                f"refused {frame.name} (epoch {frame.epoch}) to node {frame.node}: {reason}",
                {"epoch": frame.epoch, "reason": reason, "owner": owner, "ms": remaining_ms},
            )
        )

    # -- the ends of promises ------------------------------------------------------------------

    def _release(self, frame: LeaseFrame, age_ms: int | None, effects: list[Effect]) -> None:
        """Forget the promise to an owner that stopped; it was of this round or of one before.

        At whatever age: a later round has a later nonce, and is not what was given back. Only a
        restarted agent, which has no nonce any more, goes by the age.
        """
        if frame.owner != frame.node or self._is_outdated(frame):
            return
        before = self._promises.get(frame.name)
        if before is not None and before.nonce is None and self._is_stale(age_ms):
            return
        key = (frame.name, frame.node)
        self._released[key] = max(self._released.get(key, 0), frame.epoch)
        promise = self._promises.get(frame.name)
        if promise is not None and promise.owner == frame.node:
            del self._promises[frame.name]
        record = self._latest(frame.name)
        is_own = frame.node == self.me
        if record.owner == frame.node and record.endless:
            record = msgspec.structs.replace(record, endless=False)
        elif not is_own:
            effects.append(self._grant(frame))
            return
        if is_own:
            # What this node gave back it must not take up again after a restart of the agent.
            given_back = max(record.given_back, frame.epoch)
            record = msgspec.structs.replace(record, given_back=given_back)
        self._write(self.state, {frame.name: _Write(record, frame)}, effects)

    def _is_outdated(self, frame: LeaseFrame) -> bool:
        """Whether this node granted a later round to the one that gives back an earlier one."""
        promise = self._promises.get(frame.name)
        if promise is not None and promise.owner == frame.node:
            return promise.nonce is not None and (
                promise.epoch > frame.epoch or not _is_same_or_before(promise.nonce, frame.nonce)
            )
        return any(
            write.frame is not None
            and write.frame.node == frame.node
            and not _is_same_or_before(write.frame.nonce, frame.nonce)
            for writes in self._writes.values()
            for name, write in writes.items()
            if name == frame.name
        )

    def _fence_confirm(self, frame: LeaseFrame, effects: list[Effect]) -> None:
        """Forget the promise to a boot that is proven to have ended, and hear that boot no more."""
        if frame.owner is None:
            return
        self._fenced[frame.owner] = frame.owner_boot
        promise = self._promises.get(frame.name)
        if promise is None or (promise.owner, promise.boot) != (frame.owner, frame.owner_boot):
            effects.append(self._grant(frame))
            return
        del self._promises[frame.name]
        effects.append(
            Explain(
                f"no longer bound to node {frame.owner} for {frame.name}: node {frame.node} says "
                "that its boot has ended",
                {"owner": frame.owner, "by": frame.node, "epoch": promise.epoch},
            )
        )
        record = self._latest(frame.name)
        if record.endless:
            record = msgspec.structs.replace(record, endless=False)
            self._write(self.state, {frame.name: _Write(record, frame)}, effects)
        else:
            effects.append(self._grant(frame))

    # -- the disk ------------------------------------------------------------------------------

    def _write(self, state: VoterState, changes: dict[str, _Write], effects: list[Effect]) -> None:
        """Write a state with everything that is on its way already and these changes."""
        new = {name: write for name, write in changes.items() if name not in state.records}
        if len(state.records) + len(new) > HA_LEASES_MAX:
            return
        records = dict(state.records)
        for writes in (*self._writes.values(), changes):
            records.update({name: write.record for name, write in writes.items()})
        self._token += 1
        self._writes[self._token] = changes
        effects.append(Persist(self._token, msgspec.structs.replace(state, records=records)))

    def _write_start(self, effects: list[Effect]) -> None:
        """Count the start; nothing else leaves this node before that is on disk."""
        self.state = msgspec.structs.replace(self.state, inc=self.state.inc + 1, boot=self._boot)
        self._write(self.state, {}, effects)

    def _latest(self, name: str) -> Record:
        """Return a lease's record as it stands once everything on its way has been written."""
        record = self.state.records.get(name, Record())
        for writes in self._writes.values():
            if name in writes:
                record = writes[name].record
        return record

    def _persisted(self, token: int, now_ms: int, effects: list[Effect]) -> None:
        changes = self._writes.pop(token, None)
        if changes is None:
            return
        if not self._begun:
            self._begin(now_ms, effects)
            return
        for name, write in changes.items():
            records = self.state.records | {name: write.record}
            self.state = msgspec.structs.replace(self.state, records=records)
            if write.frame is not None:
                self._written(write.frame, now_ms, effects)

    def _written(self, frame: LeaseFrame, now_ms: int, effects: list[Effect]) -> None:
        """Answer what had to be on disk first."""
        if frame.kind not in _ASKS:
            effects.append(self._grant(frame))
            return
        if (
            frame.epoch <= self._released.get((frame.name, frame.node), 0)
            or self._fenced.get(frame.node) == frame.boot
        ):
            self._end_endless(frame, effects)
            return
        self._promise_to(frame, now_ms)
        self._said.pop((frame.name, frame.node), None)
        effects += (
            self._grant(frame),
            Bound(frame.name, frame.epoch, frame.node),
            Explain(
                f"granted {frame.name} (epoch {frame.epoch}) to node {frame.node}",
                {"epoch": frame.epoch, "owner": frame.node},
            ),
        )

    def _end_endless(self, frame: LeaseFrame, effects: list[Effect]) -> None:
        """Take back what ended while it was on its way to the disk."""
        record = self._latest(frame.name)
        if record.endless:
            record = msgspec.structs.replace(record, endless=False)
            self._write(self.state, {frame.name: _Write(record, None)}, effects)

    def _persist_failed(self, token: int, now_ms: int, effects: list[Effect]) -> None:
        """Abstain; the epoch may be on the disk, so nobody gets it any more."""
        changes = self._writes.pop(token, None)
        if changes is None:
            return
        self._due_ms = now_ms + DISK_RETRY_MS
        for name, write in changes.items():
            self._floor[name] = max(self._floor.get(name, 0), write.record.max_epoch)
            self._attestation.complete.discard(name)
            if write.frame is not None and write.frame.kind in _ASKS:
                self._refuse(write.frame, DISK, now_ms, effects)

    # -- after a start -------------------------------------------------------------------------

    def _begin(self, now_ms: int, effects: list[Effect]) -> None:
        """Take up the promises of before: a boot waits them out, a restart knows to whom they were.

        Whoever was granted an epoch last is the only one who can have a promise.
        """
        self._begun = True
        records = self.state.records
        for name, record in records.items():
            if record.owner is None or self._is_given_back(record):
                continue
            if record.endless:
                until_ms: int | None = None
            elif self._is_restart:
                watchdog_ms = max(record.watchdog_ms, self._watchdogs.get(name, 0))
                until_ms = now_ms + self._terms.promise_ms(watchdog_ms)
            else:
                continue
            self._promises[name] = Promise(
                record.owner, record.owner_boot, record.max_epoch, until_ms, None
            )
        if not self._is_restart:
            slowest = max(
                [*self._watchdogs.values(), *(each.watchdog_ms for each in records.values())],
                default=0,
            )
            self._wait_until_ms = now_ms + self._terms.promise_ms(slowest)
            effects.append(
                Explain(
                    f"votes for nobody for {self._wait_until_ms - now_ms} ms after the boot, or "
                    "until every node says what it holds",
                    {"ms": self._wait_until_ms - now_ms},
                )
            )
        self._due_ms = now_ms + FIRST_ASK_MS

    def _is_given_back(self, record: Record) -> bool:
        return record.owner == self.me and record.max_epoch <= record.given_back

    def _roll_back(self, now_ms: int, effects: list[Effect]) -> None:
        """Know nothing any more: the disk is of before something that this node promised."""
        records = {
            name: msgspec.structs.replace(record, cfgver=0)
            for name, record in self.state.records.items()
        }
        self._attestation.forget()
        self._due_ms = now_ms
        changes = {name: _Write(record, None) for name, record in records.items()}
        self.state = msgspec.structs.replace(self.state, records=records)
        effects.append(
            Explain("votes for nobody: its disk is older than what its peers heard of it", {})
        )
        self._write(self.state, changes, effects)

    def _is_admitted(self, name: str) -> bool:
        record = self.state.records.get(name)
        return record is not None and record.cfgver == self.electorate.cfgver

    def _meet(self, name: str, now_ms: int) -> None:
        """Ask about a lease that this node's own definitions do not have."""
        known = {*self._watchdogs, *self.state.records, *self._met}
        if name not in known and len(known) < HA_LEASES_MAX:
            self._met.add(name)
            self._due_ms = now_ms

    def _attest(self, frame: LeaseFrame, now_ms: int, effects: list[Effect]) -> None:
        """Count a node that says, asked since this start of the agent, that it holds nothing."""
        is_mine = frame.owner == frame.node and (frame.nonce.voter_id, frame.nonce.inc) == (
            self.state.voter_id,
            self.state.inc,
        )
        if (
            is_mine
            and frame.cfgver == self.electorate.cfgver
            and self._is_waiting(frame.name, now_ms)
        ):
            ended = (
                frame.epoch <= self._released.get((frame.name, frame.node), 0)
                or self._fenced.get(frame.node) == frame.owner_boot
            )
            said = Said(frame.node, frame.owner_boot, 0 if ended else frame.epoch, frame.max_epoch)
            self._attestation.attested(frame.name, said)
            self._admit(frame.name, now_ms, effects)

    def _is_waiting(self, name: str, now_ms: int) -> bool:
        return name not in self._attestation.complete and (
            now_ms < self._wait_until_ms or not self._is_admitted(name)
        )

    def _admit(self, name: str, now_ms: int, effects: list[Effect]) -> None:
        """Vote on a lease of which every node said what it holds.

        Whatever this node promised before, it promised to one of them: to one that holds nothing
        any more, or to the one that holds it, and to that one it binds itself anew.
        """
        if self._attestation.lacking(name):
            return
        holders = self._attestation.holders(name)
        if len(holders) > 1:
            self._attestation.doubt(name)
            return
        self._attestation.complete.add(name)
        effects.append(
            Explain(
                f"votes on {name}: every node said what it holds",
                {"holder": holders[0].node if holders else None},
            )
        )
        before = self._latest(name)
        record = msgspec.structs.replace(before, cfgver=self.electorate.cfgver)
        max_epoch = self._attestation.max_epoch(name)
        self._floor[name] = max(self._floor.get(name, 0), max_epoch)
        if max_epoch > before.max_epoch and not before.endless:
            record = msgspec.structs.replace(record, max_epoch=max_epoch, owner=None)
        for holder in holders:
            record = self._bind(name, holder, record, now_ms)
        if record != before:
            self._write(self.state, {name: _Write(record, None)}, effects)

    def _bind(self, name: str, holder: Said, record: Record, now_ms: int) -> Record:
        """Promise to the one that holds it, as if it had been granted now."""
        promise = self._promises.get(name)
        if promise is not None and promise.owner != holder.node:
            return record  # without end, to somebody who has yet to give it back
        watchdog_ms = max(record.watchdog_ms, *self._watchdogs.values(), 0)
        until_ms = None if self.electorate.sticky else now_ms + self._terms.promise_ms(watchdog_ms)
        self._promises[name] = Promise(holder.node, holder.boot, holder.epoch, until_ms, None)
        return msgspec.structs.replace(
            record,
            max_epoch=max(record.max_epoch, holder.epoch),
            owner=holder.node,
            owner_boot=holder.boot,
            endless=self.electorate.sticky,
            watchdog_ms=watchdog_ms,
        )

    def _pass_time(self, now_ms: int, effects: list[Effect]) -> None:
        if self._due_ms is None or now_ms < self._due_ms:
            return
        self._due_ms = None
        if not self._begun:
            if not self._writes:
                self._write_start(effects)
            return
        if self.me not in self.electorate.voters:
            return
        for name in sorted({*self._watchdogs, *self.state.records, *self._met}):
            if not self._is_waiting(name, now_ms):
                continue
            self._due_ms = now_ms + max(1, self._terms.age_ms_max // 2)
            nonce = self._attestation.nonce(self.state)
            effects += (
                Send(node, Kind.ATTEST, name, 0, nonce, None, NO_BOOT)
                for node in self._attestation.lacking(name)
            )
            self._admit(name, now_ms, effects)


def _is_before(one: Nonce, other: Nonce | None) -> bool:
    return other is not None and one.voter_id == other.voter_id and one < other


def _is_same_or_before(one: Nonce, other: Nonce) -> bool:
    return one.voter_id == other.voter_id and one <= other
