"""What a site is offered: the job on the wire, and the director's document that stands behind it.

Pure: what is signed and sent with it is the shell's business.
"""

from typing import Final

from roost_central.rollout.head import Head
from roost_central.rollout.job import Job, job_id
from roost_central.rollout.plan import Plan
from roost_central.rollout.rules import Settled
from roost_protocol.codec import VERSION, encode
from roost_protocol.release.director import VERSION as DOCUMENT_VERSION
from roost_protocol.release.director import Assignment, SiteDocument
from roost_protocol.release.target import target_path
from roost_protocol.update import Offer

WAVE_MAX: Final = 1_000


def offer_of(  # noqa: PLR0913 - what an offer says
    head: Head,
    plan: Plan,
    rules: Settled,
    job: Job,
    target: tuple[str, str],
    *,
    deadline_ms: int,
    timezone: str,
) -> bytes:
    """Return the bytes of an offer: what its order names by their digest.

    Args:
        head: of the rollout.
        plan: of it.
        rules: of the job's wave.
        job: as it is offered.
        target: version and digest.
        deadline_ms: of its wave.
        timezone: of the site.
    """
    window = None if rules.window is None or job.is_back else rules.window.of(timezone)
    return encode(
        Offer(
            v=VERSION,
            rollout=head.id,
            job=job_id(head.id, job),
            attempt=job.attempt,
            component=head.component,
            version=target[0],
            digest=target[1],
            size=head.size,
            nodes=list(job.nodes),
            not_before_ms=job.offered_ms,
            not_after_ms=max(deadline_ms, job.offered_ms + 1),
            window=window,
            controllers=plan.controllers,
            storage=plan.storage,
            workers=plan.workers,
            parallel_workers=plan.max_parallel_workers,
            parallel_storage=plan.max_parallel_storage,
            instances=plan.instances,
            ignore_alarms=list(plan.ignore_alarms),
            alarms="permissive" if job.is_back else rules.gates.alarms,
        )
    )


def assignment_of(head: Head, job: Job, version: str, deadline_ms: int) -> Assignment:
    """Return what a site's document says of a job."""
    return Assignment(
        rollout=head.id,
        job=job_id(head.id, job),
        wave=min(job.wave, WAVE_MAX),
        target=target_path(head.component, version),
        nodes=list(job.nodes),
        not_before_ms=job.offered_ms,
        not_after_ms=max(deadline_ms, job.offered_ms + 1),
    )


def document_of(site: str, assignments: list[Assignment]) -> SiteDocument:
    """Return the whole of what a site is to install."""
    return SiteDocument(v=DOCUMENT_VERSION, site=site, assignments=assignments)
