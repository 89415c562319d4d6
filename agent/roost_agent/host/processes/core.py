"""All watched processes of a node: each event goes to its process, what stands is told. Pure.

Leaves to others: finding a process, following it, starting it, asking it (shell); the alarm and the
report (teller).
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Final

import msgspec

from roost_agent.host.processes.definition import Definition, Mode
from roost_agent.host.processes.event import Action, Told
from roost_agent.host.processes.watched import Watched
from roost_protocol.catalogue import cut
from roost_protocol.codec import VERSION
from roost_protocol.host_report import HostReport, ProcessReport, ProcessState
from roost_protocol.limits import HOST_FAULTS_MAX
from roost_protocol.severity import Severity

REASON: Final = "process"  # of a degraded node
RUNS: Final = frozenset({ProcessState.RUNNING, ProcessState.SETTLING})


class Now(msgspec.Struct, frozen=True):
    """Both clocks, in ms: what is due goes by the first, what is told by the second."""

    boot_ms: int
    wall_ms: int


class Processes:
    """Every process of one node.

    Args:
        definitions: what to watch.
        roles: of this node; a process of another one is ignored.
        now_ms: the boot clock.
        spared: processes that are others' to start, and why they are ignored here.
    """

    def __init__(
        self,
        definitions: Iterable[Definition],
        roles: Collection[str],
        now_ms: int,
        *,
        spared: Mapping[str, str] | None = None,
    ) -> None:
        self.watched: dict[str, Watched] = {}
        self.ignored: dict[str, tuple[Definition, str]] = {}
        self._roles = roles
        self._began_ms = now_ms
        self.define(definitions, now_ms, spared or {})

    def define(
        self, definitions: Iterable[Definition], now_ms: int, spared: Mapping[str, str]
    ) -> list[str]:
        """Watch these from now on; what is defined as before goes on as before.

        Returns:
            the processes that are not watched any more, and those that begin anew.
        """
        before, self.watched, self.ignored = self.watched, {}, {}
        for each in definitions:
            name = each.process
            if why := spared.get(name) or _why_not(each, self._roles):
                self.ignored[name] = (each, why)
            elif (known := before.get(name)) is not None and known.definition == each:
                self.watched[name] = known
            else:
                self.watched[name] = Watched(each, now_ms)
        return [name for name, one in before.items() if self.watched.get(name) is not one]

    def handle(self, event: Told, now_ms: int) -> list[Action]:
        """Take in one event and return what is to be done; of one that is not watched, nothing."""
        one = self.watched.get(event.name)
        return [] if one is None else one.handle(event, now_ms)

    def tick(self, now_ms: int) -> list[Action]:
        """Return what is due."""
        return [
            action
            for one in self.watched.values()
            if (due_ms := one.due_ms()) is not None and due_ms <= now_ms
            for action in one.tick(now_ms)
        ]

    def due_ms(self) -> int | None:
        """Return when the next tick is needed."""
        due = (one.due_ms() for one in self.watched.values())
        return min((each for each in due if each is not None), default=None)

    def failed(self) -> dict[str, Severity]:
        """Return what has failed, and what that is worth."""
        return {name: one.definition.level for name, one in self.watched.items() if one.has_failed}

    def stand(self) -> tuple[object, ...]:
        """Return what a report would say, for a comparison: it costs much less than one."""
        return tuple(
            (name, one.state, one.pid, one.restarts, one.in_row, one.reason, one.since_ms)
            for name, one in self.watched.items()
        )

    def stands(self) -> dict[str, tuple[ProcessState, int, str]]:
        """Return of each its state, since when by the boot clock (ms), and why."""
        return {name: (one.state, one.since_ms, one.reason) for name, one in self.watched.items()}

    def missing(self) -> str:
        """Return which process that the host cannot do without does not run; or nothing."""
        for name, one in self.watched.items():
            if one.definition.level is Severity.CRITICAL and one.state not in RUNS:
                return f"{name} is {one.state}{f': {one.reason}' if one.reason else ''}"
        return ""

    def quorum(self) -> str:
        """Return which process of the quorum has failed and stays so, and how; or nothing."""
        for name, one in self.watched.items():
            if one.definition.quorum and one.has_failed:
                return f"{name} is {one.state}{f': {one.reason}' if one.reason else ''}"
        return ""

    def report(self, now: Now, faults: Iterable[str] = ()) -> HostReport:
        """Return the state of all, for the centre.

        Args:
            now: ages are by the first clock, so a step of the second moves no time of before.
            faults: of files and of the watching itself.
        """
        rows = [
            ProcessReport(
                name=name,
                state=one.state,
                mode=one.definition.mode.value,
                severity=one.definition.level.word,
                since_ms=max(now.wall_ms - (now.boot_ms - one.since_ms), 0),
                pid=one.pid,
                restarts=one.restarts,
                in_row=one.in_row,
                reason=cut(one.reason),
                file=cut(one.definition.file),
            )
            for name, one in self.watched.items()
        ]
        rows += [
            ProcessReport(
                name=name,
                state=ProcessState.IGNORED,
                mode=each.mode.value,
                severity=each.level.word,
                since_ms=max(now.wall_ms - (now.boot_ms - self._began_ms), 0),
                reason=cut(why),
                file=cut(each.file),
            )
            for name, (each, why) in self.ignored.items()
        ]
        told = [cut(each) for each in faults]
        return HostReport(
            v=VERSION,
            processes=sorted(rows, key=lambda row: row.name),
            degrade=self._degrade(),
            faults=told[:HOST_FAULTS_MAX],
        )

    def _degrade(self) -> dict[str, str]:
        """Return why the node is less than it should be: minor is no reason."""
        worst = max(self.failed().values(), default=Severity.CLEARED)
        return {REASON: worst.word} if worst >= Severity.MAJOR else {}


def _why_not(definition: Definition, roles: Collection[str]) -> str:
    if definition.mode is Mode.IGNORE:
        return "its definition says mode = ignore"
    if definition.subfunction and definition.subfunction not in roles:
        return f"is for the role {definition.subfunction}; processes.roles does not name it"
    return ""
