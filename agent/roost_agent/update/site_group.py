"""Who of those that hold no lease goes now, and who beside whom. Pure.

Storage first, then standby controllers, then workers; two roles are never out at once, nor two
voters. Storage nodes go beside each other where the plan says so and the site knows that they hold
no copies of the same data: they have peer groups in ha.toml, and not the same one. One that has
none, or is a host of what fails over, goes alone (StarlingX's storage strategy; docs/updates.md).
"""

from collections.abc import Sequence
from typing import Final

from roost_agent.update.site_standing import Apply, Job, Member, Role, is_shut
from roost_protocol.update import PARALLEL_MAX

ORDER: Final = (Role.STORAGE, Role.CONTROLLER, Role.WORKER)


def beside(job: Job, waiting: Sequence[Member], busy: Sequence[Member]) -> tuple[str, ...]:
    """Return who goes now, by their names.

    Args:
        job: with how many of a role may be out at once.
        waiting: for their turn, one at least; whom a window of its own keeps is passed over.
        busy: at work on the job already.
    """
    role = _first(waiting)
    if any(each.role is not role for each in busy):
        return ()
    able = (each for each in waiting if each.role is role and not is_shut(each))
    out, gone = list(busy), []
    for each in sorted(able, key=lambda each: each.node):
        if len(out) >= _at_once(job, role):
            break
        if all(_goes_with(each, other) for other in out):
            out.append(each)
            gone.append(each.node)
    return tuple(gone)


def lonely(job: Job, waiting: Sequence[Member]) -> str:
    """Return which storage nodes go alone though the plan says parallel, and why; empty: none."""
    role = _first(waiting)
    if role is not Role.STORAGE or job.apply.get(role) is not Apply.PARALLEL:
        return ""
    alone = sorted(each.node for each in waiting if each.role is role and not each.peer_group)
    if not alone:
        return ""
    return (
        f"{', '.join(alone)}: alone, not in parallel: ha.toml says no peer_group of it,"
        " or it is a host of a group that fails over"
    )


def _first(waiting: Sequence[Member]) -> Role:
    """Return the role whose turn it is."""
    return next(role for role in ORDER if any(each.role is role for each in waiting))


def _at_once(job: Job, role: Role) -> int:
    """Return how many of a role may be out at once (max_unavailable)."""
    most = {Role.STORAGE: job.parallel_storage, Role.WORKER: job.parallel_workers}.get(role, 1)
    is_parallel = job.apply.get(role) is Apply.PARALLEL
    return min(max(most, 1), PARALLEL_MAX) if is_parallel else 1


def _goes_with(one: Member, other: Member) -> bool:
    """Say whether two nodes of a role may be out at once."""
    if one.is_voter and other.is_voter:
        return False
    if one.role is not Role.STORAGE:
        return True
    return bool(one.peer_group and other.peer_group) and one.peer_group != other.peer_group
