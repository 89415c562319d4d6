"""What reaches the one who proposes changes of the voters, and what it wants done."""

import msgspec

from roost_agent.ha.lease_events import Answer, RoundWon
from roost_protocol.explain import Explain
from roost_protocol.ha import LeaseFrame
from roost_protocol.voter_events import Configured, Send


class Wanted(msgspec.Struct, frozen=True):
    """A node is to vote, or not to any more.

    Attributes:
        node: its index.
        is_added: or removed.
        is_disk_gone: of a pair: the operator's word, in place of the acceptance of the one removed.
        why: for the log.
    """

    node: int
    is_added: bool
    is_disk_gone: bool = False
    why: str = "an operator wants it"


class Shown(msgspec.Struct, frozen=True):
    """A peer's frame says in which life it is, and under which configuration."""

    node: int
    boot: bytes
    inc: int
    cfgver: int


class Answered(msgspec.Struct, frozen=True):
    """A voter accepted a proposal."""

    frame: LeaseFrame


class Tick(msgspec.Struct, frozen=True):
    """Time has passed.

    Attributes:
        epoch: of the lease ``site`` where this node holds it, else 0.
        seen: who is heard.
    """

    epoch: int
    seen: frozenset[int]


Event = Wanted | Shown | Answered | Tick | RoundWon | Configured
Effect = Send | Answer | Explain
