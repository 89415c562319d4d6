"""Whose turn it is: the sites that are offered now, within caps and rate. Pure.

Invariant: nothing is offered unless the rollout runs or goes back, and never beyond its caps.
"""

from collections import deque
from collections.abc import Sequence
from typing import Final

import msgspec

from roost_central.rollout import judgement, kpi, site
from roost_central.rollout.catch_up import is_catch_up
from roost_central.rollout.course import Course
from roost_central.rollout.head import Around, Sight
from roost_central.rollout.job import ANSWER_MS, Job
from roost_central.rollout.rules import Settled
from roost_central.rollout.site_word import offered_anew
from roost_central.rollout.table import JobState, RolloutState, WaveState, Who

OFFERS_MAX: Final = 500  # of one turn: the shell writes and sends them before the next

R, W, J = RolloutState, WaveState, JobState


def offers(course: Course, sight: Sight, around: Around, now_ms: int) -> list[Job]:
    """Offer what caps and rate allow; return the jobs.

    Args:
        course: of the rollout.
        sight: what is known of a site.
        around: beyond this rollout.
        now_ms: UTC.
    """
    waves = _open_waves(course)
    if not waves:
        return []
    rules = course.rules(waves[0])
    if course.head.state is R.RUNNING and not kpi.known(rules.kpis, around.kpis):
        return []  # what they were before it is what they are compared with
    room = min(
        _room(course, waves[0], rules, around),
        course.allowance.allowed(rules, course.tally(waves[0]).succeeded, now_ms),
    )
    offered: list[Job] = []
    for wave in waves:
        queue = course.queues.get(wave, deque())
        for _ in range(len(queue)):
            if len(offered) >= room:
                break
            name = queue.popleft()
            job = course.jobs[name]
            if job.state is not J.QUEUED or job.wave != wave:
                continue
            is_held = _is_held(course, job, rules, around, now_ms)
            kpis = job.kpis or kpi.baseline(rules.kpis, around.kpis, name)
            made = None if is_held else _offer(course, job, sight, kpis, now_ms)
            if made is None:
                if course.jobs[name].state is J.QUEUED:
                    queue.append(name)
                continue
            offered.append(made)
    course.allowance.spend(len(offered))
    return offered


def _open_waves(course: Course) -> Sequence[int]:
    """Return the waves whose sites may be offered: one, or on the way back the newest first."""
    if course.head.state is R.ROLLING_BACK:
        return sorted((wave for wave, queue in course.queues.items() if queue), reverse=True)
    is_open = course.head.state is R.RUNNING and course.head.waves[course.head.wave].state in {
        W.RELEASING,
        W.RUNNING,
    }
    return (course.head.wave,) if is_open else ()


def _room(course: Course, wave: int, rules: Settled, around: Around) -> int:
    most = rules.max_in_flight
    of_fleet = most.fleet - around.in_flight - course.in_flight()
    of_wave = most.wave - course.tally(wave).in_flight
    return max(0, min(of_fleet, of_wave, OFFERS_MAX))


def _is_held(course: Course, job: Job, rules: Settled, around: Around, now_ms: int) -> bool:
    """Say whether a cap, its site, or another rollout there holds a job back."""
    if job.due_ms > now_ms:
        return True  # its site said when it may be offered again
    if job.site in around.busy:
        _note(course, job, f"waits: {around.busy[job.site]} is at work at this site")
        return True
    most = rules.max_in_flight
    of_hw = course.hw[job.hw] + around.hw.get(job.hw, 0)
    of_link = course.link[job.link] + around.link.get(job.link, 0)
    return of_hw >= most.hw_model or (bool(job.link) and of_link >= most.link)


def capped(course: Course, wave: int) -> str:
    """Return which cap of a wave's plan is reached by this rollout's own sites; empty: none.

    Args:
        course: of the rollout.
        wave: from 0.
    """
    tally, most = course.tally(wave), course.rules(wave).max_in_flight
    if not tally.states[J.QUEUED] or wave not in _open_waves(course):
        return ""
    if course.in_flight() >= most.fleet:
        return f"max_in_flight.fleet = {most.fleet} sites are at work"
    if tally.in_flight >= most.wave:
        return f"max_in_flight.wave = {most.wave} sites are at work"
    if any(count >= most.hw_model for count in course.hw.values()):
        return f"max_in_flight.hw_model = {most.hw_model} sites of one model are at work"
    if any(link and count >= most.link for link, count in course.link.items()):
        return f"max_in_flight.link = {most.link} sites of one link are at work"
    return ""


def _note(course: Course, job: Job, why: str) -> None:
    """Have a job that waits say for what."""
    if job.detail != why:
        course.put(msgspec.structs.replace(job, detail=why))


def _offer(
    course: Course, job: Job, sight: Sight, kpis: tuple[bool, ...], now_ms: int
) -> Job | None:
    """Offer a job unless its site needs nothing, or an alarm of it is in the way."""
    standing, terms = sight(job), course.terms(job)
    looked = site.look(job, standing, terms, now_ms)
    if looked.state is not J.QUEUED:
        course.put(looked)
        return None
    bad = None if job.is_back else judgement.blocking(standing, terms)
    if bad is not None:
        _note(course, job, f"held back: alarm {bad.key}")
        return None
    offered = looked.to(
        J.OFFERED, Who.CENTRAL, now_ms,
        offered_ms=now_ms, due_ms=now_ms + ANSWER_MS, detail="", boots=standing.boots,
        said=offered_anew(looked.said),
        alarms=tuple(each.key for each in standing.alarms), kpis=kpis,
        began_ms=job.began_ms or (now_ms if is_catch_up(course, job.wave) else 0),
    )  # fmt: skip
    course.put(offered)
    return offered
