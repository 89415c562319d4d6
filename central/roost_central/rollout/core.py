"""A rollout: its waves, its sites' jobs, whose turn it is, and when it stops. Pure.

Leaves to others: who is in which wave (waves.py), what moves one job (site.py), what is sent to
sites and when anything is written (runner.py), what is known of a site (``Sight``).

Invariants:
- every move of rollout, wave and job is one of table.py, by who it says;
- a job is counted in one wave, in one state: the tallies are the sums of the jobs;
- nothing is offered unless the rollout runs or goes back, and never beyond its caps;
- success is what a site's nodes say that they run, never its word that it is done.
"""

import heapq
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from roost_central.rollout import gate, site
from roost_central.rollout.gate import Tally
from roost_central.rollout.head import Around, Head, Sight, WaveHead
from roost_central.rollout.job import ANSWER_MS, Job, names
from roost_central.rollout.plan import Plan, Settled, settled
from roost_central.rollout.site import Terms
from roost_central.rollout.table import (
    IN_FLIGHT,
    JOB_ENDS,
    JOB_FAILURES,
    OPEN_TO_CENTRAL,
    WAVE_ENDS,
    JobState,
    MoveError,
    Pause,
    RolloutState,
    WaveState,
    Who,
    check,
)
from roost_protocol.update import FailureType

CATCH_UP: Final = "catch-up"
OFFERS_MAX: Final = 500  # of one turn: the shell writes and sends them before the next
NAMED_MAX: Final = 3  # sites in a sentence
TURN_MS_MAX: Final = 10_000  # of a soak that one turn counts: a centre that was down heard nobody
_MINUTE_MS: Final = 60_000

R, W, J = RolloutState, WaveState, JobState


