"""The jobs of a rollout, counted: by wave, by what is at work, who waits, and what is due. Pure.

Leaves to others: what a job comes to (site.py), and when it is its turn (offering.py).

Invariant: a job is counted in one wave, in one state: the tallies are the sums of the jobs.
"""

import heapq
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from typing import Final

from roost_central.rollout.gate import Tally
from roost_central.rollout.job import Job
from roost_central.rollout.table import IN_FLIGHT, JOB_ENDS, JOB_FAILURES, JobState

ENDING_MS_MAX: Final = 7_200_000  # for nodes to go back, or give up, after their job has ended

J = JobState


class Members:
    """The jobs of a rollout, by site.

    Args:
        members: its jobs.

    Attributes:
        at_work: sites that are offered, or a node of which has it already, and not at their end.
        ending: sites whose job is given up while nodes of it are at work still; since when.
        hw, link: how many are at work, by hardware and by link.
        queues: of each wave, the sites that wait for their turn; some wait no longer.
    """

    def __init__(self, members: Iterable[Job]) -> None:
        self.jobs: dict[str, Job] = {}
        self.tallies: list[Tally] = []
        self.at_work: set[str] = set()
        self.ending: dict[str, int] = {}
        self.hw: Counter[str] = Counter()
        self.link: Counter[str] = Counter()
        self.queues: dict[int, deque[str]] = {}
        self._dirty: dict[str, None] = {}
        self._due: list[tuple[int, str]] = []
        for job in members:
            self.put(job)
        self._dirty.clear()

    def tally(self, wave: int) -> Tally:
        """Return the counts of a wave."""
        while len(self.tallies) <= wave:
            self.tallies.append(Tally())
        return self.tallies[wave]

    def in_flight(self) -> int:
        """Return how many of its sites take a slot."""
        return sum(each.in_flight for each in self.tallies)

    def put(self, job: Job) -> None:
        """Take a job in, or take it as it is from now on."""
        before = self.jobs.get(job.site)
        if before is not None:
            self._count(before, -1)
        self._count(job, 1)
        is_at_work = job.state in IN_FLIGHT or job.was in IN_FLIGHT
        is_at_work = is_at_work or (not job.is_ended and bool(job.nodes_at_work))
        is_at_work = is_at_work or job.is_half_taken
        (self.at_work.add if is_at_work else self.at_work.discard)(job.site)
        if job.is_ending:
            self.ending[job.site] = job.since_ms
        else:
            self.ending.pop(job.site, None)
        self.jobs[job.site] = job
        self._dirty[job.site] = None
        if job.due_ms and (before is None or before.due_ms != job.due_ms):
            heapq.heappush(self._due, (job.due_ms, job.site))
        is_new = before is None or before.state is not J.QUEUED or before.wave != job.wave
        if job.state is J.QUEUED and is_new:
            self.queues.setdefault(job.wave, deque()).append(job.site)

    def taken(self) -> list[Job]:
        """Return the jobs that changed since the last call."""
        changed = [self.jobs[name] for name in self._dirty]
        self._dirty.clear()
        return changed

    def busy(self, now_ms: int) -> set[str]:
        """Return the sites where another rollout's offer would find no room.

        Who does not say how it ended is waited for ENDING_MS_MAX.
        """
        late = {site for site, since_ms in self.ending.items() if now_ms - since_ms < ENDING_MS_MAX}
        return self.at_work | late

    def mark(self, jobs: Iterable[Job]) -> None:
        """Have jobs written once more: they could not be."""
        self._dirty |= {job.site: None for job in jobs}

    def failed(self) -> Iterator[Job]:
        """Give the jobs that failed for good, and those that are worse since."""
        for job in self.jobs.values():
            if job.state in JOB_FAILURES or (job.state is J.SUCCEEDED and job.detail):
                yield job

    def concerned(self, news: Iterable[str], wave: int, now_ms: int) -> list[str]:
        """Return the sites to look at: of the news, and those that are due.

        Args:
            news: sites of which something changed.
            wave: whose turn it is.
            now_ms: UTC.
        """
        found = {
            name: None
            for name in news
            if (job := self.jobs.get(name)) is not None and _heeds(job, wave)
        }
        while self._due and self._due[0][0] <= now_ms:
            due_ms, name = heapq.heappop(self._due)
            if self.jobs[name].due_ms == due_ms:
                found[name] = None
        return list(found)

    def check_invariants(self) -> None:
        """Check what this file promises; for tests.

        Raises:
            AssertionError: it is not so.
        """
        fresh = [Tally() for _ in self.tallies]
        for job in self.jobs.values():
            fresh[job.wave].count(job, 1)
        for kept, counted in zip(self.tallies, fresh, strict=True):
            assert +kept.states == +counted.states, "states"  # noqa: S101 - an invariant
            assert (kept.size, kept.lost, kept.dark, kept.worse, kept.retrying, kept.shut) == (  # noqa: S101
                counted.size, counted.lost, counted.dark, counted.worse, counted.retrying,
                counted.shut,
            ), "counts"  # fmt: skip

    def _count(self, job: Job, by: int) -> None:
        self.tally(job.wave).count(job, by)
        if job.state in IN_FLIGHT:
            self.hw[job.hw] += by
            self.link[job.link] += by


def _heeds(job: Job, wave: int) -> bool:
    """Say whether news of its site may move a job: one that waits is looked at in its turn."""
    if job.state is J.SUCCEEDED:
        return job.wave == wave
    if job.state in JOB_ENDS:  # a node may have it after all, and nobody knows
        may_be_mixed = job.state in JOB_FAILURES or job.state is J.CANCELED
        return job.is_ending or (may_be_mixed and len(job.nodes) > 1 and not job.touched)
    return job.state is not J.QUEUED or bool(job.put_off_ms)  # its node may have room by now
