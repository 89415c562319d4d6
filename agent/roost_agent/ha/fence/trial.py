"""Whether each fence would work: tried hourly, since an untested fence is no fence.

A trial reads: is the device reached, does it take the credential, is it this machine's, and does it
say what is known anyway, that a node which is heard has power.
"""

from collections.abc import Iterable
from typing import Final

EVERY_MS: Final = 3_600_000
AGAIN_MS: Final = 300_000  # after one that failed
FIRST_MS: Final = 5_000  # spread of the first ones over the start of an agent
JITTER: Final = 0.1  # part of the interval by which it is made longer or shorter
HOLDS_MS: Final = 2 * EVERY_MS + AGAIN_MS  # so long is one that passed good for something


class _Trial:
    __slots__ = ("due_ms", "fault", "passed_ms", "tried_ms")

    def __init__(self) -> None:
        self.due_ms: int | None = None  # None: not planned yet
        self.tried_ms: int | None = None
        self.passed_ms: int | None = None
        self.fault = "not tested yet"


class Trials:
    """The trials of each node's fence.

    Args:
        nodes: that have one.
    """

    def __init__(self, nodes: Iterable[int]) -> None:
        self._trials = {node: _Trial() for node in nodes}

    @property
    def nodes(self) -> tuple[int, ...]:
        """Those that have a fence."""
        return tuple(self._trials)

    def due(self, jitter: float, now_ms: int) -> list[int]:
        """Return the nodes whose fence is to be tried now, each told once."""
        found = []
        for node, trial in self._trials.items():
            if trial.due_ms is None:
                trial.due_ms = now_ms + int(jitter * FIRST_MS)
            if now_ms >= trial.due_ms:
                spread = 1 + JITTER * (2 * jitter - 1)
                trial.due_ms = now_ms + int(EVERY_MS * spread)
                found.append(node)
        return found

    def due_ms(self, now_ms: int) -> int | None:
        """Return when the next one is due; None where there is none to try."""
        return min((_or(trial.due_ms, now_ms) for trial in self._trials.values()), default=None)

    def tried(self, node: int, fault: str, now_ms: int) -> None:
        """Take in how one went."""
        trial = self._trials[node]
        trial.fault, trial.tried_ms = fault, now_ms
        if fault:
            trial.due_ms = min(_or(trial.due_ms, now_ms), now_ms + AGAIN_MS)
        else:
            trial.passed_ms = now_ms

    def fault(self, node: int, now_ms: int) -> str:
        """Return why a node's fence counts for nothing now; empty where it does."""
        trial = self._trials.get(node)
        if trial is None:
            return "has no fence"
        if trial.fault:
            return trial.fault
        held_ms = now_ms - _or(trial.passed_ms, now_ms)
        return "" if held_ms < HOLDS_MS else f"last passed {held_ms // 60_000} min ago"

    def tried_ms(self, node: int) -> int | None:
        """Return when it was last tried."""
        return self._trials[node].tried_ms


def _or(value: int | None, other: int) -> int:
    return other if value is None else value
