"""What reaches a node's HA core, and what it wants done."""

from collections.abc import Mapping

import msgspec

from roost_agent.ha.lease_events import (
    Answer,
    Armed,
    ArmRefused,
    Disarmed,
    GuardLost,
    StopConfirmed,
    Tick,
)
from roost_agent.ha.proposer_events import Wanted
from roost_agent.ha.redundancy import RedundancyState
from roost_protocol.explain import Explain
from roost_protocol.ha import Beat, Frame, LeaseFrame
from roost_protocol.voter_events import Persist, PersistFailed


class FrameIn(msgspec.Struct, frozen=True):
    """A frame came by a path, and its mac was good."""

    path: int
    frame: Frame


class Lagged(msgspec.Struct, frozen=True):
    """The loop woke late."""

    lag_ms: int


class Score(msgspec.Struct, frozen=True):
    """This node's health was looked at."""

    score: int


class Persisted(msgspec.Struct, frozen=True):
    """The state of ``token`` is on disk, after ``took_ms``."""

    token: int
    took_ms: int


class OfLease(msgspec.Struct, frozen=True):
    """What the guard or the services say of one lease, in the lease's own words."""

    lease: str
    event: Armed | ArmRefused | Disarmed | StopConfirmed


class Eligible(msgspec.Struct, frozen=True):
    """Whether the services of a group could run here, and why not.

    Attributes:
        lacks: a group that each node runs for itself, that this one requires, and that is not
            active here; empty: none.
    """

    lease: str
    ok: bool
    why: str = ""
    lacks: str = ""


class Give(msgspec.Struct, frozen=True):
    """Give a lease back.

    Attributes:
        why: for the log.
        to: who shall have it; None: anybody else.
        is_chosen: a person's word waits for nothing; a move that this node chooses is counted, and
            held back when there were too many.
    """

    lease: str
    why: str
    to: int | None = None
    is_chosen: bool = False


class Pause(msgspec.Struct, frozen=True):
    """Maintenance of a group until then: no chosen moves, no candidacy, no watch; None ends it."""

    lease: str
    until_ms: int | None


class Leave(msgspec.Struct, frozen=True):
    """The agent was told to end: give all to those who could take it, and say good-bye."""


class Proven(msgspec.Struct, frozen=True):
    """A node's boot is proven to have ended.

    Attributes:
        by: how that is known.
        boot: which; None: the last one that was heard.
    """

    node: int
    by: str
    boot: bytes | None = None


class HostIs(msgspec.Struct, frozen=True):
    """How this node stands as a host.

    Attributes:
        word: for its beats (host_word.py).
        bar: why no group that fails over may come here; empty: any may.
        locks: as the coordinator: who was locked while it was silent; bit n: node n.
        anew: the same: who was lost too often, and is to run its recovery.
    """

    word: int
    bar: str = ""
    locks: int = 0
    anew: int = 0


class UpdateIs(msgspec.Struct, frozen=True):
    """Where this node is with a software update.

    Attributes:
        word: for its beats (update_word.py).
        lets, backs: as the coordinator: whom it lets go on, and who is to go back; bit n: node n.
    """

    word: int
    lets: int = 0
    backs: int = 0


class Yield(msgspec.Struct, frozen=True):
    """Ask the owner of a lease to stop and give its epoch back, on every path."""

    node: int
    lease: str
    epoch: int


class NoProof(msgspec.Struct, frozen=True):
    """Fencing could not prove that a node is off; an empty sentence ends that."""

    sentence: str


class Unfenced(msgspec.Struct, frozen=True):
    """Why this node's own fence would not work, as far as was tried; empty: it would."""

    why: str


class GuardSaid(msgspec.Struct, frozen=True):
    """What the guard of this node says of itself, held against the site's file.

    Attributes:
        bars: lease to why the guard could not keep it; those that it can are not there.
        doubt: what else is wrong with it, empty: nothing.
        pid: which guard it is.
    """

    bars: Mapping[str, str] = {}
    doubt: str = ""
    pid: int = 0


Event = (
    FrameIn
    | Tick
    | Lagged
    | Score
    | Persisted
    | PersistFailed
    | OfLease
    | GuardLost
    | GuardSaid
    | Eligible
    | Give
    | Pause
    | Leave
    | Proven
    | HostIs
    | UpdateIs
    | Yield
    | NoProof
    | Unfenced
    | Wanted
)


class Send(msgspec.Struct, frozen=True):
    """Send a frame on every path; its ``path`` is the sender's shell's to fill in."""

    frame: Beat | LeaseFrame


class Arm(msgspec.Struct, frozen=True):
    """Give the guard an epoch's deadlines (D1, D2, D3); None: without end."""

    lease: str
    epoch: int
    deadlines: tuple[int, int, int] | None


class Disarm(msgspec.Struct, frozen=True):
    """Take the epoch from the guard; ends in Disarmed."""

    lease: str
    epoch: int


class Start(msgspec.Struct, frozen=True):
    """Start the group under this epoch; the guard is armed."""

    lease: str
    epoch: int


class Stop(msgspec.Struct, frozen=True):
    """Stop the group; ends in StopConfirmed, or in the guard's kill at ``by_ms``."""

    lease: str
    epoch: int
    why: str
    by_ms: int | None


class Watch(msgspec.Struct, frozen=True):
    """Watch the services of a group, or not while it is in maintenance."""

    lease: str
    is_on: bool


class Raise(msgspec.Struct, frozen=True):
    """A condition stands; raising it again changes nothing."""

    type: str
    params: Mapping[str, str]
    entity: str = ""


class Clear(msgspec.Struct, frozen=True):
    """It ended."""

    type: str
    entity: str = ""


class Keep(msgspec.Struct, frozen=True):
    """Keep the redundancy state over a restart."""

    state: RedundancyState


class Left(msgspec.Struct, frozen=True):
    """Nothing keeps the agent any more."""


Effect = (
    Send
    | Persist
    | Arm
    | Disarm
    | Start
    | Stop
    | Watch
    | Raise
    | Clear
    | Keep
    | Left
    | Explain
    | Answer
)
