"""What rollouts want sites to run: by component that of the newest one that still counts. Pure.

Leaves to others what nodes say that they run, and whether that is the same (fleet/sync.py).
Invariant: a job that was given up, or whose rollout never began, wants nothing, so that what an
older rollout brought counts again.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from roost_central.rollout.head import Head
from roost_central.rollout.job import Job
from roost_central.rollout.table import JobState, RolloutState
from roost_protocol.update import Running

# What it wants of all of its sites, done or not; an end by abort or rollback only of who has it.
WANTING: Final = frozenset(
    {RolloutState.RUNNING, RolloutState.PAUSED, RolloutState.COMPLETED}
    | {RolloutState.ABORTING, RolloutState.ROLLING_BACK}
)
HALTED: Final = frozenset({RolloutState.ABORTED, RolloutState.ROLLED_BACK})
GIVEN_UP: Final = frozenset({JobState.CANCELED, JobState.SUPERSEDED, JobState.INCOMPATIBLE})
HAVING: Final = frozenset({JobState.SUCCEEDED, JobState.NOT_NEEDED})


def is_of_before(head: Head, job: Job, created_ms: int) -> bool:
    """Say whether a job is of a site that was removed before one of its name was registered.

    Args:
        head: of the rollout.
        job: of it.
        created_ms: when the site that is there now was registered.
    """
    return max(head.made_ms, job.since_ms) < created_ms


def removed(head: Head, jobs: Iterable[Job], created: Mapping[str, int]) -> set[str]:
    """Return the sites of jobs that are not there any more, or are others by now.

    Args:
        head: of the rollout.
        jobs: of it.
        created: when each site that is there was registered, UTC ms.
    """
    return {
        job.site
        for job in jobs
        if job.site not in created or is_of_before(head, job, created[job.site])
    }


def wanted_of(head: Head, job: Job) -> Running | None:
    """Return what a rollout wants of a job's site; None: nothing, or nothing any more."""
    if job.is_gone:
        return None
    if head.state in HALTED:
        counts = job.state in HAVING
    else:
        counts = head.state in WANTING and job.state not in GIVEN_UP
    version, digest = job.former if job.is_back else (head.version, head.digest)
    return Running(version, digest) if counts and digest else None


class Wanted:
    """What is wanted of each site; rollouts that are at their end are taken in once."""

    def __init__(self) -> None:
        self._ended: dict[str, dict[str, tuple[int, Running]]] = {}  # site -> component -> made_ms

    def take(self, head: Head, jobs: Iterable[Job]) -> None:
        """Take in a rollout that is at its end."""
        _add(self._ended, head, jobs)

    def forget(self, site: str) -> None:
        """Want nothing any more of a site that was removed."""
        self._ended.pop(site, None)

    def now(
        self, open_: Iterable[tuple[Head, Iterable[Job]]]
    ) -> Mapping[str, Mapping[str, Running]]:
        """Return what is wanted by site and component, with the rollouts that are open."""
        found = {site: dict(some) for site, some in self._ended.items()}
        for head, jobs in open_:
            _add(found, head, jobs)
        return {
            site: {component: running for component, (_, running) in some.items()}
            for site, some in found.items()
        }


def _add(into: dict[str, dict[str, tuple[int, Running]]], head: Head, jobs: Iterable[Job]) -> None:
    for job in jobs:
        running = wanted_of(head, job)
        if running is None:
            continue
        some = into.setdefault(job.site, {})
        if head.component not in some or some[head.component][0] <= head.made_ms:
            some[head.component] = (head.made_ms, running)
