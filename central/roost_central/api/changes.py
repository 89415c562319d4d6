"""Staged changes over HTTP: how far each has come, and who lets it rest, go on, stop or go back.

What is decided is in staged/; a change begins with api/profiles.py. Going back applies the texts
that its profiles had before, at once and to all: what is undone was reviewed when it was applied.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from roost_central.access.chain import Act
from roost_central.api.acts import act_of, principal_of, telling_refusals
from roost_central.api.answers import Time
from roost_central.api.call import Call, NoQuery
from roost_central.api.deliveries import DeliveryCounts, count
from roost_central.api.instants import instant
from roost_central.api.problem import ApiError
from roost_central.api.profiles import asked_of_desk, may_change
from roost_central.errors import NotFoundError
from roost_central.profiles.change import Wanted
from roost_central.profiles.desk import Approval
from roost_central.profiles.draft import Plan
from roost_central.staged.core import OPEN, ChangeMoveError, StagedChange, StagedNode, State
from roost_central.storage import profiles, staged
from roost_protocol.patterns import NO_CONTROLS

FAILED_SHOWN_MAX: Final = 20  # nodes of one answer; a query lists all: config=failed


class StagedGroup(msgspec.Struct, frozen=True):
    """A group: ``turn`` is ``had``, ``now`` or ``later``; ``counts``: None once it is over."""

    group: int
    sites: int
    nodes: int
    turn: str
    counts: DeliveryCounts | None


class StagedFailure(msgspec.Struct, frozen=True):
    """A node that failed, and why."""

    node: str
    why: str


class StagedAnswer(msgspec.Struct, frozen=True):
    """A staged change: running, paused, stopped, aborted, done or rolled-back.

    ``group``: whose turn it is, from 1; ``synced``: since when it is in sync, and after ``soak_s``
    the next one's turn comes; ``stage_began``: since when it may, for ``wait_s``. ``failed_max``:
    how many nodes may fail.
    """

    id: str
    state: str
    why: str
    made: Time | None
    changed: Time | None
    by: str
    reason: str
    profiles: list[str]
    group: int
    groups: list[int]
    stage_began: Time | None
    synced: Time | None
    soak_s: int
    wait_s: int
    failed_max: int


class StagedDetail(StagedAnswer, frozen=True):
    """A change with its groups, and at most FAILED_SHOWN_MAX nodes that failed."""

    stages: list[StagedGroup]
    failed: list[StagedFailure]


class StagedPage(msgspec.Struct, frozen=True):
    """The newest changes, the newest first."""

    items: list[StagedAnswer]
    next: str | None = None


class StagedMove(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why."""

    reason: Annotated[str, Meta(max_length=500, pattern=NO_CONTROLS)] = ""


async def list_changes(call: Call[NoQuery, None]) -> StagedPage:
    """GET /api/v1/changes."""
    async with call.api.database.read() as connection:
        found = await staged.newest(connection)
        if not call.scope.is_whole:
            seen = await staged.of_nodes(connection, call.api.view.nodes)
            found = [each for each in found if each.id in seen]
    return StagedPage([_answer(each) for each in found])


async def show_change(call: Call[NoQuery, None]) -> StagedDetail:
    """GET /api/v1/changes/{change}."""
    return await _detail(call, call.path("change"))


async def pause_change(call: Call[NoQuery, StagedMove]) -> StagedDetail:
    """POST /api/v1/changes/{change}/pause."""
    reason = call.body.reason.strip()
    return await _moved(
        call, "change.pause", lambda id_, act: call.api.changes.pause(id_, reason, act)
    )


async def resume_change(call: Call[NoQuery, StagedMove]) -> StagedDetail:
    """POST /api/v1/changes/{change}/resume."""
    return await _moved(call, "change.resume", call.api.changes.resume)


async def abort_change(call: Call[NoQuery, StagedMove]) -> StagedDetail:
    """POST /api/v1/changes/{change}/abort."""
    reason = call.body.reason.strip()
    return await _moved(
        call, "change.abort", lambda id_, act: call.api.changes.abort(id_, reason, act)
    )


