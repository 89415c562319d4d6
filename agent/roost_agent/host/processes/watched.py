"""One watched process: from its death to its restart, its debounce and its alarm. Pure.

Leaves to others: the count of restarts (row), what it is asked (asking), when it is looked for
(looks).

    starting -> running            it is there
    running, settling -> down      it died, does not answer, or its script says so
    down -> starting               the helper has started it
    down, starting -> settling     it is there again, whoever started it
    settling -> running            it ran as long as its debounce says: its failures are forgotten

Invariants: ``has_failed`` ends by settling alone, and what runs has not failed; no restart is asked
for while one is under way; what is away is looked for.

Rules: design, hosts section 7.
"""

from enum import StrEnum
from typing import Final

from roost_agent.host.processes.asking import Asking
from roost_agent.host.processes.definition import Definition, Mode
from roost_agent.host.processes.event import (
    Action,
    Answered,
    Checked,
    Died,
    Explained,
    Look,
    Looked,
    Restart,
    Restarted,
    Say,
    Told,
)
from roost_agent.host.processes.looks import Looks
from roost_agent.host.processes.row import LATER, Row
from roost_protocol.host_report import ProcessState

SELF_MS: Final = 2_000  # one that is back by others within is restarted, not failed


class Phase(StrEnum):
    """Where it stands."""

    STARTING = "starting"
    RUNNING = "running"
    SETTLING = "settling"
    DOWN = "down"


