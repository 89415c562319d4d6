"""The beat: presence, path states, digests and counters; QoS 0, every interval and on change."""

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from roost_protocol.envelope import Count, Digest8, Envelope, Id16, PathText, ShortText
from roost_protocol.limits import PATHS_MAX


class PathState(StrEnum):
    """What a node knows of one of its paths.

    ``flaky`` is up with loss or changes of state past a limit; ``unknown`` is not tried yet.
    """

    UNKNOWN = "unknown"
    UP = "up"
    FLAKY = "flaky"
    DOWN = "down"


class PathKind(StrEnum):
    """Where a path ends: at a central broker, or at a broker of the site."""

    WAN = "wan"
    SITE = "site"


class PathReport(msgspec.Struct, frozen=True, array_like=True):
    """One path as the node sees it.

    Attributes:
        since_ms: node's UTC clock at the last change of state.
        rtt_us: round trip of the last acknowledged message, None when none was measured.
        loss_permille: lost echoes or acknowledgements of the last 100.
    """

    name: PathText
    kind: PathKind
    state: PathState
    since_ms: Count
    rtt_us: Count | None = None
    loss_permille: Count = 0


class LaneReport(msgspec.Struct, frozen=True, array_like=True):
    """One lane of the outbox: what waits, and the last sequence number given out."""

    stream: Id16
    seq: Count
    waiting_items: Count = 0
    waiting_bytes: Count = 0
    dropped: Count = 0


class InventoryMark(msgspec.Struct, frozen=True, array_like=True):
    """The inventory the node last put into its outbox."""

    gen: Count
    digest: Digest8
    seq: Count


class Beat(Envelope, frozen=True):
    """One heartbeat on one path.

    Attributes:
        n: +1 for each beat on this path in this incarnation; gaps are the path's loss.
        interval_ms: when the next one is due at the latest.
        uptime_s: of the machine.
        agent: version of the agent.
        why: ``start``, ``timer``, ``change``.
        alarms_digest: of the node's alarm set (digest.alarm_digest); None: it keeps none.
        alarms_count: alarms in that set.
        alarms_seq: last number given out in the alarm lane when the digest was taken; the centre
            compares only when just this much of the lane is committed.
        config_digest: the first 8 bytes of the digest of the settings that the node has applied
            (profile/document.py), of none before the first; None: nobody can configure it.
        config_gen: the desired generation that these settings came as; 0 before the first.
        config_pending_reboot: some of them wait for a reboot.
        config_drift: settings that other hands have changed since.
    """

    n: Count
    interval_ms: Count
    uptime_s: Count
    agent: ShortText
    why: ShortText
    paths: Annotated[list[PathReport], Meta(max_length=PATHS_MAX)] = msgspec.field(
        default_factory=list
    )
    alarm: LaneReport | None = None
    bulk: LaneReport | None = None
    inventory: InventoryMark | None = None
    alarms_digest: Digest8 | None = None
    alarms_count: Count = 0
    alarms_seq: Count = 0
    config_digest: Digest8 | None = None
    config_gen: Count = 0
    config_pending_reboot: bool = False
    config_drift: Count = 0
    release_digest: Digest8 | None = None
