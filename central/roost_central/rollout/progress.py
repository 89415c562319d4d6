"""How the wave whose turn it is comes along: released, judged, soaked, passed or failed. Pure.

Leaves to others: who is in a wave (waves.py), what its counts say (gate.py).
"""

from typing import Final

import msgspec

from roost_central.rollout import gate, kpi, way_back
from roost_central.rollout.catch_up import close, dropped, ends_late, is_catch_up
from roost_central.rollout.course import Course
from roost_central.rollout.head import Around
from roost_central.rollout.job import names
from roost_central.rollout.kpi import Holds
from roost_central.rollout.table import (
    JOB_FAILURES,
    JobState,
    MoveError,
    Pause,
    RolloutState,
    WaveState,
    Who,
)
from roost_protocol.update import FailureType

NAMED_MAX: Final = 3  # sites in a sentence
TURN_MS_MAX: Final = 10_000  # of a soak that one turn counts: a centre that was down heard nobody

R, W, J = RolloutState, WaveState, JobState

_AT_WORK: Final = frozenset({W.RELEASING, W.RUNNING})


def advance(course: Course, around: Around, now_ms: int) -> None:
    """Move the wave whose turn it is, and the next ones as far as they go."""
    if around.dark_pct > gate.FLEET_DARK_PCT_MAX or around.is_deaf:
        why = "the centre hears no broker well" if around.is_deaf else (
            f"{around.dark_pct:.0f} % of the fleet is silent: the network first"
        )  # fmt: skip
        course.rest(Pause.UNREACHABLE, why, now_ms)
        return
    while course.head.state is R.RUNNING:
        before = (course.head.wave, course.head.waves[course.head.wave].state)
        _step(course, course.head.wave, around.kpis, now_ms)
        if (course.head.wave, course.head.waves[course.head.wave].state) == before:
            break


def promote(course: Course, now_ms: int) -> None:
    """Open a wave's manual gate, end its soak, or its wait for silent sites: somebody answers.

    Raises:
        MoveError: it does not run, or its wave waits for none of these.
    """
    if course.head.state is not R.RUNNING:
        raise MoveError(f"the rollout is {course.head.state}: only one that runs is promoted")
    wave = course.head.wave
    now = course.head.waves[wave]
    if now.state is W.SOAKING:
        _pass(course, wave, Who.OPERATOR, now_ms)
    elif is_all_silent(course, wave):
        leave_silent(course, wave, now_ms)
    elif now.state is W.PENDING and course.rules(wave).gates.manual and not now.is_promoted:
        course.set_wave(wave, msgspec.structs.replace(now, is_promoted=True, why=""), now_ms)
    else:
        raise MoveError(f"wave {wave + 1} is {now.state}: no gate or soak holds it back")


def skip(course: Course, wave: int, now_ms: int) -> None:
    """Leave a failed wave as it is: who was not offered anything in it is not any more."""
    for job in [each for each in course.jobs.values() if each.wave == wave]:
        if job.state in {J.QUEUED, J.REJECTED} or job.was is J.QUEUED:
            if job.nodes_at_work:
                course.cancels.append(job)
            course.put(dropped(job, "its wave was skipped", now_ms))
    course.move_wave(wave, W.SKIPPED, Who.OPERATOR, now_ms, why="skipped by an operator")


def retry(course: Course, wave: int, now_ms: int) -> None:
    """Give the failed sites of a wave another attempt."""
    for job in [each for each in course.jobs.values() if each.wave == wave]:
        if job.state in JOB_FAILURES and not job.is_let_go:
            course.put(job.again(Who.OPERATOR, now_ms))
    course.move_wave(wave, W.RELEASING, Who.OPERATOR, now_ms, released_ms=now_ms)


def is_all_silent(course: Course, wave: int) -> bool:
    """Say whether an open wave waits for silent sites alone."""
    tally = course.tally(wave)
    return course.head.waves[wave].state in _AT_WORK and tally.silent > 0 and not tally.open


def leave_silent(course: Course, wave: int, now_ms: int) -> None:
    """End a wave without its silent sites: they catch up or not, as its plan says."""
    close(course, wave, now_ms)
    why = "ended by an operator without its silent sites"
    course.move_wave(wave, W.SKIPPED, Who.OPERATOR, now_ms, why=why)


def wait_again(course: Course, wave: int, now_ms: int) -> None:
    """Let the deadline of an open wave count from now where it is over: a rest is no failure."""
    now = course.head.waves[wave]
    if now.state in _AT_WORK and now_ms >= course.deadline_ms(wave):
        course.set_wave(wave, msgspec.structs.replace(now, released_ms=now_ms), now_ms)


def _step(course: Course, wave: int, holds: Holds, now_ms: int) -> None:
    match course.head.waves[wave].state:
        case W.PENDING:
            _release(course, wave, now_ms)
        case W.RELEASING | W.RUNNING:
            _judge(course, wave, holds, now_ms)
        case W.SOAKING:
            _soak(course, wave, holds, now_ms)
        case W.PASSED | W.SKIPPED:
            _next(course, wave, now_ms)
        case W.FAILED:
            pass


