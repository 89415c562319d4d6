"""What a node tells the centre of its site's local HA, as it sees it: a state, sent on change.

Each node speaks for itself. Which node is active, whom it hears and by which paths, why it may not
stand: the centre puts the reports of a site side by side and believes nobody about another node.
A report replaces the one before it; what happened in between are events (``HA_DECISION``,
``HA_ROLE``).
"""

from enum import StrEnum
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from roost_protocol.envelope import Count, ShortText
from roost_protocol.limits import (
    ALARM_TEXT_BYTES_MAX,
    HA_GROUPS_MAX,
    HA_NODES_MAX,
    HA_PATHS_MAX,
    HA_SERVICES_MAX,
    HA_VOTERS_MAX,
    NAME_CHARS_MAX,
)

HA_DECISION: Final = "400.810"  # an event: one decision of local HA, in a sentence
HA_ROLE: Final = "400.811"  # an event: a node became active of a group, or is no longer

NameText = Annotated[str, Meta(max_length=NAME_CHARS_MAX)]
Sentence = Annotated[str, Meta(max_length=ALARM_TEXT_BYTES_MAX)]


class HaRole(StrEnum):
    """What a node is for a group.

    ``stopping`` still holds the lease; ``barred`` could host and may not now, ``HaGroup.bar`` says
    why; ``voter`` hosts nothing of it.
    """

    ACTIVE = "active"
    STOPPING = "stopping"
    STANDBY = "standby"
    BARRED = "barred"
    VOTER = "voter"


class HaGroup(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One group, as one node sees it.

    Attributes:
        model: ``2N``, ``N`` and the like; ``site`` is the built-in lease that runs nothing.
        hosts: nodes that may run it, in order of priority.
        role: of the node that speaks.
        epoch: of its own turn while it holds the lease, else the latest that it knows of; 0 where
            the group has no lease.
        holder: the node that it believes to be active; empty: none.
        bar: why this node may not stand for it now.
        state: of the group's services here, such as ``active``, ``failed``.
        services: state of each service here, by name.
    """

    name: NameText
    model: ShortText
    hosts: Annotated[list[NameText], Meta(max_length=HA_NODES_MAX)]
    role: HaRole
    epoch: Count = 0
    holder: NameText = ""
    bar: Sentence = ""
    state: ShortText = ""
    services: Annotated[dict[NameText, ShortText], Meta(max_length=HA_SERVICES_MAX)] = {}


class HaWay(msgspec.Struct, frozen=True, array_like=True):
    """One path of the site, at the node that speaks; its number is its place in the list.

    Attributes:
        name: for people, such as ``cluster/c0`` or ``cluster/udp``.
        fault: why it is not open; empty: it is.
    """

    name: Sentence
    network: NameText
    driver: ShortText
    broker: NameText = ""
    fault: Sentence = ""


class HaPeer(msgspec.Struct, frozen=True, array_like=True):
    """Another node, as the one that speaks hears it.

    Attributes:
        state: ``alive``, ``suspect``, ``lost`` and the like.
        since_ms: since when, UTC by the speaker's clock.
        paths: state of each path to it, by the path's number.
    """

    node: NameText
    state: ShortText
    since_ms: Count
    paths: Annotated[dict[str, ShortText], Meta(max_length=HA_PATHS_MAX)] = {}


class HaReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One node's view; the item's ``at_ms`` is when.

    Attributes:
        profile: of the timing.
        nodes: all of the site's HA, by index.
        cfgver: digest of voters, mode and timing.
        health: local health multiplier, 1 to 8: above 1 the node finds itself unwell.
        redundancy: ``normal``, ``fail-pending``, ``failed``, ``survived``.
        has_quorum: a majority of the voters is heard (in a pair always true).
        faults: what is wrong on this node: disk, guard, broker.
        services: all names in the site's file, those that a profile has turned off here as well.
    """

    v: int
    profile: ShortText
    nodes: Annotated[list[NameText], Meta(max_length=HA_NODES_MAX)]
    voters: Annotated[list[NameText], Meta(max_length=HA_VOTERS_MAX)]
    cfgver: Count
    sticky: bool = False
    has_quorum: bool = True
    health: Count = 1
    redundancy: ShortText = "normal"
    groups: Annotated[list[HaGroup], Meta(max_length=HA_GROUPS_MAX)] = []
    ways: Annotated[list[HaWay], Meta(max_length=HA_PATHS_MAX)] = []
    peers: Annotated[list[HaPeer], Meta(max_length=HA_NODES_MAX)] = []
    faults: Annotated[list[Sentence], Meta(max_length=8)] = []
    services: Annotated[list[NameText], Meta(max_length=HA_SERVICES_MAX)] = []
