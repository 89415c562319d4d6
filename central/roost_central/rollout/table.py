"""Who moves a rollout, a wave and a site's job from which state to which: one table. Pure.

What is not in it is refused, whoever asks (updates.md section 3). A site may leave out what it
passes between two words, so that of its own states each later one is open to it.
"""

from collections.abc import Mapping
from enum import StrEnum
from itertools import combinations
from types import MappingProxyType
from typing import Final, Protocol, TypeAlias


class Who(StrEnum):
    """Who moves."""

    OPERATOR = "operator"
    CENTRAL = "central"
    SITE = "site"


class Kind(StrEnum):
    """What a rollout brings."""

    RELEASE = "release"
    PROFILE = "profile"  # settings of profiles


class RolloutState(StrEnum):
    """Where a rollout stands."""

    DRAFT = "draft"
    VALIDATING = "validating"
    AWAITING_APPROVAL = "awaiting_approval"
    SCHEDULED = "scheduled"
    RUNNING = "running"
    PAUSED = "paused"
    ABORTING = "aborting"
    ROLLING_BACK = "rolling_back"
    DENIED = "denied"
    COMPLETED = "completed"
    ABORTED = "aborted"
    ROLLED_BACK = "rolled_back"


class WaveState(StrEnum):
    """Where a wave stands."""

    PENDING = "pending"
    RELEASING = "releasing"
    RUNNING = "running"
    SOAKING = "soaking"
    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


class JobState(StrEnum):
    """Where a site's job stands."""

    QUEUED = "queued"
    OFFERED = "offered"
    ACCEPTED = "accepted"
    STAGING = "staging"
    STAGED = "staged"
    WAITING = "waiting"
    APPLYING = "applying"
    CANCEL_REJECTED = "cancel_rejected"
    VERIFYING = "verifying"
    SOAKING = "soaking"
    UNREACHABLE = "unreachable"
    REJECTED = "rejected"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    ROLLED_BACK = "rolled_back"
    TIMED_OUT = "timed_out"
    CANCELED = "canceled"
    SUPERSEDED = "superseded"
    NOT_NEEDED = "not_needed"
    INCOMPATIBLE = "incompatible"


class Pause(StrEnum):
    """Why a rollout rests."""

    OPERATOR = "operator"
    ERROR_THRESHOLD = "error_threshold"
    HEALTH_GATE = "health_gate"
    WINDOW = "window"
    UNREACHABLE = "unreachable"
    STALE_METADATA = "stale_metadata"


State: TypeAlias = RolloutState | WaveState | JobState
Row: TypeAlias = tuple[type, State, State]  # words are shared: a wave and a job can both fail


class _May(Protocol):
    """Declares rows."""

    def __call__(self, who: Who, before: State | tuple[State, ...], *after: State) -> None:
        """Let somebody move from these states to those."""


R, W, J = RolloutState, WaveState, JobState
OP, CENTRAL, SITE = Who.OPERATOR, Who.CENTRAL, Who.SITE

ROLLOUT_ENDS: Final = frozenset({R.DENIED, R.COMPLETED, R.ABORTED, R.ROLLED_BACK})
WAVE_ENDS: Final = frozenset({W.PASSED, W.SKIPPED})
JOB_ENDS: Final = frozenset(
    {J.SUCCEEDED, J.FAILED, J.ROLLED_BACK, J.TIMED_OUT, J.CANCELED, J.SUPERSEDED, J.NOT_NEEDED}
    | {J.INCOMPATIBLE}
)
JOB_FAILURES: Final = frozenset({J.FAILED, J.ROLLED_BACK, J.TIMED_OUT})
OPEN_TO_CENTRAL: Final = frozenset({Pause.WINDOW, Pause.UNREACHABLE, Pause.STALE_METADATA})

_CHAIN: Final = (J.OFFERED, J.ACCEPTED, J.STAGING, J.STAGED, J.WAITING, J.APPLYING)  # site's way
UNTOUCHED: Final = (J.QUEUED, *_CHAIN[:-1])  # nothing is installed yet
_AT_WORK: Final = (*_CHAIN, J.CANCEL_REJECTED)
IN_FLIGHT: Final = frozenset({*_AT_WORK, J.VERIFYING, J.SOAKING})  # takes a slot


def _rows() -> dict[Row, set[Who]]:
    rows: dict[Row, set[Who]] = {}

    def may(who: Who, before: State | tuple[State, ...], *after: State) -> None:
        for one in before if isinstance(before, tuple) else (before,):
            for other in after:
                rows.setdefault((type(one), one, other), set()).add(who)

    _rollout(may)
    _wave(may)
    _job(may)
    return rows


def _rollout(may: _May) -> None:
    may(OP, R.DRAFT, R.VALIDATING)
    may(CENTRAL, R.VALIDATING, R.DRAFT, R.AWAITING_APPROVAL, R.SCHEDULED)
    may(OP, R.AWAITING_APPROVAL, R.SCHEDULED, R.DENIED, R.DRAFT)
    may(CENTRAL, R.SCHEDULED, R.RUNNING)  # its start time has come
    may(OP, R.SCHEDULED, R.RUNNING, R.ABORTED, R.DRAFT)
    may(OP, R.RUNNING, R.PAUSED)
    may(CENTRAL, R.RUNNING, R.PAUSED, R.COMPLETED)
    may(OP, R.PAUSED, R.RUNNING)
    may(CENTRAL, R.PAUSED, R.RUNNING)  # of OPEN_TO_CENTRAL alone
    may(OP, (R.RUNNING, R.PAUSED, R.ROLLING_BACK), R.ABORTING)
    may(CENTRAL, (R.RUNNING, R.PAUSED), R.ABORTING, R.ROLLING_BACK)
    may(OP, (R.RUNNING, R.PAUSED), R.ROLLING_BACK)
    may(OP, (R.ABORTING, R.ABORTED), R.ROLLING_BACK)  # who has it keeps it, until somebody says so
    may(CENTRAL, R.ABORTING, R.ABORTED)
    may(CENTRAL, R.ROLLING_BACK, R.ROLLED_BACK)


