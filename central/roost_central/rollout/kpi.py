"""Gates by figures: of how many updated sites a query may hold, or must. Pure.

``"status>=degraded <= 5 %"``: a query of the one language (docs/query.md), a bound, and ``%`` or
``sites``. A bound with a sign is over what it was: ``"drift>0 <= +2 %"`` compares the sites now
with the same sites at their offers. What counts are sites that have the update, or had it and
failed: of all of the wave's, those that are still to come would hide the others.

A site that is silent is not judged by what it said last: it stops the soak's clock (gate.py).
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from roost_central.rollout.job import Job
from roost_central.rollout.table import JOB_FAILURES, JobState
from roost_protocol.errors import ProtocolError

KPIS_MAX: Final = 8  # of a wave: each is a query over the fleet, every few seconds
_FORM: Final = re.compile(r"(?s)(.*\S) (<=|>=) ([+-]?\d{1,6}(?:\.\d{1,3})?) ?(%|sites)")
_JUDGED: Final = frozenset({JobState.SOAKING, JobState.SUCCEEDED})

Holds = Mapping[
    str, Collection[str]
]  # query -> the sites that it holds for now; unknown: not in it


@dataclass(frozen=True, slots=True)
class Kpi:
    """One gate.

    Attributes:
        text: as the plan has it.
        is_most: the bound is the most that may be, else the least.
        bound: in percent, or sites.
        is_change: the bound is over what it was at the offers.
    """

    text: str
    query: str
    is_most: bool
    bound: float
    is_percent: bool
    is_change: bool


def read_kpi(text: str) -> Kpi:
    """Return a gate; whether its query is one is not looked at.

    Raises:
        ProtocolError: ``kpi``: it has another form.
    """
    form = _FORM.fullmatch(text.strip())
    if form is None:
        bound = "QUERY <= NUMBER % (or >=, or sites), with spaces around the comparison"
        raise ProtocolError("kpi", field="kpi", got=text[:100], bound=bound)
    query, sign, bound_text, unit = form.groups()
    return Kpi(
        text.strip(), query, sign == "<=", float(bound_text), unit == "%", bound_text[0] in "+-"
    )


def known(kpis: Iterable[Kpi], holds: Holds) -> bool:
    """Say whether the figures of gates are known now."""
    return all(each.query in holds for each in kpis)


def baseline(kpis: Collection[Kpi], holds: Holds, site: str) -> tuple[bool, ...]:
    """Return for which gates' queries a site counts, in their order: a job keeps it."""
    return tuple(site in holds.get(each.query, ()) for each in kpis)


def broken(kpis: Collection[Kpi], holds: Holds, jobs: Iterable[Job], wave: int, least: int) -> str:
    """Return which gate is broken and by how much; empty: none is that is known.

    Args:
        kpis: of the wave.
        holds: what is known now.
        jobs: of the rollout.
        wave: that is judged.
        least: sites from which on percentages count.
    """
    if not kpis:
        return ""
    judged = [each for each in jobs if each.wave == wave and _counts(each)]
    for index, kpi in enumerate(kpis):
        if kpi.query not in holds or not judged:
            continue
        if kpi.is_percent and len(judged) < least:
            continue
        now = sum(job.site in holds[kpi.query] for job in judged)
        before = sum(_held(job, index) for job in judged) if kpi.is_change else 0
        size = len(judged)
        value = 100.0 * (now - before) / size if kpi.is_percent else float(now - before)
        if value > kpi.bound if kpi.is_most else value < kpi.bound:
            was = f", {before} of them at their offers" if kpi.is_change else ""
            return f"kpi {kpi.text}: it holds for {now} of {size} updated sites{was}"
    return ""


def _counts(job: Job) -> bool:
    """Say whether a job's site has the update, or had it, and is heard."""
    if job.dark_ms or job.is_back:
        return False
    return job.state in _JUDGED or (job.state in JOB_FAILURES and job.touched)


def _held(job: Job, index: int) -> bool:
    return index < len(job.kpis) and job.kpis[index]
