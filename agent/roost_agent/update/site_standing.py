"""A site and its job as whoever coordinates it sees them: what site_job.py decides by. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, assert_never

from roost_agent.update.step import HARMLESS, Step
from roost_protocol.update import Offer

CLEAN_BEATS: Final = 3


class Role(StrEnum):
    """What a node is for."""

    CONTROLLER = "controller"
    STORAGE = "storage"
    WORKER = "worker"


class Apply(StrEnum):
    """How the nodes of a role are taken; StarlingX's words."""

    SERIAL = "serial"
    PARALLEL = "parallel"
    IGNORE = "ignore"


def apply_of(offer: Offer, role: Role) -> Apply:
    """Return how an offer has the nodes of a role taken."""
    match role:
        case Role.CONTROLLER:
            return Apply(offer.controllers)
        case Role.STORAGE:
            return Apply(offer.storage)
        case Role.WORKER:
            return Apply(offer.workers)
        case _:
            assert_never(role)


@dataclass(frozen=True, slots=True)
class Head:
    """The newest row of a node's journal, for this job, and what keeps it from going on.

    Attributes:
        step: whose intent is there.
        outcome: how it ended, empty: it has not.
        failure: of what type.
        committed, stuck: it runs the new release; it could not go back.
        shut: a window of the node's own keeps it from going in; that binds nobody else.
        alarm: that stands on it and the plan's word does not let pass; empty: none does.
    """

    step: Step
    outcome: str = ""
    failure: str = ""
    committed: bool = False
    stuck: bool = False
    shut: bool = False
    alarm: str = ""


@dataclass(frozen=True, slots=True)
class Member:
    """One node as the coordinator sees it.

    Attributes:
        head: None: it has not answered.
        leases: to whom each group that runs here would go; None: to nobody.
        beats: clean ones in a row since it came up.
        is_degraded: by its own word: nothing is given to it by choice.
        peer_group: of storage nodes that hold copies of the same data; empty: what it holds a copy
            of is not known, or it is a host of a group that fails over.
        is_out: locked, failed or being enabled, or at work on another job; and not by this one.
    """

    node: str
    role: Role
    head: Head | None
    leases: dict[str, str | None] = field(default_factory=dict)
    is_coordinator: bool = False
    is_voter: bool = False
    is_alive: bool = True
    is_out: bool = False
    is_degraded: bool = False
    peer_group: str = ""
    beats: int = CLEAN_BEATS


@dataclass(frozen=True, slots=True)
class Site:
    """The site now.

    Attributes:
        members: all of it.
        doubt: why its membership is not fully known; empty: it is.
        loss: a loss of redundancy, or an alarm that stands in the way, that this job did not cause.
        unsynced: why a standby could not take over yet.
        unclean: what is wrong on a node, which a pair without a witness does not go down with.
        window: why none is open; empty: one is.
        hold: until when a person on a node holds everything, for people; empty: nobody does.
        asked_ms: since when this coordinator asks for heads.
        sync_since_ms: since when it waits, a part of the job being done, for a standby that could
            take over; None: it does not.
        has_witness: somebody votes beside two nodes.
    """

    members: Sequence[Member]
    doubt: str = ""
    loss: str = ""
    unsynced: str = ""
    unclean: str = ""
    window: str = ""
    hold: str = ""
    asked_ms: int = 0
    sync_since_ms: int | None = None
    has_witness: bool = False


@dataclass(frozen=True, slots=True)
class Job:
    """What the centre asked of the site.

    Attributes:
        nodes: of it.
        takes_down: nodes drain or boot; else the release goes in beside what runs.
        apply: by role; what is not in it is serial.
        alarms: the plan's word on alarms, for people.
    """

    nodes: frozenset[str]
    takes_down: bool
    apply: dict[Role, Apply] = field(default_factory=dict)
    parallel_workers: int = 2
    parallel_storage: int = 2
    alarms: str = "permissive"


def job_of(offer: Offer, *, takes_down: bool) -> Job:
    """Return what an offer asks of its site; whether it takes nodes down its release says."""
    return Job(
        frozenset(offer.nodes), takes_down, {role: apply_of(offer, role) for role in Role},
        parallel_workers=offer.parallel_workers, parallel_storage=offer.parallel_storage,
        alarms=offer.alarms,
    )  # fmt: skip


def is_of(job: Job, member: Member) -> bool:
    """Say whether a job takes a node: it names it, and its role is not left out."""
    ignored = job.apply.get(member.role) is Apply.IGNORE
    return member.node in job.nodes and not ignored


def is_shut(member: Member) -> bool:
    """Say whether a window of a node's own keeps it from going in."""
    return member.head is not None and member.head.shut


def is_begun(member: Member) -> bool:
    """Say whether something of a node was touched for the job, or would be next."""
    return member.head is not None and member.head.step not in HARMLESS


def is_busy(member: Member) -> bool:
    """Say whether a node is at work on the job."""
    return is_begun(member) and member.head is not None and not member.head.outcome
