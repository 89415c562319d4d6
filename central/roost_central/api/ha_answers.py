"""What the API says of a site's local HA, as types."""

import msgspec

from roost_central.api.answers import Age, EventAnswer, Time


class HaHost(msgspec.Struct, frozen=True):
    """One host of a group, by its own word; ``role`` is None where it has none that counts now."""

    node: str
    role: str | None
    why_not: str
    state: str
    services: dict[str, str]


class HaLack(msgspec.Struct, frozen=True):
    """What is missing of a group that is not ``ok``, and since when as far as that is known."""

    node: str
    why: str
    since: Time | None
    age_s: Age | None


class HaGroupAnswer(msgspec.Struct, frozen=True):
    """One group: who is active, since when and why.

    ``since`` and ``why`` are of the event with which the present turn began, None where the log
    has it no more.
    """

    group: str
    model: str
    active: list[str]
    epoch: int
    standby: list[str]
    redundancy: str
    lacks: list[HaLack]
    since: Time | None
    why: str | None
    hosts: list[HaHost]


class HaWayAnswer(msgspec.Struct, frozen=True):
    """One path of the site; ``name`` is what the cells of the matrix name."""

    name: str
    network: str
    driver: str
    broker: str


class HaNode(msgspec.Struct, frozen=True):
    """One node's word: when it was, how the node finds itself, and when it was heard last."""

    node: str
    presence: str
    as_of: Time | None
    age_s: Age | None
    heard: Time | None
    heard_age_s: Age | None
    is_voter: bool
    has_quorum: bool
    health: int
    redundancy: str
    cfgver: int
    faults: list[str]


class HaCell(msgspec.Struct, frozen=True):
    """How one node hears another: whole, and by each path."""

    node: str
    peer: str
    state: str
    since: Time | None
    paths: dict[str, str]


class HaAnswer(msgspec.Struct, frozen=True):
    """A site's local HA as its nodes last told it; ``nodes`` is empty where there is none."""

    site: str
    redundancy: str
    profile: str
    voters: list[str]
    sticky: bool
    groups: list[HaGroupAnswer]
    nodes: list[HaNode]
    ways: list[HaWayAnswer]
    matrix: list[HaCell]


class HaTurn(msgspec.Struct, frozen=True):
    """One node's turn of one group; ``told``: the node itself said that it ended."""

    group: str
    node: str
    epoch: int
    begin: Time | None
    end: Time | None
    told: bool
    why: str


class HaHistory(msgspec.Struct, frozen=True):
    """What local HA of a site decided, the newest first, and the turns among it."""

    items: list[EventAnswer]
    turns: list[HaTurn]
    next: str | None
