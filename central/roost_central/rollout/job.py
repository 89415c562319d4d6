"""One site's job: what it has come to. Pure.

Leaves to others: what its site says of it (site_word.py), what moves it (site.py, site_steps.py),
when it is offered, the wave it is in.
"""

from collections.abc import Iterable
from hashlib import blake2b
from typing import Final

import msgspec

from roost_central.rollout.table import JOB_ENDS, JOB_FAILURES, JobState, Who, check
from roost_protocol.update import FailureType, SiteState, WaitReason

ANSWER_MS: Final = 300_000  # in which a site answers an offer
OFFERS_MAX: Final = 3  # unanswered; then it counts as unreachable
CLEAN_BEATS: Final = 3
TRAIL_MAX: Final = 24  # of a job's states: the newest

J = JobState

AT_WORK: Final = frozenset(
    {
        SiteState.ACCEPTED, SiteState.STAGING, SiteState.STAGED, SiteState.WAITING,
        SiteState.APPLYING,
    }
)  # fmt: skip
# How a job ends on a node, by its word.
SITE_ENDS: Final = frozenset(SiteState) - AT_WORK - {SiteState.REJECTED, SiteState.CANCEL_REJECTED}
_GIVEN_UP: Final = frozenset({J.ROLLED_BACK, J.CANCELED, J.TIMED_OUT, J.FAILED, J.SUPERSEDED})

_TIMED: Final = JOB_FAILURES | {J.VERIFYING, J.SOAKING, J.REJECTED}


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
    wait: WaitReason | None = None  # for what, of waiting

    @property
    def is_refusal(self) -> bool:
        """Whether the node put the job off, and was not offered it again since."""
        return self.state is SiteState.REJECTED and not self.is_over


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
        began_ms: its first offer in the catch-up wave, from which its own time counts; 0: none.
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
    began_ms: int = 0
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
        return sorted(node for node, each in self.said.items() if each.state in AT_WORK)

    @property
    def is_half_taken(self) -> bool:
        """Whether it waits for a node of its site, and others have this attempt or need it not.

        They would forget it by another rollout's job, and who comes last could not go on.
        """
        has_some = any(each.state is not SiteState.REJECTED for each in self.said.values())
        return self.state is J.QUEUED and bool(self.put_off_ms) and has_some

    @property
    def is_undone(self) -> bool:
        """Whether its site went back by itself to what it had; none of a way back is."""
        return self.state is J.ROLLED_BACK and not self.is_back

    @property
    def is_spared(self) -> bool:
        """Whether it failed before anything was installed: its site never had the release."""
        is_failed = self.state in JOB_FAILURES and self.state is not J.ROLLED_BACK
        return is_failed and not (self.touched or self.is_back or self.is_gone)

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


def left_s(job: Job, now_ms: int) -> int | None:
    """Return in how many seconds a job moves by itself, rounded up; None: nothing tells.

    Of one that is measured that is when its clean beats are through, or it is too late; of one that
    failed or was put off, its next attempt.
    """
    if not job.due_ms or job.state not in _TIMED:
        return None
    return max(0, -(-(job.due_ms - now_ms) // 1_000))


def names(jobs: Iterable[Job], most: int) -> str:
    """Return some of the sites for a sentence."""
    sites = sorted(job.site for job in jobs)
    more = f" and {len(sites) - most} more" if len(sites) > most else ""
    return ", ".join(sites[:most]) + more
