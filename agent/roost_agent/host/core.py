"""The state of this host as it is to itself: locked or not, enabled, degraded, failed. Pure.

Leaves to others: who hears whom (site), where services run (local HA, which is told one thing: why
this host may run none), what is wrong with processes, resources and sensors (the node's alarms).

Invariants:
- every change of the triple is a row of the table (transitions);
- a machine that only lost its agent goes on as it was; one that booted goes through the sequence;
- counters reach the disk with the failure that they count (Keep comes before what follows from it);
- the last host of a site that could serve is degraded, never failed;
- who failed too often stays so over restarts, until an operator's word, or nobody else serves;
- it reboots itself once for a fault, and only where another one serves (ladder).
"""

from typing import Final, assert_never

from roost_agent.host import transitions as tr
from roost_agent.host.action import Action, Check, Keep, Moved, Reboot
from roost_agent.host.enable import Enable, Passed, Stage, StageFailed, missing
from roost_agent.host.event import (
    Begin,
    Event,
    Intend,
    Lock,
    Look,
    LostOften,
    Maintain,
    NotRebooted,
    Recover,
    Unlock,
)
from roost_agent.host.kept import Kept, Pending
from roost_agent.host.ladder import EXHAUSTED, HEARTBEAT, REBOOTS, Ladder, Next
from roost_agent.host.moment import Moment
from roost_agent.host.transitions import HostEvent, Triple
from roost_protocol.host import TASK_CHARS_MAX, Admin, HostSaid
from roost_protocol.host_word import MAINTENANCE_MIN_MAX
from roost_protocol.limits import ALARM_TEXT_BYTES_MAX

TICK_MS: Final = 1_000  # between two looks at the other hosts
SETTLED_MS: Final = 3_600_000  # in service: what failed before counts no more
MAINTENANCE_MS_MAX: Final = MAINTENANCE_MIN_MAX * 60_000
ENABLE: Final = "enable"  # a reason to be degraded: the enable sequence lacked something
LOCKED_TYPE: Final = "host.locked"  # by their names in the catalogue
EXHAUSTED_TYPE: Final = "host.recovery.exhausted"


