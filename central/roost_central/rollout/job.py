"""One site's job: what it has come to, and what moves it. Pure.

A word of a site moves no counter of success: verifying ends when its nodes themselves say that
they run the release (updates.md, U4). Leaves to others: when it is offered, the wave it is in.
"""

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Final

import msgspec

from roost_central.rollout.table import JOB_ENDS, JobState, Who, check
from roost_protocol.update import IGNORED, FailureType, JobReport, SiteState

ANSWER_MS: Final = 300_000  # in which a site answers an offer
OFFERS_MAX: Final = 3  # unanswered; then it counts as unreachable
VERIFY_MS: Final = 900_000  # from the site's word to what its nodes say
CLEAN_BEATS: Final = 3
TRAIL_MAX: Final = 24  # of a job's states: the newest
PUT_OFF_MS: Final = (30_000, 600_000)  # until it is offered again, whatever a node's clock says
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
_AT_WORK: Final = frozenset(
    {
        SiteState.ACCEPTED, SiteState.STAGING, SiteState.STAGED, SiteState.WAITING,
        SiteState.APPLYING,
    }
)  # fmt: skip
_RANK: Final = {state: rank for rank, state in enumerate(_WORST)}
_BACK: Final = frozenset({J.ROLLED_BACK, J.CANCELED, J.TIMED_OUT, J.FAILED})
_GIVEN_UP: Final = _BACK | {J.SUPERSEDED}
_TOUCHES: Final = frozenset({FailureType.INSTALL, FailureType.BOOT, FailureType.HEALTH})


class Said(msgspec.Struct, frozen=True, array_like=True):
    """The newest word of one node on this attempt."""

    seq: int
    state: SiteState
    failure: FailureType | None = None
    detail: str = ""
    retry_at_ms: int = 0
    of_all: bool = False  # it speaks for every node of the job
    is_left_out: bool = False  # by its word, its role is one that the plan ignores
    is_over: bool = False  # it put an offer off, and was offered it again since


