"""Decides what a node gets whose certificate ended while it was away. Pure.

Leaves to the shell (desk.py): the signatures of both keys, which are checked before; what is known,
read in one transaction; certificates. Invariants:
- only the holder of the newest key that was ever heard gets a certificate without a human;
- what a human put in quarantine, or has to choose about, gets none at all;
- a key that was followed by a newer one of the same box is in two boxes, and is told so.
Source: docs/enrolment.md, section A certificate that ended.
"""

from dataclasses import dataclass
from typing import Final

from roost_central.enrol.states import ENDED, SHUT, Cause, State
from roost_protocol.hardware import Alike

GRACE_MS_MAX: Final = 180 * 86_400_000  # after the end; then a human looks
GRACE_DAYS: Final = 1  # the life of what it gets; it renews once it is out of quarantine


@dataclass(frozen=True, slots=True)
class Holder:
    """The generation whose key signed.

    Attributes:
        is_followed: a newer key of the same box was heard, and lives.
    """

    node: str
    state: State
    not_after_ms: int
    quarantine: Cause
    is_followed: bool = False


@dataclass(frozen=True, slots=True)
class Grant:
    """It gets a short certificate, and is in quarantine until it is seen to be well."""

    reason: str


@dataclass(frozen=True, slots=True)
class Ask:
    """A human decides."""

    reason: str


@dataclass(frozen=True, slots=True)
class Refuse:
    """It gets nothing; ``clone``: two boxes have been seen to use this identity."""

    code: str
    detail: str


Action = Grant | Ask | Refuse


def handle(holder: Holder, alike: Alike, now_ms: int) -> Action:
    """Return what the holder of an ended certificate gets.

    Args:
        holder: of the key that signed.
        alike: what the box says it is now, against what it said when it was let in.
        now_ms: UTC.
    """
    ended_ms = now_ms - holder.not_after_ms
    refused = _refused(holder, ended_ms)
    if refused is not None:
        return refused
    if ended_ms > GRACE_MS_MAX:
        return Ask(f"{holder.node}: its certificate ended {_days(ended_ms)} days ago")
    if not (alike.is_same and alike.agreed):
        return Ask(f"{holder.node}: it is made of other parts, {_points(alike)}")
    return Grant(f"its certificate had ended, {_span(ended_ms)} ago")


def _refused(holder: Holder, ended_ms: int) -> Refuse | None:
    if holder.is_followed:
        return Refuse("clone", f"a newer key of {holder.node} was heard: two boxes have it")
    if holder.state in ENDED:
        return Refuse("ended", f"this identity is {holder.state}: join with --new-key, or ask who")
    if holder.quarantine in SHUT:
        return Refuse("quarantined", f"{holder.node} is in quarantine: an operator has to choose")
    if ended_ms < 0:
        return Refuse("not-ended", "the certificate has not ended: renew it")
    return None


def _points(alike: Alike) -> str:
    return f"{alike.agreed} of {alike.known} points agree"


def _span(milliseconds: int) -> str:
    days = _days(milliseconds)
    return f"{days} days" if days > 1 else f"{milliseconds // 3_600_000} h"


def _days(milliseconds: int) -> int:
    return milliseconds // 86_400_000
