"""A site's voters as they were decided, numbered, and what was accepted but is not decided yet."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from roost_protocol.envelope import Count, Id16
from roost_protocol.limits import HA_NODES_MAX
from roost_protocol.patterns import END

SITE_LEASE: Final = "site"  # the built-in lease: its holder alone proposes changes
WITNESS: Final = HA_NODES_MAX - 1  # a voter at the centre: of all voters the one that is no node
WITNESS_NAME: Final = "witness"
GENERATION_BITS: Final = 20  # a million changes; then the site's file has to be written anew
GENERATIONS: Final = 1 << GENERATION_BITS

NodeIndex = Annotated[int, Meta(ge=0, le=HA_NODES_MAX - 1)]
LeaseName = Annotated[str, Meta(pattern=r"^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?" + END)]
CfgVersion = Annotated[int, Meta(ge=0, le=2**52 - 1)]


class Joined(msgspec.Struct, frozen=True, array_like=True):
    """The life of a node in which it became a voter: what it promised before, it still knows."""

    node: NodeIndex
    boot: Id16
    inc: Count


class Configuration(msgspec.Struct, frozen=True, array_like=True):
    """Who votes.

    Attributes:
        cfgver: digest of what the site's file says, and below it the number of the change:
            of one file, the later is the greater. Generation 0 is the file's own.
        voters: nodes by their index, in order.
        sticky: every voter must grant, and a grant has no end.
        joined: whom this change made a voter, None: nobody.
    """

    cfgver: CfgVersion
    voters: Annotated[tuple[NodeIndex, ...], Meta(min_length=1, max_length=HA_NODES_MAX)]
    sticky: bool
    joined: Joined | None = None


class Accepted(msgspec.Struct, frozen=True, array_like=True):
    """What a voter accepted, and under which epoch of the lease ``site``."""

    epoch: Count
    cfg: Configuration


def is_later(one: int, other: int) -> bool:
    """Whether a cfgver is of the same file as another, and of a later change."""
    return one > other and one >> GENERATION_BITS == other >> GENERATION_BITS


def generation(cfgver: int) -> int:
    """Return how many changes lie between a cfgver and the site's file."""
    return cfgver % GENERATIONS
