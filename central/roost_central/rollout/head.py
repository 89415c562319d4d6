"""Where a rollout and its waves stand, and what is known of a site. Pure."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

import msgspec

from roost_central.rollout.counts import Counts
from roost_central.rollout.job import Job
from roost_central.rollout.table import (
    ROLLOUT_ENDS,
    Kind,
    Pause,
    RolloutState,
    WaveState,
    Who,
    check,
)
from roost_protocol.severity import Severity
from roost_protocol.update import JobReport


class WaveHead(msgspec.Struct, frozen=True):
    """Where a wave stands.

    Attributes:
        soaked_ms: of its soak, as far as its sites were heard.
        shut_ms: until when a site waited for its own window; the deadline counts from then.
    """

    name: str
    state: WaveState = WaveState.PENDING
    since_ms: int = 0
    soaked_ms: int = 0
    released_ms: int = 0
    shut_ms: int = 0
    why: str = ""
    is_promoted: bool = False


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """Where a rollout stands, apart from its jobs.

    Attributes:
        id: 32 hexadecimal digits.
        kind: what it brings; of profiles ``component`` is ``profile`` and ``version`` their names.
        plan_digest: of the file that is approved.
        digest, size: of the release, or of the texts of profiles.
        start_ms: not before; 0: at once when somebody says so.
        wave: whose turn it is.
        pause, why: of paused, and of what ended it.
        approvers: that it takes.
        profiles: names, of a rollout of profiles.
        is_whole: who made it may release to the whole fleet, so that sites may join later.
        counts: of its sites, once it is at its end; None: not yet, or nobody kept them then.
        rev: +1 with each change.
    """

    id: str
    name: str
    component: str
    version: str
    digest: str
    size: int
    plan_digest: str
    by: str
    reason: str
    made_ms: int
    changed_ms: int
    kind: Kind = Kind.RELEASE
    state: RolloutState = RolloutState.DRAFT
    start_ms: int = 0
    wave: int = 0
    waves: tuple[WaveHead, ...] = ()
    pause: Pause | None = None
    why: str = ""
    approvers: int = 0
    sites: int = 0
    profiles: tuple[str, ...] = ()
    is_whole: bool = False
    back_ms: int = 0
    rev: int = 0
    counts: Counts | None = None

    @property
    def is_ended(self) -> bool:
        """Whether nothing happens to it any more."""
        return self.state in ROLLOUT_ENDS

    @property
    def is_back(self) -> bool:
        """Whether its sites go back to what they had, or are."""
        return self.state in {RolloutState.ROLLING_BACK, RolloutState.ROLLED_BACK}


@dataclass(frozen=True, slots=True)
class AlarmSeen:
    """An open alarm of a site: ``key`` is type and entity; ``stops``: the management's business."""

    key: str
    type: str
    severity: Severity
    stops: bool = True


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a site now.

    Attributes:
        is_dark: none of its nodes can be reached, or not all where all are meant.
        runs: of the job's nodes, version and digest of the component; None: it does not say.
        boots: of these nodes; of one that has not told, empty.
        said: reports on this job, by node.
        beat_ms: of its slowest node.
        is_shut: a node has it at hand, and waits for a window of its own.
        is_free: the nodes that had no room for it say that what they were at has ended.
    """

    is_dark: bool
    runs: tuple[tuple[str, str] | None, ...]
    boots: tuple[str, ...] = ()
    alarms: tuple[AlarmSeen, ...] = ()
    said: tuple[tuple[str, JobReport], ...] = ()
    beat_ms: int = 30_000
    is_shut: bool = False
    is_free: bool = False


Sight = Callable[[Job], Standing]


@dataclass(frozen=True, slots=True)
class Around:
    """What a turn goes by, beside the sites themselves.

    Attributes:
        in_flight: slots that other rollouts take, of the fleet; by hardware and by link.
        busy: sites at work in another rollout, with what it brings.
        is_deaf: the centre distrusts its own ears.
        dark_pct: of the fleet that is silent.
        kpis: the sites that queries of gates hold for, as far as it is known.
    """

    in_flight: int = 0
    hw: Mapping[str, int] = field(default_factory=dict)
    link: Mapping[str, int] = field(default_factory=dict)
    busy: Mapping[str, str] = field(default_factory=dict)
    is_deaf: bool = False
    dark_pct: float = 0.0
    kpis: Mapping[str, Collection[str]] = field(default_factory=dict)


def begun(head: Head, state: RolloutState, now_ms: int) -> Head:
    """Return a new rollout's head once its plan was looked at.

    Raises:
        MoveError: the table has no such way.
    """
    check(RolloutState.DRAFT, RolloutState.VALIDATING, Who.OPERATOR)
    check(RolloutState.VALIDATING, state, Who.CENTRAL)
    return msgspec.structs.replace(head, state=state, changed_ms=now_ms)