def _release(course: Course, wave: int, now_ms: int) -> None:
    tally = course.tally(wave)
    if tally.unmeant + tally.states[J.CANCELED] == tally.size:
        course.move_wave(
            wave, W.SKIPPED, Who.CENTRAL, now_ms, why="no site of it needs the release"
        )
    elif course.rules(wave).gates.manual and not course.head.waves[wave].is_promoted:
        why = "waits for somebody to promote it"
        if course.head.waves[wave].why != why:
            waiting = msgspec.structs.replace(course.head.waves[wave], why=why)
            course.set_wave(wave, waiting, now_ms)
    else:
        course.allowance.begin()
        course.move_wave(wave, W.RELEASING, Who.CENTRAL, now_ms, released_ms=now_ms)


def _judge(course: Course, wave: int, holds: Holds, now_ms: int) -> None:
    tally, rules = course.tally(wave), course.rules(wave)
    if _is_failed(course, wave, holds, min(rules.min_finished, tally.size), now_ms):
        return
    if tally.shut:  # a node's own window may open next weekend: the deadline counts from then
        shut = msgspec.structs.replace(course.head.waves[wave], shut_ms=now_ms)
        course.set_wave(wave, shut, now_ms, is_news=False)
    is_late = now_ms >= course.deadline_ms(wave)
    if is_late and is_catch_up(course, wave):
        is_late = ends_late(course, wave, now_ms)
    if not tally.open or is_late:
        _settle(course, wave, now_ms, is_late=is_late)
    elif course.head.waves[wave].state is W.RELEASING and not tally.states[J.QUEUED]:
        course.move_wave(wave, W.RUNNING, Who.CENTRAL, now_ms)


def _settle(course: Course, wave: int, now_ms: int, *, is_late: bool) -> None:
    """End a wave that nobody is waited for in, or whose time is over."""
    tally, rules = course.tally(wave), course.rules(wave)
    is_last = is_catch_up(course, wave)
    if gate.is_success(tally, rules) and (not is_last or is_late or not tally.silent):
        course.move_wave(wave, W.SOAKING, Who.CENTRAL, now_ms, soaked_ms=0)
    elif is_late and is_last:
        close(course, wave, now_ms)
        course.move_wave(wave, W.SOAKING, Who.CENTRAL, now_ms, soaked_ms=rules.soak_ms)
    elif tally.silent and not tally.failed(rules):
        if is_late:
            why = (
                f"{tally.silent} of {tally.size} sites of wave {wave + 1} are silent: "
                "resume waits for them once more, resume --skip goes on without them"
            )
            course.rest(Pause.UNREACHABLE, why, now_ms)
    elif tally.unmeant == tally.size:
        course.move_wave(wave, W.SOAKING, Who.CENTRAL, now_ms, soaked_ms=rules.soak_ms)
    elif is_late or not tally.open:
        _fail(course, wave, _naming(course, "too few sites have it at its end", wave), now_ms)


def _soak(course: Course, wave: int, holds: Holds, now_ms: int) -> None:
    tally, rules = course.tally(wave), course.rules(wave)
    if _is_failed(course, wave, holds, 1, now_ms):
        return
    now = course.head.waves[wave]
    spent_ms = min(max(0, now_ms - now.since_ms), TURN_MS_MAX)
    if gate.is_hearing(tally) and kpi.known(rules.kpis, holds):
        now = msgspec.structs.replace(now, soaked_ms=now.soaked_ms + spent_ms)
    # ``since_ms`` of a soak is how far its clock was wound, so a restart costs no soak.
    course.set_wave(wave, msgspec.structs.replace(now, since_ms=now_ms), now_ms, is_news=False)
    if now.soaked_ms >= rules.soak_ms:
        _pass(course, wave, Who.CENTRAL, now_ms)


def _is_failed(course: Course, wave: int, holds: Holds, least: int, now_ms: int) -> bool:
    """Fail a wave by its counts or a gate of its own; return whether it did."""
    rules = course.rules(wave)
    why = gate.error(course.tally(wave), rules)
    if why:
        _fail(course, wave, _naming(course, why, wave), now_ms)
        return True
    why = kpi.broken(rules.kpis, holds, course.jobs.values(), wave, least)
    if why:
        _fail(course, wave, why, now_ms, is_health=True)
    return bool(why)


def _pass(course: Course, wave: int, who: Who, now_ms: int) -> None:
    close(course, wave, now_ms)
    course.move_wave(wave, W.PASSED, who, now_ms)


def _next(course: Course, wave: int, now_ms: int) -> None:
    if wave + 1 < len(course.head.waves):
        course.keep(now_ms, wave=wave + 1)
    else:
        course.to(R.COMPLETED, Who.CENTRAL, now_ms)


def _fail(course: Course, wave: int, why: str, now_ms: int, *, is_health: bool = False) -> None:
    tally, rules = course.tally(wave), course.rules(wave)
    course.move_wave(wave, W.FAILED, Who.CENTRAL, now_ms, why=why)
    is_health = (
        is_health or tally.worse > 0 or tally.failures[FailureType.HEALTH] * 2 > tally.failed(rules)
    )
    match rules.on_error:
        case "abort":
            way_back.abort(course, why, now_ms, Who.CENTRAL)
        case "rollback":
            way_back.roll_back(course, why, now_ms, Who.CENTRAL)
        case _:
            pause = Pause.HEALTH_GATE if is_health else Pause.ERROR_THRESHOLD
            course.rest(pause, why, now_ms)


def _naming(course: Course, why: str, wave: int) -> str:
    bad = [job for job in course.failed() if job.wave == wave]
    return f"{why} ({names(bad, NAMED_MAX)})" if bad else why
