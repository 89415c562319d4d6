"""The steps of one site's job: in each state, what moves it on, and when it is due. Pure.

Leaves to others: what is seen of the site (judgement.py), what its nodes say (site_word.py), how
many steps one look takes, and silence (site.py).
"""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from roost_central.rollout.head import AlarmSeen, Standing
from roost_central.rollout.job import ANSWER_MS, CLEAN_BEATS, OFFERS_MAX, Job
from roost_central.rollout.judgement import Terms, is_measured, judged, runs, worse
from roost_central.rollout.site_word import VERIFY_MS, freed, told, word_of
from roost_central.rollout.table import IN_FLIGHT, JOB_FAILURES, JobState, Who
from roost_protocol.update import FailureType, SiteState

AT_WORK: Final = IN_FLIGHT - {JobState.VERIFYING, JobState.SOAKING}
# Of local HA, as each node's turn takes a standby; of the ways to a site, which are not its own.
TURN: Final = ("400.", "280.")

SOAKS: Final = "soaks: no new alarm may come"

J = JobState

_ANSWERING: Final = frozenset({J.OFFERED, J.ACCEPTED})  # some nodes of a site answer before others


def step(job: Job, standing: Standing, terms: Terms, now_ms: int) -> Job:
    """Return a job after one step; the same one where nothing moves it."""
    of_state = STEPS.get(job.state)
    return job if of_state is None else of_state(job, standing, terms, now_ms)


def _queued(job: Job, standing: Standing, terms: Terms, now_ms: int) -> Job:
    if runs(job, standing, terms):
        return job.to(J.NOT_NEEDED, Who.CENTRAL, now_ms, detail="it runs it already")
    return freed(job, now_ms) if standing.is_free else job


def _at_work(job: Job, standing: Standing, terms: Terms, now_ms: int) -> Job:
    word = word_of(job)
    if word is not None and word.state is SiteState.NOT_NEEDED and job.state in _ANSWERING:
        return _unneeded(job, standing, terms, now_ms)
    after = told(job, now_ms)
    if after is not job:
        return after
    if runs(job, standing, terms):
        return job.to(J.VERIFYING, Who.CENTRAL, now_ms, touched=True, due_ms=now_ms + VERIFY_MS)
    if job.state is J.OFFERED:
        return _offered(job, now_ms)
    if now_ms >= terms.deadline_ms and not job.is_shut:
        why = f": {job.detail}" if job.detail else ""
        return _timed_out(job, f"{job.state} at the wave's deadline{why}", now_ms)
    return _due(job, terms.deadline_ms)


def _unneeded(job: Job, standing: Standing, terms: Terms, now_ms: int) -> Job:
    """Believe that a site needs nothing once its nodes say that they run the release."""
    if not judged(job, job.nodes, terms.plan):
        text = "the plan leaves out what its nodes are for"
        return job.to(J.NOT_NEEDED, Who.CENTRAL, now_ms, detail=text)
    if runs(job, standing, terms):
        return job.to(J.NOT_NEEDED, Who.CENTRAL, now_ms, detail="it runs it already")
    if now_ms - job.since_ms >= VERIFY_MS:
        why = "it says that it needs nothing, but its nodes do not say that they run the release"
        return _timed_out(job, why, now_ms)
    return _due(job, job.since_ms + VERIFY_MS)


def _offered(job: Job, now_ms: int) -> Job:
    if now_ms - job.offered_ms < ANSWER_MS:
        return _due(job, job.offered_ms + ANSWER_MS)
    unanswered = job.unanswered + 1
    if unanswered >= OFFERS_MAX:
        return job.to(
            J.UNREACHABLE, Who.CENTRAL, now_ms,
            was=J.QUEUED, unanswered=unanswered, dark_ms=0, detail="it answers no offer",
        )  # fmt: skip
    return job.to(J.QUEUED, Who.CENTRAL, now_ms, unanswered=unanswered)


def _verifying(job: Job, standing: Standing, terms: Terms, now_ms: int) -> Job:
    after = told(job, now_ms)
    if after is not job:
        return after
    bad = worse(job, standing, terms.plan)
    is_late = now_ms - job.since_ms >= VERIFY_MS
    if bad is not None and (is_late or not bad.type.startswith(TURN)):
        return _unwell(job, bad, now_ms)
    if bad is not None or not is_measured(job, standing, terms):
        if is_late:
            return _timed_out(job, "its nodes do not say that they run the release", now_ms)
        return _waits(job, _missing(job, standing, terms, bad), job.since_ms + VERIFY_MS)
    clean_ms = job.since_ms + CLEAN_BEATS * standing.beat_ms
    if now_ms < clean_ms:
        return _waits(job, f"waits for {CLEAN_BEATS} clean beats of its nodes", clean_ms)
    due_ms = now_ms + terms.rules.site_soak_ms
    return job.to(J.SOAKING, Who.CENTRAL, now_ms, due_ms=due_ms, detail=SOAKS)


