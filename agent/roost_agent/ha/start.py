"""What a start of a node's HA begins with: who it is, and what is known from before."""

from collections.abc import Mapping

import msgspec

from roost_agent.ha.redundancy import RedundancyState
from roost_protocol.voter_state import VoterState


class Who(msgspec.Struct, frozen=True):
    """This start of this node.

    Attributes:
        node: its index.
        boot: the kernel's boot id.
        inc: the agent's incarnation.
    """

    site: str
    node: int
    boot: bytes
    inc: int


class Before(msgspec.Struct, frozen=True):
    """What is known from before this start.

    Attributes:
        state: of the voter, or a blank one.
        redundancy: as it was kept.
        holds: what the guard has armed: lease to (epoch, D3, None for without end); None: no guard
            answered.
    """

    state: VoterState
    redundancy: RedundancyState
    holds: Mapping[str, tuple[int, int | None]] | None
