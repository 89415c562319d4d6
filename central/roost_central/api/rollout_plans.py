"""Plans over HTTP: what one would do, and the rollout that it becomes.

A plan is resolved over what the caller may release to: sites beyond that are not in it, so nobody
starts anything for sites of others.
"""

import re
from collections.abc import Collection, Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from roost_central.api.acts import act_of, principal_of, telling_refusals
from roost_central.api.call import Call, Reply
from roost_central.api.inventory_tests import inventory_tests
from roost_central.api.listing import Ask, select
from roost_central.api.lists import FilterText, sites_listing, unhurried
from roost_central.api.problem import ApiError, FieldError, blame
from roost_central.api.profiles import BODY_BYTES_MAX as PROFILES_BYTES_MAX
from roost_central.api.profiles import ProfileFile
from roost_central.api.readers import parse_filter
from roost_central.api.rollout_answers import (
    DryAnswer,
    RolloutDetail,
    dry_waves,
    kinds,
    rollout_detail,
)
from roost_central.api.rollout_settings import (
    COMPONENT,
    Settings,
    settings_of,
    settings_refusals,
)
from roost_central.api.service import Api
from roost_central.errors import SignerError
from roost_central.fleet.query_suggest import hint
from roost_central.profiles.draft import Plan as Draft
from roost_central.releases.shelf import AVAILABLE, NAMED, Release
from roost_central.rollout import hops, windows
from roost_central.rollout.apart import Claim, in_the_way
from roost_central.rollout.approvers import approvers_of
from roost_central.rollout.core import Rollout
from roost_central.rollout.dry import dry_run
from roost_central.rollout.head import Head, WaveHead, begun
from roost_central.rollout.late import SelectSites
from roost_central.rollout.plan import FILES_MAX, Plan, waves_of
from roost_central.rollout.plan_file import PLAN_BYTES_MAX, plan_digest, read_plan
from roost_central.rollout.rules import settled
from roost_central.rollout.sight import job_for
from roost_central.rollout.table import Kind, MoveError, RolloutState
from roost_central.rollout.waves import Candidate, Cut, cut
from roost_protocol.errors import ProtocolError
from roost_protocol.patterns import NO_CONTROLS

ID_BYTES = 16
_LABEL = re.compile(r"\blabel\.([A-Za-z0-9_.-]+)")
NO_KEYS = "releases"  # the signer's word where it holds no keys of releases
OPEN_MAX = 64  # rollouts that are not at their end
BODY_BYTES_MAX = PLAN_BYTES_MAX * 2 + PROFILES_BYTES_MAX  # as JSON has it


class PlanBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A plan, as its file has it, and the files of profiles that it names."""

    plan: Annotated[str, Meta(min_length=1, max_length=PLAN_BYTES_MAX)]
    files: Annotated[list[ProfileFile], Meta(max_length=FILES_MAX)] = []


class CreateBody(PlanBody, frozen=True, forbid_unknown_fields=True):
    """A plan to go by; ``expect``: how many sites it was seen to be for, None: however many.

    ``start_at_ms``: UTC at which it starts by itself; 0: when somebody starts it.
    """

    expect: Annotated[int, Meta(ge=0, le=10_000_000)] | None = None
    reason: Annotated[str, Meta(max_length=500, pattern=NO_CONTROLS)] = ""
    start_at_ms: Annotated[int, Meta(ge=0, le=1 << 53)] = 0


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


async def dry_run_plan(call: Call[Any, PlanBody]) -> DryAnswer:
    """POST /api/v1/rollouts:plan."""
    read = await read_plan_of(call, call.body.plan.encode(), call.body.files)
    known: dict[str, int] = {}

    def wan_bytes(site: Candidate) -> int:
        """Of what its nodes do not have, once a site."""
        former = site.former[1]
        if read.settings is not None:
            return read.size * len(site.nodes)
        if read.release is None or call.api.releases is None:
            return read.size
        if former not in known:
            running = [former] if former else []
            known[former] = call.api.releases.wan_bytes(read.release, running)
        return known[former]

    waits = windows.waits_of(call.api.rollouts.sites.timezone, call.now_ms)
    dry = dry_run(read.plan, read.cut, read.found, wan_bytes, waits)
    waves = dry_waves(dry)
    settings = read.settings
    return DryAnswer(
        kind=read.plan.kind,
        name=read.plan.name,
        component=read.plan.component or COMPONENT,
        version=read.plan.version if settings is None else settings.version,
        digest=read.digest,
        plan_digest=plan_digest(read.raw),
        sites=dry.sites,
        nodes=dry.nodes,
        bytes_wan=sum(each.bytes_wan for each in waves),
        approvers=read.approvers,
        waves=waves,
        uncovered=kinds(dry.uncovered),
        refusals=read.refusals,
        **({} if settings is None else settings.shown()),
    )


async def create_rollout(call: Call[Any, CreateBody]) -> Reply:
    """POST /api/v1/rollouts."""
    reason = call.body.reason.strip()
    async with telling_refusals(
        call, "rollout.create", "rollout", {}, reason=reason, codes={"conflict", "invalid"}
    ):
        read = await read_plan_of(call, call.body.plan.encode(), call.body.files)
        check_taken(read, call.body.expect)
        made = await made_of(call, read, reason, call.body.start_at_ms)
    return Reply(made, status=201)


def check_taken(read: PlanRead, expect: int | None) -> None:
    """Check that a plan is taken, and is for as many sites as somebody saw.

    Raises:
        ApiError: ``conflict``.
    """
    if read.refusals:
        raise ApiError("conflict", read.refusals[0])
    if expect is not None and expect != len(read.found):
        detail = f"the plan is for {len(read.found)} sites now, not {expect}"
        error = FieldError(field="expect", code="differs", detail=detail, bound=len(read.found))
        raise ApiError("conflict", detail, errors=[error])


async def made_of(
    call: Call[Any, Any], read: PlanRead, reason: str, start_ms: int
) -> RolloutDetail:
    """Make the rollout of a plan that was read, and return it."""
    id_ = call.api.entropy.token(ID_BYTES).hex()
    rollout = drafted(call, read, id_, reason, start_ms)
    head = rollout.head
    told = {"plan": head.plan_digest, "digest": head.digest, "sites": head.sites}
    act = act_of(call, "rollout.create", id_, told, reason=head.reason)
    texts = None if read.settings is None else read.settings.texts
    try:
        await call.api.rollouts.add(rollout, read.raw, act, texts)
    except MoveError as err:
        raise ApiError("conflict", str(err)) from err
    return rollout_detail(rollout, read.raw, [])


def drafted(call: Call[Any, Any], read: PlanRead, id_: str, reason: str, start_ms: int) -> Rollout:
    """Return the rollout of a plan that was read, as it awaits approval or its start."""
    plan, now_ms = read.plan, call.now_ms
    by_name = {each.site: each for each in read.found}
    jobs = [
        job_for(by_name[site], wave) for wave, sites in enumerate(read.cut.waves) for site in sites
    ]
    head = Head(
        id=id_,
        name=plan.name,
        kind=plan.kind,
        component=plan.component or COMPONENT,
        version=plan.version if read.settings is None else read.settings.version,
        profiles=() if read.settings is None else read.settings.names,
        digest=read.digest,
        size=read.size,
        plan_digest=plan_digest(read.raw),
        by=principal_of(call).name,
        reason=reason or plan.reason,
        made_ms=now_ms,
        changed_ms=now_ms,
        start_ms=start_ms,
        waves=tuple(
            WaveHead(wave.name or f"wave {index + 1}") for index, wave in enumerate(waves_of(plan))
        ),
        approvers=read.approvers,
        sites=len(jobs),
        is_whole=call.scope.is_whole,
    )
    state = RolloutState.AWAITING_APPROVAL if read.approvers else RolloutState.SCHEDULED
    return Rollout(begun(head, state, now_ms), plan, jobs, now_ms)


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
        release = None
        if call.api.releases is not None:
            release = call.api.releases.find(plan.component, plan.version)
        digest, size = _release_of(plan, release)
        sites = await _selected(call, plan.selector, "selector")
        runner = call.api.rollouts
        runner.sites.refresh()
        busy = runner.busy(Kind.RELEASE, but)
        found = [
            runner.sites.candidate(site, plan.component, digest, busy)
            for site in sites
            if call.api.view.sites[site].nodes
        ]
        divided = cut(plan, found, await _chosen(call, plan))
    except ProtocolError as err:
        field, detail = err.field or "plan", _sentence(err)
        error = FieldError(field=field, code=err.code, detail=detail, bound=err.bound)
        raise blame("invalid", error) from err
    approvers = await _approvers(call, plan, len(found))
    sites_ = [each.site for each in found]
    refusals = _refusals(call, plan, release, sites_, divided, but=but)
    if release is not None and release.state == AVAILABLE:
        refusals += _hops(call, release, found)
    return PlanRead(plan, raw, release, digest, size, found, divided, approvers, refusals)


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
    refusals = settings_refusals(call, settings) + _common_refusals(call, plan, divided)
    approvers = plan.approvers  # the signer's policy is of releases
    return PlanRead(
        plan, raw, None, settings.digest, settings.size, settings.found, divided, approvers,
        refusals, settings,
    )  # fmt: skip


async def _chosen(call: Call[Any, Any], plan: Plan) -> dict[int, set[str]]:
    """Return the sites of waves that say a selector; look whether figures of gates can be asked."""
    for index in range(len(waves_of(plan))):
        for kpi in settled(plan, index).kpis:
            await _selected(call, kpi.query, f"wave[{index}].gates.kpi")
    return {
        index: set(await _selected(call, wave.selector, f"wave[{index}].selector"))
        for index, wave in enumerate(waves_of(plan))
        if wave.selector is not None
    }


def _release_of(plan: Plan, release: Release | None) -> tuple[str, int]:
    """Return digest and size of what a plan names.

    Raises:
        ProtocolError: ``plan``: nobody knows it, or the plan says another digest.
    """
    if release is None:
        if plan.digest is None:
            raise ProtocolError(
                "plan", field="version", got=f"{plan.component} {plan.version}",
                bound="a release of this centre (roost release list), or a digest beside it",
            )  # fmt: skip
        return plan.digest, plan.size
    if plan.digest is not None and plan.digest != release.digest:
        raise ProtocolError("plan", field="digest", got=plan.digest, bound=release.digest)
    return release.digest, release.custom.size_unpacked


def _refusals(  # noqa: PLR0913 - what a plan is looked at by
    call: Call[Any, Any],
    plan: Plan,
    release: Release | None,
    sites: Sequence[str],
    divided: Cut,
    *,
    but: str,
) -> list[str]:
    """Return why a plan that can be read is not taken, each with what to do."""
    found = []
    if release is not None and release.state != AVAILABLE:
        name = f"{plan.component} {plan.version}"
        found.append(f"release {name} is {release.state}: see roost release show")
    claim = Claim(plan.kind, plan.component, sites, supersede=plan.supersede, but=but)
    found += [
        f"{other}: let it end, or abort it first (deny it, where it awaits approval); "
        "supersede = true takes over those that do not have it yet"
        for other in in_the_way(call.api.rollouts.open, claim)
    ]
    return found + _common_refusals(call, plan, divided)


def _common_refusals(call: Call[Any, Any], plan: Plan, divided: Cut) -> list[str]:
    """Return why a plan of any kind is not taken."""
    found = windows.refusals(plan)
    if len(call.api.rollouts.open) >= OPEN_MAX:
        found.append(f"{OPEN_MAX} rollouts are open, the most there may be: end one first")
    if divided.uncovered and not plan.uncovered_ok:
        kind, count = divided.uncovered[0]
        words = ", ".join(word for word in kind if word) or "no kind"
        found.append(
            f"{len(divided.uncovered)} kinds of site have no usable canary, such as {words} "
            f"({count} sites): widen the first wave, or say uncovered_ok = true"
        )
    return found


def _hops(call: Call[Any, Any], release: Release, found: Sequence[Candidate]) -> list[str]:
    """Return which sites cannot come to a release in one step, and what comes first."""
    if call.api.releases is None:
        return []
    known = [each for each in call.api.releases.releases() if each.component == release.component]
    known.sort(key=lambda each: each.state in NAMED)  # one that is named counts for its version
    named = [each.custom for each in known if each.state in NAMED]
    counters = {each.version: each.custom.counter for each in known}
    return hops.refusals(named, counters, release.custom, found)


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


async def _selected(call: Call[Any, Any], text: FilterText | None, field: str) -> Collection[str]:
    """Return the sites that a selector holds for, by name."""
    try:
        found = await sites_of(call.api, text or "", call.now_ms)
    except ApiError as err:
        detail = err.detail.removeprefix("filter: ")
        raise ProtocolError("plan", field=field, detail=detail) from err
    if text and not found:
        _check_labels(call.api, text, field)
    return found


def _check_labels(api: Api, text: str, field: str) -> None:
    """Tell of a selector that holds for nobody which label of it no site has.

    Raises:
        ProtocolError: ``plan``.
    """
    known = {key for row in api.order.sites() for key in row.labels}
    for asked in _LABEL.findall(text):
        if asked not in known:
            detail = f"no site has a label {asked}{hint(asked, known)}"
            raise ProtocolError("plan", field=field, detail=detail)


def selecting(api: Api) -> SelectSites:
    """Return what finds sites for rollouts that run, of the whole fleet."""

    async def select_(text: str) -> Collection[str]:
        try:
            return await sites_of(api, text, api.clock.wall_ms())
        except ApiError as err:  # it was read before, by an earlier release
            raise ProtocolError("query", detail=err.detail) from err

    return select_


async def sites_of(api: Api, text: str, now_ms: int) -> list[str]:
    """Return the sites that a query holds for, in the order of their names.

    Raises:
        ApiError: ``bad-filter``.
    """
    listing, rows = sites_listing(api.alarms), api.order.sites()
    if not text.strip():
        return [row.site for row in rows]
    query = parse_filter(text, listing.carrier)
    items = await inventory_tests(api.database, query, now_ms, listing, rows)
    found = await unhurried(select(listing, rows, Ask(query), now_ms, items))
    return [row.site for row in found.rows]
