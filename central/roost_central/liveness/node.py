"""One node as liveness knows it: which of its messages are news, and what they change."""

from dataclasses import dataclass, field
from typing import Final

from roost_central.liveness.path import Path, is_wan
from roost_central.liveness.turns import Turns
from roost_protocol.beat import Beat, PathReport
from roost_protocol.limits import PATHS_MAX
from roost_protocol.topics import NodeId, SiteId

NEVER: Final = -1  # the incarnation before the first
BOOTS_REMEMBERED: Final = 2  # a late message of the boot before must not look like a new boot


@dataclass(slots=True)
class Node:
    """State of one node. Times are the centre's monotonic clock, but ``sent_ms``."""

    node: NodeId
    site: SiteId
    interval_ms: int
    added_ms: int
    was_heard: bool  # ever, also before this process
    boot_id: bytes | None
    incarnation: int
    boots: tuple[bytes, ...] = ()  # before this one
    generation: int = 0  # of its identity, the newest that spoke; 0: none, or not since we began
    sent_ms: int = 0  # the node's clock, of its last beat
    known_s: int = 0  # its machine's uptime at what storage has of this start
    presence: str = "unknown"
    heard_ms: int | None = None
    back_ms: int = 0  # first heard after the dark or a new start: each path has its time from then
    beats_back: int = 0
    is_suspect: bool = False
    announced: bool = False  # its absence had an event of its own
    due_ms: int | None = None
    turns: Turns = field(default_factory=Turns)
    paths: dict[str, Path] = field(default_factory=dict)

    def part(self, permille: int) -> int:
        """Return a share of the node's beat interval, in ms."""
        return self.interval_ms * permille // 1000

    def speaks_as(self, generation: int, beat: Beat) -> None:
        """Note by which identity a beat came.

        A box that was let in anew in the same boot counts its starts from one, as its agent did
        before: by number both are one start, by identity they are not, and the later one is new.
        """
        if generation <= self.generation:
            return
        is_same_start = (beat.boot_id, beat.incarnation) == (self.boot_id, self.incarnation)
        if self.generation and is_same_start:
            self.incarnation = NEVER
            for path in self.paths.values():
                path.incarnation = NEVER
        self.generation = generation

    def is_news(self, beat: Beat) -> bool:
        """Return whether the beat is of the present start of the agent or of a later one.

        A lower incarnation is a late message, or an agent that lost its state: the latter has a
        boot that we never saw, or in the same boot a later clock. One of a boot before is late, or
        of a second box with this identity: that counts only once the first one is silent.
        """
        is_known = (beat.boot_id, beat.incarnation) == (self.boot_id, self.incarnation)
        if is_known and beat.uptime_s < self.known_s:
            return False  # we were told so before we began: somebody says it again
        if beat.boot_id in self.boots:
            return self.is_suspect and beat.sent_ms > self.sent_ms > 0
        if beat.incarnation >= self.incarnation:
            return True
        if beat.boot_id == self.boot_id:
            return beat.sent_ms > self.sent_ms > 0
        return True

    def meet(self, beat: Beat) -> str | None:
        """Take over boot and incarnation; return ``first``, ``reboot`` or ``restart`` if new."""
        if beat.incarnation == self.incarnation and beat.boot_id == self.boot_id:
            return None
        before, self.boot_id = self.boot_id, beat.boot_id
        self.known_s = 0
        self.incarnation = beat.incarnation
        if before is None:
            return "first"
        if before == beat.boot_id:
            return "restart"
        others = [boot for boot in (before, *self.boots) if boot != beat.boot_id]
        self.boots = tuple(others[:BOOTS_REMEMBERED])
        return "reboot"

    def take_paths(self, reports: list[PathReport], now_ms: int) -> list[str]:
        """Take over the node's word on its paths; return those it does not list any more."""
        paths = self.paths
        for report in reports:
            path = paths.get(report.name)
            if path is None:
                path = paths[report.name] = Path(report.name, now_ms)
            path.is_wan = is_wan(report.kind)
            if path.reported != report.state:  # the value of an enum costs more than a look
                path.reported = report.state.value
        if not reports:
            gone = [*paths][:-PATHS_MAX]  # of more than a node may have, those named first
        elif len(paths) == len(reports):
            return []
        else:
            listed = {report.name for report in reports}
            gone = [name for name in paths if name not in listed]
        for name in gone:
            del paths[name]
        return gone

    @property
    def heard_presence(self) -> str:
        """``online``, or ``degraded`` where a path is known not to be well."""
        for path in self.paths.values():
            if path.state in {"down", "flaky"}:
                return "degraded"
        return "online"