async def roll_back_change(call: Call[NoQuery, StagedMove]) -> StagedDetail:
    """POST /api/v1/changes/{change}/roll-back."""
    reason = call.body.reason.strip()

    async def move(id_: str, _act: Act) -> object:
        known = call.api.changes.changes.find(id_)
        if known is None:
            raise NotFoundError("change", field="change", got=id_)
        wanted = await _as_before(call, known.change)
        approval = Approval(
            principal_of(call).name, reason or f"change {id_} rolled back", undoes=id_
        )

        def note(plan: Plan) -> Act:
            told = {"outcomes": plan.outcomes, "nodes": plan.changed}
            return act_of(call, "change.roll-back", id_, told, reason=reason)

        await asked_of_desk(call.api.profiles.apply(wanted, may_change(call), approval, note))
        return await call.api.changes.rolled_back(id_, reason)

    return await _moved(call, "change.roll-back", move)


async def _as_before(call: Call[Any, Any], change: StagedChange) -> Wanted:
    """Return what makes the profiles of a change what they were before it."""
    async with call.api.database.read() as connection:
        there = {each.name: each for each in await profiles.load(connection)}
        files: list[tuple[str, str]] = []
        remove: list[str] = []
        for name, revision in change.profiles.items():
            source = await profiles.source_of(connection, name, revision) if revision else None
            if source is not None:
                file = there[name].file if name in there else f"{name}.toml"
                files.append((file, source))
            elif name in there:
                remove.append(name)
    return Wanted(files, remove)


async def _moved(
    call: Call[Any, StagedMove], action: str, move: Callable[[str, Act], Awaitable[object]]
) -> StagedDetail:
    id_, reason = call.path("change"), call.body.reason.strip()
    before = await _seen(call, id_)
    async with telling_refusals(
        call, action, id_, {}, reason=reason, codes={"conflict", "invalid", "not-allowed"}
    ):
        if not all(each.node in call.api.view.nodes for each in before) and not call.scope.is_whole:
            raise ApiError("not-allowed", "your grants are not over every node of this change")
        try:
            await move(id_, act_of(call, action, id_, {}, reason=reason))
        except NotFoundError as err:
            raise ApiError("conflict", "the change is at its end already") from err
        except ChangeMoveError as err:
            raise ApiError("conflict", str(err)) from err
    return await _detail(call, id_)


async def _seen(call: Call[Any, Any], change: str) -> Sequence[StagedNode]:
    """Return the nodes of a change that the caller sees something of."""
    async with call.api.database.read() as connection:
        found = await staged.nodes(connection, change)
    if not any(each.node in call.api.view.nodes for each in found) and not (
        found and call.scope.is_whole
    ):
        raise ApiError("not-found", f"there is no change {change[:40]!r}")
    return found


async def _detail(call: Call[Any, Any], id_: str) -> StagedDetail:
    nodes = await _seen(call, id_)
    async with call.api.database.read() as connection:
        change = await staged.find(connection, id_)
    if change is None:
        raise ApiError("not-found", f"there is no change {id_[:40]!r}")
    short, view = _answer(change), call.api.view
    is_open = change.state in OPEN
    rows = [(each, view.nodes[each.node]) for each in nodes if each.node in view.nodes]
    stages = []
    for stage, sites in enumerate(change.sizes):
        some = [row.config for each, row in rows if each.stage == stage]
        counts = count(some) if is_open else None
        stages.append(StagedGroup(stage + 1, sites, len(some), _turn(change, stage), counts))
    failed = [
        StagedFailure(row.node, row.config.why)
        for each, row in rows
        if is_open and change.has_had(each.stage) and row.config.state == "failed"
    ]
    return StagedDetail(
        **{name: getattr(short, name) for name in StagedAnswer.__struct_fields__},
        stages=stages,
        failed=failed[:FAILED_SHOWN_MAX],
    )


def _turn(change: StagedChange, stage: int) -> str:
    if stage == change.stage and change.state in OPEN - {State.ABORTED}:
        return "now"
    return "had" if stage <= change.stage else "later"


def _answer(change: StagedChange) -> StagedAnswer:
    is_running = change.state is State.RUNNING
    return StagedAnswer(
        id=change.id,
        state=change.state,
        why=change.why,
        made=instant(change.made_ms),
        changed=instant(change.changed_ms),
        by=change.by,
        reason=change.reason,
        profiles=sorted(change.profiles),
        group=min(change.stage + 1, len(change.sizes)),
        groups=list(change.sizes),
        stage_began=instant(change.stage_ms),
        synced=instant(change.synced_ms) if is_running else None,
        soak_s=change.soak_ms // 1_000,
        wait_s=change.wait_ms // 1_000,
        failed_max=change.failed_max,
    )
