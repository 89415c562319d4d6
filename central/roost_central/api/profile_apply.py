"""Changes of profiles that are applied over HTTP: at once, or as a rollout that begins at once.

A change over more than one site is a rollout with waves of the sizes that somebody says, unless it
is said to be at once. Whoever wants gates, approvals or another time writes a plan
(api/rollout_plans.py).
"""

import json
import re
from collections.abc import Iterable
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from roost_central.access.chain import Act
from roost_central.api.acts import act_of, principal_of, telling_refusals
from roost_central.api.call import Call, NoQuery
from roost_central.api.plan_reading import PlanRead, read_plan_of
from roost_central.api.problem import ApiError, FieldError, blame
from roost_central.api.profile_answers import PlanAnswer, plan_answer
from roost_central.api.profiles import (
    PreviewBody,
    asked_of_desk,
    may_change,
    refused,
    wanted_of,
)
from roost_central.api.rollout_plans import made_of
from roost_central.profiles.desk import Approval
from roost_central.profiles.draft import Plan
from roost_central.rollout.table import MoveError
from roost_protocol.patterns import NO_CONTROLS

GROUPS_CHARS_MAX: Final = 128
GROUPS_MAX: Final = 16
GROUPS_USUAL: Final = "1,10%,rest"
SOAK_S: Final = (0, 604_800)  # a week: a change that takes longer is several
SOAK_S_USUAL: Final = 600
WAIT_S: Final = (60, 604_800)
WAIT_S_USUAL: Final = 3_600  # in which a wave has it
FAILED_MAX: Final = 99_999  # sites
RATE: Final = 100_000  # sites a minute: the delivery has bounds of its own
HOUR_S: Final = 3_600
REST: Final = "rest"

_SIZE: Final = re.compile(r"([1-9][0-9]{0,5})(%?)", re.ASCII)
_BOUND: Final = f"at most {GROUPS_MAX} sizes with commas: sites (5), percent (10%), {REST}"


class ApplyBody(PreviewBody, frozen=True, forbid_unknown_fields=True):
    """The same, with why; ``expect`` is how many nodes are to change, None: however many.

    Nodes of more than one site have it by a rollout unless it is ``at_once``, in ``groups``: sizes
    of its waves in sites or percent of them. A wave's turn comes when the one before was in sync
    for ``soak_s``; it stops where more than ``failed_max`` sites fail, or do not have it ``wait_s``
    after their turn came.
    """

    reason: Annotated[str, Meta(max_length=500, pattern=NO_CONTROLS)] = ""
    expect: Annotated[int, Meta(ge=0, le=10_000_000)] | None = None
    at_once: bool = False
    groups: Annotated[str, Meta(min_length=1, max_length=GROUPS_CHARS_MAX)] = GROUPS_USUAL
    soak_s: Annotated[int, Meta(ge=SOAK_S[0], le=SOAK_S[1])] = SOAK_S_USUAL
    wait_s: Annotated[int, Meta(ge=WAIT_S[0], le=WAIT_S[1])] = WAIT_S_USUAL
    failed_max: Annotated[int, Meta(ge=0, le=FAILED_MAX)] = 0


async def apply_profiles(call: Call[NoQuery, ApplyBody]) -> PlanAnswer:
    """POST /api/v1/profiles:apply."""
    body = call.body
    names = {"files": [each.file for each in body.files], "remove": list(body.remove)}
    async with telling_refusals(
        call, "profile.apply", _about([*names["files"], *names["remove"]]), names,
        reason=body.reason.strip(), codes={"invalid", "conflict", "not-allowed"},
    ):  # fmt: skip
        sizes = waves_of(body.groups)  # refused whether they are needed or not
        if not body.at_once:
            wanted = wanted_of(body)
            drawn = call.api.profiles.preview(wanted, may_change(call), is_kept=True)
            draft = await asked_of_desk(drawn)
            if draft.faults:
                raise refused(draft.faults)
            if draft.sites > 1:  # a site is never cut
                return await _rolled_out(call, draft, sizes)
        return await _at_once(call)


