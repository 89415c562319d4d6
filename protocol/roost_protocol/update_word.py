"""Where a node is with a software update, in one number: what there is room for in a site's beat.

Its site's coordinator reads that of every node, and lets nodes go on by two more numbers of its own
beats: bit n is the node of index n. Frames carry a mac, so nobody else speaks for a node.

Invariants: a number of before or after this version is read as far as it is known; what is told is
never a right: each node judges its own windows and holds besides.
"""

import re
from hashlib import blake2b
from typing import Final

import msgspec

STEPS: Final = (  # in their order on the wire; new ones are added at the end
    "precheck", "download", "verify", "staged", "drain", "swact", "lock", "install", "reboot",
    "verify_reboot", "commit", "rollback", "rollback_reboot", "verify_rollback", "unlock",
    "cleanup", "end",
)  # fmt: skip
OUTCOMES: Final = ("", "succeeded", "rolled_back", "failed", "canceled")
_JOB_BYTES: Final = 3
_STEP_SHIFT, _STEP_BITS = 24, 5
_OUTCOME_SHIFT, _OUTCOME_BITS = 29, 3
_FAILED, _COMMITTED, _STUCK = 1 << 32, 1 << 33, 1 << 34
_TELLS_REACH, _REACHED = 1 << 35, 1 << 36
_SHUT: Final = 1 << 37
_ALARM_SHIFT, _ALARM_BITS = 38, 20  # of a type GGG.EEE, GGG * 1,000 + EEE
_EVENTS: Final = 1_000  # of a group
_TYPE: Final = re.compile(r"([0-9]{3})\.([0-9]{3})")


class UpdateWord(msgspec.Struct, frozen=True):
    """See the module.

    Attributes:
        job: which one (``job_mark``).
        step: of STEPS.
        outcome: of OUTCOMES; empty: it has not ended.
        has_failed: it goes back, or went.
        is_committed: the new release runs for good.
        is_stuck: it could not go back.
        is_reached: it beats on a path, those of local HA apart; None: it does not say.
        is_shut: a window of its own keeps it from going in.
        alarm: the type of one that stands on it and keeps its site from going on; empty: none does.
    """

    job: int
    step: str
    outcome: str = ""
    has_failed: bool = False
    is_committed: bool = False
    is_stuck: bool = False
    is_reached: bool | None = None
    is_shut: bool = False
    alarm: str = ""


def job_mark(job: str, attempt: int) -> int:
    """Return what tells one attempt of a job from the few others of a site; never 0."""
    digest = blake2b(f"{job}.{attempt}".encode(), digest_size=_JOB_BYTES).digest()
    return int.from_bytes(digest, "big") or 1


def pack(word: UpdateWord) -> int:
    """Return the number that stands for a word."""
    flags = _FAILED * word.has_failed | _COMMITTED * word.is_committed | _STUCK * word.is_stuck
    flags |= _SHUT * word.is_shut
    if word.is_reached is not None:
        flags |= _TELLS_REACH | _REACHED * word.is_reached
    outcome = OUTCOMES.index(word.outcome) << _OUTCOME_SHIFT
    alarm = _number(word.alarm) << _ALARM_SHIFT
    return word.job | STEPS.index(word.step) << _STEP_SHIFT | outcome | flags | alarm


def unpack(number: int) -> UpdateWord | None:
    """Return what a number of a beat says; None: it says nothing of an update that is known."""
    job = number & (1 << 8 * _JOB_BYTES) - 1
    step = number >> _STEP_SHIFT & (1 << _STEP_BITS) - 1
    outcome = number >> _OUTCOME_SHIFT & (1 << _OUTCOME_BITS) - 1
    if not job or step >= len(STEPS) or outcome >= len(OUTCOMES):
        return None
    return UpdateWord(
        job, STEPS[step], OUTCOMES[outcome], bool(number & _FAILED), bool(number & _COMMITTED),
        bool(number & _STUCK), bool(number & _REACHED) if number & _TELLS_REACH else None,
        bool(number & _SHUT), _alarm(number >> _ALARM_SHIFT & (1 << _ALARM_BITS) - 1),
    )  # fmt: skip


def _number(alarm: str) -> int:
    """Return the number that stands for a type; 0: there is none, or it is not of that form."""
    match = _TYPE.fullmatch(alarm)
    return int(match[1]) * _EVENTS + int(match[2]) if match else 0


def _alarm(number: int) -> str:
    """Return the type that a number stands for; empty: none."""
    group, event = divmod(number, _EVENTS)
    return f"{group:03}.{event:03}" if 0 < number < _EVENTS * _EVENTS else ""
