"""What the nodes of a site last said of its local HA, and which of them are heard now. Pure.

A word lasts as long as somebody hears who spoke it: the centre, or another node that the centre
hears. Until the centre's own bound of silence has passed, a node of the site knows it sooner: its
peers miss a beat within seconds.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from roost_central.fleet.view import NodeRow

if TYPE_CHECKING:
    from roost_protocol.ha_report import HaReport

_THERE: Final = frozenset({"alive", "joining"})
_LOST: Final = frozenset({"lost", "fenced", "left"})  # beyond suspicion
_SPEAKS: Final = frozenset({"online", "degraded"})


@dataclass(frozen=True, slots=True)
class Lack:
    """What is missing of a node, and since when: UTC ms, None where that is not known."""

    node: str
    why: str
    since_ms: int | None


class Testimony:
    """See the module.

    Args:
        nodes: of one site; those that never spoke of local HA say nothing here either.

    Attributes:
        reports: the last word of each, by the node's name in the site.
        heard: whom the centre hears now.
    """

    def __init__(self, nodes: Iterable[NodeRow]) -> None:
        self.reports: dict[str, HaReport] = {}
        self._heard_ms: dict[str, int | None] = {}
        heard = set[str]()
        for node in nodes:
            if node.ha is None:
                continue
            self.reports[node.name] = node.ha
            self._heard_ms[node.name] = node.heard_ms
            if node.presence in _SPEAKS:
                heard.add(node.name)
        self.heard = frozenset(heard)

    def is_there(self, node: str) -> bool:
        """Whether anybody hears a node: another whom the centre hears, or the centre itself.

        That the centre did a moment ago is no more than a last word, once each peer of the node
        that says anything of it has lost it since.
        """
        others = self.heard - {node}
        if any(self._deaf(each, node) is None for each in others):
            return True
        heard_ms = self._heard_ms.get(node)
        lost_ms = [
            peer.since_ms
            for each in others
            for peer in self.reports[each].peers
            if peer.node == node and peer.state in _LOST
        ]
        return node in self.heard and (not lost_ms or heard_ms is None or heard_ms >= max(lost_ms))

    def absence(self, node: str) -> Lack:
        """Return since when the centre does not hear a node that nobody hears."""
        return Lack(node, f"{node} is not heard", self._heard_ms.get(node))

    def cut(self, node: str, other: str) -> Lack | None:
        """Return why two nodes do not hear each other, by the present word of either."""
        present = [pair for pair in ((other, node), (node, other)) if pair[0] in self.heard]
        if not present:
            return Lack(node, f"neither it nor {other} is heard", self._heard_ms.get(node))
        for listener, speaker in present:
            if (lack := self._deaf(listener, speaker)) is not None:
                return Lack(node, lack.why, lack.since_ms)
        return None

    def _deaf(self, listener: str, speaker: str) -> Lack | None:
        """Return since when one node does not hear another, by its last word; None: it does."""
        for peer in self.reports[listener].peers:
            if peer.node == speaker:
                why = f"{listener} takes {speaker} for {peer.state}"
                return None if peer.state in _THERE else Lack(speaker, why, peer.since_ms)
        return Lack(speaker, f"{listener} never heard {speaker}", None)
