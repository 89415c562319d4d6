"""What reaches membership, and what it says has changed."""

import msgspec

from roost_agent.ha.member import MemberState
from roost_agent.ha.peer_path import PeerPathState
from roost_agent.ha.redundancy import RedundancyState, Standing
from roost_protocol.ha import Beat


class BeatHeard(msgspec.Struct, frozen=True):
    """A beat of a peer counts; ``age_ms`` bounds its age, None if it echoes nothing of ours."""

    beat: Beat
    age_ms: int | None


class Lagged(msgspec.Struct, frozen=True):
    """The loop woke late."""

    lag_ms: int


class Synced(msgspec.Struct, frozen=True):
    """The disk took what it was given."""

    took_ms: int


class Score(msgspec.Struct, frozen=True):
    """This node's health was looked at."""

    score: int


class Replaced(msgspec.Struct, frozen=True):
    """A node, perhaps this one, lost a lease to another."""

    node: int


class Ended(msgspec.Struct, frozen=True):
    """A node ended: fenced with proof, or it said good-bye."""

    node: int
    is_fenced: bool


class Tick(msgspec.Struct, frozen=True):
    """Time has passed."""


Event = BeatHeard | Lagged | Synced | Score | Replaced | Ended | Tick


class MemberChanged(msgspec.Struct, frozen=True):
    """A node is taken for something else now."""

    node: int
    old: MemberState
    new: MemberState
    why: str


class PathChanged(msgspec.Struct, frozen=True):
    """A path to a peer is worth something else now."""

    node: int
    path: int
    old: PeerPathState
    new: PeerPathState


class RedundancyChanged(msgspec.Struct, frozen=True):
    """To be kept over a restart.

    Attributes:
        mine: how well this node is connected: voters seen, path score.
        other: how well the best of the other hosts is; None where none is there.
    """

    state: RedundancyState
    mine: Standing = (0, 0)
    other: Standing | None = None


Action = MemberChanged | PathChanged | RedundancyChanged
