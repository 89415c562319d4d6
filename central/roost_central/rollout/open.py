"""The rollouts that are not at their end, with what the shell remembers of each."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from roost_central.rollout.core import Rollout
from roost_central.rollout.head import Around
from roost_central.rollout.kpi import Holds
from roost_central.rollout.meant import tree_of
from roost_protocol.release.meant import Tree


@dataclass(slots=True)
class OpenRollout:
    """A rollout that is not at its end.

    Attributes:
        plan: the file.
        saved_rev, saved_ms: of the head as it is in storage.
        placed: orders that offers went out with, to the sites that they are for.
    """

    rollout: Rollout
    plan: bytes
    saved_rev: int = -1
    saved_ms: int = 0
    placed: dict[str, str] = field(default_factory=dict)
    _tree: Tree | None = None

    @property
    def tree(self) -> Tree:
        """Of the sites that it was made for; who joins later is not in it."""
        if self._tree is None:
            self._tree = tree_of(self.rollout.jobs.values())
        return self._tree


def around(  # noqa: PLR0913 - what a turn goes by
    open_: Mapping[str, OpenRollout],
    id_: str,
    now_ms: int,
    *,
    is_deaf: bool,
    dark_pct: float,
    kpis: Holds,
) -> Around:
    """Return what a rollout's turn goes by, of those that are open beside it.

    Args:
        open_: all that are open.
        id_: the rollout.
        now_ms: UTC.
        is_deaf: the centre distrusts its own ears.
        dark_pct: of the fleet that is silent.
        kpis: what is known of gates.
    """
    kind = open_[id_].rollout.head.kind  # settings and releases do not wait for each other
    others = [
        each.rollout for key, each in open_.items() if key != id_ and each.rollout.head.kind is kind
    ]
    hw: Counter[str] = Counter()
    link: Counter[str] = Counter()
    for each in others:
        hw.update(each.hw)
        link.update(each.link)
    return Around(
        in_flight=sum(each.in_flight() for each in others),
        hw=hw,
        link=link,
        busy={
            site: f"{each.head.component} {each.head.version}"
            for each in others
            for site in each.busy(now_ms)
        },
        is_deaf=is_deaf,
        dark_pct=dark_pct,
        kpis=kpis,
    )
