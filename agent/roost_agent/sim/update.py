"""Updates of a simulated node: it takes offers as they come, and installs by waiting a while.

The first node of an offer speaks for its site. Simulated nodes have no identity, so their offers
are no signed orders (docs/rollouts.md); a node that installs anything takes signed ones alone.
Releases that are said to be bad are installed, and a while later the node has an alarm of it.
"""

import random
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import msgspec

from roost_agent.sim.alarms import Kind
from roost_protocol.codec import VERSION, Decoder
from roost_protocol.severity import Severity
from roost_protocol.update import (
    JobReport,
    NodeSaid,
    Offer,
    Running,
    SiteState,
    SoftwareReport,
)

STEP_MS: Final = (400, 1_600)  # of each step, drawn evenly
CRASH_MS: Final = (2_000, 6_000)  # after a bad release is installed
CANCEL_BYTES: Final = 32  # a job's name alone takes its offer back

_STEPS: Final = (
    SiteState.ACCEPTED, SiteState.STAGING, SiteState.STAGED, SiteState.APPLYING,
    SiteState.COMMITTED,
)  # fmt: skip
_offers: Final = Decoder[Offer](Offer)

Release = tuple[str, str]  # component, version


@dataclass(frozen=True, slots=True)
class Software:
    """What the fleet runs at the beginning, and which releases are bad."""

    first: tuple[Release, ...] = ()
    bad: frozenset[Release] = frozenset()


@dataclass(frozen=True, slots=True)
class Step:
    """What a node does next.

    Attributes:
        report: to say; None: nothing.
        installs: component, version and digest; None: nothing.
        alarm: that its release brings, or that goes with the release before; None: none.
    """

    due_ms: int
    report: JobReport | None = None
    installs: tuple[str, str, str] | None = None
    alarm: Kind | None = None


def read_offer(payload: bytes) -> Offer:
    """Return an offer.

    Raises:
        ProtocolError: it is none.
    """
    return _offers.decode(payload)


def digest_of(component: str, version: str) -> str:
    """Return the digest of a release that a node had from the beginning."""
    return sha256(f"{component} {version}".encode()).hexdigest()


class Updates:
    """What one node runs, and what it is about to install."""

    __slots__ = ("_alarm", "_bad", "_job", "_steps", "running")

    def __init__(self, software: Software) -> None:
        self.running = {
            component: Running(version, digest_of(component, version))
            for component, version in software.first
        }
        self._bad = software.bad
        self._alarm: Kind | None = None  # that its release brought
        self._job: tuple[str, int] = ("", 0)
        self._steps: list[Step] = []

    @property
    def due_ms(self) -> int | None:
        """When it wants to be woken."""
        return self._steps[0].due_ms if self._steps else None

    def report(self) -> SoftwareReport:
        """Return what it runs, as it says it."""
        return SoftwareReport(v=VERSION, components=dict(self.running))

    def offered(self, offer: Offer, node: str, rng: random.Random, now_ms: int) -> None:
        """Take an offer, once for each attempt; another one takes the place of what was begun."""
        if self._job == (offer.job, offer.attempt):
            return
        self._job = (offer.job, offer.attempt)
        is_bad = (offer.component, offer.version) in self._bad
        target = (offer.component, offer.version, offer.digest)
        speaks = node == offer.nodes[0]
        steps, at_ms = [], now_ms
        for seq, state in enumerate(_STEPS, start=1):
            at_ms += round(rng.uniform(*STEP_MS))
            is_last = state is SiteState.COMMITTED
            report = _report(offer, seq, state) if speaks else None
            ends = self._alarm if is_last else None
            steps.append(Step(at_ms, report, target if is_last else None, ends))
        if is_bad:
            text = f"{offer.component} {offer.version} ended three times"
            entity = f"process={offer.component.rpartition('/')[2]}"
            crash_ms = at_ms + round(rng.uniform(*CRASH_MS))
            alarm = ("200.006", entity, Severity.CRITICAL, text)
            steps.append(Step(crash_ms, alarm=alarm))
        self._steps = steps

    def canceled(self, job: str, now_ms: int) -> None:
        """Give a job up where nothing is installed yet; else say that it is too late."""
        reports = [step.report for step in self._steps if step.report is not None]
        if self._job[0] != job or not reports:
            return
        left = [report.state for report in reports]
        is_early = SiteState.APPLYING in left
        state = SiteState.CANCELED if is_early else SiteState.CANCEL_REJECTED
        said = _with(reports[0], state)
        if is_early:
            self._steps = [Step(now_ms, said)]
        else:
            self._steps.insert(0, Step(now_ms, said))

    def taken(self, now_ms: int) -> list[Step]:
        """Return what is due, in its order; it is done from then on."""
        due = [step for step in self._steps if step.due_ms <= now_ms]
        self._steps = self._steps[len(due) :]
        for step in due:
            if step.installs is not None:
                component, version, digest = step.installs
                self.running[component] = Running(version, digest)
            if step.alarm is not None:
                self._alarm = None if step.installs is not None else step.alarm
        return due


def _report(offer: Offer, seq: int, state: SiteState) -> JobReport:
    return JobReport(
        v=VERSION,
        job=offer.job,
        attempt=offer.attempt,
        seq=2 * seq,  # a word on a cancel finds room between two of these
        state=state,
        nodes=[NodeSaid(node, state.value) for node in offer.nodes],
    )


def _with(report: JobReport, state: SiteState) -> JobReport:
    return msgspec.structs.replace(report, seq=report.seq - 1, state=state)
