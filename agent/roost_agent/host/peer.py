"""Another host of the site, as this one keeps it, and what it is said to be. Pure."""

from collections.abc import Collection, Mapping
from typing import Final

import msgspec

from roost_agent.host import cause as causes
from roost_agent.host import transitions as tr
from roost_agent.host.kept import Failed
from roost_agent.host.ladder import EXHAUSTED
from roost_agent.host.moment import Moment
from roost_agent.host.resets import AFTER_MS
from roost_agent.host.sight import Sight
from roost_agent.host.transitions import Triple

LOST: Final = 10  # ticks missed in a row (StarlingX's count)
UNTIL_MS: Final = 120_000  # within which an end is the same end, told by the minute
WAIT_TASK: Final = "graceful recovery wait"
MUTED_TASK: Final = "in maintenance: nothing is done about it"
AGAIN_TASK: Final = "recovers by itself"


class Peer(msgspec.Struct):
    """One of them; times by the boot clock where nothing else is said."""

    state: Triple = tr.OFFLINE
    since_ms: int = 0
    cause: str = "not heard yet"
    said: tuple[str, ...] = ()  # what it said of itself last, and what others know of it
    task: str = ""
    misses: int = 0
    good: int = 0
    heard_ms: int = 0  # when it was heard last
    boot_id: str = ""
    uptime_ms: int = 0
    is_lost: bool = True  # not heard for so long that GOOD ticks are asked of it
    is_new: bool = True
    is_kept: bool = False  # it was failed before this agent's start, and is not back since
    lost_ms: int = 0  # when it was failed for its silence or let go by its maintenance, boot clock
    lost_wall_ms: int = 0  # the same, UTC; in a maintenance the time of the loss itself
    absent: str = ""  # it was locked while it was silent, and has not taken it up: by whom, and why
    maintenance_until_ms: int = 0  # UTC
    reasons: dict[str, int] = {}


def again(failed: Failed, now: Moment) -> Peer:
    """Return a host as the agent before this one had it.

    A loss of the future is one before the clock was set: nobody knows what was done about it since,
    so it is old enough for that to be done.
    """
    age_ms = now.wall_ms - failed.lost_ms
    return Peer(
        tr.FAILED,
        since_ms=failed.since_ms,
        cause=f"{causes.lost(LOST, ())}, before this agent started",
        task=WAIT_TASK,
        boot_id=failed.boot_id,
        is_new=False,
        is_kept=True,
        lost_ms=now.ms - (age_ms if age_ms >= 0 else AFTER_MS),
        lost_wall_ms=failed.lost_ms,
        maintenance_until_ms=failed.maintenance_until_ms,
    )


def is_known(peer: Peer) -> bool:
    """Whether it is known for how long a host has been up."""
    return bool(peer.boot_id) and not peer.is_kept


def mute(peer: Peer, now: Moment) -> None:
    """Have nothing done about a silent host in its maintenance: what is done counts from its end.

    It cannot say itself when that is over, so its end is told here.
    """
    is_failed = peer.state == tr.FAILED and peer.is_lost
    if now.wall_ms < peer.maintenance_until_ms:
        if is_failed:
            peer.task, peer.lost_ms = MUTED_TASK, now.ms
        return
    if is_failed and peer.maintenance_until_ms:
        peer.lost_wall_ms = max(peer.lost_wall_ms, peer.maintenance_until_ms)
    peer.maintenance_until_ms = 0
    peer.task = WAIT_TASK if peer.task == MUTED_TASK else peer.task


def until(was_ms: int, sight: Sight, now: Moment) -> int:
    """Return until when a host is in maintenance, UTC: it tells for how long, by the minute."""
    until_ms = now.wall_ms + sight.maintenance_ms if sight.maintenance_ms else 0
    is_same = was_ms and until_ms and abs(until_ms - was_ms) <= UNTIL_MS
    return was_ms if is_same else until_ms


def seen_as(sight: Sight, marks: Collection[str], *, is_asked: bool) -> Triple | None:
    """Return how a host that speaks stands: as it says, and less where others know better.

    Args:
        sight: of it.
        marks: why it is degraded, beside what it says.
        is_asked: it is to run its recovery, and has not begun.
    """
    if is_asked and sight.told in tr.ENABLED:
        return tr.FAILED
    return tr.DEGRADED if marks and sight.told == tr.AVAILABLE else sight.told


def cause(peer: Peer, sight: Sight, marks: Mapping[str, str]) -> str:
    """Return why a host that speaks stands as it does."""
    said = causes.of_one_that_speaks(sight, marks)
    if peer.is_new or not peer.is_lost:
        return said
    if sight.boot_id == peer.boot_id:
        return f"heard again: it never went down; {said}"
    return f"heard again: it booted meanwhile; {said}"


def task(sight: Sight) -> str:
    """Return what is under way with a host that speaks."""
    if sight.is_exhausted:
        return EXHAUSTED
    return AGAIN_TASK if sight.told == tr.FAILED else ""
