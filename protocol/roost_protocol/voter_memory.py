"""What a voter knows: its word to each owner, what is on its disk, and what is on its way there.

Leaves to others: when a word is given (voter_rules.py) and when it ends (voter.py).

Invariants:
- ``state`` is what the disk has acknowledged, never what it was asked to take;
- an epoch that may be on the disk counts as granted, whatever the disk said of it.
"""

import msgspec

from roost_protocol.configuration import Accepted, Configuration, is_later
from roost_protocol.electorate import Electorate
from roost_protocol.ha import LeaseFrame, Nonce
from roost_protocol.limits import HA_LEASES_MAX
from roost_protocol.voter_events import Configured, Effect, Persist
from roost_protocol.voter_state import Record, VoterState


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


class Write(msgspec.Struct, frozen=True):
    """A record on its way to the disk, and what was asked; None: the start itself."""

    record: Record
    frame: LeaseFrame | None


class Step(msgspec.Struct, frozen=True):
    """What a voter keeps of configurations, on its way to the disk.

    Attributes:
        cfg: as decided.
        accepted: what may follow it.
        shown: who showed that it is under it.
        frame: to be answered once it is on disk.
    """

    cfg: Configuration | None
    accepted: Accepted | None
    shown: tuple[int, ...]
    frame: LeaseFrame | None


class Memory:
    """See the module.

    Args:
        electorate: of the site's file; what was decided since stands in the state.
        state: from the disk, or blank.
        by_proof: leases of which a promise has no end, whatever the electorate.

    Attributes:
        electorate: the present one.
        on_proof: leases held here that do not rest on the promises of all voters.
        has_begun: the start of the agent is on disk.
        due_ms: when the voter has to see to something again, None: nothing is waited for.
        promises: by lease.
        released: lease and owner to the highest epoch that was given back.
        floor: by lease, epochs that may be on the disk, whatever it said.
        fenced: node to its boot that is proven to have ended.
        writes: by token, what is on its way.
        steps: by token, what of it is about configurations.
    """

    def __init__(
        self,
        electorate: Electorate,
        state: VoterState,
        by_proof: frozenset[str] = frozenset(),
    ) -> None:
        # What is of another file is left behind: that file was another beginning.
        cfg, accepted = state.cfg, state.accepted
        if cfg is not None and not is_later(cfg.cfgver, electorate.cfgver):
            state = msgspec.structs.replace(state, cfg=None, shown=())
        elif cfg is not None:
            electorate = electorate.under(cfg)
        if accepted is not None and not is_later(accepted.cfg.cfgver, electorate.cfgver):
            state = msgspec.structs.replace(state, accepted=None)
        self.electorate = electorate
        self._by_proof = by_proof
        self.state = state
        self.on_proof: set[str] = set()
        self.has_begun = False
        self.due_ms: int | None = None
        self.promises: dict[str, Promise] = {}
        self.released: dict[tuple[str, int], int] = {}
        self.floor: dict[str, int] = {}
        self.fenced: dict[int, bytes] = {}
        self.writes: dict[int, dict[str, Write]] = {}
        self.steps: dict[int, Step] = {}
        self._token = 0

    def promise(self, name: str, now_ms: int) -> Promise | None:
        """Return the promise that binds this node for a lease now."""
        promise = self.promises.get(name)
        if promise is None or promise.until_ms is None or promise.until_ms > now_ms:
            return promise
        return None

    def is_endless(self, name: str) -> bool:
        """Return whether a promise for a lease ends by a release or by proof alone."""
        return self.electorate.sticky or name in self._by_proof

    def max_epoch(self, name: str) -> int:
        """Return the highest epoch of a lease that this node granted or may have granted."""
        record = self.state.records.get(name)
        return max(record.max_epoch if record else 0, self.floor.get(name, 0))

    def known_epoch(self, name: str) -> int:
        """Return the highest epoch of a lease that this node knows to have been granted."""
        record = self.state.records.get(name)
        return max(record.floor if record else 0, self.max_epoch(name))

    def latest(self, name: str) -> Record:
        """Return a lease's record as it stands once everything on its way has been written."""
        record = self.state.records.get(name, Record())
        for writes in self.writes.values():
            if name in writes:
                record = writes[name].record
        return record

    def write(
        self,
        state: VoterState,
        changes: dict[str, Write],
        effects: list[Effect],
        step: Step | None = None,
    ) -> None:
        """Write a state with everything that is on its way already and these changes."""
        new = {name: write for name, write in changes.items() if name not in state.records}
        if len(state.records) + len(new) > HA_LEASES_MAX:
            return
        records = dict(state.records)
        for writes in (*self.writes.values(), changes):
            records.update({name: write.record for name, write in writes.items()})
        self._token += 1
        self.writes[self._token] = changes
        if step is not None:
            self.steps[self._token] = step
        for each in self.steps.values():
            state = _stepped(state, each)
        effects.append(Persist(self._token, msgspec.structs.replace(state, records=records)))

    def step(self, step: Step, effects: list[Effect]) -> None:
        """Take in that a step is on disk: from now on this node is under it."""
        self.state = _stepped(self.state, step)
        if step.cfg is not None and step.cfg.cfgver != self.electorate.cfgver:
            self.electorate = self.electorate.under(step.cfg)
        self.tell(effects)

    def tell(self, effects: list[Effect]) -> None:
        """Tell the leases under which configuration this node is.

        The proof that a boot has ended stands in for a vote only beside nothing accepted, and of
        one that showed this configuration: else it may boot into a majority of the one before.
        """
        voters = frozenset(self.electorate.voters)
        if self.steps or self.state.accepted is not None:
            voters = frozenset()
        elif self.electorate.is_changed:
            voters &= frozenset(self.state.shown)
        effects.append(Configured(self.electorate, voters, self.state.accepted))

    def keep(self, name: str, record: Record) -> None:
        """Take in that a record is on disk."""
        records = self.state.records | {name: record}
        self.state = msgspec.structs.replace(self.state, records=records)


def _stepped(state: VoterState, step: Step) -> VoterState:
    return msgspec.structs.replace(state, cfg=step.cfg, accepted=step.accepted, shown=step.shown)
