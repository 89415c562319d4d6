"""What a host does about its own failures: tries again, reboots once for a fault, gives up. Pure.

The first three rungs of hosts.md section 6. A reboot is decided here and done by others; one that
is silent can do nothing for itself: the coordinator's resets (resets.py) are the rung after it.

Invariants:
- one fault is worth one reboot, over agents and boots: a fault is over by an operator's word, or
  after an hour in service;
- no more than REBOOTS_MAX reboots of its own within a day, and none of the last host that serves;
- what is counted is for the disk before anything follows from it (core: Keep).
"""

from collections.abc import Mapping
from enum import Enum, auto
from typing import Final

import msgspec
from msgspec.structs import replace

from roost_agent.host.enable import Stage
from roost_agent.host.kept import REBOOTS_KEPT, Kept, Rebooted
from roost_agent.host.moment import Moment

EXHAUSTED: Final = "recovery threshold reached"
REBOOTS: Final = "reboots itself"  # a task begins so
REBOOTS_MAX: Final = 2  # of its own within DAY_MS; roost-helper counts those that it does as well
DAY_MS: Final = 86_400_000
HEARD_MS: Final = 30_000  # after a start: the others that serve are heard by then
HEARTBEAT: Final = "heartbeat"  # a cause beside the stages: others lost it too often
SPARED_MS: Final = 300_000  # for which a reboot waits until the site can spare this host


class Recovery(msgspec.Struct, frozen=True):
    """How often by itself, and how long after a failure."""

    attempts: int
    interval_ms: int


RECOVERIES: Final[Mapping[str, Recovery]] = {  # StarlingX's
    Stage.CONFIG: Recovery(2, 30_000),
    Stage.HEALTH: Recovery(2, 30_000),
    Stage.PROCESSES: Recovery(2, 600_000),
    Stage.SOAK: Recovery(2, 30_000),
    HEARTBEAT: Recovery(2, 600_000),
}


class Next(Enum):
    """What a failed host does now."""

    WAIT = auto()
    RETRY = auto()
    REBOOT = auto()
    GIVE_UP = auto()


class Ladder:
    """See the module.

    Args:
        boot_id: of this boot, in hexadecimal digits.
    """

    def __init__(self, boot_id: str) -> None:
        self.attempts: dict[str, int] = {}
        self.exhausted = ""  # the cause that failed too often, and nothing is left to be done
        self.reboots: list[Rebooted] = []
        self.is_by_watchdog = False  # what is gone is of the quorum: the machine's own is to bite
        self._boot_id = boot_id
        self._wanted = ""  # the cause of a reboot that is due
        self._is_ordered = False
        self._retry_ms: int | None = None
        self._limit_ms = 0  # until when a reboot waits to be spared

    def restore(self, kept: Kept) -> None:
        """Take up what was counted."""
        self.attempts, self.reboots = dict(kept.attempts), list(kept.reboots)

    def failed_before(self, now_ms: int) -> str:
        """Return the cause that it is failed by from its start on; empty: it may be enabled."""
        for each in self.attempts:
            if self._ends_here(each):  # it was ordered, and this agent started before it came
                self._want(each, now_ms)
                return each
            if self._is_spent(each):
                self.exhausted, self._retry_ms = each, now_ms + HEARD_MS
                return each
        return ""

    def begun(self) -> None:
        """Take in that a sequence begins: nothing is due until it failed."""
        self._retry_ms, self._wanted, self._is_ordered = None, "", False

    def forget(self) -> None:
        """Take the faults until now for over."""
        self.begun()
        self.attempts, self.exhausted = {}, ""
        self.reboots = [replace(each, is_over=True) for each in self.reboots]

    def failed(self, stage: str, now: Moment, *, of_quorum: bool) -> str:
        """Count a failure, and return what is done about it, as a task.

        Args:
            stage: that failed, or HEARTBEAT.
            now: both clocks.
            of_quorum: what failed is so needed that the enable sequence is not run again first.
        """
        self.begun()
        self.attempts[stage] = self.attempts.get(stage, 0) + 1
        recovery = RECOVERIES[stage]
        self._retry_ms = now.ms + recovery.interval_ms
        is_spent = self._is_spent(stage)
        if (is_spent or of_quorum) and self._may_reboot(stage, now.wall_ms):
            self.is_by_watchdog = of_quorum
            self._want(stage, now.ms)
            return f"{REBOOTS} once its site can spare it"
        if is_spent:
            self.exhausted = stage
            return EXHAUSTED
        return f"tried again {recovery.interval_ms // 1000} s after it failed"

    def next(self, now_ms: int, *, is_last: bool, is_spared: bool) -> Next:
        """Say what a failed host does now.

        Args:
            now_ms: the boot clock.
            is_last: nobody else could serve, so what failed too often is tried all the same.
            is_spared: another one serves, and nobody is at work on this host.
        """
        is_due = self._retry_ms is not None and now_ms >= self._retry_ms
        if is_due and (is_last or not (self.exhausted or self._wanted)):
            return Next.RETRY
        if not self._wanted or self._is_ordered:
            return Next.WAIT
        if is_spared:
            return Next.REBOOT
        return Next.GIVE_UP if now_ms >= self._limit_ms else Next.WAIT

    def order(self, wall_ms: int) -> None:
        """Count the reboot that is due; it is ordered once that is kept."""
        self._is_ordered = True
        if not self._ends_here(self._wanted):
            told = Rebooted(self._wanted, self._boot_id, max(wall_ms, 0))
            self.reboots = [*self.reboots, told][-REBOOTS_KEPT:]

    def give_up(self) -> None:
        """Take in that no reboot comes."""
        self.exhausted, self._wanted = self._wanted or self.exhausted, ""

    # -- the parts -----------------------------------------------------------------------------

    def _want(self, cause: str, now_ms: int) -> None:
        self._wanted, self._limit_ms = cause, now_ms + SPARED_MS
        if self._retry_ms is None:
            self._retry_ms = now_ms + HEARD_MS  # as the last

    def _is_spent(self, cause: str) -> bool:
        """Whether it failed too often; the boot after a reboot is one try more."""
        recovery = RECOVERIES.get(cause)
        if recovery is None:
            return False
        return self.attempts[cause] > recovery.attempts + self._was_rebooted(cause)

    def _may_reboot(self, cause: str, wall_ms: int) -> bool:
        """Whether that rung is left; settings that are refused are so after a boot as well."""
        # After a clock was set back, by years perhaps, a reboot that lies ahead counts as made now:
        # longer than its day, and not for ever.
        past = [replace(each, at_ms=min(each.at_ms, max(wall_ms, 0))) for each in self.reboots]
        self.reboots = past
        recent = sum(wall_ms - each.at_ms < DAY_MS for each in past)
        is_used = any(each.cause == cause and not each.is_over for each in self.reboots)
        return cause != Stage.CONFIG and not is_used and recent < REBOOTS_MAX

    def _was_rebooted(self, cause: str) -> bool:
        return any(
            each.cause == cause and not each.is_over and each.boot_id != self._boot_id
            for each in self.reboots
        )

    def _ends_here(self, cause: str) -> bool:
        """Whether a reboot for this cause was ordered of the boot that runs."""
        return any(
            each.cause == cause and not each.is_over and each.boot_id == self._boot_id
            for each in self.reboots
        )
