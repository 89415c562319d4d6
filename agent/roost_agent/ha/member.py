"""What one node notes of another: what it takes it for, what it told, how its paths are."""

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from roost_agent.ha.peer_path import PeerPathState

if TYPE_CHECKING:
    from roost_agent.ha.matrix import Report


class MemberState(StrEnum):
    """What this node takes another for."""

    UNKNOWN = "unknown"  # never heard since this agent's start
    JOINING = "joining"
    ALIVE = "alive"
    SUSPECT = "suspect"
    LOST = "lost"
    FENCED = "fenced"
    LEFT = "left"


THERE: Final = frozenset({MemberState.JOINING, MemberState.ALIVE})  # beyond suspicion
PRESENT: Final = THERE | {MemberState.SUSPECT}
ENDED: Final = frozenset({MemberState.FENCED, MemberState.LEFT})
DEAD: Final = frozenset({MemberState.FENCED, MemberState.LOST})
GONE: Final = ENDED | {MemberState.UNKNOWN, MemberState.LOST}


class Member:
    """One peer, as noted; ``paths`` is how many lead to it."""

    __slots__ = ("ended_inc", "joined_ms", "paths", "report", "since_ms", "state")

    def __init__(self, paths: int) -> None:
        self.state = MemberState.UNKNOWN
        self.since_ms = 0
        self.joined_ms = 0  # until when it is JOINING
        self.ended_inc = -1  # the incarnation that was fenced or left
        self.report: Report | None = None
        self.paths = dict.fromkeys(range(paths), PeerPathState.UNKNOWN)
