"""How well this node itself does: the local health multiplier, and the score that others see.

A node that stalls takes others for dead. So it counts its own faults and stretches its patience by
them before it accuses anybody (design: ha, section 4; the idea is memberlist's).
"""

from typing import Final

import msgspec

LHM_MIN: Final = 1
LHM_MAX: Final = 8
LHM_UNFIT: Final = 4  # from here on the node is no candidate, and no witness of others' silence
CLEAN_MS: Final = 10_000  # without a fault, for one step back
SYNC_SLOW_MS: Final = 200  # an fsync that takes longer is a fault of this node

SCORE_MAX: Final = 1_000
BROKEN: Final = 200  # a fall by so much is no swing: a disk, a failed service, a stall of memory
HOLD_MS: Final = 30_000  # before a smaller change of the score counts
SCORE_STEP: Final = 100  # two nodes alike must not change ranks with every second's load


class LocalHealth:
    """The local health multiplier, 1 (well) to 8.

    Args:
        h_ms: the beat period.
    """

    __slots__ = ("_clean_ms", "_h_ms", "lhm")

    def __init__(self, h_ms: int) -> None:
        self.lhm = LHM_MIN
        self._h_ms = h_ms
        self._clean_ms = 0  # since when nothing was wrong

    def lagged(self, lag_ms: int, now_ms: int) -> None:
        """Note by how much the loop woke late; a whole period late, an own beat was missed too."""
        if lag_ms > self._h_ms // 2:
            self.fault(now_ms)
        if lag_ms >= self._h_ms:
            self.fault(now_ms)

    def synced(self, took_ms: int, now_ms: int) -> None:
        """Note how long the disk took."""
        if took_ms > SYNC_SLOW_MS:
            self.fault(now_ms)

    def fault(self, now_ms: int) -> None:
        """Count one fault."""
        self.pass_time(now_ms)
        self.lhm = min(self.lhm + 1, LHM_MAX)
        self._clean_ms = now_ms

    def pass_time(self, now_ms: int) -> None:
        """Take a step back for every CLEAN_MS without a fault."""
        steps = (now_ms - self._clean_ms) // CLEAN_MS
        self.lhm = max(self.lhm - steps, LHM_MIN)
        self._clean_ms += steps * CLEAN_MS


class Condition(msgspec.Struct, frozen=True):
    """What the score is made of.

    Attributes:
        cpu_stall_percent: share of the last minute in which something waited for a processor.
        memory_stall_percent: the same for memory.
        has_disk: whether the state directory takes writes.
        has_steady_clock: no jump of the wall clock of late.
        has_gateway: none of its gateways that answered once has fallen silent.
        failures: services whose failure has impact major.
    """

    cpu_stall_percent: float = 0
    memory_stall_percent: float = 0
    has_disk: bool = True
    has_steady_clock: bool = True
    has_gateway: bool = True
    failures: int = 0


def health_score(condition: Condition) -> int:
    """Return 0 (useless) to 1,000 (well), in steps of 100."""
    score = SCORE_MAX - condition.cpu_stall_percent * 2.5 - condition.memory_stall_percent * 5
    score -= 400 * (not condition.has_disk) + 100 * (not condition.has_steady_clock)
    score -= 300 * (not condition.has_gateway) + 200 * condition.failures
    return max(0, int(score) // SCORE_STEP * SCORE_STEP)


class SteadyScore:
    """The score that others rank by: what broke counts at once, what only swings does not.

    A lower or higher score is told once it has stood for HOLD_MS, and then the least of the change
    that was seen meanwhile; one that is BROKEN lower is told at once.
    """

    __slots__ = ("_least", "_since_ms", "score")

    def __init__(self) -> None:
        self.score = SCORE_MAX
        self._since_ms: int | None = None
        self._least = SCORE_MAX

    def take(self, score: int, now_ms: int) -> int | None:
        """Take in a look; return the score where it is another now."""
        if score == self.score:
            self._since_ms = None
            return None
        if self.score - score >= BROKEN:
            return self._change(score)
        if self._since_ms is None or (score < self.score) != (self._least < self.score):
            self._since_ms, self._least = now_ms, score
            return None
        nearer = max if score < self.score else min
        self._least = nearer(self._least, score)
        return self._change(self._least) if now_ms - self._since_ms >= HOLD_MS else None

    def _change(self, score: int) -> int:
        self.score, self._since_ms = score, None
        return score
