"""When a node's silence means something: the deadlines, from its interval and our own state."""

from dataclasses import dataclass

from roost_central.liveness.facts import Limits
from roost_central.liveness.node import Node
from roost_central.liveness.quiet import Quiet


@dataclass(frozen=True, slots=True)
class Silence:
    """Reads deadlines off a node; changes nothing."""

    limits: Limits
    quiet: Quiet

    def since_ms(self, node: Node) -> int:
        """Return since when a node is silent: from when we could have heard it."""
        since_ms = max(self.quiet.hearing_since_ms, node.added_ms)
        return since_ms if node.heard_ms is None else max(node.heard_ms, since_ms)

    def suspect_ms(self, node: Node) -> int:
        """Return when it counts among the newly silent."""
        at_ms = self.since_ms(node) + node.part(self.limits.suspect_permille)
        gone_ms = self._gone_ms(node)
        return at_ms if gone_ms is None else min(at_ms, gone_ms)

    def dark_ms(self, node: Node) -> int:
        """Return when it is dark: by silence, or sooner where every path said gone."""
        limits = self.limits
        unheard = node.heard_ms is None or node.heard_ms < self.quiet.hearing_since_ms
        part = limits.unheard_permille if unheard else limits.dark_permille
        at_ms = self.since_ms(node) + self._factor * node.part(part)
        gone_ms = self._gone_ms(node)
        if gone_ms is None:
            return at_ms
        return min(at_ms, gone_ms + self._factor * node.part(limits.gone_permille))

    def path_ms(self, node: Node) -> int:
        """Return how long one WAN path may be silent while others are heard."""
        return self._factor * node.part(self.limits.dark_permille)

    def hearing_since_ms(self, node: Node) -> int:
        """Return since when a path of the node could be heard: we listen, and it speaks."""
        return max(self.quiet.hearing_since_ms, node.back_ms)

    def next_ms(self, node: Node, now_ms: int) -> int:
        """Return the next time at which this node's silence can mean something new."""
        candidates = [self.dark_ms(node)]
        if not node.is_suspect:
            candidates.append(self.suspect_ms(node))
        if node.heard_ms is not None:
            limit_ms = self.path_ms(node)
            candidates += [
                path.silent_at(limit_ms, self.hearing_since_ms(node))
                for path in node.paths.values()
                if path.is_wan and path.state != "down"
            ]
        return min((at_ms for at_ms in candidates if at_ms > now_ms), default=now_ms)

    @property
    def _factor(self) -> int:
        return self.limits.quiet_factor if self.quiet.is_on else 1

    def _gone_ms(self, node: Node) -> int | None:
        """Return when the last live WAN path said gone; None while one has not."""
        if node.heard_ms is None:
            return None
        limit_ms = self.path_ms(node)
        last_ms: int | None = None
        for path in node.paths.values():
            if path.is_wan and path.arrived_ms is not None:
                if path.gone_ms is not None:
                    last_ms = max(last_ms or 0, path.gone_ms)
                elif path.silent_at(limit_ms, self.quiet.hearing_since_ms) > node.heard_ms:
                    return None
        return last_ms
