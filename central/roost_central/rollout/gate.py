"""Whether a wave goes on: what its sites came to, counted, against its rules. Pure.

Percentages are over finished sites, from ``min_finished`` on, and an absolute number stops it as
well: divided by all sites of the wave, the first 150 failures of 1,000 would go by unseen
(updates.md section 4, h). Silent sites are no failures; those that an update silenced are.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from roost_central.rollout.job import Job
from roost_central.rollout.rules import Settled
from roost_central.rollout.table import IN_FLIGHT, JOB_FAILURES, JobState
from roost_protocol.update import FailureType

LOST_PCT_MAX: Final = 2  # of a wave's sites that may be silent since their update
FLEET_DARK_PCT_MAX: Final = 20  # of the whole fleet; with more the network is blamed first

J = JobState


@dataclass(slots=True)
class Tally:
    """The jobs of a wave.

    Attributes:
        states: how many are in each.
        failures: of those that failed for good, by type.
        undone: of these, those whose site went back by itself to what it had.
        spared: of these, those whose site never had the release (job.py).
        retrying: failed, and get another attempt.
        worse: succeeded, and have an alarm since that they did not have.
        shut: a node of theirs waits for a window of its own.
        lost: silent since their update, for too long; ``dark``: silent since, not yet too long.
    """

    states: Counter[JobState] = field(default_factory=Counter)
    failures: Counter[FailureType] = field(default_factory=Counter)
    undone: Counter[FailureType] = field(default_factory=Counter)
    spared: Counter[FailureType] = field(default_factory=Counter)
    retrying: int = 0
    worse: int = 0
    lost: int = 0
    shut: int = 0
    dark: int = 0
    size: int = 0

    def count(self, job: Job, by: int) -> None:
        """Take a job in (``by`` 1) or out (-1), as it is."""
        self.size += by
        self.states[job.state] += by
        if job.state in JOB_FAILURES:
            if job.due_ms:
                self.retrying += by
            elif job.failure is not None:  # who was silent to the end did not fail
                self.failures[job.failure] += by
                self.undone[job.failure] += by * job.is_undone
                self.spared[job.failure] += by * job.is_spared
        self.worse += by * (job.state is J.SUCCEEDED and bool(job.detail))
        self.lost += by * job.is_lost
        self.shut += by * job.is_shut
        self.dark += by * bool(job.touched and job.dark_ms and not job.is_lost)

    def failed(self, rules: Settled, *, is_back: bool = False) -> int:
        """How many count as failed; of a rollout that goes back, who has what it had does not."""
        some = self.failing(is_back=is_back).items()
        return self.worse + sum(
            count for type_, count in some if not rules.error_types or type_ in rules.error_types
        )

    def failing(self, *, is_back: bool = False) -> Counter[FailureType]:
        """Return failures by type; of a rollout that goes back, those that are still something.

        A site that is back by itself, or never had the release, is where the rollout leads to.
        """
        return self.failures - self.undone - self.spared if is_back else self.failures

    @property
    def succeeded(self) -> int:
        """How many have it, and are well."""
        return self.states[J.SUCCEEDED] - self.worse

    def finished(self, rules: Settled) -> int:
        """How many percentages are over."""
        return self.succeeded + self.failed(rules)

    @property
    def in_flight(self) -> int:
        """How many take a slot."""
        return sum(self.states[state] for state in IN_FLIGHT)

    @property
    def silent(self) -> int:
        """How many cannot be reached, whatever they had come to."""
        return self.states[J.UNREACHABLE]

    @property
    def open(self) -> int:
        """How many can still be waited for: they are reachable, and not at their end."""
        waiting = self.states[J.QUEUED] + self.states[J.REJECTED]
        return waiting + self.in_flight + self.retrying

    @property
    def unmeant(self) -> int:
        """How many need nothing, or take nothing."""
        return self.states[J.NOT_NEEDED] + self.states[J.INCOMPATIBLE] + self.states[J.SUPERSEDED]


def error(tally: Tally, rules: Settled) -> str:
    """Return why a wave has failed; empty: it has not."""
    failed, finished = tally.failed(rules), tally.finished(rules)
    if failed >= rules.error_abs:
        bound = f"at most {rules.error_abs - 1} may by error_abs = {rules.error_abs}"
        return f"{failed} failed ({_reasons(tally)}), {bound}"
    least = min(rules.min_finished, tally.size)
    if finished >= least and failed * 100 > rules.error_pct * finished:
        return (
            f"{failed} of {finished} that finished failed ({_reasons(tally)}), "
            f"at most {rules.error_pct} % may by error_pct"
        )
    if tally.lost * 100 > LOST_PCT_MAX * tally.size:
        bound = f"at most {LOST_PCT_MAX} % may"
        return f"{tally.lost} of {tally.size} sites went silent with their update, {bound}"
    return ""


def is_success(tally: Tally, rules: Settled) -> bool:
    """Say whether enough of those that finished have it; nobody finished is no success."""
    finished = tally.finished(rules)
    return finished > 0 and tally.succeeded * 100 >= rules.success_pct * finished


def is_hearing(tally: Tally) -> bool:
    """Say whether the soak's clock runs: who has the update is heard, or judged already."""
    return not tally.dark


def rate_per_minute(rules: Settled, successes: int) -> float:
    """Return how many sites a minute are offered after so many successes of the wave."""
    rate = rules.rate
    steps = min(successes // rate.grow_after, 64)
    return min(rate.base * rate.factor**steps, float(rate.max))


def _reasons(tally: Tally) -> str:
    said = [f"{count} {type_}" for type_, count in tally.failures.most_common() if count]
    if tally.worse:
        said.append(f"{tally.worse} with a new alarm after their update")
    return ", ".join(said)
