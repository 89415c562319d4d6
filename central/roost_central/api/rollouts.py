"""Rollouts over HTTP: how far each has come, and who lets it go on, rest, stop or go back.

What is decided is in rollout/; a rollout begins with api/rollout_plans.py. Whoever moves one has a
grant over each of its sites; whoever reads one sees those of its sites that are theirs.
"""

from collections.abc import Callable
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from roost_central.api.acts import act_of, telling_refusals
from roost_central.api.call import Call, NoQuery
from roost_central.api.problem import ApiError, FieldError, blame
from roost_central.api.rollout_answers import (
    RolloutDetail,
    RolloutPage,
    rollout_answer,
    rollout_detail,
)
from roost_central.api.rollout_approvals import RolloutApproval, approval_record, awaited
from roost_central.api.rollout_id import AT_ITS_END, rollout_id
from roost_central.api.rollout_site_answers import FailurePage, JobPage, failure_page, job_answer
from roost_central.errors import NotFoundError
from roost_central.rollout.core import Rollout
from roost_central.rollout.plan_file import read_plan
from roost_central.rollout.table import JobState, MoveError, RolloutState
from roost_central.storage import rollouts
from roost_protocol.patterns import NO_CONTROLS
from roost_protocol.release.approval import read_approval

JOBS_MAX: Final = 1_000  # of one answer

_Reason = Annotated[str, Meta(max_length=500, pattern=NO_CONTROLS)]


