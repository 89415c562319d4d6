"""What reaches a node's HA core, and what it wants done."""

from collections.abc import Mapping

import msgspec

from roost_agent.ha.lease_events import Answer
from roost_agent.ha.redundancy import RedundancyState
from roost_protocol.explain import Explain
from roost_protocol.ha import Beat, Frame, LeaseFrame
from roost_protocol.voter_events import Persist


class FrameIn(msgspec.Struct, frozen=True):
    """A frame came by a path, and its mac was good."""

    path: int
    frame: Frame


class Tick(msgspec.Struct, frozen=True):
    """Time has passed; ``jitter`` in [0, 1), drawn anew for each."""

    jitter: float


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


class PersistFailed(msgspec.Struct, frozen=True):
    """It may be on disk, or not."""

    token: int


class Armed(msgspec.Struct, frozen=True):
    """The guard has the deadlines of a lease's epoch."""

    lease: str
    epoch: int


class ArmRefused(msgspec.Struct, frozen=True):
    """The guard answered, and took none: the group does not start here."""

    lease: str
    epoch: int
    why: str


class Disarmed(msgspec.Struct, frozen=True):
    """The guard has none for the epoch any more."""

    lease: str
    epoch: int


class GuardLost(msgspec.Struct, frozen=True):
    """The guard does not answer."""


class StopConfirmed(msgspec.Struct, frozen=True):
    """Nothing of the group runs any more."""

    lease: str
    epoch: int


class Eligible(msgspec.Struct, frozen=True):
    """Whether the services of a group could run here, and why not."""

    lease: str
    ok: bool
    why: str = ""


class Give(msgspec.Struct, frozen=True):
    """Give a lease back.

    Attributes:
        why: for the log.
        to: who shall have it; None: anybody else.
        is_chosen: a person's word or a step of the ladder waits for nothing; a move that this node
            chooses is counted, and held back when there were too many.
    """

    lease: str
    why: str
    to: int | None = None


class Pause(msgspec.Struct, frozen=True):
    """Maintenance of a group: no chosen moves and no candidacy until then; None ends it."""

    lease: str
    until_ms: int | None


class Proven(msgspec.Struct, frozen=True):
    """A node's present boot is proven to have ended; ``by`` says how."""

    node: int
    by: str


Event = (
    FrameIn
    | Tick
    | Lagged
    | Score
    | Persisted
    | PersistFailed
    | Armed
    | ArmRefused
    | Disarmed
    | GuardLost
    | StopConfirmed
    | Eligible
    | Give
    | Pause
    | Proven
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


class Raise(msgspec.Struct, frozen=True):
    """A condition stands; raising it again changes nothing."""

    type: str
    params: Mapping[str, str]


class Clear(msgspec.Struct, frozen=True):
    """It ended."""

    type: str


class Keep(msgspec.Struct, frozen=True):
    """Keep the redundancy state over a restart."""

    state: RedundancyState


Effect = Send | Persist | Arm | Disarm | Start | Stop | Raise | Clear | Keep | Explain | Answer
