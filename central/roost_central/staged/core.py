"""The states of a staged change: whose turn it is, when the next one's is, and when it stops. Pure.

Leaves to others: who is in which group (groups.py), what nodes say (delivery/), storage.

Invariants:
- a group's turn comes when the one before was in sync, by the word of its nodes, for the whole of
  the soak;
- a group is never through without a node that says so; dark nodes are not waited for, not counted
  as failed, and get the change when they are back;
- what was stopped or aborted lets no other group have it, whatever nodes say later;
- it begins, ends and is undone once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

SOAK_S: Final = (0, 604_800)  # a week: a change that takes longer is several
SOAK_S_USUAL: Final = 600
WAIT_S: Final = (60, 604_800)
WAIT_S_USUAL: Final = 3_600  # in which a group that is heard is in sync
FAILED_MAX: Final = 100_000
OPEN_MAX: Final = 16  # changes of the fleet that are not at their end
NAMED_MAX: Final = 3  # nodes, in the reason of a stop


class State(StrEnum):
    """Where a change stands."""

    RUNNING = "running"
    PAUSED = "paused"  # by a person
    STOPPED = "stopped"  # by what nodes said
    ABORTED = "aborted"  # it goes no further; those who have it keep it until it is rolled back
    DONE = "done"
    ROLLED_BACK = "rolled-back"


OPEN: Final = frozenset({State.RUNNING, State.PAUSED, State.STOPPED, State.ABORTED})


@dataclass(frozen=True, slots=True)
class StagedChange:
    """One change of profiles on its way.

    Attributes:
        profiles: the revision that each had before, by name; 0: this change made it.
        sizes: sites of each group.
        stage: whose turn it is, from 0; as many as there are groups: all had theirs.
        stage_ms: since when; ``synced_ms``: since when all of it that is heard is in sync.
        wait_ms: how long a group may take; ``failed_max``: nodes that may fail.
        why: of what stopped or ended it.
    """

    id: str
    state: State
    made_ms: int
    changed_ms: int
    by: str
    reason: str
    profiles: Mapping[str, int]
    sizes: Sequence[int]
    stage: int
    stage_ms: int
    soak_ms: int
    wait_ms: int
    failed_max: int
    synced_ms: int | None = None
    why: str = ""

    def has_had(self, stage: int) -> bool:
        """Say whether a group's turn has come."""
        return stage <= self.stage or self.state not in OPEN


@dataclass(frozen=True, slots=True)
class StagedNode:
    """A node of a change: its group, and what it should have been before; 0 and empty: nothing."""

    node: str
    stage: int
    former_generation: int
    former_document: bytes


@dataclass(frozen=True, slots=True)
class Tally:
    """What nodes whose turn has come say.

    Attributes:
        failed: refused, or could not, in any group that had its turn.
        worse: others with a critical alarm that is younger than the change.
        in_sync, waiting, shut, dark: of the present group; waiting are heard and not in sync yet,
            shut wait for their windows: the group waits with them, however long.
        named: NAMED_MAX of those that failed or are worse, for whoever looks for the cause.
    """

    failed: int = 0
    worse: int = 0
    in_sync: int = 0
    waiting: int = 0
    shut: int = 0
    dark: int = 0
    named: tuple[str, ...] = ()

    @property
    def bad(self) -> int:
        """How many count against ``failed_max``."""
        return self.failed + self.worse


class ChangeMoveError(ValueError):
    """It is not possible for a change in this state; nothing was changed."""


def step(change: StagedChange, tally: Tally, now_ms: int) -> StagedChange:
    """Return a change as it is from now on."""
    if change.state is not State.RUNNING:
        return change
    is_late = now_ms - change.stage_ms >= change.wait_ms
    late = tally.waiting if is_late else 0
    if tally.bad + late > change.failed_max:
        return _moved(change, State.STOPPED, _failed(change, tally, late), now_ms)
    if tally.shut:
        return replace(change, synced_ms=None)
    if tally.in_sync and late == tally.waiting:
        return _soaked(change, now_ms)
    if is_late:
        why = f"no node of group {change.stage + 1} says that it has it"
        return _moved(change, State.STOPPED, why, now_ms)
    return replace(change, synced_ms=None)


def pause(change: StagedChange, why: str, now_ms: int) -> StagedChange:
    """Return a change whose next group waits for a person.

    Raises:
        ChangeMoveError: it is not running.
    """
    if change.state is not State.RUNNING:
        raise ChangeMoveError(f"the change is {change.state}: there is nothing to pause")
    return _moved(change, State.PAUSED, why, now_ms)


def resume(change: StagedChange, tally: Tally, now_ms: int) -> StagedChange:
    """Return a change that goes on; the nodes that failed until now are accepted.

    Its group has its whole time again.

    Raises:
        ChangeMoveError: it neither rests nor was stopped.
    """
    if change.state not in {State.PAUSED, State.STOPPED}:
        raise ChangeMoveError(f"the change is {change.state}: it cannot be resumed")
    going = _moved(change, State.RUNNING, "", now_ms)
    accepted = max(change.failed_max, tally.bad)
    return replace(going, failed_max=accepted, stage_ms=now_ms, synced_ms=None)


def abort(change: StagedChange, why: str, now_ms: int) -> StagedChange:
    """Return a change that goes no further: who has it keeps it, the others keep what they had.

    Raises:
        ChangeMoveError: it is at its end.
    """
    if change.state not in {State.RUNNING, State.PAUSED, State.STOPPED}:
        raise ChangeMoveError(f"the change is {change.state}: there is nothing to abort")
    return _moved(change, State.ABORTED, why, now_ms)


def rolled_back(change: StagedChange, why: str, now_ms: int) -> StagedChange:
    """Return a change whose profiles are as they were before it.

    Raises:
        ChangeMoveError: it is at its end: another change undoes it then.
    """
    if change.state not in OPEN:
        raise ChangeMoveError(f"the change is {change.state}: apply the former files instead")
    return _moved(change, State.ROLLED_BACK, why, now_ms)


def _moved(change: StagedChange, state: State, why: str, now_ms: int) -> StagedChange:
    return replace(change, state=state, why=why, changed_ms=now_ms)


def _soaked(change: StagedChange, now_ms: int) -> StagedChange:
    """Return a change whose group is in sync: the next one's turn comes after the soak."""
    since_ms = now_ms if change.synced_ms is None else change.synced_ms
    if now_ms - since_ms < change.soak_ms:
        return replace(change, synced_ms=since_ms)
    stage = change.stage + 1
    state = State.DONE if stage >= len(change.sizes) else State.RUNNING
    return replace(
        change, state=state, stage=stage, stage_ms=now_ms, synced_ms=None, changed_ms=now_ms
    )


def _failed(change: StagedChange, tally: Tally, late: int) -> str:
    counts = (
        (tally.failed, "failed"),
        (tally.worse, "with a new critical alarm"),
        (late, "not in sync in time"),
    )
    said = ", ".join(f"{count} {what}" for count, what in counts if count)
    more = tally.bad - len(tally.named)
    names = ", ".join(tally.named) + (f" and {more} more" if more else "")
    which = f" ({names})" if tally.named else ""
    return f"nodes: {said}{which}; at most {change.failed_max} may"
