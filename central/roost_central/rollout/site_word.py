"""What a site's nodes say of its job, and where that moves it. Pure.

A word of a site moves no counter of success: verifying ends when its nodes themselves say that
they run the release (updates.md, U4).
"""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from roost_central.rollout.job import AT_WORK, Job, Said
from roost_central.rollout.table import JOB_ENDS, JobState, Who
from roost_protocol.remedy import Refusal, taken_apart
from roost_protocol.update import IGNORED, FailureType, JobReport, SiteState, WaitReason

VERIFY_MS: Final = 900_000  # from the site's word to what its nodes say
PUT_OFF_MS: Final = (30_000, 600_000)  # until it is offered again, whatever a node's clock says
FREE_MS: Final = 10_000  # from a node's word that its other job ended: it may tidy up still
PUT_OFF_MS_MAX: Final = 7_200_000  # from the first time; what a node does to go back takes less

J = JobState

_PROGRESS: Final[Mapping[SiteState, JobState]] = {
    SiteState.NOT_NEEDED: J.NOT_NEEDED,
    SiteState.INCOMPATIBLE: J.INCOMPATIBLE,
    SiteState.ACCEPTED: J.ACCEPTED,
    SiteState.STAGING: J.STAGING,
    SiteState.STAGED: J.STAGED,
    SiteState.WAITING: J.WAITING,
    SiteState.APPLYING: J.APPLYING,
    SiteState.COMMITTED: J.VERIFYING,
    SiteState.ROLLED_BACK: J.ROLLED_BACK,
    SiteState.FAILED: J.FAILED,
    SiteState.TIMED_OUT: J.TIMED_OUT,
    SiteState.CANCELED: J.CANCELED,
    SiteState.CANCEL_REJECTED: J.CANCEL_REJECTED,
}
# Of the nodes of a site that speak for themselves, the worst word is the site's.
_WORST: Final = (
    SiteState.FAILED, SiteState.ROLLED_BACK, SiteState.TIMED_OUT, SiteState.INCOMPATIBLE,
    SiteState.REJECTED, SiteState.CANCEL_REJECTED, SiteState.CANCELED, SiteState.ACCEPTED,
    SiteState.STAGING, SiteState.STAGED, SiteState.WAITING, SiteState.APPLYING,
    SiteState.COMMITTED, SiteState.NOT_NEEDED,
)  # fmt: skip
_RANK: Final = {state: rank for rank, state in enumerate(_WORST)}
_BACK: Final = frozenset({J.ROLLED_BACK, J.CANCELED, J.TIMED_OUT, J.FAILED})
_WRONG: Final = frozenset(
    {SiteState.FAILED, SiteState.ROLLED_BACK, SiteState.TIMED_OUT, SiteState.INCOMPATIBLE}
)
_TOUCHES: Final = frozenset({FailureType.INSTALL, FailureType.BOOT, FailureType.HEALTH})


def heard(job: Job, node: str, report: JobReport) -> Job:
    """Return a job with a report taken in; the same one where it says nothing new."""
    before = job.said.get(node)
    if report.attempt != job.attempt or (before is not None and not _is_newer(report, before)):
        return job
    said = Said(
        report.seq, report.state, report.failure, report.detail[:300], report.retry_at_ms,
        {each.node for each in report.nodes} >= {*job.nodes},
        any((each.node, each.step) == (node, IGNORED) for each in report.nodes),
        wait=report.wait,
    )  # fmt: skip
    return msgspec.structs.replace(job, said={**job.said, node: said})


def _is_newer(report: JobReport, before: Said) -> bool:
    """Say whether a report comes after a word; what answers a second offer is numbered anew."""
    if before.is_over and before.seq >= report.seq:
        return (report.state, report.retry_at_ms) != (before.state, before.retry_at_ms)
    return report.seq > before.seq


def word_of(job: Job) -> Said | None:
    """Return the site's word: of who speaks for all, or the worst of its nodes'; None: none yet.

    Nodes that speak for themselves are all waited for, but for a failure.
    """
    words = [each for each in job.said.values() if not each.is_over]
    whole = [each for each in words if each.of_all]
    if whole:
        return max(whole, key=lambda each: each.seq)
    if not words:
        return None
    worst = min(words, key=_rank)
    at_work = [each for each in words if each.state in AT_WORK]
    if worst.state is SiteState.CANCELED and at_work:
        # The site sends the others back when one fails; how that one ended is its own word.
        return max(at_work, key=lambda each: _RANK[each.state])
    if len(words) < len(job.nodes) and _RANK[worst.state] > _RANK[SiteState.ACCEPTED]:
        return Said(worst.seq, SiteState.ACCEPTED, None, worst.detail)
    return worst


def _rank(word: Said) -> tuple[int, bool]:
    """Order words, the worst first; who waits for another node does not say for what that waits."""
    return _RANK[word.state], word.wait is WaitReason.LOCK


