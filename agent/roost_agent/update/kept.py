"""What the journal of updates keeps: of jobs, of a person's hold, of receipts. Data alone."""

from typing import Final

import msgspec

from roost_agent.update.baseline import Baseline, Key
from roost_agent.update.events import State

HOLD_MS_MAX: Final = 7 * 86_400_000  # a hold that is forgotten ends


class Kept(msgspec.Struct, frozen=True):
    """What a job asks of this node, as far as it is known.

    Attributes:
        reboot, drain: of the release's manifest; from the download on.
        was_reached: the node beat as the site let it go on: so it must do so again.
        was_drained: the site's own programs were asked to move what runs here.
        was_locked: somebody had locked the host before, so it stays that.
        before: what ran and was raised as the site let it go on; None: not known.
        expected: types of alarms that the manifest calls no failure.
        stood: alarms that stood in the way already as the offer was taken; None: not known.
        had: the release ran here already, so nothing was done.
    """

    reboot: bool = False
    drain: bool = False
    was_reached: bool = False
    was_locked: bool = False
    was_drained: bool = False
    before: Baseline | None = None
    expected: tuple[str, ...] = ()
    had: bool = False
    stood: tuple[Key, ...] | None = None


class Open(msgspec.Struct, frozen=True):
    """A job that has not ended, or the one that ended last.

    Attributes:
        offer: the order's body.
        state: of its newest line; None: it was taken up and nothing more.
    """

    job: str
    attempt: int
    offer: bytes
    kept: Kept
    state: State | None


class Line(msgspec.Struct, frozen=True):
    """One row for people.

    Attributes:
        ended: the step that came to its end before it.
        why: it failed.
    """

    at_ms: int
    job: str
    attempt: int
    step: str
    ended: str
    why: str
    receipt: str


class Hold(msgspec.Struct, frozen=True):
    """A person on this node lets nothing go in; UTC."""

    until_ms: int
    why: str


class Receipt(msgspec.Struct, frozen=True):
    """What the node has signed of a job that ended (install_receipt.py)."""

    counter: int
    job: str
    attempt: int
    body: bytes
    signature: bytes
