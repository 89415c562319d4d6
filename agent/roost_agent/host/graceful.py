"""Counts how often a host was lost and came back without a boot: the graceful tries. Pure.

A host that never went down is taken back as it was, TRIES times (StarlingX). One more, and it is to
run its recovery: who coordinates says so in its beats, and the host takes it up (core). Who boots,
or is out of service by its own word, begins from nought, and so does who served for an hour.
"""

from collections.abc import Mapping
from typing import Final

from roost_agent.host import transitions as tr
from roost_agent.host.transitions import Triple

TRIES: Final = 5  # StarlingX's
SETTLED_MS: Final = 3_600_000  # of service, after which what was counts no more
TAKE_UP_MS: Final = 60_000  # for a host to take it up; one of an older release never does


class Graceful:
    """See the module.

    Args:
        tries: what the agent before this one counted, by host.
        now_ms: the boot clock.
    """

    def __init__(self, tries: Mapping[str, int], now_ms: int) -> None:
        self._tries = dict(tries)
        self._since_ms = dict.fromkeys(tries, now_ms)
        self._asked_ms: dict[str, int] = {}

    @property
    def tries(self) -> dict[str, int]:
        """What is counted, for the disk."""
        return dict(self._tries)

    def back(self, node: str, now_ms: int, *, is_same_boot: bool) -> None:
        """Take in that a host that was failed for its silence is heard again."""
        if not is_same_boot:
            self._forget(node)
            return
        self._tries[node] = min(self._tries.get(node, 0), TRIES) + 1
        self._since_ms[node] = now_ms
        if self._tries[node] > TRIES:
            self._asked_ms[node] = now_ms

    def heard(self, node: str, told: Triple | None, now_ms: int) -> None:
        """Take in how a host says that it stands."""
        if node not in self._tries:
            return
        is_settled = now_ms - self._since_ms[node] >= SETTLED_MS
        if is_settled or (told is not None and told not in tr.ENABLED):
            self._forget(node)

    def is_asked(self, node: str, now_ms: int) -> bool:
        """Whether a host is to run its recovery, and has time left to take that up."""
        asked_ms = self._asked_ms.get(node)
        return asked_ms is not None and now_ms - asked_ms < TAKE_UP_MS

    def asked(self, now_ms: int) -> frozenset[str]:
        """Return all of those."""
        return frozenset(node for node in self._asked_ms if self.is_asked(node, now_ms))

    def _forget(self, node: str) -> None:
        for each in (self._tries, self._since_ms, self._asked_ms):
            each.pop(node, None)
