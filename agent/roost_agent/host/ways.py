"""By which paths the other hosts of a site are not heard, though they are heard. Pure.

One path alone that is silent fails nobody: it is a reason to be degraded, as what is left is one
path less. Where a host hears nobody by a path, its own end of it is as bad as theirs: then it is
degraded itself, and of the others those that nobody hears there.
"""

from collections.abc import Iterable
from typing import Final

from roost_agent.host.sight import Sight

SILENT: Final = 6  # ticks missed in a row by a path (StarlingX's count of a degraded host)
WELL: Final = 10  # ticks in a row by which it is heard again


class Ways:
    """See the module.

    Attributes:
        own: the paths by which this host hears nobody, though it hears others.
        bad: host to the paths by which it is not heard, though it is heard.
    """

    def __init__(self) -> None:
        self.own: tuple[str, ...] = ()
        self.bad: dict[str, tuple[str, ...]] = {}
        self._misses: dict[tuple[str, str], int] = {}
        self._good: dict[tuple[str, str], int] = {}
        self._silent: set[tuple[str, str]] = set()

    def tick(self, sights: Iterable[Sight]) -> None:
        """Take in by which paths the others are heard now."""
        heard = [each for each in sights if self._count(each).is_heard]
        names = dict.fromkeys(path for each in heard for path in each.ways)
        self.own = tuple(
            path
            for path in names
            if all((each.node, path) in self._silent for each in heard if path in each.ways)
        )
        found = {each.node: tuple(self._bad(each)) for each in heard}
        self.bad = {node: paths for node, paths in found.items() if paths}

    def _count(self, sight: Sight) -> Sight:
        for n, path in enumerate(sight.ways):
            key, is_heard = (sight.node, path), bool(sight.by_way >> n & 1)
            self._misses[key] = 0 if is_heard else self._misses.get(key, 0) + 1
            self._good[key] = self._good.get(key, 0) + 1 if is_heard else 0
            if self._misses[key] >= SILENT:
                self._silent.add(key)
            elif self._good[key] >= WELL:
                self._silent.discard(key)
        return sight

    def _bad(self, sight: Sight) -> Iterable[str]:
        for n, path in enumerate(sight.ways):
            by_others = any(bits >> n & 1 for bits in sight.seen_by.values())
            is_mine = path in self.own and by_others
            if (sight.node, path) in self._silent and not is_mine:
                yield path