def waves_of(groups: str) -> list[str]:
    """Return the size of each wave as a plan's file says it; what is left over is the last one.

    Raises:
        ApiError: ``invalid``: ``groups``.
    """
    words = [word.strip() for word in groups.split(",")]
    if len(words) > GROUPS_MAX:
        raise _no_size(f"{len(words)} sizes")
    sizes = [_size(word, is_last=number == len(words)) for number, word in enumerate(words, 1)]
    return sizes if words[-1] == REST else [*sizes, f"{REST} = true"]


def plan_text(body: ApplyBody, sizes: Iterable[str]) -> bytes:
    """Return the plan that a change comes to, as a file would say it."""
    files = ", ".join(json.dumps(each.file, ensure_ascii=False) for each in body.files)
    remove = ", ".join(json.dumps(each, ensure_ascii=False) for each in body.remove)
    lines = [
        'name = "roost profile apply"',
        f"profiles = [{files}]",
        f"remove = [{remove}]",
        "approvers = 0",
        "uncovered_ok = true",
        "[wave_defaults]",
        "success_pct = 1",
        "error_pct = 100",
        f"error_abs = {body.failed_max + 1}",
        f"rate = {{base = {RATE}, max = {RATE}}}",
        "site_soak_s = 0",
        f"soak_s = {body.soak_s}",
        f"deadline_h = {body.wait_s / HOUR_S}",
        'gates = {alarms = "permissive"}',
        *(f"[[wave]]\n{size}" for size in sizes),
    ]
    return "".join(f"{line}\n" for line in lines).encode()


async def _rolled_out(call: Call[NoQuery, ApplyBody], draft: Plan, sizes: list[str]) -> PlanAnswer:
    """Make a rollout of a change, start it, and return what it does."""
    body, reason = call.body, call.body.reason.strip()
    _check_expected(body, draft)
    read = await read_plan_of(call, plan_text(body, sizes), body.files, draft=draft)
    if read.refusals:
        raise ApiError("conflict", read.refusals[0])
    made = await made_of(call, read, reason, 0)
    act = act_of(call, "rollout.start", made.id, {}, reason=reason)
    try:
        await call.api.rollouts.acts.start(made.id, act)
    except MoveError as err:
        raise ApiError("conflict", str(err)) from err
    return msgspec.structs.replace(plan_answer(draft), rollout=made.id, waves=_sites(read))


async def _at_once(call: Call[NoQuery, ApplyBody]) -> PlanAnswer:
    body, wanted = call.body, wanted_of(call.body)
    approval = Approval(principal_of(call).name, body.reason.strip(), body.expect)
    texts = [each.source for each in body.files]

    def note(plan: Plan) -> Act:
        told = {"outcomes": plan.outcomes, "nodes": plan.changed}
        return act_of(
            call, "profile.apply", _about(plan.outcomes), told, reason=approval.reason, after=texts
        )

    desk = call.api.profiles
    return plan_answer(await asked_of_desk(desk.apply(wanted, may_change(call), approval, note)))


def _check_expected(body: ApplyBody, draft: Plan) -> None:
    if body.expect not in {None, draft.changed}:
        detail = f"{draft.changed} nodes would change, not {body.expect}: look at the preview again"
        raise ApiError("conflict", detail)


def _sites(read: PlanRead) -> list[int]:
    return [len(sites) for sites in read.cut.waves]


def _size(word: str, *, is_last: bool) -> str:
    if word == REST and is_last:
        return f"{REST} = true"
    found = _SIZE.fullmatch(word)
    if found is None or (found[2] and int(found[1]) > 100) or int(found[1]) > FAILED_MAX + 1:  # noqa: PLR2004 - percent
        raise _no_size(repr(word))
    return f"{'percent' if found[2] else 'count'} = {found[1]}"


def _no_size(got: str) -> ApiError:
    return blame("invalid", FieldError("groups", "value", f"{got} is no size; {_BOUND}"))


def _about(names: Iterable[str]) -> str:
    """Return what an act is about: the names, cut."""
    return ", ".join(names)[:200]
