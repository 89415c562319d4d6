"""A rollout: what happens to it, and when it starts, rests, goes on and ends. Pure.

Leaves to others: who is in which wave (waves.py), how a wave comes along (progress.py), whose turn
it is (offering.py), who comes later (catch_up.py), the way back (way_back.py), what moves one job
(site.py), what is sent to sites and when anything is written (runner.py), what is known of a site
(``Sight``).

Invariants:
- every move of rollout, wave and job is one of table.py, by who it says;
- a job is counted in one wave, in one state: the tallies are the sums of the jobs;
- nothing is offered unless the rollout runs or goes back, and never beyond its caps;
- success is what a site's nodes say that they run, never its word that it is done.
"""

from collections.abc import Collection, Iterable
from typing import Final

import msgspec

from roost_central.rollout import catch_up, gate, progress, supersede, way_back
from roost_central.rollout.course import Course
from roost_central.rollout.head import Around, Sight
from roost_central.rollout.job import ANSWER_MS, Job
from roost_central.rollout.offering import offers
from roost_central.rollout.site_word import put_off
from roost_central.rollout.table import (
    OPEN_TO_CENTRAL,
    JobState,
    MoveError,
    Pause,
    RolloutState,
    WaveState,
    Who,
)
from roost_protocol.update import FailureType

R, W, J = RolloutState, WaveState, JobState

ASK_AGAIN_MS: Final = 60_000  # between askings of a signer that refused


