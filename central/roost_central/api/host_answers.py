"""The shapes of a host's answers: its state, what degrades it, its transitions, who heard whom."""

import msgspec

from roost_central.api.answers import Age, Time


class TripleAnswer(msgspec.Struct, frozen=True):
    """An X.731 state."""

    admin: str
    oper: str
    avail: str


class ReasonAnswer(msgspec.Struct, frozen=True):
    """One reason why a host is degraded, and since when."""

    reason: str
    since: Time | None
    age_s: Age | None


class HostAnswer(msgspec.Struct, frozen=True):
    """One host, as its site's coordinator said last.

    Attributes:
        presence: whether the centre hears the node itself.
        admin, oper, avail: None: no coordinator ever spoke of it. ``oper`` and ``avail`` are
            ``unknown`` while nobody of the site is heard; ``last`` is then what was said last.
        locked_by, locked_why: who locked it, as far as that is known; None: it is not.
        since: of the triple, by the coordinator's clock; ``cause``: why it is so.
        coordinator, epoch: who said it, in which turn.
        as_of: when it was said; ``age_s``: since the centre heard it.
        maintenance_until: None: it is in no window.
        is_mnfa: several nodes of the site are silent together: none of them is failed.
        is_dead_office: the whole site powered up a moment ago: none is failed.
    """

    node: str
    site: str
    presence: str
    admin: str | None
    oper: str | None
    avail: str | None
    last: TripleAnswer | None
    task: str
    reasons: list[ReasonAnswer]
    since: Time | None
    cause: str
    coordinator: str | None
    epoch: int | None
    as_of: Time | None
    age_s: Age | None
    boot_id: str | None
    uptime_s: int | None
    maintenance_until: Time | None
    is_mnfa: bool
    is_dead_office: bool
    locked_by: str | None = None
    locked_why: str | None = None


class HostPage(msgspec.Struct, frozen=True):
    """Hosts by name."""

    items: list[HostAnswer]
    next: str | None = None


class MoveAnswer(msgspec.Struct, frozen=True):
    """One transition; ``at`` is by the coordinator's clock, ``was`` None for the first."""

    at: Time | None
    received: Time | None
    was: TripleAnswer | None
    admin: str
    oper: str
    avail: str
    cause: str
    task: str
    coordinator: str
    epoch: int


class HostHistory(msgspec.Struct, frozen=True):
    """Transitions, the newest first."""

    items: list[MoveAnswer]
    next: str | None = None


class EvidenceAnswer(msgspec.Struct, frozen=True):
    """One change of who heard a node, by which path."""

    at: Time | None
    node: str
    path: str
    text: str


class EvidencePage(msgspec.Struct, frozen=True):
    """What a coordinator heard of one host lately, the newest first; at most 64 of its site.

    Attributes:
        as_of: when it was said; None: nobody ever did.
    """

    node: str
    coordinator: str | None
    as_of: Time | None
    age_s: Age | None
    items: list[EvidenceAnswer]
    next: str | None = None
