"""Whom of a site the witness has heard, and how old what it hears is, by echo of its own frames.

The same rule as between nodes (docs/ha.md): a request that echoes my frame k is not older than the
time since I sent k, less what its sender says it kept k for. Only liveness rests on it.
"""

from roost_protocol.configuration import WITNESS
from roost_protocol.ha import HELD_MS_MAX, Echo, LeaseFrame
from roost_protocol.sent import SentFrames


class _Node:
    """The newest frame of one node."""

    __slots__ = ("boot", "came_ms", "inc", "index", "seq")

    def __init__(self, frame: LeaseFrame, now_ms: int) -> None:
        self.index = frame.node
        self.inc = frame.inc
        self.boot = frame.boot
        self.seq = frame.seq
        self.came_ms = now_ms


class Hearing:
    """See the module; nodes are named as the broker's topics name them."""

    def __init__(self) -> None:
        self._nodes: dict[str, _Node] = {}
        self._sent = SentFrames()

    def heard(self, name: str, frame: LeaseFrame, now_ms: int) -> bool:
        """Take in a frame whose mac is good; False where it is old, or another path brought it."""
        known = self._nodes.get(name)
        is_new = known is None or frame.inc > known.inc
        if known is not None and not is_new:
            is_new = (frame.inc, frame.boot) == (known.inc, known.boot) and frame.seq > known.seq
        if is_new:
            self._nodes[name] = _Node(frame, now_ms)
        return is_new

    def age_ms(self, frame: LeaseFrame, inc: int, now_ms: int) -> int | None:
        """Return a bound of a frame's age; None where it echoes nothing of incarnation ``inc``."""
        echo = frame.echo.get(WITNESS)
        if echo is None or echo.inc != inc:
            return None
        sent_ms = self._sent.when(echo.seq)
        return None if sent_ms is None else max(0, now_ms - sent_ms - echo.held_ms)

    def sent(self, now_ms: int) -> int:
        """Return the number of a frame that is about to leave."""
        return self._sent.next(now_ms)

    def echoes(self, now_ms: int) -> dict[int, Echo]:
        """Return the newest frame of each node, and for how long it is here."""
        found = sorted(self._nodes.values(), key=lambda node: (node.index, node.came_ms))
        return {
            node.index: Echo(node.inc, node.seq, min(now_ms - node.came_ms, HELD_MS_MAX))
            for node in found
        }
