"""A voter after a start of its agent: whom it is bound to still, and when it may vote again.

After a boot it waits until every promise of before has run out, or until every node of the site,
its own among them, said since what it holds. A restart of the agent is no boot.

Leaves to others: what is granted once it votes.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from roost_protocol.attestation import Attestation, Said
from roost_protocol.explain import Explain
from roost_protocol.ha import Kind, LeaseFrame
from roost_protocol.limits import HA_LEASES_MAX
from roost_protocol.terms import Terms
from roost_protocol.voter_events import Effect, Send
from roost_protocol.voter_memory import Memory, Promise, Write
from roost_protocol.voter_state import NO_BOOT, Record

FIRST_ASK_MS: Final = 50  # after the start: this node's own leases have to answer as well


class Start:
    """See the module.

    Args:
        me: this node.
        memory: of its voter.
        terms: of the leases.
        watchdogs: by lease, in ms.
        is_restart: of the agent alone, under a guard that stood.
        ask_ms: between two questions to who has yet to say what it holds.
        is_wary: its disk may be a backup's: it asks whatever that says.

    Attributes:
        wait_until_ms: nothing is granted before, unless it was attested.
    """

    def __init__(  # noqa: PLR0913 - what it is, and what it knows
        self,
        me: int,
        memory: Memory,
        terms: Terms,
        watchdogs: Mapping[str, int],
        *,
        is_restart: bool,
        ask_ms: int,
        is_wary: bool,
    ) -> None:
        self.wait_until_ms = 0
        self.is_wary = is_wary
        self._ask_ms = ask_ms
        self._me = me
        self._memory = memory
        self._terms = terms
        self._watchdogs = watchdogs
        self._is_restart = is_restart
        self._attestation = Attestation(memory.electorate.nodes)
        self._met: set[str] = set()  # leases that only others define

    def begin(self, now_ms: int, effects: list[Effect]) -> None:
        """Take up the promises of before: a boot waits them out, a restart knows to whom they were.

        Whoever was granted an epoch last is the only one who can have a promise.
        """
        self._memory.has_begun = True
        records = self._memory.state.records
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
            if record.endless and record.owner == self._me:
                self._memory.on_proof.add(name)  # until its lease says on what it rests
            self._memory.promises[name] = Promise(
                record.owner, record.owner_boot, record.max_epoch, until_ms, None
            )
        if not self._is_restart:
            slowest = max(
                [*self._watchdogs.values(), *(each.watchdog_ms for each in records.values())],
                default=0,
            )
            self.wait_until_ms = now_ms + self._terms.promise_ms(slowest)
            effects.append(
                Explain(
                    f"votes for nobody for {self.wait_until_ms - now_ms} ms after the boot, or "
                    "until every node says what it holds",
                    {"ms": self.wait_until_ms - now_ms},
                )
            )
        self._memory.due_ms = now_ms + FIRST_ASK_MS

    def _is_given_back(self, record: Record) -> bool:
        return record.owner == self._me and record.max_epoch <= record.given_back

    def roll_back(self, now_ms: int, effects: list[Effect]) -> None:
        """Know nothing any more: the disk is of before something that this node promised."""
        records = {
            name: msgspec.structs.replace(record, cfgver=0)
            for name, record in self._memory.state.records.items()
        }
        self._attestation.forget()
        self._memory.due_ms = now_ms
        changes = {name: Write(record, None) for name, record in records.items()}
        self._memory.state = msgspec.structs.replace(self._memory.state, records=records)
        effects.append(
            Explain("votes for nobody: its disk is older than what its peers heard of it", {})
        )
        self._memory.write(self._memory.state, changes, effects)

    def is_admitted(self, name: str) -> bool:
        """Whether this disk knows what there was of a lease before its first grant."""
        record = self._memory.state.records.get(name)
        return record is not None and record.cfgver == self._memory.electorate.cfgver

    def meet(self, name: str, now_ms: int) -> None:
        """Ask about a lease that this node's own definitions do not have."""
        known = {*self._watchdogs, *self._memory.state.records, *self._met}
        if name not in known and len(known) < HA_LEASES_MAX:
            self._met.add(name)
            self._memory.due_ms = now_ms

    def attest(self, frame: LeaseFrame, now_ms: int, effects: list[Effect]) -> None:
        """Count a node that says, asked since this start of the agent, that it holds nothing."""
        is_mine = frame.owner == frame.node and (frame.nonce.voter_id, frame.nonce.inc) == (
            self._memory.state.voter_id,
            self._memory.state.inc,
        )
        if (
            is_mine
            and frame.cfgver == self._memory.electorate.cfgver
            and self._is_waiting(frame.name, now_ms)
        ):
            ended = (
                frame.epoch <= self._memory.released.get((frame.name, frame.node), 0)
                or self._memory.fenced.get(frame.node) == frame.owner_boot
            )
            said = Said(frame.node, frame.owner_boot, 0 if ended else frame.epoch, frame.max_epoch)
            self._attestation.attested(frame.name, said)
            self._admit(frame.name, now_ms, effects)

    def _is_waiting(self, name: str, now_ms: int) -> bool:
        return name not in self._attestation.complete and (
            self.is_wary or now_ms < self.wait_until_ms or not self.is_admitted(name)
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
        before = self._memory.latest(name)
        record = msgspec.structs.replace(before, cfgver=self._memory.electorate.cfgver)
        max_epoch = self._attestation.max_epoch(name)
        self._memory.floor[name] = max(self._memory.floor.get(name, 0), max_epoch)
        if max_epoch > before.max_epoch and not before.endless:
            record = msgspec.structs.replace(record, max_epoch=max_epoch, owner=None)
        for holder in holders:
            record = self._bind(name, holder, before, record, now_ms)
        if record != before:
            self._memory.write(self._memory.state, {name: Write(record, None)}, effects)

    def _bind(self, name: str, holder: Said, before: Record, record: Record, now_ms: int) -> Record:
        """Promise to the one that holds it, as if it had been granted now.

        Its epoch goes on, though somebody may have asked for a higher one in vain.
        """
        promise = self._memory.promises.get(name)
        if promise is not None and promise.owner != holder.node:
            return record  # without end, to somebody who has yet to give it back
        watchdog_ms = max(record.watchdog_ms, *self._watchdogs.values(), 0)
        is_endless = self._memory.is_endless(name)
        until_ms = None if is_endless else now_ms + self._terms.promise_ms(watchdog_ms)
        self._memory.promises[name] = Promise(
            holder.node, holder.boot, holder.epoch, until_ms, None
        )
        return msgspec.structs.replace(
            record,
            max_epoch=max(before.max_epoch, holder.epoch),
            floor=max(record.floor, record.max_epoch),
            owner=holder.node,
            owner_boot=holder.boot,
            endless=is_endless,
            watchdog_ms=watchdog_ms,
        )

    def is_attested(self, name: str) -> bool:
        """Whether every node said what it holds of a lease."""
        return name in self._attestation.complete

    def distrust(self, name: str) -> None:
        """Ask about a lease anew: what was to be kept of it may not be on the disk."""
        self._attestation.complete.discard(name)

    def ask(self, now_ms: int, effects: list[Effect]) -> None:
        """Ask every node that has yet to say what it holds."""
        if self._me not in self._memory.electorate.voters:
            return
        for name in sorted({*self._watchdogs, *self._memory.state.records, *self._met}):
            if not self._is_waiting(name, now_ms):
                continue
            self._memory.due_ms = now_ms + self._ask_ms
            nonce = self._attestation.nonce(self._memory.state)
            effects += (
                Send(node, Kind.ATTEST, name, 0, nonce, None, NO_BOOT)
                for node in self._attestation.lacking(name)
            )
            self._admit(name, now_ms, effects)