class Watched:
    """One process.

    Args:
        definition: of it.
        now_ms: the boot clock.

    Attributes:
        pid: of the process that is followed; 0: none is.
        row: its restarts.
        has_failed: its severity counts.
        reason: why it is not simply running.
        since_ms: when its state became what it is.
    """

    def __init__(self, definition: Definition, now_ms: int) -> None:
        self.definition = definition
        self.phase = Phase.STARTING
        self.pid = 0
        self.row = Row(
            definition.restarts, self._ms("interval"), has_service=bool(definition.service)
        )
        self.has_failed = False
        self.reason = ""
        self.since_ms = now_ms
        self._why_not = ""  # it is not restarted, as it was last said
        self._cause = ""  # of its being down
        self._was_found = False
        self._brought_none = False  # its last start
        self._down_ms = now_ms
        self._ready_ms = now_ms + self._ms("startuptime")
        self._looks = Looks(now_ms, has_process=definition.has_process)
        self._settled_ms: int | None = None
        self._stable_ms = 0  # it has run as long as its debounce says
        self._asking = Asking(definition, self._ready_ms)

    @property
    def in_row(self) -> int:
        """Restarts since it last settled."""
        return self.row.count

    @property
    def restarts(self) -> int:
        """All of them."""
        return self.row.total

    @property
    def state(self) -> ProcessState:
        """The state as it is told."""
        match self.phase:
            case Phase.RUNNING:
                return ProcessState.RUNNING
            case Phase.SETTLING:
                return ProcessState.SETTLING
            case _ if self.has_failed:
                return ProcessState.FAILED
            case Phase.STARTING:
                return ProcessState.STARTING
            case _:
                return ProcessState.RESTARTING

    def handle(self, event: Told, now_ms: int) -> list[Action]:
        """Take in one event and return what is to be done."""
        match event:
            case Looked(pid=pid):
                return self._looked(pid, now_ms)
            case Died(pid=pid):
                return self._died(pid, now_ms)
            case Restarted(error=error, detail=detail):
                return self._restarted(error, detail, now_ms)
            case Answered():
                return self._answered(event, now_ms)
            case Explained(why=why):
                return self._explained(why)
            case Checked(complaint=complaint):
                return self._checked(complaint, now_ms)

    def tick(self, now_ms: int) -> list[Action]:
        """Return what is due."""
        actions: list[Action] = []
        if self._settled_ms is not None and now_ms >= self._settled_ms and not self.row.is_asked:
            actions += self._settle(now_ms)
        if self.row.due_ms is not None and now_ms >= self.row.due_ms:
            actions += self._restart(now_ms)
        elif self.phase is Phase.STARTING and now_ms >= self._ready_ms and not self._may_be_late():
            seconds = self.definition.startuptime
            self._brought_none = self._was_found
            actions += self._fail(f"it is not there {seconds} s after its start", now_ms)
        elif self._is_left_down() and now_ms >= self._down_ms + SELF_MS:
            actions += self._assert(now_ms)
        actions += self._asking.tick(now_ms, is_restarted=self.row.is_asked)
        actions += self._heed_answers(now_ms)
        if self._looks.is_due(now_ms):
            self._looks.plan(now_ms, self._away_until_ms())
            actions.append(Look(self.definition.process))
        return actions

    def due_ms(self) -> int | None:
        """Return when the next tick is needed."""
        is_asked = self.row.is_asked
        due = [self._looks.due_ms, self.row.due_ms, self._asking.due_ms(is_restarted=is_asked)]
        if not is_asked:  # whether the start counts is not known yet
            due.append(self._settled_ms)
        if self.phase is Phase.STARTING and not self._may_be_late():
            due.append(self._ready_ms)
        if self._is_left_down():
            due.append(self._down_ms + SELF_MS)
        return min((each for each in due if each is not None), default=None)

    def check_invariants(self) -> None:
        """Assert what always holds."""
        is_script = self.definition.mode is Mode.STATUS
        is_away = self.phase in (Phase.STARTING, Phase.DOWN)
        assert not (self.has_failed and self.phase is Phase.RUNNING)  # noqa: S101 - a test's
        assert not (self.row.is_asked and self.row.due_ms is not None)  # noqa: S101 - as above
        assert self.in_row >= 0  # noqa: S101 - as above
        assert is_away or is_script or self.pid or self.row.is_asked  # noqa: S101 - as above
        assert is_script or self._looks.due_ms is not None  # noqa: S101 - as above

    def _looked(self, pid: int, now_ms: int) -> list[Action]:
        if not pid or pid == self.pid:
            return []
        before, self.pid = self.pid, pid
        name, first = self.definition.process, not self._was_found
        self._was_found, self._brought_none = True, False
        is_ours = self.row.is_asked or self.phase is Phase.STARTING  # by our restart, or the first
        if not is_ours:
            self._ready_ms = now_ms + self._ms("startuptime")
        self._ask_from(now_ms)
        if self.phase is Phase.STARTING and not self.in_row and first and not self.has_failed:
            self._turn(Phase.RUNNING, "", now_ms)
            return [Say(name, f"watched, process {pid}")]
        if is_ours:
            self._begin_settling(now_ms)
            return [Say(name, f"runs again, process {pid}")]
        return self._by_others(before, now_ms)

    def _by_others(self, before: int, now_ms: int) -> list[Action]:
        text = f"restarted by others, process {self.pid}" + (f" after {before}" if before else "")
        actions: list[Action] = [Say(self.definition.process, text)]
        flaps = self._has_run(now_ms) and self.row.fell(now_ms)
        if self.row.by_others() or flaps:
            actions += self._assert(now_ms)
        self._begin_settling(now_ms)
        return actions

    def _died(self, pid: int, now_ms: int) -> list[Action]:
        if pid != self.pid:
            return []
        self.pid = 0
        self._asking.end()
        if self.row.is_asked:
            self._settled_ms = None
            return []
        if self.phase in (Phase.DOWN, Phase.STARTING):  # it hung, and is gone now
            self._looks.soon(now_ms)
            return []
        return self._fail(f"process {pid} ended", now_ms)

    def _answered(self, event: Answered, now_ms: int) -> list[Action]:
        if not self._asking.answered(event.seq, event.complaint):
            return []
        if event.complaint != "":
            return self._heed_answers(now_ms)
        if self.phase is Phase.DOWN and not self.row.is_asked:
            self.row.due_ms = None
            self._begin_settling(now_ms)
            return [Say(self.definition.process, "answers again")]
        return []

    def _heed_answers(self, now_ms: int) -> list[Action]:
        is_there = self.phase in (Phase.RUNNING, Phase.SETTLING) and not self.row.is_asked
        why = self._asking.failure() if is_there else ""
        return self._fail(why, now_ms) if why else []

    def _explained(self, why: str) -> list[Action]:
        if not self._cause or not self.reason.startswith(self._cause):
            return []  # it is about a fall of before
        told = f"{self._cause}: {why}"
        self.reason = told + self.reason.removeprefix(self._cause)
        self._cause = told
        return [Say(self.definition.process, self.reason, is_bad=True)]

    def _checked(self, complaint: str | None, now_ms: int) -> list[Action]:
        name = self.definition.process
        self._asking.check_at(now_ms + self._ms("period"))
        if self.row.is_asked or complaint is None:
            return []
        if complaint and (self.phase is Phase.DOWN or now_ms < self._ready_ms):
            return []  # of before its restart, where the script ran meanwhile
        if complaint:
            return self._fail(complaint, now_ms)
        if self.phase is Phase.STARTING and not self.in_row:
            self._turn(Phase.RUNNING, "", now_ms)
            return [Say(name, "watched, its script says that it is well")]
        if self.phase in (Phase.STARTING, Phase.DOWN):
            self.row.due_ms = None
            self._begin_settling(now_ms)
            return [Say(name, "its script says that it is well again")]
        return []

    def _fail(self, why: str, now_ms: int) -> list[Action]:
        """Note that it is down, and have it restarted when that is due."""
        flaps = self._has_run(now_ms) and self.row.fell(now_ms)
        self._cause = why
        self._turn(Phase.DOWN, why, now_ms)
        self._down_ms, self._settled_ms = now_ms, None
        self._looks.soon(now_ms)
        actions: list[Action] = [Say(self.definition.process, why, is_bad=True)]
        if not self.row.plan(now_ms):
            return actions + (self._assert(now_ms) if flaps else [])
        if self.row.is_spent or flaps:
            actions += self._assert(now_ms)
        is_due = self.row.due_ms is not None and self.row.due_ms <= now_ms
        return actions + (self._restart(now_ms) if is_due else [])

    def _restart(self, now_ms: int) -> list[Action]:
        self.row.due_ms = None
        if self.phase is not Phase.DOWN:
            return []
        # Started, what systemd holds for active stays as it is; stopped, what we never saw may end.
        is_hard = bool(self.pid) or self._brought_none or self.definition.mode is Mode.STATUS
        self.row.ask(now_ms)
        return [Restart(self.definition.process, is_hard)]

    def _restarted(self, error: str, detail: str, now_ms: int) -> list[Action]:
        if not self.row.is_asked:
            return []
        self.row.is_asked = False
        if self.phase is Phase.SETTLING:  # it was back before the helper answered
            self.row.total += 1
            if not self.pid:
                return self._fail("it ended at once", now_ms)
            self._ready_ms = now_ms + self._ms("startuptime")
            self._ask_from(now_ms)
            self._begin_settling(now_ms)
            return []
        if error:
            return self._not_restarted(error, detail, now_ms)
        self.row.total += 1
        self._ready_ms = now_ms + self._ms("startuptime")
        self._asking.check_at(self._ready_ms)
        self._turn(Phase.STARTING, self.reason, now_ms)
        self._looks.soon(now_ms)
        return []

    def _not_restarted(self, error: str, detail: str, now_ms: int) -> list[Action]:
        self._turn(Phase.DOWN, f"{self._cause}; not restarted: {detail}", now_ms)
        counts = self.row.refused(error, now_ms)
        if error in LATER:
            return []
        actions = self._assert(now_ms) if counts and self.row.is_spent else []
        if detail != self._why_not:
            self._why_not = detail
            said = Say(self.definition.process, f"not restarted: {detail}", is_bad=True)
            actions.insert(0, said)
        return actions

    def _assert(self, now_ms: int) -> list[Action]:
        if self.has_failed:
            return []
        self.has_failed = True
        self.since_ms = now_ms
        text = f"has failed, {self.definition.level.word}: {self.reason}"
        return [Say(self.definition.process, text, is_bad=True)]

    def _ask_from(self, now_ms: int) -> None:
        self._asking.begin(max(now_ms, self._ready_ms))

    def _begin_settling(self, now_ms: int) -> None:
        self._turn(Phase.SETTLING, self.reason, now_ms)
        self._stable_ms = max(now_ms, self._ready_ms) + self._ms("debounce")
        self._settled_ms = self.row.settles_ms(self._stable_ms, has_failed=self.has_failed)
        self._looks.plan(now_ms, self._away_until_ms())

    def _settle(self, now_ms: int) -> list[Action]:
        self._settled_ms = None
        self.row.end()
        self.has_failed = False
        self._turn(Phase.RUNNING, "", now_ms)
        text = f"has run for {self.definition.debounce} s: its failures are forgotten"
        return [Say(self.definition.process, text)]

    def _turn(self, phase: Phase, reason: str, now_ms: int) -> None:
        before = self.state
        self.phase, self.reason = phase, reason
        if self.state != before:
            self.since_ms = now_ms

    def _away_until_ms(self) -> int:
        """Return until when it is away and may come by itself; 0: it is there."""
        is_away = self.phase in (Phase.STARTING, Phase.DOWN)
        return max(self._down_ms + SELF_MS, self._ready_ms) if is_away else 0

    def _has_run(self, now_ms: int) -> bool:
        """Whether it ran as long as its debounce says, also where it has to run longer."""
        if self.phase is Phase.SETTLING:
            return now_ms >= self._stable_ms
        return self.phase is Phase.RUNNING

    def _is_left_down(self) -> bool:
        """Whether it is down, nobody here restarts it, and that is not told yet."""
        return self.phase is Phase.DOWN and not self.has_failed and not self.row.may

    def _may_be_late(self) -> bool:
        """Whether nothing says yet that its start failed: a script does by itself."""
        return self.definition.mode is Mode.STATUS

    def _ms(self, key: str) -> int:
        seconds: int = getattr(self.definition, key)
        return seconds * 1000
