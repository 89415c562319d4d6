"""Who comes later: sites that were silent when their wave closed, and those that joined. Pure.

They have the first wave to come, or one behind all others that is made for them.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from roost_central.rollout.course import Course
from roost_central.rollout.head import WaveHead
from roost_central.rollout.job import Job
from roost_central.rollout.table import JobState, WaveState, Who

CATCH_UP: Final = "catch-up"

W, J = WaveState, JobState


def join(course: Course, members: Iterable[Job], now_ms: int) -> None:
    """Take in sites that came later: into the first wave to come, else the catch-up wave."""
    waves = course.head.waves
    wave = next((each for each, of in enumerate(waves) if of.state is W.PENDING), None)
    if wave is None:
        wave = _wave(course, now_ms)
    for job in members:
        course.put(msgspec.structs.replace(job, wave=wave, since_ms=now_ms))


def close(course: Course, wave: int, now_ms: int) -> None:
    """Take those out of a wave that it waits for no longer: to catch up, or not at all.

    They are silent, or were and came back when nothing was offered in it any more.
    """
    left = [
        job
        for job in course.jobs.values()
        if job.wave == wave and job.state in {J.UNREACHABLE, J.QUEUED, J.REJECTED}
    ]
    if not left:
        return
    is_last = course.head.waves[wave].name == CATCH_UP
    if is_last or course.rules(wave).on_unreachable == "drop":
        for job in left:
            course.put(dropped(job, "it was silent until the wave closed", now_ms))
        return
    later = _wave(course, now_ms)
    for job in left:
        course.put(_later(job, later, now_ms))


def _wave(course: Course, now_ms: int) -> int:
    """Return the catch-up wave, new where there is none."""
    waves = course.head.waves
    if waves[-1].name != CATCH_UP:
        course.keep(now_ms, waves=(*waves, WaveHead(CATCH_UP)))
    return len(course.head.waves) - 1


def dropped(job: Job, why: str, now_ms: int) -> Job:
    """Return a job that is waited for no longer."""
    state = J.TIMED_OUT if job.state is J.UNREACHABLE else J.CANCELED
    return job.to(state, Who.CENTRAL, now_ms, was=None, failure=None, detail=why)


def _later(job: Job, wave: int, now_ms: int) -> Job:
    """Return a job in the catch-up wave; what was offered before gets another attempt."""
    if job.state is J.QUEUED and job.put_off_ms:  # what nodes have of it ends with its wave
        fresh = {"said": {}, "put_off_ms": 0, "due_ms": 0, "attempt": job.attempt + 1}
        return msgspec.structs.replace(job, wave=wave, **fresh)
    if job.state is not J.UNREACHABLE:
        return msgspec.structs.replace(job, wave=wave)
    if job.was in {None, J.QUEUED}:
        told = {"was": None, "dark_ms": 0, "wave": wave, "unanswered": 0}
        return job.to(J.QUEUED, Who.CENTRAL, now_ms, **told)
    return job.again(Who.CENTRAL, now_ms, dark_ms=0, wave=wave)
