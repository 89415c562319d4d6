"""What liveness hears (events), decides (actions) and is bounded by (limits).

Durations follow a node's own beat interval: the figures of hosts.md section 5 (suspect 45 s, dark
75 s, dark 15 s after every path said gone, unknown for 120 s) are those of the usual 30 s.
"""

from dataclasses import dataclass

import msgspec

from roost_protocol.beat import Beat
from roost_protocol.topics import NodeId, SiteId


@dataclass(frozen=True, slots=True)
class Limits:
    """When silence means something. Factors are permille of a node's beat interval."""

    interval_ms: int = 30_000  # of a node that has not said its own
    interval_ms_min: int = 1_000  # a claim below it would make jitter look like silence
    interval_ms_max: int = 600_000  # a claim above it would hide a death for half an hour
    suspect_permille: int = 1_500
    dark_permille: int = 2_500
    gone_permille: int = 500
    unheard_permille: int = 4_000  # not heard since we began to listen
    quiet_factor: int = 4  # on dark, gone and unheard while we suspect ourselves
    settle_ms: int = 120_000  # after our start, and after a broker came back
    silent_window_ms: int = 60_000
    mass_sites_min: int = 10  # below it each site is told for itself, whatever share it is
    mass_permille: int = 20  # of the sites that could be heard, within the window: one incident
    doubt_permille: int = 200  # of them within one beat: rather we than they
    told_ms: int = 10_000  # at most so often the count of the silent is told anew
    site_hold_ms: int = 10_000  # a site must stay well that long before it is ok again
    beats_back: int = 2  # one beat may be a late one


@dataclass(frozen=True, slots=True)
class NodeAdded:
    """A node is registered, or was known to storage; what it last said, if anything.

    Attributes:
        sent_ms: when it said that, by its own clock.
        uptime_s: of its machine then; within a boot it only grows, whatever the clock does.
    """

    node: NodeId
    site: SiteId
    interval_ms: int | None = None
    boot_id: bytes | None = None
    incarnation: int | None = None
    was_heard: bool = False
    sent_ms: int | None = None
    uptime_s: int | None = None


@dataclass(frozen=True, slots=True)
class Resumed:
    """We were stopped or starved for a while: no silence from before now proves anything."""


@dataclass(frozen=True, slots=True)
class NodeRemoved:
    """A node is not ours any more."""

    node: NodeId


class BeatSeen(msgspec.Struct, frozen=True, gc=False):
    """A beat of a node that was added; a Struct, which is made six times as fast: one a beat.

    Attributes:
        generation: of the identity that sealed it; 0: none did.
    """

    node: NodeId
    beat: Beat
    generation: int = 0


@dataclass(frozen=True, slots=True)
class GoneSeen:
    """The will of one path of a node."""

    node: NodeId
    path: str
    incarnation: int


@dataclass(frozen=True, slots=True)
class SiteSaid:
    """What a site says of itself now.

    Attributes:
        word: ok, maintenance, degraded or down, where it is heard.
        excused: nodes whose silence is an operator's doing.
    """

    site: SiteId
    word: str
    excused: frozenset[NodeId] = frozenset()


@dataclass(frozen=True, slots=True)
class BrokerUp:
    """We hear a broker again."""

    broker: str


@dataclass(frozen=True, slots=True)
class BrokerDown:
    """We lost a broker."""

    broker: str


@dataclass(frozen=True, slots=True)
class CanarySeen:
    """What we sent ourselves through a broker came back, or did not."""

    broker: str
    is_well: bool


@dataclass(frozen=True, slots=True)
class Tick:
    """Time passed; at least once a second."""


Event = (
    NodeAdded
    | NodeRemoved
    | BeatSeen
    | GoneSeen
    | SiteSaid
    | BrokerUp
    | BrokerDown
    | CanarySeen
    | Resumed
    | Tick
)


@dataclass(frozen=True, slots=True)
class PresenceChanged:
    """A node is ``online``, ``degraded``, ``unreachable`` or ``unknown``.

    ``old`` is ``new`` where a silence is told late, because we suspected ourselves.

    Attributes:
        silent_ms: how long it was not heard, where that is the reason.
        announce: whether it is worth an event of its own: not while we suspect ourselves.
    """

    node: NodeId
    old: str
    new: str
    silent_ms: int = 0
    announce: bool = True


@dataclass(frozen=True, slots=True)
class PathChanged:
    """A path of a node is ``up``, ``flaky``, ``down`` or ``unknown``."""

    node: NodeId
    path: str
    old: str
    new: str
    announce: bool = True


@dataclass(frozen=True, slots=True)
class LossChanged:
    """Beats of a WAN path go missing, or do so no more.

    Attributes:
        lost: of the last loss.BEATS.
        announce: whether it is worth an event: not what is well from the start.
    """

    node: NodeId
    path: str
    lost: int
    is_lossy: bool
    announce: bool = True


@dataclass(frozen=True, slots=True)
class PathRemoved:
    """A node does not list a path any more."""

    node: NodeId
    path: str


@dataclass(frozen=True, slots=True)
class SiteChanged:
    """A site is ``ok``, ``degraded`` or ``unknown``; ``old`` is ``new`` where it is told late.

    Attributes:
        is_one_of_many: it fell silent with a mass of others.
    """

    site: SiteId
    old: str
    new: str
    announce: bool = True
    is_one_of_many: bool = False


@dataclass(frozen=True, slots=True)
class Rebooted:
    """The machine has another boot id than when it was last heard."""

    node: NodeId


@dataclass(frozen=True, slots=True)
class AgentRestarted:
    """The same boot, another start of the agent."""

    node: NodeId


@dataclass(frozen=True, slots=True)
class CloneChanged:
    """Two boxes speak as one node by turns, or have ceased to."""

    node: NodeId
    is_suspected: bool


@dataclass(frozen=True, slots=True)
class CloneSeen:
    """Two boxes that are suspected to speak as one node did so again."""

    node: NodeId


@dataclass(frozen=True, slots=True)
class BeatIgnored:
    """A beat older than what was seen changes nothing: ``duplicate``, ``late`` or ``stale``."""

    node: NodeId
    why: str


@dataclass(frozen=True, slots=True)
class QuietChanged:
    """We began, or ceased, to suspect ourselves; or the count of the silent is another one.

    Attributes:
        why: ``start``, ``broker``, ``canary`` or ``silence``.
        silent: sites that are silent since, of ``sites`` that could be heard before.
        is_recount: just the count is another one.
    """

    on: bool
    why: str
    silent: int = 0
    sites: int = 0
    is_recount: bool = False


Action = (
    PresenceChanged
    | PathChanged
    | PathRemoved
    | SiteChanged
    | Rebooted
    | AgentRestarted
    | LossChanged
    | CloneChanged
    | CloneSeen
    | BeatIgnored
    | QuietChanged
)