class HostCore:
    """See the module.

    Args:
        boot_id: of this boot of the machine, in hexadecimal digits.
    """

    def __init__(self, boot_id: str) -> None:
        self.state: Triple = tr.OFFLINE
        self.since_ms = 0
        self.cause = "its agent starts"
        self.task = ""
        self.reasons: dict[str, int] = {}
        self.maintenance_until_ms = 0
        self.pending: Pending | None = None
        self._boot_id = boot_id
        self._enable: Enable | None = None
        self._ladder = Ladder(boot_id)
        self._enabled_ms = 0  # boot clock
        self._failed_stage = ""
        self._lacks: tuple[Stage, int] | None = None  # what it was enabled without, since when: UTC
        self._by = self._reason = ""

    def handle(self, event: Event, now: Moment) -> list[Action]:
        """Take in one event and return what is to be done, in order."""
        out: list[Action] = []
        match event:
            case Begin(kept):
                self._begin(kept, now, out)
            case Look():
                self._look(event, now, out)
            case Lock(by, reason):
                self._move(HostEvent.LOCK, f"locked by {by}: {reason}", now, out)
                self._forget(now)
                self._by, self._reason, self.pending = by, reason, None
                out.append(self._keep())
            case Unlock(by, reason):
                self._move(HostEvent.UNLOCK, f"unlocked by {by}: {reason}", now, out)
                self._forget(now)
                self._by = self._reason = ""
                self._start(now, out)
            case Recover(by):
                self._move(HostEvent.RETRY, f"{by} lets it begin from nought", now, out)
                self._forget(now)
                self._start(now, out)
            case Maintain(until_ms):
                self.maintenance_until_ms = until_ms
                out.append(self._keep())
            case Intend(pending):
                self.pending = pending
                out.append(self._keep())
            case LostOften(by, is_last):
                self._lost_often(by, now, out, is_last=is_last)
            case NotRebooted(why):
                self._not_rebooted(why, out)
            case _:
                assert_never(event)
        return out

    @property
    def bar(self) -> str:
        """Why no service of local HA may run here; empty: any may."""
        if self.state[0] is Admin.LOCKED:
            return f"the host is locked by {self._by}" if self._by else "the host is locked"
        if self._enable is not None and not self._enable.lets_services_run:
            return f"the host is not enabled yet: {self._enable.stage}"
        if self.state == tr.FAILED:
            return f"the host failed: {self.cause}"
        return ""

    @property
    def is_exhausted(self) -> bool:
        """Whether it failed too often, and is not tried again by itself."""
        return bool(self._ladder.exhausted)

    @property
    def stage(self) -> str:
        """The stage that it is being enabled by, or that failed; empty: neither."""
        if self._enable is not None:
            return self._enable.stage
        return self._failed_stage if self.state == tr.FAILED else ""

    @property
    def is_settling(self) -> bool:
        """Whether it waits for what is over in a moment, so that a second is long."""
        return self._enable is not None and not self._enable.lets_services_run

    @property
    def alarms(self) -> dict[str, dict[str, str | int]]:
        """What stands of this host's own alarms: the name of a type to its params."""
        found: dict[str, dict[str, str | int]] = {}
        if self.state[0] is Admin.LOCKED:
            found[LOCKED_TYPE] = {"by": self._by, "reason": self._reason}
        if cause := self._ladder.exhausted:
            found[EXHAUSTED_TYPE] = {"max": self._ladder.attempts.get(cause, 0), "cause": cause}
        return found

    def said(self, node: str, uptime_s: int) -> HostSaid:
        """Return what is told of it."""
        admin, oper, avail = self.state
        return HostSaid(
            node=node,
            admin=admin,
            oper=oper,
            avail=avail,
            since_ms=max(self.since_ms, 0),
            task=self.task[:TASK_CHARS_MAX],
            reasons=dict(self.reasons),
            cause=self.cause[:ALARM_TEXT_BYTES_MAX],
            boot_id=self._boot_id,
            uptime_s=uptime_s,
            maintenance_until_ms=self.maintenance_until_ms,
        )

    # -- the parts -----------------------------------------------------------------------------

    def _begin(self, kept: Kept | None, now: Moment, out: list[Action]) -> None:
        if kept is not None:
            self._ladder.restore(kept)
            self.maintenance_until_ms = kept.maintenance_until_ms
            self._by, self._reason = kept.by, kept.reason
            self.pending = kept.pending
        if kept is not None and kept.admin is Admin.LOCKED:
            self.state = tr.LOCKED_OFFLINE
            self._move(HostEvent.HEARD, f"locked by {kept.by}: {kept.reason}", now, out)
            return
        is_same_boot = kept is not None and kept.boot_id == self._boot_id
        cause = "its agent started" if is_same_boot else "it booted"
        self._move(HostEvent.HEARD, cause, now, out)
        if kept is not None and is_same_boot and kept.is_enabled:
            cause = "its agent started again; the machine went on"
            self._move(HostEvent.WELL, cause, now, out)
            self._enabled_ms = now.ms
            return
        if failed_by := self._ladder.failed_before(now.ms):
            self.task = EXHAUSTED if self._ladder.exhausted else f"{REBOOTS}: {failed_by}"
            self._failed_stage = failed_by
            cause = f"{failed_by} failed too often before it started again"
            self._move(HostEvent.ILL, cause, now, out)
            out.append(self._keep())
            return
        goes_on = kept is not None and is_same_boot and kept.lets_services_run
        self._start(now, out, Stage.SERVICES if goes_on else Stage.CONFIG)

    def _start(self, now: Moment, out: list[Action], stage: Stage = Stage.CONFIG) -> None:
        """Begin the enable sequence; an agent that starts again stops no service by it."""
        self._enable, self._lacks = Enable(now.ms, stage), None
        self._ladder.begun()
        self.task = f"being enabled: {self._enable.stage}"
        out += [self._keep(), Check()]

    def _look(self, look: Look, now: Moment, out: list[Action]) -> None:
        until_ms = min(self.maintenance_until_ms, now.wall_ms + MAINTENANCE_MS_MAX)
        until_ms = until_ms if until_ms > now.wall_ms else 0
        if until_ms != self.maintenance_until_ms:  # it is over, or a clock was set back since
            self.maintenance_until_ms = until_ms
            out.append(self._keep())
        if self.state == tr.INTEST:
            self._enabling(look, now, out)
        elif self.state == tr.FAILED:
            self._failing(look, now, out)
        if self.state in tr.ENABLED:
            self._serving(look, now, out)

    def _failing(self, look: Look, now: Moment, out: list[Action]) -> None:
        """Go on by the ladder; an operator at work on it is not to see it reboot."""
        is_spared = look.is_spared and not self.maintenance_until_ms and self.pending is None
        match self._ladder.next(now.ms, is_last=look.is_last, is_spared=is_spared):
            case Next.RETRY:
                self._move(HostEvent.RETRY, f"tried again after: {self.cause}", now, out)
                self._start(now, out)
            case Next.REBOOT:
                self._ladder.order(now.wall_ms)
                self.task = f"{REBOOTS}, by its watchdog or roost-helper"
                out += [self._keep(), Reboot(self.cause, self._ladder.is_by_watchdog)]
            case Next.GIVE_UP:
                self._not_rebooted("its site could not spare it", out)
            case Next.WAIT:
                return
            case _ as never:
                assert_never(never)

    def _not_rebooted(self, why: str, out: list[Action]) -> None:
        """Give up: nothing but an operator is left, or being the last that could serve."""
        if self.state != tr.FAILED:
            return  # it went another way meanwhile
        self._ladder.give_up()
        self.task = EXHAUSTED
        self.cause = f"{self.cause}; not rebooted: {why}"
        out.append(self._keep())

    def _enabling(self, look: Look, now: Moment, out: list[Action]) -> None:
        if self._enable is None:
            raise AssertionError("in test without a sequence")
        were_let = self._enable.lets_services_run
        ended = self._enable.look(look.facts, now.ms)
        match ended:
            case None:
                self.task = f"being enabled: {self._enable.stage}"
                if self._enable.lets_services_run and not were_let:
                    out.append(self._keep())
            case Passed(lacks):
                self._well(Stage.SERVICES, lacks, now, out)
            case StageFailed(stage, why) if look.is_last:
                self._well(stage, why, now, out)
            case StageFailed(stage, why):
                of_quorum = stage is Stage.PROCESSES and bool(look.quorum)
                self._failed(HostEvent.ILL, stage, why, now, out, of_quorum=of_quorum)

    def _well(self, stage: Stage, lacks: str, now: Moment, out: list[Action]) -> None:
        self._enable, self.task = None, ""
        self._enabled_ms = now.ms
        self._lacks = (stage, now.wall_ms) if lacks else None
        cause = f"enabled, though {stage}: {lacks}" if lacks else "its enable sequence is through"
        self._move(HostEvent.WELL, cause, now, out)
        out.append(self._keep())

    def _serving(self, look: Look, now: Moment, out: list[Action]) -> None:
        why = look.quorum or look.critical
        if why and not look.is_last and not self.maintenance_until_ms:
            quorum = bool(look.quorum)
            self._failed(HostEvent.CRITICAL, Stage.PROCESSES, why, now, out, of_quorum=quorum)
            return
        if self._ladder.attempts and now.ms - self._enabled_ms >= SETTLED_MS:
            self._forget(now)
            out.append(self._keep())
        if self._lacks is not None and missing(self._lacks[0], look.facts) == "":
            self._lacks = None
        since = {} if self._lacks is None else {ENABLE: self._lacks[1]}
        self.reasons = dict(look.reasons) | since
        if self.reasons and self.state == tr.AVAILABLE:
            self._move(HostEvent.DEGRADE, f"degraded: {', '.join(self.reasons)}", now, out)
        elif not self.reasons and self.state == tr.DEGRADED:
            self._move(HostEvent.CURE, "no reason to be degraded is left", now, out)

    def _lost_often(self, by: str, now: Moment, out: list[Action], *, is_last: bool) -> None:
        """Fail for it; the last does not, nor one that somebody is at work on."""
        is_held = is_last or self.maintenance_until_ms or self.pending is not None
        if self.state in tr.ENABLED and not is_held:
            why = f"{by} lost it again and again, and it never went down"
            self._failed(HostEvent.LOST, HEARTBEAT, why, now, out)

    def _failed(  # noqa: PLR0913 - one failure
        self,
        event: HostEvent,
        stage: str,
        why: str,
        now: Moment,
        out: list[Action],
        *,
        of_quorum: bool = False,
    ) -> None:
        self._enable, self.reasons, self._lacks, self._failed_stage = None, {}, None, stage
        self.task = self._ladder.failed(stage, now, of_quorum=of_quorum)
        self._move(event, f"{stage}: {why}", now, out)
        out.append(self._keep())

    def _forget(self, now: Moment) -> None:
        self._ladder.forget()
        self.task, self._enable, self._lacks = "", None, None
        self._enabled_ms = now.ms

    def _move(self, event: HostEvent, cause: str, now: Moment, out: list[Action]) -> None:
        before, self.state = self.state, tr.after(event, self.state)
        self.cause, self.since_ms = cause, now.wall_ms
        if self.state not in tr.ENABLED:
            self.reasons = {}
        out.append(Moved(before, self.state, cause))

    def _keep(self) -> Keep:
        return Keep(
            Kept(
                admin=self.state[0],
                boot_id=self._boot_id,
                is_enabled=self.state in tr.ENABLED,
                lets_services_run=self._enable is not None and self._enable.lets_services_run,
                by=self._by,
                reason=self._reason,
                attempts=dict(self._ladder.attempts),
                maintenance_until_ms=self.maintenance_until_ms,
                pending=self.pending,
                reboots=list(self._ladder.reboots),
            )
        )
