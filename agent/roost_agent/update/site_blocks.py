"""What of a site stands in the way of letting a node of it down, whoever it is. Pure."""

from collections.abc import Iterable
from typing import Final

from roost_agent.update.site_standing import Job, Member, Site, is_busy, is_shut
from roost_protocol.update import WaitReason

SYNC_MS_MAX: Final = 2_400_000  # between two nodes, for what stands by to be able to take over
PAIR: Final = 2

Block = tuple[WaitReason, str]


def blocked(job: Job, site: Site) -> Block | None:
    """Return what nobody may go on for: a hold, a window, an alarm, or who is there is not sure."""
    if site.hold:
        return WaitReason.HOLD, f"held on a node {site.hold}"
    if site.window:
        return WaitReason.WINDOW, site.window
    if told := alarmed(job, site):
        return WaitReason.HEALTH, told
    if not job.takes_down:
        return None
    if site.doubt:
        return WaitReason.QUORUM, site.doubt
    away = [each.node for each in site.members if not each.is_alive and not is_busy(each)]
    return (WaitReason.QUORUM, f"not alive: {', '.join(away)}") if away else None


def alarmed(job: Job, site: Site) -> str:
    """Return which alarm the plan's word does not let pass, and where; empty: none.

    What a node raises while the job is at work on it is for its own measure to judge.
    """
    for each in sorted(site.members, key=lambda each: each.node):
        if each.head is not None and each.head.alarm and not is_busy(each):
            return keeps(each.head.alarm, each.node, job.alarms)
    return ""


def keeps(alarm: str, node: str, word: str) -> str:
    """Return that an alarm on a node is in the way, in words."""
    return f"alarm {alarm} stands on {node}, and the plan's gates are alarms = {word}"


def shut_out(waiting: Iterable[Member]) -> Block:
    """Return whose turn it is and whom a window of its own keeps, of those that wait."""
    told = ", ".join(sorted(each.node for each in waiting if is_shut(each)))
    return WaitReason.WINDOW, f"a window of its own keeps {told}"


def out_already(site: Site) -> list[Member]:
    """Return who serves nothing now, and not by this job."""
    return [each for each in site.members if each.is_out]


def unfit(site: Site) -> Block | None:
    """Return what the site could not do without one more node; None: it could."""
    if site.loss:
        return WaitReason.HEALTH, site.loss
    if site.unsynced:
        return WaitReason.HEALTH, f"data is not in sync: {site.unsynced}"
    if site.unclean and len(site.members) == PAIR and not site.has_witness:
        return WaitReason.HEALTH, f"two nodes without a witness, and {site.unclean}"
    return None


def overdue(site: Site, now_ms: int) -> str:
    """Return what was waited for in vain for as long as may be; empty: nothing was.

    Args:
        site: see there.
        now_ms: CLOCK_BOOTTIME of the coordinator.
    """
    since_ms = site.sync_since_ms
    if since_ms is None or now_ms - since_ms < SYNC_MS_MAX:
        return ""
    return f"not in sync within {SYNC_MS_MAX // 1_000} s: {site.unsynced or site.loss}"