class Job(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A site's part in a rollout.

    Attributes:
        was: of unreachable: the state that it comes back to.
        since_ms: of its state.
        due_ms: when it moves by itself: a deadline, or what it waits for; 0: never.
        failure, detail: of what type and why; of those that failed or were refused.
        unanswered: offers of this attempt.
        put_off_ms: since when a node of it has no room for this attempt; 0: it has.
        offered_ms: of this attempt.
        touched: an update may have begun on it.
        dark_ms: since when it is silent; 0: it is heard.
        is_lost: it went silent by its update, for too long.
        soaked_ms: of its soak, as far as it was heard.
        former: the release that it had, version and digest.
        is_back: it is on its way back to it.
        is_late: it came after the rollout was made: no list that was approved has it.
        boots, alarms: baseline at the offer.
        superseded: the newer rollout that has its site now.
        is_gone: its site was removed; one of that name that comes later is another.
        kpis: for which gates' queries its site counted at the offer (kpi.py).
        is_shut: a node of it waits for a window of its own.
        said: by node.
        trail: its states with their times, the newest last.
    """

    site: str
    wave: int
    nodes: tuple[str, ...]
    hw: str = ""
    link: str = ""
    former: tuple[str, str] = ("", "")
    state: JobState = J.QUEUED
    was: JobState | None = None
    since_ms: int = 0
    due_ms: int = 0
    attempt: int = 1
    failure: FailureType | None = None
    detail: str = ""
    unanswered: int = 0
    put_off_ms: int = 0
    offered_ms: int = 0
    touched: bool = False
    dark_ms: int = 0
    is_lost: bool = False
    soaked_ms: int = 0
    is_back: bool = False
    is_late: bool = False
    is_canceling: bool = False
    is_shut: bool = False
    boots: tuple[str, ...] = ()
    alarms: tuple[str, ...] = ()
    kpis: tuple[bool, ...] = ()
    superseded: str = ""
    is_gone: bool = False
    said: dict[str, Said] = {}
    trail: tuple[tuple[int, str], ...] = ()

    @property
    def is_ended(self) -> bool:
        """Whether nothing is expected of it any more."""
        return self.state in JOB_ENDS

    @property
    def is_let_go(self) -> bool:
        """Whether its site is not this rollout's any more: it never waits for its turn again."""
        return bool(self.superseded) or self.is_gone

    @property
    def nodes_at_work(self) -> list[str]:
        """The nodes that are at work on this attempt, by their own newest word."""
        return sorted(node for node, each in self.said.items() if each.state in _AT_WORK)

    @property
    def is_undone(self) -> bool:
        """Whether its site went back by itself to what it had; none of a way back is."""
        return self.state is J.ROLLED_BACK and not self.is_back

    @property
    def is_ending(self) -> bool:
        """Whether it is given up, and a node of its site is at work on it still."""
        return self.state in _GIVEN_UP and not self.is_gone and bool(self.nodes_at_work)

    def to(self, state: JobState, who: Who, now_ms: int, **changes: object) -> "Job":
        """Return it in another state; its deadline is gone unless ``changes`` has one.

        Raises:
            MoveError: the table does not allow it.
        """
        if state is J.QUEUED and self.is_let_go:
            state, who = J.SUPERSEDED if self.superseded else J.CANCELED, Who.CENTRAL
            changes = {"was": None, "dark_ms": 0, "is_lost": False}
        check(self.state, state, who)
        trail = (*self.trail, (now_ms, str(state)))[-TRAIL_MAX:]
        told = {"due_ms": 0, **changes}
        return msgspec.structs.replace(self, state=state, since_ms=now_ms, trail=trail, **told)

    def again(self, who: Who, now_ms: int, **changes: object) -> "Job":
        """Return its next attempt, which waits for its turn.

        Raises:
            MoveError: the table does not allow it.
        """
        fresh: dict[str, object] = {
            "attempt": self.attempt + 1, "failure": None, "detail": "", "unanswered": 0,
            "put_off_ms": 0, "said": {}, "soaked_ms": 0, "is_lost": False, "is_canceling": False,
        }  # fmt: skip
        return self.to(J.QUEUED, who, now_ms, **{**fresh, "was": None, **changes})


def job_id(rollout: str, job: Job) -> str:
    """Return the name of a job on the wire, 32 hexadecimal digits: one a way, for all attempts."""
    text = f"{rollout}|{job.site}|{'back' if job.is_back else 'forth'}"
    return blake2b(text.encode(), digest_size=16).hexdigest()


def heard(job: Job, node: str, report: JobReport) -> Job:
    """Return a job with a report taken in; the same one where it says nothing new."""
    before = job.said.get(node)
    if report.attempt != job.attempt or (before is not None and not _is_newer(report, before)):
        return job
    said = Said(
        report.seq, report.state, report.failure, report.detail[:300], report.retry_at_ms,
        {each.node for each in report.nodes} >= {*job.nodes},
        any((each.node, each.step) == (node, IGNORED) for each in report.nodes),
    )  # fmt: skip
    return msgspec.structs.replace(job, said={**job.said, node: said})


def _is_newer(report: JobReport, before: Said) -> bool:
    """Say whether a report comes after a word; what answers a second offer is numbered anew."""
    if before.is_over and before.seq >= report.seq:
        return report.state is not before.state or report.retry_at_ms > before.retry_at_ms
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
    worst = min(words, key=lambda each: _RANK[each.state])
    at_work = [each for each in words if each.state in _AT_WORK]
    if worst.state is SiteState.CANCELED and at_work:
        # The site sends the others back when one fails; how that one ended is its own word.
        return max(at_work, key=lambda each: _RANK[each.state])
    if len(words) < len(job.nodes) and _RANK[worst.state] > _RANK[SiteState.ACCEPTED]:
        return Said(worst.seq, SiteState.ACCEPTED, None, worst.detail)
    return worst


def told(job: Job, now_ms: int) -> Job:
    """Return a job moved to where its site says that it is; as it is where that is no way on."""
    word = word_of(job)
    if word is None or job.state in JOB_ENDS or job.state is J.QUEUED:
        return regained(job)
    if word.state is SiteState.REJECTED:
        return put_off(job, _rejecting(job, word), word.retry_at_ms, now_ms)
    after = _PROGRESS[word.state]
    if after is job.state:
        return job
    changes: dict[str, object] = {"detail": word.detail, "failure": word.failure}
    having = _having(job)
    if having and after in _BACK:
        after = J.FAILED  # a mixture is no site that is back: who has it is to be sent back
        changes["detail"] = (
            f"{', '.join(having)} has it, others do not: {word.detail or word.state}"
        )
    if after is J.VERIFYING:
        changes["due_ms"] = now_ms + VERIFY_MS
    if after is J.TIMED_OUT:
        changes["failure"] = FailureType.TIMEOUT
    is_touched = after in {J.APPLYING, J.VERIFYING, J.ROLLED_BACK} or word.failure in _TOUCHES
    is_touched = is_touched or bool(having)
    if is_touched:
        changes["touched"] = True
    if after in {J.ROLLED_BACK, J.CANCELED} or (after is J.FAILED and not is_touched):
        changes["touched"] = False  # all of its nodes are as they were
    try:
        return job.to(after, Who.SITE, now_ms, **changes)
    except ValueError:
        return job  # an older word than what was measured meanwhile


def put_off(job: Job, why: str, retry_at_ms: int, now_ms: int) -> Job:
    """Return a job that waits until a node of its site can take it: another one is at work there.

    Its attempt stays the same: nodes that have taken it up have it still, when it is offered again.
    Whom nothing helps within PUT_OFF_MS_MAX has timed out.

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
        detail = f"put off for {PUT_OFF_MS_MAX // 60_000} min: {why}"
        return job.to(
            J.TIMED_OUT, Who.CENTRAL, now_ms, failure=FailureType.TIMEOUT, detail=detail
        )  # fmt: skip
    least_ms, most_ms = PUT_OFF_MS
    due_ms = min(max(retry_at_ms, now_ms + least_ms), now_ms + most_ms)
    told = {"due_ms": due_ms, "put_off_ms": since_ms, "detail": f"waits: {why}", "unanswered": 0}
    return job.to(J.QUEUED, Who.SITE, now_ms, **told)


def offered_anew(said: Mapping[str, Said]) -> dict[str, Said]:
    """Return what nodes said, where who put an offer off is asked once more."""
    return {
        node: msgspec.structs.replace(each, is_over=True)
        if each.state is SiteState.REJECTED
        else each
        for node, each in said.items()
    }


def _rejecting(job: Job, word: Said) -> str:
    who = [
        node
        for node, each in job.said.items()
        if each.state is SiteState.REJECTED and not each.is_over
    ]
    return f"{', '.join(sorted(who))}: {word.detail}"


def names(jobs: Iterable[Job], most: int) -> str:
    """Return some of the sites for a sentence."""
    sites = sorted(job.site for job in jobs)
    more = f" and {len(sites) - most} more" if len(sites) > most else ""
    return ", ".join(sites[:most]) + more


def regained(job: Job) -> Job:
    """Return a job that has ended as touched where a node has it after all, for good.

    Words of nodes cross: one commits while the others are given up already.
    """
    having = _having(job)
    if job.touched or not having or job.state not in _BACK:  # of what has ended
        return job
    detail = f"{', '.join(having)} has it, others do not: {job.detail or job.state}"
    return msgspec.structs.replace(job, touched=True, detail=detail)


def _having(job: Job) -> list[str]:
    """Return the nodes that run it for good, of those that speak for themselves."""
    return sorted(
        node
        for node, each in job.said.items()
        if each.state is SiteState.COMMITTED and not each.of_all
    )
