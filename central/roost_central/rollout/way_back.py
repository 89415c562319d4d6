"""Giving a rollout up, and going back: what becomes of each of its sites. Pure."""

from collections.abc import Iterable

import msgspec

from roost_central.rollout.catch_up import dropped
from roost_central.rollout.course import Course
from roost_central.rollout.failures import FORMER_UNKNOWN
from roost_central.rollout.head import Head
from roost_central.rollout.job import Job
from roost_central.rollout.site_steps import AT_WORK
from roost_central.rollout.table import JOB_ENDS, JOB_FAILURES, JobState, Kind, RolloutState, Who
from roost_protocol.update import FailureType

R, J = RolloutState, JobState

_LEFT = frozenset({J.UNREACHABLE, J.QUEUED, J.REJECTED})  # at a deadline: nothing is under way


def abort(course: Course, why: str, now_ms: int, who: Who = Who.OPERATOR) -> None:
    """Offer nothing more, and ask sites to give up what is not done yet.

    Raises:
        MoveError: it has not begun, or is at its end.
    """
    if course.head.state is R.SCHEDULED:
        course.to(R.ABORTED, who, now_ms, why=why)
        return
    course.to(R.ABORTING, who, now_ms, pause=None, why=why)
    for job in list(course.jobs.values()):
        _give_up(course, job, now_ms)
    abort_ended(course, now_ms)


def roll_back(course: Course, why: str, now_ms: int, who: Who = Who.OPERATOR) -> None:
    """Send every site that was touched back to the release it had, the newest wave first.

    Raises:
        MoveError: it has not begun, or is at its end.
    """
    course.to(R.ROLLING_BACK, who, now_ms, pause=None, why=why, back_ms=now_ms)
    for job in list(course.jobs.values()):
        if is_to_go_back(job):
            _send_back(course, job, now_ms)
        else:
            _give_up(course, job, now_ms)
    back_ended(course, now_ms)


def is_reopened(head: Head) -> bool:
    """Say whether a rollout at its end may be rolled back: one of a release that was aborted."""
    return head.kind is Kind.RELEASE and head.state is R.ABORTED


def is_to_go_back(job: Job) -> bool:
    """Say whether a site may run the release, or half of it: however its job ended.

    A node may have it for good in a site that gave it up; an attempt that was canceled may have
    come after one that went in.
    """
    is_there = job.is_back and job.state in {J.SUCCEEDED, J.NOT_NEEDED}
    return job.touched and not job.is_let_go and not is_there


def send_back_late(course: Course, names: Iterable[str], now_ms: int) -> None:
    """Send sites back that turn out to have the release after all: their word came late."""
    have_it = {J.VERIFYING, J.SOAKING, *JOB_ENDS}
    for job in [course.jobs[name] for name in names]:
        is_left = job.is_back or not job.former[1]
        if is_to_go_back(job) and not is_left and job.state in have_it:
            _send_back(course, job, now_ms)


def abort_ended(course: Course, now_ms: int) -> None:
    """End an abort once no site is at work on it; a silent one is waited for to the deadline."""
    if now_ms >= course.deadline_ms(course.head.wave):
        for job in [each for each in course.jobs.values() if each.state is J.UNREACHABLE]:
            course.put(dropped(job, "it was silent until the abort closed", now_ms))
    if any(tally.in_flight or tally.silent for tally in course.tallies):
        return
    course.to(R.ABORTED, Who.CENTRAL, now_ms)


def back_ended(course: Course, now_ms: int) -> None:
    """End the way back once nobody is waited for, or its time is over."""
    is_late = now_ms >= course.deadline_ms(course.head.wave)
    if is_late:
        for job in [each for each in course.jobs.values() if each.state in _LEFT]:
            why = "it was silent" if job.state is J.UNREACHABLE else job.detail or "it waited"
            course.put(dropped(job, f"{why}, until the way back closed", now_ms))
    if not any(tally.open or tally.silent for tally in course.tallies):
        course.to(R.ROLLED_BACK, Who.CENTRAL, now_ms)


def _give_up(course: Course, job: Job, now_ms: int) -> None:
    """Cancel what is not offered, ask for what is."""
    is_waiting = job.state is J.UNREACHABLE and job.was is J.QUEUED
    if job.state in {J.QUEUED, J.REJECTED} or is_waiting:
        if job.nodes_at_work:  # others of its site had no room for it yet
            course.cancels.append(job)
        course.put(job.to(J.CANCELED, Who.CENTRAL, now_ms, was=None))
    elif job.state in AT_WORK or (job.state is J.UNREACHABLE and job.was in AT_WORK):
        asked = msgspec.structs.replace(job, is_canceling=True)
        course.put(asked)
        course.cancels.append(asked)
    elif job.state in JOB_FAILURES and job.due_ms:
        course.put(msgspec.structs.replace(job, due_ms=0))


def _send_back(course: Course, job: Job, now_ms: int) -> None:
    """Queue a site for its way back; one whose former release nobody knows is listed."""
    if job.state in AT_WORK or job.was in AT_WORK:
        course.cancels.append(job)  # the site drops it, or takes the way back after it
    if not job.former[1]:
        why = FORMER_UNKNOWN
        if job.state not in JOB_ENDS:
            job = _ended(job, why, now_ms)
        course.put(msgspec.structs.replace(job, detail=why))
        return
    if job.state not in JOB_ENDS:
        job = _ended(job, "rolled back", now_ms)
    attempt = job.attempt + 1 if job.is_back else 1  # of this way: nodes had those before
    course.put(job.again(Who.CENTRAL, now_ms, is_back=True, attempt=attempt))


def _ended(job: Job, why: str, now_ms: int) -> Job:
    """End what is under way, for another job of the same site takes its place."""
    if job.state is J.QUEUED:
        return job.to(J.CANCELED, Who.CENTRAL, now_ms)
    if job.state in {J.UNREACHABLE, J.REJECTED, J.SOAKING, J.VERIFYING}:
        failure = FailureType.OPERATOR
        return job.to(J.FAILED, Who.CENTRAL, now_ms, failure=failure, detail=why)
    return job.to(J.TIMED_OUT, Who.CENTRAL, now_ms, detail=why)
