"""Where a rollout and its waves stand, and how that changes: by the table alone. Pure.

Leaves to others: when it moves (core.py, progress.py, way_back.py), and its jobs (members.py).

Invariant: every move of rollout and wave is one of table.py, by who it says, and is news.
"""

from collections.abc import Iterable
from typing import Any

import msgspec

from roost_central.rollout import site
from roost_central.rollout.allowance import Allowance
from roost_central.rollout.counts import Counts, counted
from roost_central.rollout.head import Head, Sight, WaveHead
from roost_central.rollout.job import Job
from roost_central.rollout.judgement import Terms
from roost_central.rollout.members import Members
from roost_central.rollout.plan import Plan
from roost_central.rollout.rules import Settled, settled
from roost_central.rollout.table import (
    ROLLOUT_ENDS,
    WHAT_HELPS,
    JobState,
    MoveError,
    Pause,
    RolloutState,
    WaveState,
    Who,
    check,
    spoken,
)

R = RolloutState


class Course(Members):
    """Where a rollout stands, with its jobs.

    Args:
        head: where it stands.
        plan: of it.
        members: its jobs.
        now_ms: from when its rate counts.

    Attributes:
        cancels: jobs whose sites are to be asked to give them up, until the shell takes them.
        news: sentences for the event log, until the shell takes them.
        allowance: how many may be offered now.
    """

    def __init__(self, head: Head, plan: Plan, members: Iterable[Job], now_ms: int) -> None:
        super().__init__(members)
        self.head = head
        self.plan = plan
        self.cancels: list[Job] = []
        self.news: list[str] = []
        self.allowance = Allowance(now_ms)
        self._rules: list[Settled] = []

    def rules(self, wave: int) -> Settled:
        """Return the rules of a wave."""
        while len(self._rules) <= wave:
            self._rules.append(settled(self.plan, len(self._rules)))
        return self._rules[wave]

    def counts(self) -> Counts:
        """Return what its sites came to in all."""
        waves = self.tallies[: len(self.head.waves)]
        return counted(waves, self.rules, is_back=self.head.is_back)

    def deadline_ms(self, wave: int) -> int:
        """Return when a wave, or the way back, has to be through."""
        rules, head = self.rules(wave), self.head
        if head.state is R.ROLLING_BACK:
            return head.back_ms + rules.deadline_ms
        now = head.waves[wave] if wave < len(head.waves) else WaveHead("")
        since_ms = max(now.released_ms, now.shut_ms)
        return (since_ms or head.changed_ms) + rules.deadline_ms

    def job_deadline_ms(self, job: Job) -> int:
        """Return when a job has to be through: in the catch-up wave by its own start."""
        deadline_ms = self.deadline_ms(job.wave)
        if self.head.state is R.ROLLING_BACK or not job.began_ms:
            return deadline_ms
        return max(deadline_ms, job.began_ms + self.rules(job.wave).deadline_ms)

    def target(self, job: Job) -> tuple[str, str]:
        """Return version and digest that a job leads to."""
        return job.former if job.is_back else (self.head.version, self.head.digest)

    def terms(self, job: Job) -> Terms:
        """Return what a job is judged by."""
        return Terms(
            self.plan,
            self.rules(job.wave),
            self.target(job)[1],
            self.job_deadline_ms(job),
            self.head.state in {R.RUNNING, R.PAUSED},
        )

    def look(self, name: str, sight: Sight, now_ms: int) -> None:
        """Move the job of a site by what is seen of it."""
        job = self.jobs[name]
        after = site.look(job, sight(job), self.terms(job), now_ms)
        if after is not job:
            self.take(after)

    def take(self, after: Job) -> None:
        """Take a job as it is from now on; nodes that have what was put off too long give it up."""
        self.put(after)
        if after.state is JobState.TIMED_OUT and after.put_off_ms and after.nodes_at_work:
            self.cancels.append(after)

    def check_is(self, state: RolloutState) -> None:
        """Check where it stands, where that says more than which way is open.

        Raises:
            MoveError: it stands elsewhere.
        """
        found = self.head.state
        if found is not state:
            raise MoveError(f"the rollout is {spoken(found)}: {WHAT_HELPS[found]}")

    def to(self, state: RolloutState, who: Who, now_ms: int, **changes: Any) -> None:  # noqa: ANN401 - fields of Head
        """Move the rollout.

        Raises:
            MoveError: the table has no such way.
        """
        check(self.head.state, state, who)
        self.keep(now_ms, state=state, **changes)
        if state in ROLLOUT_ENDS:
            self.head = msgspec.structs.replace(self.head, counts=self.counts())
        why = f": {self.head.why}" if self.head.why else ""
        self.news.append(f"{state}{why}")

    def rest(self, pause: Pause, why: str, now_ms: int) -> None:
        """Pause it for a reason of the centre's; nothing where it does not run."""
        if self.head.state is R.RUNNING:
            self.to(R.PAUSED, Who.CENTRAL, now_ms, pause=pause, why=why)

    def move_wave(self, wave: int, state: WaveState, who: Who, now_ms: int, **changes: Any) -> None:  # noqa: ANN401 - fields of WaveHead
        """Move a wave.

        Raises:
            MoveError: the table has no such way.
        """
        before = self.head.waves[wave]
        check(before.state, state, who)
        told = {"why": "", **changes}
        after = msgspec.structs.replace(before, state=state, since_ms=now_ms, **told)
        self.set_wave(wave, after, now_ms)
        why = f": {after.why}" if after.why else ""
        self.news.append(f"wave {wave + 1} ({after.name}) {state}{why}")

    def set_wave(self, wave: int, after: WaveHead, now_ms: int, *, is_news: bool = True) -> None:
        """Take a wave as it is from now on; without ``is_news`` the head counts as unchanged."""
        waves = list(self.head.waves)
        waves[wave] = after
        if is_news:
            self.keep(now_ms, waves=tuple(waves))
        else:
            self.head = msgspec.structs.replace(self.head, waves=tuple(waves))

    def keep(self, now_ms: int, **changes: Any) -> None:  # noqa: ANN401 - fields of Head
        """Take the head as it is from now on."""
        told = {"rev": self.head.rev + 1, **changes}
        self.head = msgspec.structs.replace(self.head, changed_ms=now_ms, **told)