def _soaking(job: Job, standing: Standing, terms: Terms, now_ms: int) -> Job:
    after = told(job, now_ms)
    if after is not job:
        return after
    bad = worse(job, standing, terms.plan)
    last_ms = job.since_ms + terms.rules.site_soak_ms + VERIFY_MS
    if bad is not None and (now_ms >= last_ms or not bad.type.startswith(TURN)):
        return _unwell(job, bad, now_ms)
    if bad is not None:
        return _waits(job, f"waits for the end of alarm {bad.type}", last_ms)
    if not runs(job, standing, terms):
        why = "a node does not run the release any more"
        return job.to(J.FAILED, Who.CENTRAL, now_ms, failure=FailureType.HEALTH, detail=why)
    left_ms = terms.rules.site_soak_ms - job.soaked_ms - (now_ms - job.since_ms)
    if left_ms > 0:
        return _waits(job, SOAKS, now_ms + left_ms)
    return job.to(J.SUCCEEDED, Who.CENTRAL, now_ms, detail="", failure=None)


def _watched(job: Job, standing: Standing, terms: Terms, _now_ms: int) -> Job:
    """Note what is wrong with a site that has it: its wave goes by that, it does not move."""
    bad = worse(job, standing, terms.plan)
    detail = "" if bad is None else _alarm(bad)
    return job if detail == job.detail else msgspec.structs.replace(job, detail=detail)


def _rejected(job: Job, _standing: Standing, terms: Terms, now_ms: int) -> Job:
    if now_ms >= terms.deadline_ms:
        failure = job.failure or FailureType.OPERATOR
        return job.to(J.FAILED, Who.CENTRAL, now_ms, failure=failure, detail=job.detail)
    if now_ms < job.due_ms:
        return job
    if job.nodes_at_work:  # they have this attempt, and would refuse another
        return job.to(J.QUEUED, Who.CENTRAL, now_ms)
    return job.to(J.QUEUED, Who.CENTRAL, now_ms, said={}, attempt=job.attempt + 1)


def _failed(job: Job, _standing: Standing, terms: Terms, now_ms: int) -> Job:
    """Give a job another attempt where its failure's type has one."""
    wait_ms = None
    if terms.is_retrying and job.failure is not None and not job.is_let_go:
        wait_ms = terms.rules.retry_ms(job.failure, job.attempt)
    if wait_ms is None:
        return _due(job, 0)
    due_ms = job.since_ms + wait_ms
    if now_ms < due_ms:
        return _due(job, due_ms)
    return job.again(Who.CENTRAL, now_ms)


def _unwell(job: Job, bad: AlarmSeen, now_ms: int) -> Job:
    detail = _alarm(bad)
    return job.to(J.FAILED, Who.CENTRAL, now_ms, failure=FailureType.HEALTH, detail=detail)


def _alarm(bad: AlarmSeen) -> str:
    return f"new alarm {bad.type} ({bad.key.partition('|')[2]})"


def _timed_out(job: Job, why: str, now_ms: int) -> Job:
    return job.to(J.TIMED_OUT, Who.CENTRAL, now_ms, failure=FailureType.TIMEOUT, detail=why)


def _missing(job: Job, standing: Standing, terms: Terms, bad: AlarmSeen | None) -> str:
    """Return what a site that says it is done has yet to show."""
    if bad is not None:
        return f"waits for the end of alarm {bad.type}"
    if runs(job, standing, terms):
        return "waits for its nodes to say that they booted anew"
    return "waits for its nodes to say that they run the release"


def _waits(job: Job, what: str, due_ms: int) -> Job:
    """Return a job that says what it waits for, and until when."""
    if (job.detail, job.due_ms) == (what, due_ms):
        return job
    return msgspec.structs.replace(job, detail=what, due_ms=due_ms)


def _due(job: Job, due_ms: int) -> Job:
    return job if job.due_ms == due_ms else msgspec.structs.replace(job, due_ms=due_ms)


STEPS: Final[Mapping[JobState, Callable[[Job, Standing, Terms, int], Job]]] = {
    J.QUEUED: _queued,
    J.VERIFYING: _verifying,
    J.SOAKING: _soaking,
    J.SUCCEEDED: _watched,
    J.REJECTED: _rejected,
    **dict.fromkeys(JOB_FAILURES, _failed),
    **dict.fromkeys(AT_WORK, _at_work),
}
