"""When a voter gives its word to one who asks, and why not (design: ha, 5.3)."""

from typing import Final

from roost_protocol.ha import LeaseFrame, Nonce
from roost_protocol.limits import HA_NODES_MAX
from roost_protocol.terms import Terms
from roost_protocol.voter_memory import Memory
from roost_protocol.voter_start import Start

# Why a voter refuses.
STALE: Final = "stale"  # too old, or it shows no sign of having heard this start of the agent
CFGVER: Final = "cfgver"
ABSTAINS: Final = "abstains"  # no voter, or its disk did not take the start
OWNER: Final = "owner"  # asks for somebody else, or for an epoch that is not its to take
BLANK: Final = "blank"  # knows nothing of this lease, and not every node said what it holds
BOOT_WAIT: Final = "boot-wait"
WARY: Final = "wary"  # its disk may be a backup's, and not every node said what it holds
PROMISED: Final = "promised"
EPOCH: Final = "epoch"
RELEASED: Final = "released"
FENCED: Final = "fenced"
WATCHDOG: Final = "watchdog"  # slower than the one that the epoch was granted for
BUSY: Final = "busy"  # another epoch of this lease is on its way to the disk
DISK: Final = "disk"


class Rules:
    """The tests that a request must pass, all of them.

    Args:
        me: this node.
        memory: of its voter.
        start: what it still waits for.
        terms: of the leases.
    """

    def __init__(self, me: int, memory: Memory, start: Start, terms: Terms) -> None:
        self._me = me
        self._memory = memory
        self._start = start
        self._terms = terms

    def reason(self, frame: LeaseFrame, age_ms: int | None, now_ms: int) -> str:
        """Return why not, empty where everything holds (design: ha, 5.3)."""
        if self.is_stale(age_ms):
            return STALE
        return (
            self._reason_self(frame, now_ms)
            or self._reason_promise(frame, now_ms)
            or self._reason_epoch(frame)
        )

    def is_stale(self, age_ms: int | None) -> bool:
        """Whether a request is too old, or of unknown age."""
        return age_ms is None or age_ms > self._terms.age_ms_max

    def _reason_self(self, frame: LeaseFrame, now_ms: int) -> str:
        """Return why this node answers nobody, or nobody of that configuration."""
        if frame.cfgver != self._memory.electorate.cfgver:
            return CFGVER
        if not self._memory.has_begun or self._me not in self._memory.electorate.voters:
            return ABSTAINS
        if not self._start.is_admitted(frame.name):
            self._start.meet(frame.name, now_ms)
            return BLANK
        if self._start.is_attested(frame.name):
            return ""
        if now_ms < self._start.wait_until_ms:
            return BOOT_WAIT
        return WARY if self._start.is_wary and not self._had_last(frame) else ""

    def _had_last(self, frame: LeaseFrame) -> bool:
        """Whether the one who asks is the owner of the last epoch that the disk knows of."""
        record = self._memory.state.records[frame.name]
        return (record.owner, record.owner_boot) == (frame.node, frame.boot)

    def _reason_promise(self, frame: LeaseFrame, now_ms: int) -> str:
        """Return why this one is not answered, or not before another."""
        if frame.owner != frame.node or frame.owner_boot != frame.boot:
            return OWNER
        if self._memory.fenced.get(frame.node) == frame.boot:
            return FENCED
        promise = self._memory.promise(frame.name, now_ms)
        if promise is not None and promise.owner != frame.node:
            return PROMISED
        if any(frame.name in writes for writes in self._memory.writes.values()):
            return BUSY
        if promise is not None and _is_before(frame.nonce, promise.nonce):
            return STALE
        return ""

    def _reason_epoch(self, frame: LeaseFrame) -> str:
        """Return why this epoch is not to be had."""
        if frame.epoch % HA_NODES_MAX != frame.node:
            return OWNER
        if frame.epoch <= self._memory.released.get((frame.name, frame.node), 0):
            return RELEASED
        record = self._memory.state.records[frame.name]
        if frame.epoch > self._memory.max_epoch(frame.name) and frame.epoch >= record.floor:
            return ""
        if (frame.epoch, frame.node, frame.boot) != (
            record.max_epoch,
            record.owner,
            record.owner_boot,
        ):
            return EPOCH
        return WATCHDOG if frame.watchdog_ms > record.watchdog_ms else ""


def _is_before(one: Nonce, other: Nonce | None) -> bool:
    return other is not None and one.voter_id == other.voter_id and one < other