def told(job: Job, now_ms: int) -> Job:
    """Return a job moved to where its site says that it is; as it is where that is no way on."""
    word = word_of(job)
    if word is None or job.state in JOB_ENDS or job.state is J.QUEUED:
        return regained(job)
    if word.state is SiteState.REJECTED:
        return put_off(job, _rejecting(job, word), word.retry_at_ms, now_ms)
    after = _PROGRESS[word.state]
    if after is job.state:
        return _reworded(job, word)
    changes: dict[str, object] = {"detail": _detail(job, word), "failure": word.failure}
    having = _having(job)
    if having and after in _BACK:
        after = J.FAILED  # a mixture is no site that is back: who has it is to be sent back
        changes["detail"] = _mixed(_detail(job, word), word.state, having)
    if after is J.VERIFYING:
        changes["due_ms"] = now_ms + VERIFY_MS
    if after is J.TIMED_OUT:
        changes["failure"] = FailureType.TIMEOUT
    is_touched = after in {J.APPLYING, J.VERIFYING, J.ROLLED_BACK} or word.failure in _TOUCHES
    # One that was given up and failed all the same could not go back: it may be half of each.
    is_stuck = after is J.FAILED and word.failure is FailureType.OPERATOR
    is_touched = is_touched or is_stuck or bool(having)
    if is_touched:
        changes["touched"] = True
    is_as_before = after in {J.ROLLED_BACK, J.CANCELED} or (after is J.FAILED and not is_touched)
    if is_as_before and not job.is_back:  # on the way back that is: with the release
        changes["touched"] = False
    try:
        return job.to(after, Who.SITE, now_ms, **changes)
    except ValueError:
        return job  # an older word than what was measured meanwhile


def put_off(job: Job, why: str, retry_at_ms: int, now_ms: int) -> Job:
    """Return a job that waits until a node of its site can take it: another one is at work there.

    Its attempt stays the same: nodes that have taken it up have it still, when it is offered again.
    Whom nothing helps within PUT_OFF_MS_MAX has timed out. Each offer takes a token of the rate and
    a signature of the director's, so it waits at least as long again as it has waited already.

    Args:
        job: that is offered; another one is as it was.
        why: a sentence.
        retry_at_ms: when it may be offered again, by the node's clock; 0: it does not say.
        now_ms: UTC.
    """
    if job.state not in {J.OFFERED, J.ACCEPTED}:
        return job
    since_ms = job.put_off_ms or now_ms
    if now_ms - since_ms >= PUT_OFF_MS_MAX:
        minutes = PUT_OFF_MS_MAX // 60_000
        detail = f"offer: {Refusal.BUSY}: put off for {minutes} min: {why}"
        return job.to(
            J.TIMED_OUT, Who.CENTRAL, now_ms, failure=FailureType.TIMEOUT, detail=detail
        )  # fmt: skip
    least_ms, most_ms = PUT_OFF_MS
    wait_ms = max(retry_at_ms - now_ms, now_ms - since_ms, least_ms)  # as long again: it doubles
    due_ms = now_ms + min(wait_ms, most_ms)
    changes = {"due_ms": due_ms, "put_off_ms": since_ms, "detail": f"waits: {why}", "unanswered": 0}
    return job.to(J.QUEUED, Who.SITE, now_ms, **changes)


def freed(job: Job, now_ms: int) -> Job:
    """Return a job that was put off and is offered soon: its nodes say that they have room now.

    Once for each such word, and never sooner after an offer than PUT_OFF_MS.
    """
    due_ms = max(now_ms + FREE_MS, job.offered_ms + PUT_OFF_MS[0])
    if not job.put_off_ms or due_ms >= job.due_ms:
        return job
    return msgspec.structs.replace(job, due_ms=due_ms)


def offered_anew(said: Mapping[str, Said]) -> dict[str, Said]:
    """Return what nodes said, where who put an offer off is asked once more."""
    return {
        node: msgspec.structs.replace(each, is_over=True)
        if each.state is SiteState.REJECTED
        else each
        for node, each in said.items()
    }


def _reworded(job: Job, word: Said) -> Job:
    """Return a job at work with what its site says now: what it waits for may be another thing."""
    if word.state not in AT_WORK or word.detail == job.detail:
        return job
    return msgspec.structs.replace(job, detail=word.detail)


def _rejecting(job: Job, word: Said) -> str:
    who = [node for node, each in job.said.items() if each.is_refusal]
    return f"{', '.join(sorted(who))}: {word.detail}"


def _detail(job: Job, word: Said) -> str:
    """Return a word's sentence; of what went wrong with the node that says it before."""
    if not word.detail or word.state not in _WRONG or taken_apart(word.detail).node:
        return word.detail
    node = next((name for name, said in job.said.items() if said is word), "")
    return f"{node}: {word.detail}" if node else word.detail


def _mixed(detail: str, state: str, having: Iterable[str]) -> str:
    """Return what is wrong, first, and that some nodes of the site have it all the same."""
    mixed = f"{', '.join(having)} has it, others do not"
    return f"{detail}; {mixed}" if detail else f"{mixed}: {state}"


def regained(job: Job) -> Job:
    """Return a job that has ended as touched where a node has it after all, for good.

    Words of nodes cross: one commits while the others are given up already.
    """
    having = _having(job)
    if job.touched or not having or job.state not in _BACK:  # of what has ended
        return job
    detail = _mixed(job.detail, job.state, having)
    return msgspec.structs.replace(job, touched=True, detail=detail)


def _having(job: Job) -> list[str]:
    """Return the nodes that run it for good, of those that speak for themselves."""
    return sorted(
        node
        for node, each in job.said.items()
        if each.state is SiteState.COMMITTED and not each.of_all
    )
