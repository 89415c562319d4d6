"""What one site's job does next, by what the site says and what is seen of it. Pure.

A job moves by itself only when it is looked at: with news of its site, and when ``due_ms`` comes.
"""

from typing import Final

import msgspec

from roost_central.rollout.head import Standing
from roost_central.rollout.job import Job
from roost_central.rollout.judgement import Terms
from roost_central.rollout.site_steps import AT_WORK, step
from roost_central.rollout.site_word import heard, regained
from roost_central.rollout.table import JobState, Who

STEPS_MAX: Final = 8  # of one look; each leads on

J = JobState


def look(job: Job, standing: Standing, terms: Terms, now_ms: int) -> Job:
    """Return a job as it is from now on; the same one where nothing is new."""
    is_let_go = job.is_let_go and job.is_ended
    if is_let_go and not job.is_ending:
        return job  # what its site does now is a newer rollout's, or there is none
    for node, report in standing.said:
        job = heard(job, node, report)
    if is_let_go:
        return job
    job = regained(job)
    if job.is_shut != standing.is_shut:
        job = msgspec.structs.replace(job, is_shut=standing.is_shut)
    for _ in range(STEPS_MAX):
        after = _step(job, standing, terms, now_ms)
        if after is job:
            break
        job = after
    if job.state is J.WAITING and job.is_shut and job.touched and not job.is_back:
        job = msgspec.structs.replace(job, touched=False)  # all of its nodes are as they were
    if job.state in AT_WORK and not job.due_ms:
        job = msgspec.structs.replace(job, due_ms=max(terms.deadline_ms, now_ms + 1))
    return job


def _step(job: Job, standing: Standing, terms: Terms, now_ms: int) -> Job:
    if standing.is_dark:
        return _dark(job, terms, now_ms)
    if job.dark_ms:
        return _back(job, now_ms)
    return step(job, standing, terms, now_ms)


def _dark(job: Job, terms: Terms, now_ms: int) -> Job:
    """Set a silent site apart: it is not failed, and takes no slot."""
    silent_ms = terms.rules.silent_ms
    if job.state is J.UNREACHABLE or (job.is_ended and job.dark_ms):
        if job.touched and not job.is_lost and now_ms - job.dark_ms >= silent_ms:
            return msgspec.structs.replace(job, is_lost=True, due_ms=0)
        return job
    due_ms = now_ms + silent_ms if job.touched else 0
    if job.is_ended:
        if job.state is not J.SUCCEEDED:
            return job
        return msgspec.structs.replace(job, dark_ms=now_ms, due_ms=due_ms)
    if job.state is J.REJECTED:
        return job
    soaked_ms = job.soaked_ms + (now_ms - job.since_ms if job.state is J.SOAKING else 0)
    return job.to(
        J.UNREACHABLE, Who.CENTRAL, now_ms,
        was=job.state, dark_ms=now_ms, due_ms=due_ms, soaked_ms=soaked_ms,
    )  # fmt: skip


def _back(job: Job, now_ms: int) -> Job:
    heard_again: dict[str, object] = {"dark_ms": 0, "is_lost": False}
    if job.state is not J.UNREACHABLE or job.was is None:
        return msgspec.structs.replace(job, due_ms=0, **heard_again)
    return job.to(job.was, Who.CENTRAL, now_ms, was=None, due_ms=now_ms, **heard_again)