class RolloutMove(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why."""

    reason: _Reason = ""


class RolloutResume(RolloutMove, frozen=True, forbid_unknown_fields=True):
    """Why. Of a wave that failed: ``retry`` its failures, or ``skip`` it or its silent sites."""

    failed_wave: Literal["", "retry", "skip"] = ""


class JobsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which sites: of a wave from 1, in a state, or named from some letters on."""

    wave: Annotated[int, Meta(ge=0, le=1_000, description="from 1; 0: all")] = 0
    state: Literal[
        "", "queued", "offered", "accepted", "staging", "staged", "waiting", "applying",
        "cancel_rejected", "verifying", "soaking", "unreachable", "rejected", "succeeded", "failed",
        "rolled_back", "timed_out", "canceled", "superseded", "not_needed", "incompatible",
    ] = ""  # fmt: skip
    site: Annotated[str, Meta(max_length=64, description="one of them")] = ""
    after: Annotated[str, Meta(max_length=64, description="`next` of a page")] = ""
    limit: Annotated[int, Meta(ge=1, le=JOBS_MAX)] = 100


async def list_rollouts(call: Call[NoQuery, None]) -> RolloutPage:
    """GET /api/v1/rollouts."""
    async with call.api.database.read() as connection:
        found = await rollouts.newest(connection)
        if not call.scope.is_whole:
            seen = await rollouts.of_sites(connection, call.api.view.sites)
            found = [head for head in found if head.id in seen]
    open_ = call.api.rollouts.open
    rows = [(open_[head.id].rollout if head.id in open_ else None, head) for head in found]
    return RolloutPage(
        [
            rollout_answer(head, head.counts)
            if now is None
            else rollout_answer(now.head, now.counts())
            for now, head in rows
        ]
    )


async def show_rollout(call: Call[NoQuery, None]) -> RolloutDetail:
    """GET /api/v1/rollouts/{rollout}."""
    return await _detail(call, await rollout_id(call))


async def list_jobs(call: Call[JobsQuery, None]) -> JobPage:
    """GET /api/v1/rollouts/{rollout}/jobs."""
    rollout, _ = await _found(call, await rollout_id(call))
    asked, waves = call.query, len(rollout.head.waves)
    if asked.wave > waves:
        has = "1 wave" if waves == 1 else f"{waves} waves"
        detail = f"the rollout has {has}: say 1 to {waves}, or leave it out"
        raise blame("invalid", FieldError("wave", "out-of-range", detail, bound=waves))
    state = JobState(asked.state) if asked.state else None
    names = sorted(
        name
        for name, job in rollout.jobs.items()
        if name > asked.after
        and name in call.api.view.sites
        and (not asked.wave or job.wave == asked.wave - 1)
        and (state is None or job.state is state)
        and (not asked.site or name == asked.site)
    )
    shown = names[: asked.limit]
    more = shown[-1] if len(names) > len(shown) else None
    rows = [job_answer(rollout, rollout.jobs[name], call.now_ms) for name in shown]
    return JobPage(rows, more)


async def list_failures(call: Call[NoQuery, None]) -> FailurePage:
    """GET /api/v1/rollouts/{rollout}/failures."""
    rollout, _ = await _found(call, await rollout_id(call))
    shown = [job for job in rollout.failed() if job.site in call.api.view.sites]
    return failure_page(rollout, shown)


async def approve_rollout(call: Call[NoQuery, RolloutApproval]) -> RolloutDetail:
    """POST /api/v1/rollouts/{rollout}/approve."""
    id_ = await rollout_id(call)
    async with telling_refusals(
        call, "rollout.approve", id_, {}, reason="", codes={"conflict", "invalid", "not-allowed"}
    ):
        await _mine(call, id_)
        record = await approval_record(call, id_)
        approval = read_approval(record.approval)
        detail: dict[str, Any] = {
            "operator": approval.operator, "plan": approval.plan, "digest": approval.digest,
            "sites": approval.sites, "count": approval.count,
        }  # fmt: skip
        act = act_of(call, "rollout.approve", id_, detail)
        await _asked(call.api.rollouts.acts.approve(id_, record, act))
    return await _detail(call, id_)


async def deny_rollout(call: Call[NoQuery, RolloutMove]) -> RolloutDetail:
    """POST /api/v1/rollouts/{rollout}/deny."""
    reason = call.body.reason.strip()
    if not reason:
        error = FieldError(field="reason", code="missing", detail="say why it is denied")
        raise blame("invalid", error)
    return await _moved(call, "deny", lambda rollout, now_ms: rollout.denied(reason, now_ms))


async def start_rollout(call: Call[NoQuery, RolloutMove]) -> RolloutDetail:
    """POST /api/v1/rollouts/{rollout}/start."""
    id_, reason = await rollout_id(call), call.body.reason.strip()
    async with telling_refusals(
        call, "rollout.start", id_, {}, reason=reason, codes={"conflict", "not-allowed"}
    ):
        head = (await _mine(call, id_)).head
        if head.state is RolloutState.AWAITING_APPROVAL:
            raise ApiError("conflict", await awaited(call, head))
        act = act_of(call, "rollout.start", id_, {}, reason=reason)
        await _asked(call.api.rollouts.acts.start(id_, act))
    return await _detail(call, id_)


async def pause_rollout(call: Call[NoQuery, RolloutMove]) -> RolloutDetail:
    """POST /api/v1/rollouts/{rollout}/pause."""
    reason = call.body.reason.strip()
    return await _moved(call, "pause", lambda rollout, now_ms: rollout.pause(reason, now_ms))


async def resume_rollout(call: Call[NoQuery, RolloutResume]) -> RolloutDetail:
    """POST /api/v1/rollouts/{rollout}/resume."""
    how = call.body.failed_wave
    return await _moved(call, "resume", lambda rollout, now_ms: rollout.resume(how, now_ms))


async def promote_rollout(call: Call[NoQuery, RolloutMove]) -> RolloutDetail:
    """POST /api/v1/rollouts/{rollout}/promote."""
    return await _moved(call, "promote", Rollout.promote)


async def abort_rollout(call: Call[NoQuery, RolloutMove]) -> RolloutDetail:
    """POST /api/v1/rollouts/{rollout}/abort."""
    reason = call.body.reason.strip()
    return await _moved(call, "abort", lambda rollout, now_ms: rollout.abort(reason, now_ms))


async def roll_back_rollout(call: Call[NoQuery, RolloutMove]) -> RolloutDetail:
    """POST /api/v1/rollouts/{rollout}/roll-back."""
    reason = call.body.reason.strip()
    return await _moved(
        call, "roll-back", lambda rollout, now_ms: rollout.roll_back(reason, now_ms)
    )


async def _moved(
    call: Call[Any, Any], word: str, move: Callable[[Rollout, int], None]
) -> RolloutDetail:
    reason, action = call.body.reason.strip(), f"rollout.{word}"
    id_ = await rollout_id(call)
    async with telling_refusals(
        call, action, id_, {}, reason=reason, codes={"conflict", "not-allowed"}
    ):
        await _mine(call, id_)
        act = act_of(call, action, id_, {}, reason=reason)
        await _asked(call.api.rollouts.acts.change(id_, move, act))
    return await _detail(call, id_)


async def _asked(done: Any) -> None:  # noqa: ANN401 - an awaitable of the runner's
    try:
        await done
    except NotFoundError as err:
        raise ApiError("conflict", AT_ITS_END) from err
    except MoveError as err:
        raise ApiError("conflict", str(err)) from err


async def _mine(call: Call[Any, Any], id_: str) -> Rollout:
    """Return a rollout of which every site is the caller's.

    Raises:
        ApiError: ``not-found`` or ``not-allowed``.
    """
    rollout, _ = await _found(call, id_)
    if not call.scope.is_whole and not all(name in call.api.view.sites for name in rollout.jobs):
        raise ApiError("not-allowed", "your grants are not over every site of this rollout")
    return rollout


async def _found(call: Call[Any, Any], id_: str) -> tuple[Rollout, bytes]:
    """Return a rollout of which the caller sees something, and its plan.

    Raises:
        ApiError: ``not-found``.
    """
    known = call.api.rollouts.open.get(id_)
    if known is not None:
        rollout, plan = known.rollout, known.plan
    else:
        async with call.api.database.read() as connection:
            kept = await rollouts.find(connection, id_)
            jobs = await rollouts.jobs_of(connection, id_) if kept is not None else []
        if kept is None:
            raise ApiError("not-found", f"there is no rollout {id_[:40]!r}")
        plan = kept[1]
        rollout = Rollout(kept[0], read_plan(plan), jobs, call.now_ms)
    if not call.scope.is_whole and not any(name in call.api.view.sites for name in rollout.jobs):
        raise ApiError("not-found", f"there is no rollout {id_[:40]!r}")
    return rollout, plan


async def _detail(call: Call[Any, Any], id_: str) -> RolloutDetail:
    rollout, plan = await _found(call, id_)
    async with call.api.database.read() as connection:
        approvals = await rollouts.approvals_of(connection, id_)
    return rollout_detail(rollout, plan, approvals, call.now_ms)
