"""Plans over HTTP: what one would do, and the rollout that it becomes.

Leaves to others: what a plan comes to for who brings it (plan_reading.py).
"""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from roost_central.api.acts import act_of, principal_of, telling_refusals
from roost_central.api.call import Call, Reply
from roost_central.api.dry_answers import DryAnswer, dry_waves, kinds
from roost_central.api.plan_reading import PlanRead, read_plan_of
from roost_central.api.problem import ApiError, FieldError
from roost_central.api.profiles import BODY_BYTES_MAX as PROFILES_BYTES_MAX
from roost_central.api.profiles import ProfileFile
from roost_central.api.rollout_answers import RolloutDetail, rollout_detail
from roost_central.api.rollout_settings import COMPONENT
from roost_central.rollout import windows
from roost_central.rollout.core import Rollout
from roost_central.rollout.dry import dry_run
from roost_central.rollout.head import Head, WaveHead, begun
from roost_central.rollout.plan import FILES_MAX, waves_of
from roost_central.rollout.plan_file import PLAN_BYTES_MAX, plan_digest
from roost_central.rollout.sight import job_for
from roost_central.rollout.table import MoveError, RolloutState
from roost_central.rollout.waves import Candidate
from roost_protocol.patterns import NO_CONTROLS

ID_BYTES = 16
REFUSALS_MAX = 20  # of one plan that are told: a screen
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
        shown = read.refusals[:REFUSALS_MAX]
        errors = [FieldError(field="", code="refused", detail=each) for each in shown[1:]]
        raise ApiError("conflict", shown[0], errors=errors)
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
        await call.api.rollouts.acts.add(rollout, read.raw, act, texts)
    except MoveError as err:
        raise ApiError("conflict", str(err)) from err
    return rollout_detail(rollout, read.raw, [], call.now_ms)


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
