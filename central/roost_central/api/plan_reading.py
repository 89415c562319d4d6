"""A plan as it is for who brings it: read, and resolved over the fleet.

It is resolved over what the caller may release to: sites beyond that are not in it, so nobody
starts anything for sites of others.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from roost_central.api.call import Call
from roost_central.api.plan_refusals import (
    common_refusals,
    hop_refusals,
    refusals_of,
    window_refusals,
)
from roost_central.api.plan_release import release_of
from roost_central.api.problem import ApiError, FieldError, blamed
from roost_central.api.profiles import ProfileFile
from roost_central.api.rollout_fit import fitted
from roost_central.api.rollout_settings import (
    Settings,
    settings_of,
    settings_refusals,
)
from roost_central.api.selected_sites import selected
from roost_central.errors import SignerError
from roost_central.profiles.draft import Plan as Draft
from roost_central.releases.shelf import AVAILABLE, Release
from roost_central.rollout.approvers import approvers_of
from roost_central.rollout.plan import Plan, waves_of
from roost_central.rollout.plan_faults import PlanError
from roost_central.rollout.plan_file import read_plan
from roost_central.rollout.rules import settled
from roost_central.rollout.table import Kind
from roost_central.rollout.waves import Candidate, Cut, cut
from roost_protocol.errors import ProtocolError

NO_KEYS = "releases"  # the signer's word where it holds no keys of releases


class PlanRead(msgspec.Struct, frozen=True):
    """A plan that could be read, and whom it is for."""

    plan: Plan
    raw: bytes
    release: Release | None
    digest: str
    size: int
    found: list[Candidate]
    cut: Cut
    approvers: int
    refusals: list[str]
    settings: Settings | None = None


async def read_plan_of(
    call: Call[Any, Any],
    raw: bytes,
    files: Sequence[ProfileFile] = (),
    *,
    but: str = "",
    draft: Draft | None = None,
) -> PlanRead:
    """Return a plan, resolved over the fleet as the caller sees it.

    Args:
        call: who asks.
        raw: its file.
        files: of profiles, that came with it.
        but: a rollout that it takes the place of, and so does not stand in its way.
        draft: what its profiles come to, where that was just worked out.

    Raises:
        ApiError: ``invalid``: it is none; ``bad-filter``: a selector of it is none.
    """
    try:
        plan = read_plan(raw)
        if plan.kind is Kind.PROFILE:
            return await _read_settings(
                call, plan, raw, await settings_of(call, plan, files, draft)
            )
        desk = call.api.releases
        release = None if desk is None else desk.find(plan.component, plan.version)
        digest, size = release_of(plan, release, desk)
        sites = await selected(call, plan.selector, "selector")
        runner = call.api.rollouts
        runner.sites.refresh()
        busy = runner.busy(Kind.RELEASE, but)
        found = [
            runner.sites.candidate(site, plan.component, digest, busy)
            for site in sites
            if call.api.view.sites[site].nodes
        ]
        found, unfit = await fitted(call.api, release, found)
        divided = cut(plan, found, await _chosen(call, plan))
    except ProtocolError as err:
        faults = err.faults if isinstance(err, PlanError) else (err,)
        raise blamed("invalid", [_field_error(each) for each in faults]) from err
    approvers = await _approvers(call, plan, len(found))
    sites_ = [each.site for each in found]
    refusals = unfit + refusals_of(call, plan, release, sites_, divided, but=but)
    refusals += await window_refusals(call, plan, found, divided)
    if release is not None and release.state == AVAILABLE:
        refusals += hop_refusals(call, release, found)
    return PlanRead(plan, raw, release, digest, size, found, divided, approvers, refusals)


def _field_error(err: ProtocolError) -> FieldError:
    field, detail = err.field or "plan", _sentence(err)
    return FieldError(field=field, code=err.code, detail=detail, bound=err.bound)


def _sentence(err: ProtocolError) -> str:
    """Return what is wrong at a field whose name is told beside it."""
    got = "" if err.got is None else f"got {str(err.got)[:80]!r}"
    bound = "" if err.bound is None else f"it takes {err.bound}"
    return ": ".join(each for each in (", ".join(filter(None, (got, bound))), err.detail) if each)


async def _read_settings(
    call: Call[Any, Any], plan: Plan, raw: bytes, settings: Settings
) -> PlanRead:
    """Return a plan of profiles, resolved over the nodes whose settings they change.

    Raises:
        ApiError: ``invalid``: a profile, or what it comes to, is none.
        ProtocolError: as ``cut``.
    """
    chosen = await _chosen(call, plan)
    divided = cut(plan, settings.found, chosen)
    refusals = settings_refusals(call, settings) + common_refusals(call, plan, divided)
    approvers = plan.approvers  # the signer's policy is of releases
    return PlanRead(
        plan, raw, None, settings.digest, settings.size, settings.found, divided, approvers,
        refusals, settings,
    )  # fmt: skip


async def _chosen(call: Call[Any, Any], plan: Plan) -> dict[int, set[str]]:
    """Return the sites of waves that say a selector; look whether figures of gates can be asked."""
    for index in range(len(waves_of(plan))):
        for kpi in settled(plan, index).kpis:
            await selected(call, kpi.query, f"wave[{index}].gates.kpi")
    return {
        index: set(await selected(call, wave.selector, f"wave[{index}].selector"))
        for index, wave in enumerate(waves_of(plan))
        if wave.selector is not None
    }


async def _approvers(call: Call[Any, Any], plan: Plan, sites: int) -> int:
    least = 0
    if call.api.releases is not None:
        try:
            least = await call.api.releases.approvals_needed()
        except SignerError as err:
            if err.code == NO_KEYS:  # it signs no document, so no enrolled node is offered anything
                return plan.approvers
            raise ApiError("busy", f"the signer cannot be asked who must approve: {err}") from err
    return approvers_of(plan, sites, least)
