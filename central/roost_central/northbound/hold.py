"""Keeps back what a storm may yet take: one receiver's raises of a moment ago. Pure.

Whether an alarm may be taken is decided at the centre (alarms/storm.py), this only waits for it: an
alarm that a storm took is told by its incident, and any other as it happened, all its steps in
their order. Only the kept alarms wait; what is about others passes.

Invariants: at most KEPT_MAX alarms are kept, and none for longer than the centre says; of one alarm
nothing overtakes.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from roost_central.alarms.row import AlarmRow
from roost_central.alarms.transition import Transition

KEPT_MAX: Final = 10_000  # alarms; beyond, what comes is told at once
LOOK_S: Final = 0.5  # how late the end of a wait may be noticed

IsCandidate = Callable[[AlarmRow], bool]


class Hold:
    """The transitions that one receiver is not told of yet.

    Args:
        is_candidate: whether a storm may yet take an alarm.
    """

    def __init__(self, is_candidate: IsCandidate) -> None:
        self._is_candidate = is_candidate
        self._kept: OrderedDict[str, list[Transition]] = OrderedDict()

    def __bool__(self) -> bool:
        """Whether something is kept."""
        return bool(self._kept)

    def has(self, key_id: str) -> bool:
        """Return whether an alarm is kept."""
        return key_id in self._kept

    @property
    def first_seq(self) -> int | None:
        """The number of the oldest kept transition: a cursor stays before it."""
        return min((steps[0].seq for steps in self._kept.values()), default=None)

    def keeps(self, change: Transition) -> bool:
        """Keep a transition, if it is to wait; else it is to be told now."""
        row = change.alarm
        if row is None:
            return False
        steps = self._kept.get(row.key_id)
        if steps is not None:
            steps.append(change)
            return True
        if change.event != "raise" or len(self._kept) >= KEPT_MAX or not self._is_candidate(row):
            return False
        self._kept[row.key_id] = [change]
        return True

    def due(self, *, is_behind: bool) -> list[list[Transition]]:
        """Return what need not wait any more, alarm by alarm, the first raised first.

        Args:
            is_behind: transitions were not read yet. Nothing is due before them: that a storm took
                an alarm is one of them, and the alarm is no candidate by then.
        """
        if is_behind:
            return []
        over = [key for key, steps in self._kept.items() if not self._waits(steps)]
        return [self._kept.pop(key) for key in over]

    def _waits(self, steps: list[Transition]) -> bool:
        row = steps[-1].alarm
        return row is not None and row.is_open and self._is_candidate(row)


def is_untold(steps: list[Transition]) -> bool:
    """Return whether nobody needs to hear of these steps: an incident took the alarm meanwhile.

    Or something hides it: it is told when it is shown again.
    """
    last = steps[-1].alarm
    return last is not None and last.is_withheld
