"""The last changes of who heard whom in a site, and by which path. Pure.

A path counts as silent after as many ticks as a host does (site). What a third host hears is its
own word, as its beats bring it: of one that is silent itself nothing new is known.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from roost_agent.host.moment import Moment
from roost_protocol.host import EVIDENCE_MAX, Evidence

if TYPE_CHECKING:
    from roost_agent.host.sight import Sight

MINOR: Final = 4  # ticks missed in a row (StarlingX's count)


class EvidenceLog:
    """See the module.

    Attributes:
        kept: the changes, the oldest first.
    """

    def __init__(self) -> None:
        self.kept: deque[Evidence] = deque(maxlen=EVIDENCE_MAX)
        self._misses: dict[tuple[str, str], int] = {}  # of a node by a path that brought it once
        self._seen_by: dict[tuple[str, str], int] = {}  # of a node by an observer: its paths

    def note(self, node: str, text: str, now: Moment, *, path: str = "") -> None:
        """Keep a change; ``path`` is empty where it is of all."""
        self.kept.append(Evidence(max(now.wall_ms, 0), node, path, text))

    def tick(self, sights: Iterable["Sight"], now: Moment) -> None:
        """Take in by which paths the others are heard now."""
        for sight in sights:
            for n, path in enumerate(sight.ways):
                self._own(sight, path, is_heard=bool(sight.by_way >> n & 1), now=now)
            for observer, bits in sight.seen_by.items():
                was = self._seen_by.get((sight.node, observer), bits)
                self._seen_by[sight.node, observer] = bits
                for path, is_heard in _changed(sight.ways, was, bits):
                    again = "hears it again" if is_heard else "hears it no more"
                    self.note(sight.node, f"{observer} {again}", now, path=path)

    def _own(self, sight: "Sight", path: str, *, is_heard: bool, now: Moment) -> None:
        key = (sight.node, path)
        misses = self._misses.get(key)
        if is_heard:
            if misses is not None and misses >= MINOR:
                self.note(sight.node, f"heard again after {misses} ticks", now, path=path)
            self._misses[key] = 0
        elif misses is not None:
            self._misses[key] = misses + 1
            if misses + 1 == MINOR:
                bit = 1 << sight.ways.index(path)
                others = [each for each, bits in sorted(sight.seen_by.items()) if bits & bit]
                still = f"; heard there by {', '.join(others)}" if others else ""
                self.note(sight.node, f"silent for {MINOR} ticks{still}", now, path=path)


def _changed(ways: tuple[str, ...], was: int, now: int) -> Iterator[tuple[str, bool]]:
    """Give the paths whose bit is another, and whether it is set now."""
    for n, path in enumerate(ways):
        if (was ^ now) >> n & 1:
            yield path, bool(now >> n & 1)
