"""What one site's job does next, by what the site says and what is seen of it. Pure.

A job moves by itself only when it is looked at: with news of its site, and when ``due_ms`` comes.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import msgspec

from roost_central.rollout.head import AlarmSeen, Standing
from roost_central.rollout.job import ANSWER_MS, CLEAN_BEATS, OFFERS_MAX, Job
from roost_central.rollout.plan import Plan
from roost_central.rollout.rules import Settled
from roost_central.rollout.site_word import VERIFY_MS, heard, regained, told, word_of
from roost_central.rollout.table import IN_FLIGHT, JOB_ENDS, JOB_FAILURES, JobState, Who
from roost_protocol.severity import Severity
from roost_protocol.update import FailureType, SiteState

AT_WORK: Final = IN_FLIGHT - {JobState.VERIFYING, JobState.SOAKING}
# Of local HA, as each node's turn takes a standby; of the ways to a site, which are not its own.
TURN: Final = ("400.", "280.")
UNDONE: Final = frozenset({"900.021", "900.801"})  # the next release that succeeds ends them
STEPS_MAX: Final = 8  # of one look; each leads on

J = JobState
T = TypeVar("T")

_ANSWERING: Final = frozenset({J.OFFERED, J.ACCEPTED})  # some nodes of a site answer before others


@dataclass(frozen=True, slots=True)
class Terms:
    """What a job is judged by.

    Attributes:
        digest: of the release that it should run.
        deadline_ms: of its wave.
        is_retrying: failures get another attempt: the rollout goes on.
    """

    plan: Plan
    rules: Settled
    digest: str
    deadline_ms: int
    is_retrying: bool = True


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
    if job.state is J.WAITING and job.is_shut and job.touched:
        job = msgspec.structs.replace(job, touched=False)  # all of its nodes are as they were
    if job.state in AT_WORK and not job.due_ms:
        job = msgspec.structs.replace(job, due_ms=max(terms.deadline_ms, now_ms + 1))
    return job


def blocking(standing: Standing, terms: Terms) -> AlarmSeen | None:
    """Return an alarm that a site is not updated with; None: it may be (StarlingX's words)."""
    return stopping(standing.alarms, terms.rules, terms.plan)


def stopping(alarms: Iterable[AlarmSeen], rules: Settled, plan: Plan) -> AlarmSeen | None:
    """Return the alarm that holds a site back by the gates of its wave; None: none does.

    That the update before failed or was undone is none: the release that mends it has to come.
    """
    mode = rules.gates.alarms
    if mode == "permissive":
        return None
    fine = UNDONE | set(plan.ignore_alarms)
    found = (each for each in alarms if each.type not in fine)
    return next((each for each in found if each.stops or mode == "strict"), None)


def worse(job: Job, standing: Standing, plan: Plan) -> AlarmSeen | None:
    """Return an alarm that a site has since its update and should not have; None: none."""
    fine = {*plan.ignore_alarms, *plan.expected_alarms}
    return next(
        (
            each
            for each in standing.alarms
            if each.severity >= Severity.MAJOR
            and each.key not in job.alarms
            and each.type not in fine
        ),
        None,
    )


def runs(job: Job, standing: Standing, terms: Terms) -> bool:
    """Say whether every node says that it runs the release; one that is left out need not."""
    found = _judged(job, standing.runs, terms.plan)
    return bool(found) and all(each is not None and each[1] == terms.digest for each in found)


def _judged(job: Job, each: Sequence[T], plan: Plan) -> Sequence[T]:
    """Return what there is of the nodes that count, of what there is of all of the job's.

    A node says itself that its role is left out: it alone knows what it is for. It is believed
    where the plan leaves a role out at all, and escapes by that no more than what it could refuse.
    """
    if "ignore" not in {plan.controllers, plan.storage, plan.workers}:
        return each
    out = {node for node, said in job.said.items() if said.is_left_out}
    return [one for node, one in zip(job.nodes, each, strict=False) if node not in out]


def _step(job: Job, standing: Standing, terms: Terms, now_ms: int) -> Job:
    if standing.is_dark:
        return _dark(job, terms, now_ms)
    if job.dark_ms:
        return _back(job, now_ms)
    step = _STEPS.get(job.state)
    return job if step is None else step(job, standing, terms, now_ms)


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


def _queued(job: Job, standing: Standing, terms: Terms, now_ms: int) -> Job:
    if runs(job, standing, terms):
        return job.to(J.NOT_NEEDED, Who.CENTRAL, now_ms, detail="it runs it already")
    return job


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
    if not _judged(job, job.nodes, terms.plan):
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
    if bad is not None or not _is_measured(job, standing, terms):
        if is_late:
            return _timed_out(job, "its nodes do not say that they run the release", now_ms)
        return _due(job, job.since_ms + VERIFY_MS)
    clean_ms = job.since_ms + CLEAN_BEATS * standing.beat_ms
    if now_ms < clean_ms:
        return _due(job, clean_ms)
    return job.to(J.SOAKING, Who.CENTRAL, now_ms, due_ms=now_ms + terms.rules.site_soak_ms)


def _soaking(job: Job, standing: Standing, terms: Terms, now_ms: int) -> Job:
    after = told(job, now_ms)
    if after is not job:
        return after
    bad = worse(job, standing, terms.plan)
    last_ms = job.since_ms + terms.rules.site_soak_ms + VERIFY_MS
    if bad is not None and (now_ms >= last_ms or not bad.type.startswith(TURN)):
        return _unwell(job, bad, now_ms)
    if bad is not None:
        return _due(job, last_ms)
    if not runs(job, standing, terms):
        why = "a node does not run the release any more"
        return job.to(J.FAILED, Who.CENTRAL, now_ms, failure=FailureType.HEALTH, detail=why)
    left_ms = terms.rules.site_soak_ms - job.soaked_ms - (now_ms - job.since_ms)
    if left_ms > 0:
        return _due(job, now_ms + left_ms)
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


def _is_measured(job: Job, standing: Standing, terms: Terms) -> bool:
    if not runs(job, standing, terms):
        return False
    return not terms.plan.reboot or not {*_judged(job, standing.boots, terms.plan)} & {*job.boots}


def _unwell(job: Job, bad: AlarmSeen, now_ms: int) -> Job:
    detail = _alarm(bad)
    return job.to(J.FAILED, Who.CENTRAL, now_ms, failure=FailureType.HEALTH, detail=detail)


def _alarm(bad: AlarmSeen) -> str:
    return f"new alarm {bad.type} ({bad.key.partition('|')[2]})"


def _timed_out(job: Job, why: str, now_ms: int) -> Job:
    return job.to(J.TIMED_OUT, Who.CENTRAL, now_ms, failure=FailureType.TIMEOUT, detail=why)


def _due(job: Job, due_ms: int) -> Job:
    return job if job.due_ms == due_ms else msgspec.structs.replace(job, due_ms=due_ms)


def is_over(job: Job) -> bool:
    """Say whether a job is at its end for good: no other attempt is due."""
    return job.state in JOB_ENDS and not (job.state in JOB_FAILURES and job.due_ms)


_STEPS: Final[Mapping[JobState, Callable[[Job, Standing, Terms, int], Job]]] = {
    J.QUEUED: _queued,
    J.VERIFYING: _verifying,
    J.SOAKING: _soaking,
    J.SUCCEEDED: _watched,
    J.REJECTED: _rejected,
    **dict.fromkeys(JOB_FAILURES, _failed),
    **dict.fromkeys(AT_WORK, _at_work),
}
