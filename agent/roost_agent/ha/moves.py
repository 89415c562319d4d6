"""How often a group moved by choice: a site must not dance, whoever leads (design: ha, I13).

The count travels with the lease: every node's beats tell the moves that it knows of, and each is
named by the epoch that it ended, so that nobody counts one twice.
"""

from collections.abc import Mapping
from typing import Final

from roost_protocol.limits import HA_NODES_MAX

MOVES_MAX: Final = 3  # chosen moves of a group ...
MOVES_MS: Final = 600_000  # ... within this
TOLD_MAX: Final = 4  # leases that a beat tells of, those that moved last
HELD_BACK: Final = f"it moved {MOVES_MAX} times within {MOVES_MS // 60_000} min"


class Moves:
    """The chosen moves of each lease; takeovers and a person's orders are none."""

    def __init__(self) -> None:
        self._at_ms: dict[str, dict[int, int]] = {}  # lease -> epoch that ended -> when

    def may_move(self, lease: str, now_ms: int) -> bool:
        """Return whether one more is allowed."""
        return len(self._of(lease, now_ms)) < MOVES_MAX

    def last_mover(self, lease: str, now_ms: int) -> int | None:
        """Return the node that gave it away last, of late; an epoch names whose it was."""
        known = self._of(lease, now_ms)
        return max(known) % HA_NODES_MAX if known else None

    def moved(self, lease: str, epoch: int, now_ms: int) -> None:
        """Count one."""
        self._at_ms[lease] = {**self._of(lease, now_ms), epoch: now_ms}

    def told(self, now_ms: int) -> dict[str, dict[int, int]]:
        """Return what beats say: lease to epoch to how many ms ago."""
        known = {name: moves for name in self._at_ms if (moves := self._of(name, now_ms))}
        last = sorted(known, key=lambda name: max(known[name].values()), reverse=True)[:TOLD_MAX]
        return {
            name: {epoch: now_ms - at_ms for epoch, at_ms in known[name].items()} for name in last
        }

    def heard(self, told: Mapping[str, Mapping[int, int]], now_ms: int) -> None:
        """Take in what a peer's beat says."""
        for name, moves in told.items():
            known = self._of(name, now_ms)
            new = {epoch: now_ms - ago for epoch, ago in moves.items() if epoch not in known}
            if new:
                self._at_ms[name] = known | new

    def _of(self, lease: str, now_ms: int) -> dict[int, int]:
        """Return the last moves that still count."""
        known = self._at_ms.get(lease, {})
        fresh = [(at_ms, epoch) for epoch, at_ms in known.items() if now_ms - at_ms < MOVES_MS]
        return {epoch: at_ms for at_ms, epoch in sorted(fresh)[-MOVES_MAX:]}
