"""Who gives way when connections are lost: the worse connected node, once, and for long.

For chosen moves and eligibility, never for a grant (design: ha, section 4; StarlingX's failover
states). Invariants:
- a tie changes nothing, so a network that is gone for all moves nothing;
- FAILED does not resume and SURVIVED does not give way before redundancy was whole for RECOVER_MS;
- a sole survivor is never barred, so two nodes can never both stay failed.
"""

from enum import StrEnum
from typing import Final

import msgspec

PENDING_BEATS: Final = 4  # after the last change, before anything is decided
RECOVER_MS: Final = 30_000  # whole for so long


class RedundancyState(StrEnum):
    """Where this node stands since redundancy was lost."""

    NORMAL = "normal"
    FAIL_PENDING = "fail-pending"
    FAILED = "failed"
    SURVIVED = "survived"


Standing = tuple[int, int]  # voters seen, path score


class Look(msgspec.Struct, frozen=True):
    """What is compared.

    Attributes:
        is_whole: every path to every voter that lives carries.
        mine: how well this node is connected.
        other: how well the best of the other live hosts is, None where there is none.
    """

    is_whole: bool
    mine: Standing
    other: Standing | None


class Redundancy:
    """The redundancy state of one node.

    Args:
        h_ms: the beat period.
        state: as it was before the agent's restart.
    """

    __slots__ = ("_changed_ms", "_h_ms", "_look", "_whole_ms", "state")

    def __init__(self, h_ms: int, state: RedundancyState = RedundancyState.NORMAL) -> None:
        self.state = state
        self._h_ms = h_ms
        self._look: Look | None = None
        self._changed_ms = 0
        self._whole_ms: int | None = None  # since when

    def handle(self, look: Look, now_ms: int) -> bool:
        """Take in how things are; return whether the state is another now."""
        if look != self._look:
            self._look, self._changed_ms = look, now_ms
        if not look.is_whole:
            self._whole_ms = None
        elif self._whole_ms is None:
            self._whole_ms = now_ms
        before = self.state
        self.state = self._next(look, now_ms)
        return self.state is not before

    def is_barred(self, *, is_sole: bool) -> bool:
        """Whether this node may not become active by choice."""
        return self.state is RedundancyState.FAILED and not is_sole

    def _next(self, look: Look, now_ms: int) -> RedundancyState:
        match self.state:
            case RedundancyState.NORMAL:
                return self.state if look.is_whole else RedundancyState.FAIL_PENDING
            case RedundancyState.FAIL_PENDING:
                return self._pending(look, now_ms)
            case _:
                whole_ms = self._whole_ms
                is_over = whole_ms is not None and now_ms - whole_ms >= RECOVER_MS
                return RedundancyState.NORMAL if is_over else self.state

    def _pending(self, look: Look, now_ms: int) -> RedundancyState:
        if look.is_whole:
            return RedundancyState.NORMAL
        is_settled = now_ms - self._changed_ms >= PENDING_BEATS * self._h_ms
        if not is_settled or look.other is None or look.mine == look.other:
            return self.state
        return RedundancyState.FAILED if look.mine < look.other else RedundancyState.SURVIVED
