"""The voter's part in changing the voters: what it accepts, and what it adopts (design: ha, 6).

One change after the other, each decided as Paxos decides: the epoch of the lease ``site`` is the
ballot, its holder proposes, and what a majority of the old voters (all of them, if sticky)
accepted is decided for ever, whether anybody knows it or not.

Leaves to others: what is proposed and when (the agent's proposer), what a holder does under another
configuration (its lease).

Invariants:
- what was accepted is on disk before it is answered, and is told with every grant of ``site``;
- nothing is accepted of an epoch that is not the last one granted;
- there is one configuration to a cfgver, and a node's only grows.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from roost_protocol.configuration import SITE_LEASE, Accepted, Configuration, is_later
from roost_protocol.electorate_change import fault
from roost_protocol.explain import Explain
from roost_protocol.ha import Kind, LeaseFrame, Nonce
from roost_protocol.limits import HA_LEASES_MAX
from roost_protocol.voter_answer import Answers
from roost_protocol.voter_events import Effect, Send
from roost_protocol.voter_memory import Memory, Step, Write
from roost_protocol.voter_rules import ABSTAINS, BLANK, BUSY, CFGVER, EPOCH
from roost_protocol.voter_start import Start
from roost_protocol.voter_state import NO_BOOT, Record

NO_STEP: Final = "no-step"
ENDLESS: Final = "endless"  # bound without end, from before this configuration had ends
DISK_GONE: Final = "disk-gone"  # an operator's word in place of the acceptance of the one removed
ON_PROOF: Final = "on-proof"  # holds something here that not all voters promised


class Acceptor:
    """See the module.

    Args:
        me: this node.
        boot: its boot id.
        life: its incarnation, as its frames say it; None: as its voter counts.
        memory: of its voter.
        start: says whether this disk knows what it promised.
        watchdogs: names the leases that this node's own definitions have.
        answers: tell the one who asked.
    """

    def __init__(  # noqa: PLR0913 - what it is, and its neighbours
        self,
        me: int,
        boot: bytes,
        life: int | None,
        memory: Memory,
        *,
        start: Start,
        watchdogs: Mapping[str, int],
        answers: Answers,
    ) -> None:
        self._me = me
        self._boot = boot
        self._life = life
        self._memory = memory
        self._start = start
        self._watchdogs = watchdogs
        self._answers = answers

    def propose(self, frame: LeaseFrame, now_ms: int, effects: list[Effect]) -> None:
        """Accept what the holder of ``site`` proposes, or refuse it.

        With three old voters or fewer the proposer, who accepted it before it asked, and this one
        are enough: it is decided, and adopted in the same write.
        """
        memory = self._memory
        reason = self._reason(frame)
        if reason or frame.cfg is None:
            self._answers.refuse(frame, reason or NO_STEP, now_ms, effects)
            return
        accepted = Accepted(frame.epoch, frame.cfg)
        is_own = frame.node == self._me
        is_gone = self._is_gone(frame) and memory.state.accepted in {None, accepted}
        if is_gone or memory.electorate.needed <= 1 + (not is_own):
            self._adopt(frame.cfg, frame, effects)
            return
        if memory.state.accepted == accepted:
            effects.append(self._accept(frame))
            return
        site = {SITE_LEASE: Write(memory.latest(SITE_LEASE), None)}
        step = Step(memory.state.cfg, accepted, memory.state.shown, frame)
        memory.write(memory.state, site, effects, step)
        memory.tell(effects)

    def _reason(self, frame: LeaseFrame) -> str:
        memory = self._memory
        electorate = memory.electorate
        if frame.cfgver != electorate.cfgver:
            return CFGVER
        if self._me not in electorate.voters or frame.node not in electorate.voters:
            return ABSTAINS
        if not self._start.is_admitted(SITE_LEASE):
            return BLANK
        if memory.steps or any(SITE_LEASE in writes for writes in memory.writes.values()):
            return BUSY
        if not self._is_ballot(frame):
            return EPOCH
        return self._reason_step(frame)

    def _is_ballot(self, frame: LeaseFrame) -> bool:
        """Whether it is of the epoch that was granted last, and the first of it."""
        memory = self._memory
        record = memory.state.records[SITE_LEASE]
        accepted = memory.state.accepted
        is_other = accepted is not None and (
            accepted.epoch > frame.epoch
            or (accepted.epoch == frame.epoch and accepted.cfg != frame.cfg)
        )
        return (
            frame.epoch == memory.max_epoch(SITE_LEASE) == record.max_epoch
            and (frame.node, frame.boot) == (record.owner, record.owner_boot)
            and frame.epoch > memory.released.get((SITE_LEASE, frame.node), 0)
            and memory.fenced.get(frame.node) != frame.boot
            and not is_other
        )

    def _is_gone(self, frame: LeaseFrame) -> bool:
        return frame.node == self._me and frame.reason == DISK_GONE

    def _reason_step(self, frame: LeaseFrame) -> str:
        """Return why it is no step for this voter."""
        memory, cfg = self._memory, frame.cfg
        electorate = memory.electorate
        if cfg is None or fault(electorate, cfg):
            return NO_STEP
        if not electorate.sticky and any(each.endless for each in memory.state.records.values()):
            return ENDLESS
        return ON_PROOF if electorate.sticky and not self._may_change(frame) else ""

    def _may_change(self, frame: LeaseFrame) -> bool:
        """Whether what is held here outlives the change, among voters that must all grant.

        A right that not all of a pair promised needs those who did: whoever holds one here keeps
        the pair as it is. By an operator's word the one that goes is the one that did not.
        """
        memory = self._memory
        if not self._is_gone(frame):
            return not memory.on_proof
        promises = [memory.promises.get(name) for name in sorted(memory.on_proof)]
        return all(each is not None and each.owner == self._me for each in promises)

    def _accept(self, frame: LeaseFrame) -> Send:
        return Send(
            frame.node,
            Kind.CFG_ACCEPT,
            SITE_LEASE,
            frame.epoch,
            frame.nonce,
            frame.owner,
            frame.owner_boot,
            cfg=frame.cfg,
            epochs=self.epochs(),
        )

    def epochs(self) -> dict[str, int]:
        """Return the highest epochs granted here."""
        memory = self._memory
        return {name: memory.known_epoch(name) for name in sorted(memory.state.records)}

    def commit(self, frame: LeaseFrame, effects: list[Effect]) -> None:
        """Adopt what was decided, unless this node is as far."""
        memory = self._memory
        if (
            frame.cfg is not None
            and is_later(frame.cfg.cfgver, memory.electorate.cfgver)
            and not memory.steps
        ):
            self._adopt(frame.cfg, frame, effects)

    def _adopt(self, cfg: Configuration, frame: LeaseFrame, effects: list[Effect]) -> None:
        """Put a decided configuration on disk, and that this disk still knows its promises."""
        memory = self._memory
        before = memory.state.accepted
        accepted = before if before and is_later(before.cfg.cfgver, cfg.cfgver) else None
        records = self._records(cfg, frame.epochs or {})
        step = Step(cfg, accepted, (), frame)
        changes = {name: Write(record, None) for name, record in records.items()}
        memory.write(memory.state, changes, effects, step)
        memory.tell(effects)

    def _records(self, cfg: Configuration, epochs: Mapping[str, int]) -> dict[str, Record]:
        """Return the records under another configuration.

        A disk that knew its promises under the one before knows them still. One that becomes a
        voter in this very life of its node has none that count: those of a configuration in which
        it was one ran out before this one was proposed, and one without end was not counted on.
        """
        memory, joined = self._memory, cfg.joined
        life = memory.state.inc if self._life is None else self._life
        is_new = (
            joined is not None
            and (joined.node, joined.boot, joined.inc) == (self._me, self._boot, life)
            and self._me not in memory.electorate.voters
        )
        names = [*memory.state.records]
        if is_new:
            names += [name for name in sorted({*self._watchdogs, SITE_LEASE}) if name not in names]
        found = {}
        for name in names[:HA_LEASES_MAX]:
            record = memory.latest(name)
            is_admitted = is_new or record.cfgver == memory.electorate.cfgver
            found[name] = msgspec.structs.replace(
                record,
                cfgver=cfg.cfgver if is_admitted else 0,
                endless=record.endless and not is_new,
                floor=max(record.floor, epochs.get(name, 0)),
            )
        return found

    def written(self, step: Step, before: int, effects: list[Effect]) -> None:
        """Answer what had to be on disk first, under the configuration of ``before``."""
        memory = self._memory
        frame = step.frame
        if frame is not None and frame.kind is Kind.CFG_PROPOSE:
            effects.append(self._accept(frame))
        if step.cfg is not None and memory.electorate.cfgver != before:
            if step.cfg.joined is not None and step.cfg.joined.node == self._me:
                self._forget_endless()
            voters = ", ".join(str(voter) for voter in step.cfg.voters)
            mode = "all of them" if step.cfg.sticky else f"{memory.electorate.needed} of them"
            effects.append(
                Explain(
                    f"the voters are {voters} from now on, and {mode} must grant",
                    {"cfgver": step.cfg.cfgver, "voters": voters, "sticky": step.cfg.sticky},
                )
            )

    def _forget_endless(self) -> None:
        """Drop the promises whose records are without end no more; see ``_records``."""
        memory = self._memory
        for name, promise in list(memory.promises.items()):
            if promise.until_ms is None and not memory.state.records[name].endless:
                del memory.promises[name]

    def showed(self, node: int, cfgver: int, effects: list[Effect]) -> None:
        """Take in under which configuration a peer is; tell it ours where that is later."""
        memory = self._memory
        electorate, state = memory.electorate, memory.state
        if state.cfg is not None and is_later(electorate.cfgver, cfgver):
            effects.append(
                Send(
                    node,
                    Kind.CFG_COMMIT,
                    SITE_LEASE,
                    0,
                    Nonce(state.voter_id, state.inc, 0),
                    None,
                    NO_BOOT,
                    cfg=state.cfg,
                    epochs=self.epochs(),
                )
            )
        elif self._is_first_shown(node, cfgver) and not memory.steps:
            shown = tuple(sorted({*state.shown, node}))
            step = Step(state.cfg, state.accepted, shown, None)
            memory.write(state, {}, effects, step)

    def is_news(self, node: int, cfgver: int) -> bool:
        """Whether ``showed`` would do anything."""
        return is_later(self._memory.electorate.cfgver, cfgver) or self._is_first_shown(
            node, cfgver
        )

    def _is_first_shown(self, node: int, cfgver: int) -> bool:
        electorate = self._memory.electorate
        return (
            electorate.sticky
            and cfgver == electorate.cfgver
            and electorate.is_changed
            and node in electorate.voters
            and node not in self._memory.state.shown
        )
