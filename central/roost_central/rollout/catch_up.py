"""Who comes later: sites that were silent when their wave closed, and those that joined. Pure.

They have the first wave to come, or one behind all others that is made for them. In that one, the
catch-up wave, each site has the wave's time from its own start on: its first offer there. Who is
not offered it by the wave's own deadline is waited for no longer, so it lasts twice that at most.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from roost_central.rollout.course import Course
from roost_central.rollout.head import WaveHead
from roost_central.rollout.job import Job
from roost_central.rollout.table import JobState, WaveState, Who

CATCH_UP: Final = "catch-up"
SILENT: Final = "it was silent until the wave closed"

W, J = WaveState, JobState

_LEFT: Final = frozenset({J.UNREACHABLE, J.QUEUED, J.REJECTED})  # at a deadline: nothing is at work
_TAKES: Final = frozenset({W.PENDING, W.RELEASING, W.RUNNING})  # offers are made in it, or will be


def join(course: Course, members: Iterable[Job], now_ms: int) -> None:
    """Take in sites that came later: into the first wave to come, else the catch-up wave."""
    waves = course.head.waves
    wave = next((each for each, of in enumerate(waves) if of.state is W.PENDING), None)
    if wave is None:
        wave = _wave(course, now_ms)
        if course.head.waves[wave].state not in _TAKES or now_ms >= course.deadline_ms(wave):
            return  # nothing is offered in it any more
    for job in members:
        course.put(msgspec.structs.replace(job, wave=wave, since_ms=now_ms))


def close(course: Course, wave: int, now_ms: int) -> None:
    """Take those out of a wave that it waits for no longer: to catch up, or not at all.

    They are silent, or were and came back when nothing was offered in it any more.
    """
    left = [job for job in course.jobs.values() if job.wave == wave and job.state in _LEFT]
    if not left:
        return
    if is_catch_up(course, wave) or course.rules(wave).on_unreachable == "drop":
        for job in left:
            course.put(dropped(job, SILENT, now_ms))
        return
    later = _wave(course, now_ms)
    for job in left:
        course.put(_later(job, later, now_ms))


def is_catch_up(course: Course, wave: int) -> bool:
    """Say whether a wave is the one for those who come later."""
    return course.head.waves[wave].name == CATCH_UP


def ends_late(course: Course, wave: int, now_ms: int) -> bool:
    """Say whether the catch-up wave's time is over for each of its sites, once its deadline is.

    Who was not offered it until then is waited for no longer.
    """
    is_over = True
    for job in [each for each in course.jobs.values() if each.wave == wave and not each.is_ended]:
        if job.began_ms and now_ms < course.job_deadline_ms(job):
            is_over = False
        elif job.state in _LEFT:
            course.put(dropped(job, SILENT, now_ms))
    return is_over


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