def _wave(may: _May) -> None:
    may(CENTRAL, W.PENDING, W.RELEASING, W.SKIPPED)
    may(OP, W.PENDING, W.RELEASING, W.SKIPPED)  # promoted past a manual gate
    may(CENTRAL, W.RELEASING, W.RUNNING)
    may(CENTRAL, (W.RELEASING, W.RUNNING), W.FAILED, W.SOAKING)
    may(OP, (W.RELEASING, W.RUNNING), W.SKIPPED)  # its silent sites catch up
    may(CENTRAL, W.SOAKING, W.PASSED, W.FAILED)
    may(OP, W.SOAKING, W.PASSED)  # promoted: somebody answers for the rest of the soak
    may(OP, W.FAILED, W.RELEASING, W.SKIPPED)


def _job(may: _May) -> None:
    may(CENTRAL, J.QUEUED, J.OFFERED, J.NOT_NEEDED, J.INCOMPATIBLE)
    may(CENTRAL, J.OFFERED, J.QUEUED, J.REJECTED)  # the signer does not agree
    may(CENTRAL, (J.OFFERED, J.ACCEPTED), J.NOT_NEEDED)  # it says so, and is seen to run it
    may(SITE, J.OFFERED, J.INCOMPATIBLE, J.REJECTED)
    may(SITE, (J.OFFERED, J.ACCEPTED), J.QUEUED)  # a node of it has no room yet
    for before, after in combinations(_CHAIN, 2):
        may(SITE, before, after)
    may(SITE, J.WAITING, J.STAGED)  # its condition came and went
    may(SITE, J.APPLYING, J.WAITING)  # who was told waits for its window, or some of its nodes do
    may(SITE, _CHAIN, J.VERIFYING, J.FAILED, J.ROLLED_BACK, J.TIMED_OUT)
    may(SITE, _CHAIN, J.CANCELED, J.CANCEL_REJECTED)
    may(SITE, J.CANCEL_REJECTED, J.VERIFYING, J.FAILED, J.ROLLED_BACK, J.TIMED_OUT)
    may(SITE, (J.VERIFYING, J.SOAKING), J.FAILED, J.ROLLED_BACK)  # it went back by itself
    may(CENTRAL, _AT_WORK, J.TIMED_OUT, J.VERIFYING)  # seen to run it, though nobody said so
    may(CENTRAL, J.REJECTED, J.QUEUED, J.FAILED, J.CANCELED)
    may(CENTRAL, J.VERIFYING, J.SOAKING, J.FAILED, J.TIMED_OUT)
    may(CENTRAL, J.SOAKING, J.SUCCEEDED, J.FAILED)
    reachable = (J.QUEUED, *_AT_WORK, J.VERIFYING, J.SOAKING)
    may(CENTRAL, reachable, J.UNREACHABLE)
    may(CENTRAL, J.UNREACHABLE, *reachable, J.TIMED_OUT, J.CANCELED, J.FAILED)
    may(CENTRAL, (J.QUEUED, *_AT_WORK, J.VERIFYING, J.SOAKING), J.CANCELED)  # its site is gone
    may(CENTRAL, (*UNTOUCHED, J.REJECTED, J.UNREACHABLE), J.SUPERSEDED)
    may(CENTRAL, tuple(JOB_FAILURES), J.QUEUED)  # another attempt
    may(OP, tuple(JOB_FAILURES), J.QUEUED)
    may(CENTRAL, tuple(JOB_ENDS), J.QUEUED)  # its way back


ROWS: Final[Mapping[Row, frozenset[Who]]] = MappingProxyType(
    {row: frozenset(who) for row, who in _rows().items()}
)


WHAT_HELPS: Final[Mapping[RolloutState, str]] = MappingProxyType(
    {
        R.DRAFT: "edit its plan, so that it can be judged again",
        R.VALIDATING: "it is being judged: ask again in a moment",
        R.AWAITING_APPROVAL: "approve, deny or edit it first",
        R.SCHEDULED: "start, edit or abort it",
        R.RUNNING: "pause, promote, abort it or roll it back",
        R.PAUSED: "resume it, abort it or roll it back",
        R.ABORTING: "it ends by itself, once no site can still change, or roll it back",
        R.ROLLING_BACK: "it ends by itself, once its sites are back; abort leaves them as they are",
    }
    | dict.fromkeys(ROLLOUT_ENDS, "that is its end: make a new one")
    | {R.ABORTED: "that is its end: roll it back, or make a new one"}
)


class MoveError(ValueError):
    """It is not possible in this state, or not for this one; nothing was changed."""


def check(before: State, after: State, who: Who) -> None:
    """Check that somebody may move from one state to another.

    Raises:
        MoveError: no row says so.
    """
    if who not in ROWS.get((type(before), before, after), frozenset()):
        what = type(before).__name__.removesuffix("State").lower()
        if before is after:
            raise MoveError(f"the {what} is {before} already: there is nothing for the {who} to do")
        if who is OP and isinstance(before, RolloutState):
            raise MoveError(f"the rollout is {spoken(before)}: {WHAT_HELPS[before]}")
        raise MoveError(f"a {what} that is {before} does not become {after} by the {who}")


def spoken(state: State) -> str:
    """Return a state as people say it."""
    return state.replace("_", " ")