class Rollout:
    """One rollout with its jobs.

    Args:
        head: where it stands.
        plan: of it.
        members: its jobs.
        now_ms: from when its rate counts.

    Attributes:
        cancels: jobs whose sites are to be asked to give them up, until the shell takes them.
        news: sentences for the event log, until the shell takes them.
    """

    def __init__(self, head: Head, plan: Plan, members: Iterable[Job], now_ms: int) -> None:
        self.head = head
        self.plan = plan
        self.jobs: dict[str, Job] = {}
        self.tallies: list[Tally] = []
        self.cancels: list[Job] = []
        self.news: list[str] = []
        self.at_work: set[str] = set()  # sites that are offered and not at their end, heard or not
        self.hw: Counter[str] = Counter()  # at work, by hardware
        self.link: Counter[str] = Counter()
        self._rules: list[Settled] = []
        self._dirty: dict[str, None] = {}
        self._queues: dict[int, deque[str]] = {}
        self._due: list[tuple[int, str]] = []
        self._tokens = 1.0
        self._tokens_ms = now_ms
        for job in members:
            self._put(job)
        self._dirty.clear()

    # -- what others see --------------------------------------------------------------------

    def rules(self, wave: int) -> Settled:
        """Return the rules of a wave."""
        while len(self._rules) <= wave:
            self._rules.append(settled(self.plan, len(self._rules)))
        return self._rules[wave]

    def tally(self, wave: int) -> Tally:
        """Return the counts of a wave."""
        while len(self.tallies) <= wave:
            self.tallies.append(Tally())
        return self.tallies[wave]

    def in_flight(self) -> int:
        """Return how many of its sites take a slot."""
        return sum(each.in_flight for each in self.tallies)

    def deadline_ms(self, wave: int) -> int:
        """Return when a wave, or the way back, has to be through."""
        rules, head = self.rules(wave), self.head
        if head.state is R.ROLLING_BACK:
            return head.back_ms + rules.deadline_ms
        since_ms = head.waves[wave].released_ms if wave < len(head.waves) else 0
        return (since_ms or head.changed_ms) + rules.deadline_ms

    def target(self, job: Job) -> tuple[str, str]:
        """Return version and digest that a job leads to."""
        return job.former if job.is_back else (self.head.version, self.head.digest)

    def taken(self) -> list[Job]:
        """Return the jobs that changed since the last call."""
        changed = [self.jobs[name] for name in self._dirty]
        self._dirty.clear()
        return changed

    def failed(self) -> Iterator[Job]:
        """Give the jobs that failed for good, and those that are worse since."""
        for job in self.jobs.values():
            if job.state in JOB_FAILURES or (job.state is J.SUCCEEDED and job.detail):
                yield job

    # -- what happens ------------------------------------------------------------------------

    def turn(self, news: Iterable[str], sight: Sight, around: Around, now_ms: int) -> list[Job]:
        """Move on by what is new of some sites, and by time; return the jobs to offer.

        Args:
            news: sites of which something changed.
            sight: what is known of one.
            around: beyond this rollout.
            now_ms: UTC.
        """
        if self.head.is_ended:
            return []
        for name in self._concerned(news, now_ms):
            self._look(name, sight, now_ms)
        match self.head.state:
            case R.SCHEDULED if self.head.start_ms and now_ms >= self.head.start_ms:
                self._start(Who.CENTRAL, now_ms)
            case R.RUNNING if not around.is_deaf:  # who hears nothing well judges nothing
                self._advance(around, now_ms)
            case R.PAUSED:
                self._reconsider(around, now_ms)
            case R.ABORTING:
                self._abort_ended(now_ms)
            case R.ROLLING_BACK:
                self._back_ended(now_ms)
            case _:
                pass
        return [] if around.is_deaf else self._offers(sight, around, now_ms)

    def unsent(self, name: str, why: str, now_ms: int) -> None:
        """Put a job whose offer could not be sent back into the queue; it is offered later."""
        job = self.jobs[name]
        if job.state is J.OFFERED:
            self._put(job.to(J.QUEUED, Who.CENTRAL, now_ms, detail=why))

    def refused(self, name: str, why: str, now_ms: int) -> None:
        """Take in that a site takes no order of this kind; it is asked again later."""
        job = self.jobs[name]
        if job.state is J.OFFERED:
            told = {"detail": why, "failure": FailureType.PRECHECK}
            self._put(job.to(J.REJECTED, Who.SITE, now_ms, due_ms=now_ms + ANSWER_MS, **told))

    def mark(self, jobs: Iterable[Job]) -> None:
        """Have jobs written once more: they could not be."""
        self._dirty |= {job.site: None for job in jobs}

    def start(self, now_ms: int) -> None:
        """Begin with the first wave.

        Raises:
            MoveError: it is not scheduled.
        """
        self._start(Who.OPERATOR, now_ms)

    def pause(self, why: str, now_ms: int) -> None:
        """Offer nothing more until somebody resumes it; sites finish what they have.

        Raises:
            MoveError: it does not run.
        """
        self._to(R.PAUSED, Who.OPERATOR, now_ms, pause=Pause.OPERATOR, why=why)

    def resume(self, how: str, now_ms: int) -> None:
        """Go on.

        Args:
            how: of a failed wave: ``retry`` its failures, or ``skip`` it; empty: it has not failed.
            now_ms: UTC.

        Raises:
            MoveError: it does not rest, or its wave failed and nobody says how.
        """
        check(self.head.state, R.RUNNING, Who.OPERATOR)
        wave = self.head.wave
        if wave < len(self.head.waves) and self.head.waves[wave].state is W.FAILED:
            if how not in {"retry", "skip"}:
                raise MoveError(f"wave {wave + 1} failed: resume with retry, or skip the wave")
            if how == "retry":
                self._retry(wave, now_ms)
            else:
                self._skip(wave, now_ms)
        elif how:
            raise MoveError(f"wave {wave + 1} has not failed: there is nothing to {how}")
        self._to(R.RUNNING, Who.OPERATOR, now_ms, pause=None, why="")

    def promote(self, now_ms: int) -> None:
        """Open a wave's manual gate, or end its soak: somebody answers for it.

        Raises:
            MoveError: it does not run, or its wave waits for neither.
        """
        if self.head.state is not R.RUNNING:
            raise MoveError(f"the rollout is {self.head.state}: only one that runs is promoted")
        wave = self.head.wave
        now = self.head.waves[wave]
        if now.state is W.SOAKING:
            self._pass(wave, Who.OPERATOR, now_ms)
        elif now.state is W.PENDING and self.rules(wave).gates.manual and not now.is_promoted:
            self._set_wave(wave, msgspec.structs.replace(now, is_promoted=True, why=""), now_ms)
        else:
            raise MoveError(f"wave {wave + 1} is {now.state}: no gate or soak holds it back")

    def abort(self, why: str, now_ms: int, who: Who = Who.OPERATOR) -> None:
        """Offer nothing more, and ask sites to give up what is not done yet.

        Raises:
            MoveError: it has not begun, or is at its end.
        """
        if self.head.state is R.SCHEDULED:
            self._to(R.ABORTED, who, now_ms, why=why)
            return
        self._to(R.ABORTING, who, now_ms, pause=None, why=why)
        for job in list(self.jobs.values()):
            self._give_up(job, now_ms)
        self._abort_ended(now_ms)

    def roll_back(self, why: str, now_ms: int, who: Who = Who.OPERATOR) -> None:
        """Send every site that was touched back to the release it had, the newest wave first.

        Raises:
            MoveError: it has not begun, or is at its end.
        """
        self._to(R.ROLLING_BACK, who, now_ms, pause=None, why=why, back_ms=now_ms)
        for job in list(self.jobs.values()):
            if job.touched and job.state not in {J.ROLLED_BACK, J.CANCELED}:
                self._send_back(job, now_ms)
            else:
                self._give_up(job, now_ms)
        self._back_ended(now_ms)

    def approved(self, now_ms: int) -> None:
        """Take in that enough people signed.

        Raises:
            MoveError: nobody is waited for.
        """
        self._to(R.SCHEDULED, Who.OPERATOR, now_ms)

    def denied(self, why: str, now_ms: int) -> None:
        """Take in that somebody refuses.

        Raises:
            MoveError: nobody is waited for.
        """
        self._to(R.DENIED, Who.OPERATOR, now_ms, why=why)

    def rest(self, pause: Pause, why: str, now_ms: int) -> None:
        """Pause it for a reason of the centre's; nothing where it does not run."""
        if self.head.state is R.RUNNING:
            self._to(R.PAUSED, Who.CENTRAL, now_ms, pause=pause, why=why)

    def join(self, members: Iterable[Job], now_ms: int) -> None:
        """Take in sites that came later: into the first wave to come, else the catch-up wave."""
        waves = self.head.waves
        wave = next((each for each, of in enumerate(waves) if of.state is W.PENDING), None)
        if wave is None:
            wave = self._catch_up(now_ms)
        for job in members:
            self._put(msgspec.structs.replace(job, wave=wave, since_ms=now_ms))

    # -- jobs --------------------------------------------------------------------------------

    def _concerned(self, news: Iterable[str], now_ms: int) -> list[str]:
        found = {
            name: None
            for name in news
            if (job := self.jobs.get(name)) is not None and self._heeds(job)
        }
        while self._due and self._due[0][0] <= now_ms:
            due_ms, name = heapq.heappop(self._due)
            if self.jobs[name].due_ms == due_ms:
                found[name] = None
        return list(found)

    def _heeds(self, job: Job) -> bool:
        """Say whether news of its site may move a job: one that waits is looked at in its turn."""
        if job.state is J.SUCCEEDED:
            return job.wave == self.head.wave
        return job.state is not J.QUEUED and job.state not in JOB_ENDS

    def _look(self, name: str, sight: Sight, now_ms: int) -> None:
        job = self.jobs[name]
        after = site.look(job, sight(job), self._terms(job), now_ms)
        if after is not job:
            self._put(after)

    def _terms(self, job: Job) -> Terms:
        return Terms(
            self.plan,
            self.rules(job.wave),
            self.target(job)[1],
            self.deadline_ms(job.wave),
            self.head.state in {R.RUNNING, R.PAUSED},
        )

    def _put(self, job: Job) -> None:
        before = self.jobs.get(job.site)
        if before is not None:
            self._count(before, -1)
        self._count(job, 1)
        is_at_work = job.state in IN_FLIGHT or job.was in IN_FLIGHT
        (self.at_work.add if is_at_work else self.at_work.discard)(job.site)
        self.jobs[job.site] = job
        self._dirty[job.site] = None
        if job.due_ms and (before is None or before.due_ms != job.due_ms):
            heapq.heappush(self._due, (job.due_ms, job.site))
        is_new = before is None or before.state is not J.QUEUED or before.wave != job.wave
        if job.state is J.QUEUED and is_new:
            self._queues.setdefault(job.wave, deque()).append(job.site)

    def _count(self, job: Job, by: int) -> None:
        self.tally(job.wave).count(job, by)
        if job.state in IN_FLIGHT:
            self.hw[job.hw] += by
            self.link[job.link] += by

    def _give_up(self, job: Job, now_ms: int) -> None:
        """Cancel what is not offered, ask for what is."""
        is_waiting = job.state is J.UNREACHABLE and job.was is J.QUEUED
        if job.state in {J.QUEUED, J.REJECTED} or is_waiting:
            self._put(job.to(J.CANCELED, Who.CENTRAL, now_ms, was=None))
        elif job.state in site.AT_WORK or (job.state is J.UNREACHABLE and job.was in site.AT_WORK):
            asked = msgspec.structs.replace(job, is_canceling=True)
            self._put(asked)
            self.cancels.append(asked)
        elif job.state in JOB_FAILURES and job.due_ms:
            self._put(msgspec.structs.replace(job, due_ms=0))

    def _send_back(self, job: Job, now_ms: int) -> None:
        """Queue a site for its way back; one whose former release nobody knows is listed."""
        if job.state in site.AT_WORK or job.was in site.AT_WORK:
            self.cancels.append(job)  # the site drops it, or takes the way back after it
        if not job.former[1]:
            why = "the release that it had is not known"
            if job.state not in JOB_ENDS:
                job = self._ended(job, why, now_ms)
            self._put(msgspec.structs.replace(job, detail=why))
            return
        if job.state not in JOB_ENDS:
            job = self._ended(job, "rolled back", now_ms)
        self._put(job.again(Who.CENTRAL, now_ms, is_back=True, attempt=1))

    def _ended(self, job: Job, why: str, now_ms: int) -> Job:
        """End what is under way, for another job of the same site takes its place."""
        if job.state is J.QUEUED:
            return job.to(J.CANCELED, Who.CENTRAL, now_ms)
        if job.state in {J.UNREACHABLE, J.REJECTED, J.SOAKING, J.VERIFYING}:
            failure = FailureType.OPERATOR
            return job.to(J.FAILED, Who.CENTRAL, now_ms, failure=failure, detail=why)
        return job.to(J.TIMED_OUT, Who.CENTRAL, now_ms, detail=why)

    def _skip(self, wave: int, now_ms: int) -> None:
        """Leave a failed wave as it is: who was not offered anything in it is not any more."""
        for job in [each for each in self.jobs.values() if each.wave == wave]:
            if job.state in {J.QUEUED, J.REJECTED} or job.was is J.QUEUED:
                self._put(_dropped(job, "its wave was skipped", now_ms))
        self._wave(wave, W.SKIPPED, Who.OPERATOR, now_ms, why="skipped by an operator")

    def _retry(self, wave: int, now_ms: int) -> None:
        """Give the failed sites of a wave another attempt."""
        for job in [each for each in self.jobs.values() if each.wave == wave]:
            if job.state in JOB_FAILURES:
                self._put(job.again(Who.OPERATOR, now_ms))
        self._wave(wave, W.RELEASING, Who.OPERATOR, now_ms, released_ms=now_ms)

    # -- offers ------------------------------------------------------------------------------

    def _offers(self, sight: Sight, around: Around, now_ms: int) -> list[Job]:
        waves = self._open_waves()
        if not waves:
            return []
        rules = self.rules(waves[0])
        room = min(self._room(waves[0], rules, around), self._allowed(rules, waves[0], now_ms))
        offered: list[Job] = []
        for wave in waves:
            queue = self._queues.get(wave, deque())
            for _ in range(len(queue)):
                if len(offered) >= room:
                    break
                name = queue.popleft()
                job = self.jobs[name]
                if job.state is not J.QUEUED or job.wave != wave:
                    continue
                made = self._offer(job, rules, sight, around, now_ms)
                if made is None:
                    if self.jobs[name].state is J.QUEUED:
                        queue.append(name)
                    continue
                offered.append(made)
        self._tokens -= len(offered)
        return offered

    def _open_waves(self) -> Sequence[int]:
        """Return the waves whose sites may be offered: one, or on the way back the newest first."""
        if self.head.state is R.ROLLING_BACK:
            return sorted((wave for wave, queue in self._queues.items() if queue), reverse=True)
        is_open = self.head.state is R.RUNNING and self.head.waves[self.head.wave].state in {
            W.RELEASING,
            W.RUNNING,
        }
        return (self.head.wave,) if is_open else ()

    def _room(self, wave: int, rules: Settled, around: Around) -> int:
        most = rules.max_in_flight
        of_fleet = most.fleet - around.in_flight - self.in_flight()
        of_wave = most.wave - self.tally(wave).in_flight
        return max(0, min(of_fleet, of_wave, OFFERS_MAX))

    def _allowed(self, rules: Settled, wave: int, now_ms: int) -> int:
        """Return how many the rate allows now; unused minutes are not saved up."""
        rate = gate.rate_per_minute(rules, self.tally(wave).succeeded)
        passed_ms = max(0, now_ms - self._tokens_ms)
        self._tokens = min(self._tokens + rate * passed_ms / _MINUTE_MS, max(rate, 1.0))
        self._tokens_ms = now_ms
        return int(self._tokens)

    def _offer(
        self, job: Job, rules: Settled, sight: Sight, around: Around, now_ms: int
    ) -> Job | None:
        """Offer a job unless a cap or its site is in the way."""
        most = rules.max_in_flight
        of_hw = self.hw[job.hw] + around.hw.get(job.hw, 0)
        of_link = self.link[job.link] + around.link.get(job.link, 0)
        is_full = of_hw >= most.hw_model or (bool(job.link) and of_link >= most.link)
        if is_full or job.site in around.busy:
            return None
        standing, terms = sight(job), self._terms(job)
        looked = site.look(job, standing, terms, now_ms)
        if looked.state is not J.QUEUED:
            self._put(looked)
            return None
        bad = None if job.is_back else site.blocking(standing, terms)
        if bad is not None:
            why = f"held back: alarm {bad.key}"
            if job.detail != why:
                self._put(msgspec.structs.replace(job, detail=why))
            return None
        offered = looked.to(
            J.OFFERED, Who.CENTRAL, now_ms,
            offered_ms=now_ms, due_ms=now_ms + ANSWER_MS, detail="", boots=standing.boots,
            alarms=tuple(each.key for each in standing.alarms),
        )  # fmt: skip
        self._put(offered)
        return offered

    # -- waves -------------------------------------------------------------------------------

    def _advance(self, around: Around, now_ms: int) -> None:
        """Move the wave whose turn it is, and the next ones as far as they go."""
        if around.dark_pct > gate.FLEET_DARK_PCT_MAX or around.is_deaf:
            why = "the centre hears no broker well" if around.is_deaf else (
                f"{around.dark_pct:.0f} % of the fleet is silent: the network first"
            )  # fmt: skip
            self.rest(Pause.UNREACHABLE, why, now_ms)
            return
        while self.head.state is R.RUNNING:
            before = (self.head.wave, self.head.waves[self.head.wave].state)
            self._move_wave(self.head.wave, now_ms)
            if (self.head.wave, self.head.waves[self.head.wave].state) == before:
                break

    def _move_wave(self, wave: int, now_ms: int) -> None:
        now, tally, rules = self.head.waves[wave], self.tally(wave), self.rules(wave)
        match now.state:
            case W.PENDING:
                self._release(wave, now_ms)
            case W.RELEASING | W.RUNNING:
                self._judge(wave, tally, rules, now_ms)
            case W.SOAKING:
                self._soak(wave, tally, rules, now_ms)
            case W.PASSED | W.SKIPPED:
                self._next(wave, now_ms)
            case W.FAILED:
                pass

    def _release(self, wave: int, now_ms: int) -> None:
        tally = self.tally(wave)
        if tally.unmeant + tally.states[J.CANCELED] == tally.size:
            self._wave(wave, W.SKIPPED, Who.CENTRAL, now_ms, why="no site of it needs the release")
        elif self.rules(wave).gates.manual and not self.head.waves[wave].is_promoted:
            why = "waits for somebody to promote it"
            if self.head.waves[wave].why != why:
                waiting = msgspec.structs.replace(self.head.waves[wave], why=why)
                self._set_wave(wave, waiting, now_ms)
        else:
            self._tokens = max(self._tokens, 1.0)
            self._wave(wave, W.RELEASING, Who.CENTRAL, now_ms, released_ms=now_ms)

    def _judge(self, wave: int, tally: Tally, rules: Settled, now_ms: int) -> None:
        why = gate.error(tally, rules)
        if why:
            self._fail(wave, self._naming(why, wave), now_ms)
            return
        is_late = now_ms >= self.deadline_ms(wave)
        if not tally.open or is_late:
            self._settle(wave, tally, rules, now_ms, is_late=is_late)
        elif self.head.waves[wave].state is W.RELEASING and not tally.states[J.QUEUED]:
            self._wave(wave, W.RUNNING, Who.CENTRAL, now_ms)

    def _settle(
        self, wave: int, tally: Tally, rules: Settled, now_ms: int, *, is_late: bool
    ) -> None:
        """End a wave that nobody is waited for in, or whose time is over."""
        is_catch_up = self.head.waves[wave].name == CATCH_UP
        if gate.is_success(tally, rules) and (not is_catch_up or is_late or not tally.silent):
            self._wave(wave, W.SOAKING, Who.CENTRAL, now_ms, soaked_ms=0)
        elif is_late and is_catch_up:
            self._close(wave, now_ms)
            self._wave(wave, W.SOAKING, Who.CENTRAL, now_ms, soaked_ms=rules.soak_ms)
        elif tally.silent and not tally.failed(rules):
            if is_late:
                why = f"{tally.silent} of {tally.size} sites of wave {wave + 1} are silent"
                self.rest(Pause.UNREACHABLE, why, now_ms)
        elif tally.unmeant == tally.size:
            self._wave(wave, W.SOAKING, Who.CENTRAL, now_ms, soaked_ms=rules.soak_ms)
        elif is_late or not tally.open:
            self._fail(wave, self._naming("too few sites have it at its end", wave), now_ms)

    def _soak(self, wave: int, tally: Tally, rules: Settled, now_ms: int) -> None:
        why = gate.error(tally, rules)
        if why:
            self._fail(wave, self._naming(why, wave), now_ms)
            return
        now = self.head.waves[wave]
        spent_ms = min(max(0, now_ms - now.since_ms), TURN_MS_MAX)
        if gate.is_hearing(tally):
            now = msgspec.structs.replace(now, soaked_ms=now.soaked_ms + spent_ms)
        # ``since_ms`` of a soak is how far its clock was wound, so a restart costs no soak.
        self._set_wave(wave, msgspec.structs.replace(now, since_ms=now_ms), now_ms, is_news=False)
        if now.soaked_ms >= rules.soak_ms:
            self._pass(wave, Who.CENTRAL, now_ms)

    def _pass(self, wave: int, who: Who, now_ms: int) -> None:
        self._close(wave, now_ms)
        self._wave(wave, W.PASSED, who, now_ms)

    def _close(self, wave: int, now_ms: int) -> None:
        """Take those out of a wave that it waits for no longer: to catch up, or not at all.

        They are silent, or were and came back when nothing was offered in it any more.
        """
        left = [
            job
            for job in self.jobs.values()
            if job.wave == wave and job.state in {J.UNREACHABLE, J.QUEUED, J.REJECTED}
        ]
        if not left:
            return
        is_last = self.head.waves[wave].name == CATCH_UP
        if is_last or self.rules(wave).on_unreachable == "drop":
            for job in left:
                self._put(_dropped(job, "it was silent until the wave closed", now_ms))
            return
        later = self._catch_up(now_ms)
        for job in left:
            self._put(_later(job, later, now_ms))

    def _catch_up(self, now_ms: int) -> int:
        """Return the catch-up wave, new where there is none."""
        waves = self.head.waves
        if waves[-1].name != CATCH_UP:
            self._keep(now_ms, waves=(*waves, WaveHead(CATCH_UP)))
        return len(self.head.waves) - 1

    def _next(self, wave: int, now_ms: int) -> None:
        if wave + 1 < len(self.head.waves):
            self._keep(now_ms, wave=wave + 1)
        else:
            self._to(R.COMPLETED, Who.CENTRAL, now_ms)

    def _fail(self, wave: int, why: str, now_ms: int) -> None:
        tally, rules = self.tally(wave), self.rules(wave)
        self._wave(wave, W.FAILED, Who.CENTRAL, now_ms, why=why)
        is_health = tally.worse or tally.failures[FailureType.HEALTH] * 2 > tally.failed(rules)
        match rules.on_error:
            case "abort":
                self.abort(why, now_ms, Who.CENTRAL)
            case "rollback":
                self.roll_back(why, now_ms, Who.CENTRAL)
            case _:
                pause = Pause.HEALTH_GATE if is_health else Pause.ERROR_THRESHOLD
                self.rest(pause, why, now_ms)

    def _naming(self, why: str, wave: int) -> str:
        bad = [job for job in self.failed() if job.wave == wave]
        return f"{why} ({names(bad, NAMED_MAX)})" if bad else why

    # -- the rollout ---------------------------------------------------------------------------

    def _reconsider(self, around: Around, now_ms: int) -> None:
        """Go on by itself where the cause of a pause of the centre's is gone."""
        if self.head.pause not in OPEN_TO_CENTRAL or self.head.pause is Pause.STALE_METADATA:
            return
        is_silent = around.is_deaf or around.dark_pct > gate.FLEET_DARK_PCT_MAX
        tally = self.tally(self.head.wave)
        is_stuck = now_ms >= self.deadline_ms(self.head.wave) and not gate.is_success(
            tally, self.rules(self.head.wave)
        )
        now = self.head.waves[self.head.wave].state
        if not is_silent and not (is_stuck and now not in WAVE_ENDS and now is not W.PENDING):
            self._to(R.RUNNING, Who.CENTRAL, now_ms, pause=None, why="")

    def _abort_ended(self, now_ms: int) -> None:
        if any(tally.in_flight or tally.silent for tally in self.tallies):
            return
        self._to(R.ABORTED, Who.CENTRAL, now_ms)

    def _back_ended(self, now_ms: int) -> None:
        is_late = now_ms >= self.deadline_ms(self.head.wave)
        if is_late:
            for job in [each for each in self.jobs.values() if each.state is J.UNREACHABLE]:
                self._put(_dropped(job, "it was silent until the way back closed", now_ms))
        if not any(tally.open or tally.silent for tally in self.tallies):
            self._to(R.ROLLED_BACK, Who.CENTRAL, now_ms)

    def _start(self, who: Who, now_ms: int) -> None:
        self._to(R.RUNNING, who, now_ms)

    def _to(self, state: RolloutState, who: Who, now_ms: int, **changes: Any) -> None:  # noqa: ANN401 - fields of Head
        check(self.head.state, state, who)
        self._keep(now_ms, state=state, **changes)
        why = f": {self.head.why}" if self.head.why else ""
        self.news.append(f"{state}{why}")

    def _wave(self, wave: int, state: WaveState, who: Who, now_ms: int, **changes: Any) -> None:  # noqa: ANN401 - fields of WaveHead
        before = self.head.waves[wave]
        check(before.state, state, who)
        told = {"why": "", **changes}
        after = msgspec.structs.replace(before, state=state, since_ms=now_ms, **told)
        self._set_wave(wave, after, now_ms)
        why = f": {after.why}" if after.why else ""
        self.news.append(f"wave {wave + 1} ({after.name}) {state}{why}")

    def _set_wave(self, wave: int, after: WaveHead, now_ms: int, *, is_news: bool = True) -> None:
        waves = list(self.head.waves)
        waves[wave] = after
        if is_news:
            self._keep(now_ms, waves=tuple(waves))
        else:
            self.head = msgspec.structs.replace(self.head, waves=tuple(waves))

    def _keep(self, now_ms: int, **changes: Any) -> None:  # noqa: ANN401 - fields of Head
        self.head = msgspec.structs.replace(
            self.head, changed_ms=now_ms, rev=self.head.rev + 1, **changes
        )

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
            assert (kept.size, kept.lost, kept.dark, kept.worse, kept.retrying) == (  # noqa: S101
                counted.size, counted.lost, counted.dark, counted.worse, counted.retrying,
            ), "counts"  # fmt: skip


