"""Another plan for a rollout that has not begun, over HTTP: what was signed for the first is void.

It goes back to a draft, is validated as a new one is, and awaits approval anew. Who edits it is its
author from then on: nobody approves what they wrote themselves.
"""

from typing import Annotated

from msgspec import Meta

from roost_central.api.acts import act_of, telling_refusals
from roost_central.api.call import Call, NoQuery
from roost_central.api.plan_reading import read_plan_of
from roost_central.api.problem import ApiError
from roost_central.api.rollout_answers import RolloutDetail, rollout_detail
from roost_central.api.rollout_id import AT_ITS_END, rollout_id
from roost_central.api.rollout_plans import CreateBody, check_taken, drafted
from roost_central.errors import NotFoundError
from roost_central.rollout.core import Rollout
from roost_central.rollout.table import Kind, MoveError


class EditBody(CreateBody, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A plan in place of the one before; ``rev``: of the rollout as it was read."""

    rev: Annotated[int, Meta(ge=0)]


async def edit_rollout(call: Call[NoQuery, EditBody]) -> RolloutDetail:
    """PUT /api/v1/rollouts/{rollout}."""
    id_, reason = await rollout_id(call), call.body.reason.strip()
    async with telling_refusals(
        call, "rollout.edit", id_, {}, reason=reason, codes={"conflict", "invalid", "not-allowed"}
    ):
        before = _mine(call, id_)
        if before.head.kind is Kind.PROFILE:
            raise ApiError("conflict", "it is of profiles: abort it, and make another one")
        raw = call.body.plan.encode()
        read = await read_plan_of(call, raw, but=id_)
        check_taken(read, call.body.expect)
        after = drafted(call, read, id_, reason, call.body.start_at_ms)
        if after.head.component != before.head.component:
            detail = f"this rollout is of {before.head.component}: make another one for another"
            raise ApiError("conflict", detail)
        told = {"plan": after.head.plan_digest, "was": before.head.plan_digest}
        act = act_of(call, "rollout.edit", id_, told, reason=reason)
        try:
            await call.api.rollouts.acts.edit(id_, call.body.rev, after, raw, act)
        except NotFoundError as err:
            raise ApiError("conflict", AT_ITS_END) from err
        except MoveError as err:
            raise ApiError("conflict", str(err)) from err
    return rollout_detail(call.api.rollouts.known(id_).rollout, raw, [], call.now_ms)


def _mine(call: Call[NoQuery, EditBody], id_: str) -> Rollout:
    """Return an open rollout of which every site is the caller's.

    Raises:
        ApiError: ``not-found`` or ``not-allowed``.
    """
    known = call.api.rollouts.open.get(id_)
    sites = call.api.view.sites
    mine = [] if known is None else [name for name in known.rollout.jobs if name in sites]
    if known is None or not (mine or call.scope.is_whole):
        raise ApiError("not-found", f"there is no rollout {id_[:40]!r} that is not at its end")
    if not call.scope.is_whole and len(mine) < len(known.rollout.jobs):
        raise ApiError("not-allowed", "your grants are not over every site of this rollout")
    return known.rollout
