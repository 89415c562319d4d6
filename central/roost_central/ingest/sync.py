"""Which sites are heard and yet differ from what we have of them, for too long. Pure.

A difference is ordinary: it begins with each change and ends with a receipt or a resync. One that
lasts although the node beats is not: 280.002, one alarm a site and kind, until none of the site's
nodes differs. A node that is dark says nothing of itself, so what was found of it stands.
"""

from collections.abc import Callable, Iterable
from typing import Final

from roost_central.alarms.facts import OwnCleared, OwnRaised
from roost_protocol.severity import Severity

OUT_OF_SYNC: Final = "280.002"
BEHIND_MS: Final = 600_000  # the whole fleet is through its resyncs in 200 s, on slow uplinks later


class SyncWatch:
    """Since when each node differs; bounded by the fleet.

    Args:
        is_known: whether a node still is one of ours.
    """

    def __init__(self, is_known: Callable[[str], bool]) -> None:
        self._is_known = is_known
        self._since_ms: dict[tuple[str, str], dict[str, int]] = {}  # site, what: node
        self._raised: set[tuple[str, str]] = set()

    def stands(self, site: str, what: str, nodes: Iterable[str], now_ms: int) -> None:
        """Note that a site's alarm stands, of before this start.

        Which of its nodes differs was forgotten: it ends once each of them was heard and agrees.
        """
        self._raised.add((site, what))
        self._since_ms[site, what] = dict.fromkeys(nodes, now_ms)

    def note(
        self, node: str, what: str, now_ms: int, *, is_behind: bool
    ) -> OwnRaised | OwnCleared | None:
        """Take in what a beat shows; return the alarm that begins or ends with it.

        Args:
            node: id of the speaker.
            what: ``alarms`` or ``inventory``.
            now_ms: the monotonic clock.
            is_behind: whether we have something else than the node.
        """
        place = (node.partition(".")[0], what)
        if not is_behind and place not in self._since_ms:
            return None
        nodes = self._since_ms.setdefault(place, {})
        if is_behind:
            nodes.setdefault(node, now_ms)
        else:
            nodes.pop(node, None)
        for gone in [each for each in nodes if not self._is_known(each)]:
            del nodes[gone]
        if not nodes:
            del self._since_ms[place]
        return self._turn(place, now_ms - min(nodes.values(), default=now_ms))

    def _turn(self, place: tuple[str, str], behind_ms: int) -> OwnRaised | OwnCleared | None:
        site, what = place
        entity = f"site={site},what={what}"
        if behind_ms >= BEHIND_MS and place not in self._raised:
            self._raised.add(place)
            params = {"s": behind_ms // 1000}
            return OwnRaised(OUT_OF_SYNC, entity, Severity.MAJOR, params, site=site)
        if not behind_ms and place in self._raised and place not in self._since_ms:
            self._raised.discard(place)
            return OwnCleared(OUT_OF_SYNC, entity)
        return None