class Rollout(Course):
    """One rollout with its jobs: what the shell and people have it do."""

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
        looked = self.concerned(news, self.head.wave, now_ms)
        for name in looked:
            self.look(name, sight, now_ms)
        match self.head.state:
            case R.SCHEDULED if self.head.start_ms and now_ms >= self.head.start_ms:
                self.to(R.RUNNING, Who.CENTRAL, now_ms)
            case R.RUNNING if not around.is_deaf:  # who hears nothing well judges nothing
                progress.advance(self, around, now_ms)
            case R.PAUSED:
                self._reconsider(around, now_ms)
            case R.ABORTING:
                way_back.abort_ended(self, now_ms)
            case R.ROLLING_BACK:
                way_back.send_back_late(self, looked, now_ms)
                way_back.back_ended(self, now_ms)
            case _:
                pass
        return [] if around.is_deaf else offers(self, sight, around, now_ms)

    def unsent(self, name: str, why: str, now_ms: int) -> None:
        """Put a job whose offer could not be sent back into the queue; it is offered later."""
        job = self.jobs[name]
        if job.state is J.OFFERED:
            self.put(job.to(J.QUEUED, Who.CENTRAL, now_ms, detail=why))

    def put_off(self, name: str, why: str, now_ms: int) -> None:
        """Take in that a node of a site has no room for its job yet; it is offered again soon."""
        job = self.jobs[name]
        after = put_off(job, why, 0, now_ms)
        if after is not job:
            self.take(after)

    def refused(self, name: str, why: str, now_ms: int) -> None:
        """Take in that a site takes no order of this kind; it is asked again later."""
        job = self.jobs[name]
        if job.state is J.OFFERED:
            told = {"detail": why, "failure": FailureType.PRECHECK}
            self.put(job.to(J.REJECTED, Who.SITE, now_ms, due_ms=now_ms + ANSWER_MS, **told))

    def unsigned(self, name: str, why: str, now_ms: int) -> None:
        """Take in that the signer refuses a site's document: it is asked again a few times.

        A way back is asked for until its deadline.
        """
        job = self.jobs[name]
        if job.state is not J.OFFERED:
            return
        wait_ms = self.rules(job.wave).retry_ms(FailureType.PRECHECK, job.attempt)
        told = {"detail": why, "failure": FailureType.PRECHECK, "offered_ms": 0}
        due_ms = now_ms + (wait_ms or ANSWER_MS)
        after = job.to(J.REJECTED, Who.CENTRAL, now_ms, due_ms=due_ms, **told)
        if wait_ms is None and not job.is_back:
            after = after.to(J.FAILED, Who.CENTRAL, now_ms)
        self.put(after)

    def start(self, now_ms: int) -> None:
        """Begin with the first wave.

        Raises:
            MoveError: it is not scheduled; one that rests is resumed, which asks about its wave.
        """
        self.check_is(R.SCHEDULED)
        self.to(R.RUNNING, Who.OPERATOR, now_ms)

    def pause(self, why: str, now_ms: int) -> None:
        """Offer nothing more until somebody resumes it; sites finish what they have.

        Raises:
            MoveError: it does not run.
        """
        self.to(R.PAUSED, Who.OPERATOR, now_ms, pause=Pause.OPERATOR, why=why)

    def resume(self, how: str, now_ms: int) -> None:
        """Go on.

        Args:
            how: of a failed wave: ``retry`` its failures, or ``skip`` it; of one that waits for
                silent sites alone: ``skip`` them; empty: it has not failed, and has its time again.
            now_ms: UTC.

        Raises:
            MoveError: it does not rest, or its wave failed and nobody says how.
        """
        self.check_is(R.PAUSED)
        wave = self.head.wave
        if wave < len(self.head.waves) and self.head.waves[wave].state is W.FAILED:
            if how not in {"retry", "skip"}:
                ways = "resume --retry gives its failures another try, resume --skip leaves them"
                raise MoveError(f"wave {wave + 1} failed: {ways}")
            if how == "retry":
                progress.retry(self, wave, now_ms)
            else:
                progress.skip(self, wave, now_ms)
        elif how == "skip" and progress.is_all_silent(self, wave):
            progress.leave_silent(self, wave, now_ms)
        elif how:
            raise MoveError(f"wave {wave + 1} has not failed: there is nothing to {how}")
        elif self.head.pause is Pause.UNREACHABLE:
            progress.wait_again(self, wave, now_ms)
        self._go_on(Who.OPERATOR, now_ms)

    def promote(self, now_ms: int) -> None:
        """Open a wave's manual gate, end its soak, or its wait for silent sites: somebody answers.

        Raises:
            MoveError: it does not run, or its wave waits for none of these.
        """
        progress.promote(self, now_ms)

    def abort(self, why: str, now_ms: int, who: Who = Who.OPERATOR) -> None:
        """Offer nothing more, and ask sites to give up what is not done yet.

        Raises:
            MoveError: it has not begun, or is at its end.
        """
        way_back.abort(self, why, now_ms, who)

    def roll_back(self, why: str, now_ms: int, who: Who = Who.OPERATOR) -> None:
        """Send every site that was touched back to the release it had, the newest wave first.

        Raises:
            MoveError: it has not begun, or is at its end.
        """
        way_back.roll_back(self, why, now_ms, who)

    def approved(self, now_ms: int) -> None:
        """Take in that enough people signed.

        Raises:
            MoveError: nobody is waited for.
        """
        self.to(R.SCHEDULED, Who.OPERATOR, now_ms)

    def denied(self, why: str, now_ms: int) -> None:
        """Take in that somebody refuses.

        Raises:
            MoveError: nobody is waited for.
        """
        self.to(R.DENIED, Who.OPERATOR, now_ms, why=why)

    def join(self, members: Iterable[Job], now_ms: int) -> None:
        """Take in sites that came later: into the first wave to come, else the catch-up wave."""
        catch_up.join(self, members, now_ms)

    def supersede(self, sites: Collection[str], by: str, now_ms: int) -> None:
        """Give sites up to a newer rollout of the same component, by its id."""
        supersede.supersede(self, sites, by, now_ms)

    def forget(self, sites: Iterable[str], now_ms: int) -> None:
        """Let sites go that were removed: what was under way is canceled, nothing is sent back."""
        for job in [self.jobs[site] for site in sites if site in self.jobs]:
            if job.is_gone:
                continue
            gone = msgspec.structs.replace(job, is_gone=True, due_ms=0, touched=False)
            if not job.is_ended:
                told = {"was": None, "dark_ms": 0, "detail": "its site was removed"}
                gone = gone.to(J.CANCELED, Who.CENTRAL, now_ms, **told)
            self.put(gone)
            self.news.append(f"{job.site} was removed")

    def _reconsider(self, around: Around, now_ms: int) -> None:
        """Go on by itself where the cause of a pause of the centre's is gone."""
        if self.head.pause not in OPEN_TO_CENTRAL:
            return
        if self.head.pause is Pause.STALE_METADATA and now_ms - self.head.changed_ms < ASK_AGAIN_MS:
            return  # the signer is asked once more, then
        is_silent = around.is_deaf or around.dark_pct > gate.FLEET_DARK_PCT_MAX
        wave = self.head.wave
        is_late = now_ms >= self.deadline_ms(wave)
        is_stuck = is_late and progress.is_all_silent(self, wave)
        if is_silent or (is_stuck and not gate.is_success(self.tally(wave), self.rules(wave))):
            return
        if self.head.pause is Pause.UNREACHABLE:
            progress.wait_again(self, wave, now_ms)
        self._go_on(Who.CENTRAL, now_ms)

    def _go_on(self, who: Who, now_ms: int) -> None:
        """Run again; while it rested nobody asked whether nodes have room by now."""
        for job in [each for each in self.jobs.values() if each.put_off_ms and not each.is_ended]:
            self.put(msgspec.structs.replace(job, put_off_ms=now_ms))
        self.to(R.RUNNING, who, now_ms, pause=None, why="")
