"""What the nodes of a site tell a witness elsewhere: what a voter needs of their file.

A witness reads no file of the site. It takes up what every node of it said alike, each in its own
name, so that no node alone can make it vote by rules of its own.
"""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from roost_protocol.configuration import Configuration, LeaseName, NodeIndex
from roost_protocol.electorate import Electorate
from roost_protocol.limits import HA_LEASES_MAX, HA_NODES_MAX
from roost_protocol.terms import Terms

MILLIS_MAX: Final = 600_000

Millis = Annotated[int, Meta(ge=1, le=MILLIS_MAX)]


class Enlistment(msgspec.Struct, frozen=True, array_like=True):
    """What a site's file says.

    Attributes:
        cfg: the voters as the file has them, the witness not among them.
        nodes: all of the site.
        lease_ms: see Terms; so the next three.
        leases: name to the slowest watchdog that its file knows for it; 0 without one.
    """

    cfg: Configuration
    nodes: Annotated[tuple[NodeIndex, ...], Meta(min_length=1, max_length=HA_NODES_MAX - 1)]
    lease_ms: Millis
    margin_ms: Millis
    rate_bp: Annotated[int, Meta(ge=0, le=2_000)]
    age_ms_max: Millis
    leases: Annotated[
        dict[LeaseName, Annotated[int, Meta(ge=0, le=MILLIS_MAX)]],
        Meta(min_length=1, max_length=HA_LEASES_MAX),
    ]

    @property
    def electorate(self) -> Electorate:
        """Of the file; what was decided since is told by the nodes, and kept by the voter."""
        return Electorate(self.cfg.cfgver, self.cfg.voters, self.nodes, self.cfg.sticky)

    @property
    def terms(self) -> Terms:
        """Of its leases."""
        return Terms(self.lease_ms, self.margin_ms, self.rate_bp, self.age_ms_max)
