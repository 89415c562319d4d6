"""Whether to suspect ourselves: many newly silent at once, a broker lost, or just started.

Invariants: silence proves nothing while no broker is heard; one QuietChanged at each turn, however
many nodes fall silent (one summary, not N alarms: hosts.md section 5); whom a wave covered is
handed out once we are well again, so that no silence stays untold.
"""

from roost_central.liveness.facts import Limits, QuietChanged
from roost_protocol.topics import NodeId


class Quiet:
    """The quiet mode: its three reasons and the count of the newly silent."""

    def __init__(self, limits: Limits, brokers: frozenset[str], now_ms: int) -> None:
        self._limits = limits
        self._down = set(brokers)
        self._brokers = brokers
        self._settle_until_ms = now_ms + limits.settle_ms
        self._silent: dict[NodeId, int] = {}  # newly silent and not heard since, oldest first
        self._covered: set[NodeId] = set()  # silent in a wave that had its one event
        self._over_ms: int | None = None  # when the count was last over the threshold
        self._why: str | None = "start"
        self.hearing_since_ms = now_ms

    @property
    def is_on(self) -> bool:
        """Whether thresholds are stretched and nodes are not announced one by one."""
        return self._why is not None

    @property
    def is_deaf(self) -> bool:
        """Whether no broker is heard at all."""
        return bool(self._brokers) and self._down == self._brokers

    def broker_up(self, broker: str, now_ms: int) -> bool:
        """Note that a broker is heard; return whether we were deaf until now."""
        was_deaf = self.is_deaf
        self._down.discard(broker)
        self._settle_until_ms = now_ms + self._limits.settle_ms
        if was_deaf:
            self.hearing_since_ms = now_ms
        return was_deaf

    def broker_down(self, broker: str) -> None:
        """Note that a broker is lost."""
        self._down.add(broker)

    def fell_silent(self, node: NodeId, now_ms: int) -> None:
        """Count a node among the newly silent."""
        self._silent[node] = now_ms
        if self._why == "silence":
            self._covered.add(node)

    def spoke(self, node: NodeId) -> None:
        """Take a node out of the newly silent."""
        self._silent.pop(node, None)
        self._covered.discard(node)

    def covers(self, node: NodeId) -> bool:
        """Return whether a node's silence belongs to a wave that had its one event."""
        return node in self._covered

    def uncover(self) -> list[NodeId]:
        """Return whom past waves covered, once we do not suspect ourselves any more."""
        if self.is_on or not self._covered:
            return []
        nodes = sorted(self._covered)
        self._covered.clear()
        return nodes

    def review(self, nodes: int, now_ms: int) -> list[QuietChanged]:
        """Return the change of mode that is due, if one is."""
        self._expire(now_ms)
        why = self._reason(nodes, now_ms)
        was, self._why = self._why, why
        wave_begins = why == "silence" and was != "silence"
        if wave_begins:
            self._covered.update(self._silent)
        if (was is None) == (why is None) and not wave_begins:
            return []
        return [QuietChanged(why is not None, why or was or "", len(self._silent), nodes)]

    def _expire(self, now_ms: int) -> None:
        """Drop those silent for longer than the window, which stands still while we settle."""
        oldest_ms = now_ms - self._limits.silent_window_ms
        if now_ms < self._settle_until_ms or oldest_ms < self._settle_until_ms:
            return
        for node, since_ms in list(self._silent.items()):
            if since_ms > oldest_ms:
                break
            del self._silent[node]

    def _reason(self, nodes: int, now_ms: int) -> str | None:
        if self._down:
            return "start" if self._why == "start" else "broker"
        if now_ms < self._settle_until_ms:
            return self._why if self._why in {"start", "broker"} else "broker"
        limits = self._limits
        if len(self._silent) >= max(
            limits.silent_nodes_min, nodes * limits.silent_permille // 1000
        ):
            self._over_ms = now_ms
        over = self._over_ms is not None and now_ms - self._over_ms < limits.silent_window_ms
        return "silence" if over else None