def begun(head: Head, state: RolloutState, now_ms: int) -> Head:
    """Return a new rollout's head once its plan was looked at.

    Raises:
        MoveError: the table has no such way.
    """
    check(R.DRAFT, R.VALIDATING, Who.OPERATOR)
    check(R.VALIDATING, state, Who.CENTRAL)
    return msgspec.structs.replace(head, state=state, changed_ms=now_ms)


def _dropped(job: Job, why: str, now_ms: int) -> Job:
    state = J.TIMED_OUT if job.state is J.UNREACHABLE else J.CANCELED
    return job.to(state, Who.CENTRAL, now_ms, was=None, failure=None, detail=why)


def _later(job: Job, wave: int, now_ms: int) -> Job:
    """Return a job in the catch-up wave; what was offered before gets another attempt."""
    if job.state is not J.UNREACHABLE:
        return msgspec.structs.replace(job, wave=wave)
    if job.was in {None, J.QUEUED}:
        told = {"was": None, "dark_ms": 0, "wave": wave, "unanswered": 0}
        return job.to(J.QUEUED, Who.CENTRAL, now_ms, **told)
    return job.again(Who.CENTRAL, now_ms, dark_ms=0, wave=wave)


def by_type(jobs: Iterable[Job]) -> Mapping[tuple[str, str], list[str]]:
    """Return failed sites grouped by type and reason, the largest group first."""
    found: dict[tuple[str, str], list[str]] = {}
    for job in jobs:
        failure = FailureType.HEALTH if job.state is J.SUCCEEDED else job.failure
        key = (str(failure or FailureType.TIMEOUT), reason_of(job))
        found.setdefault(key, []).append(job.site)
    return dict(sorted(found.items(), key=lambda one: (-len(one[1]), one[0])))


def reason_of(job: Job) -> str:
    """Return why a job failed, without what differs from site to site."""
    words = job.detail.partition(" (")[0].replace(job.site, "SITE")
    return words[:200] or str(job.state)
