"""Tells what stands of the watched processes: alarms at once, the state of all to the centre.

Level-triggered: what it compares is what stands, so nothing is lost when the outbox is not open
yet, and an alarm of before a restart of the agent stands until its process was seen to run.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Final, Protocol

from msgspec.structs import replace

from roost_agent.alarms.samples.processes import FAILED
from roost_agent.host.processes.core import Now, Processes
from roost_agent.outbox.latest import Latest, Outbox
from roost_agent.ports import Clock
from roost_protocol.alarm import Scalar
from roost_protocol.catalogue import cut
from roost_protocol.entity import escape
from roost_protocol.envelope import ItemKind
from roost_protocol.host_report import HostReport, ProcessState
from roost_protocol.severity import Severity

RETELL_MS: Final = 60_000  # at least so often it is asked whether the last word is too old
REFUSED: Final = "200.806"  # a file that defines processes was not taken


class Alarming(Protocol):
    """What holds alarms: the node's."""

    @property
    def is_open(self) -> bool:
        """Whether they can be raised."""

    def standing(self, prefix: str) -> Mapping[str, str]:
        """Return the texts of what stands of types that begin so, by key."""

    def is_raised(self, type_: str, entity: str) -> bool:
        """Whether one stands."""

    def raise_condition(
        self,
        type_: str,
        params: Mapping[str, Scalar],
        entity: str,
        severity: Severity | None = None,
    ) -> None:
        """Raise one."""

    def clear_condition(self, type_: str, entity: str) -> None:
        """Clear one."""


class Teller:
    """What one node tells of its processes.

    Args:
        core: what there is to tell.
        refused: by file: why it was not taken.
        outbox: of the node.
        alarms: of the node.
        clock: for times.
    """

    def __init__(
        self,
        core: Processes,
        refused: Mapping[str, Collection[str]],
        outbox: Outbox,
        alarms: Alarming,
        clock: Clock,
    ) -> None:
        self._core = core
        self._refused = refused
        self._alarms = alarms
        self._clock = clock
        self._latest: Latest[HostReport] = Latest(outbox, ItemKind.HOST, _steady)
        self._raised: dict[str, Severity] = {}
        self._stand: tuple[object, ...] | None = None  # that was told
        self._unsure: set[str] | None = None  # may stand from before; None: not looked at yet

    def define(self, left: Iterable[str], refused: Mapping[str, Collection[str]]) -> None:
        """Take in that others are watched.

        Args:
            left: who is watched no more, and who anew: an alarm of these stands until they run.
            refused: see Teller.
        """
        self._refused = refused
        self._stand = None
        for name in left:
            self._raised.pop(name, None)
            if name in self._core.watched:
                if self._unsure is not None:
                    self._unsure.add(name)
                continue
            if self._unsure is not None:
                self._unsure.discard(name)
            if self._alarms.is_open and self._alarms.is_raised(FAILED, _entity(name)):
                self._alarms.clear_condition(FAILED, _entity(name))
        if self._unsure is not None:
            self._tell_files()

    def report(self, faults: Iterable[str] = ()) -> HostReport:
        """Return the state of all, as the centre gets it."""
        now = Now(self._clock.boot_ms(), max(self._clock.wall_ms(), 0))
        of_files = [each for lines in self._refused.values() for each in lines]
        return self._core.report(now, [*faults, *of_files])

    def look(self, faults: Iterable[str] = ()) -> None:
        """Tell what is due.

        Args:
            faults: of the watching itself.
        """
        if self._alarms.is_open:
            if self._unsure is None:
                self._unsure = set(self._core.watched)
                self._end_others()
                self._tell_files()
            self._tell_failed()
        now_ms, lines = self._clock.boot_ms(), tuple(faults)
        stand = (self._core.stand(), lines, now_ms // RETELL_MS)
        if stand == self._stand:
            return
        is_on_its_way = self._latest.tell(
            self.report(lines), now_ms=now_ms, wall_ms=self._clock.wall_ms()
        )
        self._stand = stand if is_on_its_way else None

    def confirmed(self) -> frozenset[str]:
        """Return the entities that failed since the agent's start: others' alarms are of before."""
        return frozenset(map(_entity, self._raised))

    def _end_others(self) -> None:
        """Clear what stands from before of processes that nobody watches any more."""
        watched = set(map(_entity, self._core.watched))
        for key in self._alarms.standing(FAILED):
            entity = key.partition("|")[2]
            if entity not in watched:
                self._alarms.clear_condition(FAILED, entity)

    def _tell_failed(self) -> None:
        failed = self._core.failed()
        unsure = self._unsure or set()
        for name, severity in failed.items():
            if self._raised.get(name) is not severity:
                reason = cut(self._core.watched[name].reason)
                self._alarms.raise_condition(FAILED, {"reason": reason}, _entity(name), severity)
                self._raised[name] = severity
                unsure.discard(name)
        for name in [*self._raised, *unsure]:
            one = self._core.watched[name]
            if name in failed or (name in unsure and one.state is not ProcessState.RUNNING):
                continue
            if name in self._raised or self._alarms.is_raised(FAILED, _entity(name)):
                self._alarms.clear_condition(FAILED, _entity(name))
            self._raised.pop(name, None)
            unsure.discard(name)

    def _tell_files(self) -> None:
        """Raise an alarm for each file that was not taken; clear those of files that are well."""
        wrong = {f"file={escape(file)}": lines for file, lines in self._refused.items()}
        for entity, lines in wrong.items():
            self._alarms.raise_condition(REFUSED, {"reason": cut("; ".join(lines))}, entity)
        for key in self._alarms.standing(REFUSED):
            entity = key.partition("|")[2]
            if entity not in wrong:
                self._alarms.clear_condition(REFUSED, entity)


def _entity(name: str) -> str:
    return f"process={escape(name)}"


def _steady(report: HostReport) -> HostReport:
    """Return a report without what moves by itself: a wall clock that is stepped."""
    rows = [replace(row, since_ms=0) for row in report.processes]
    return replace(report, processes=rows)
