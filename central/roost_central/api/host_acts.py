"""Acts on hosts over HTTP: what may be done and why not, and doing it as an order to a node.

What stands in the way is decided in hosts/checks.py, what becomes of an order in orders/.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.access.chain import Act
from roost_central.api.acts import act_of, principal_of, telling_refusals
from roost_central.api.bulk import DryRun
from roost_central.api.call import Call, NoQuery, Reply
from roost_central.api.host_act_answers import (
    ActionAnswer,
    ActionPage,
    BlockerAnswer,
    EffectAnswer,
    HostActAnswer,
    HostActBody,
)
from roost_central.api.host_image import image_given
from roost_central.api.named_node import named_node
from roost_central.api.orders import asked, desk_of, order_answer
from roost_central.api.problem import ApiError, FieldError, blame
from roost_central.enrol.states import LIVE
from roost_central.errors import NotFoundError
from roost_central.fleet.view import NodeRow
from roost_central.hosts.actions import ACTIONS, Action
from roost_central.hosts.blocker import Blocker
from roost_central.hosts.checks import Around, SeenAlarm, Verdict, judge
from roost_central.hosts.effects import Effect
from roost_central.hosts.shown import shown
from roost_central.orders.core import OPEN, OrderRecord
from roost_central.orders.desk import OrderRefusedError, Wanted
from roost_central.rollout.table import Kind
from roost_central.storage import bmc_reports, identities, orders
from roost_protocol.host_verbs import HostMaintenance
from roost_protocol.severity import Severity

LIFE_S: Final = 600  # it was decided on what is so now
OPEN_OF_A_SITE_MAX: Final = 1_000

HostCall = Call[DryRun, HostActBody]


async def list_actions(call: Call[NoQuery, None]) -> ActionPage:
    """GET /api/v1/nodes/{node}/host/actions."""
    row = named_node(call)
    around, generation = await _around(call, row)
    verdicts = [judge(action, row, call.api.view, around) for action in ACTIONS.values()]
    found = shown(row, call.api.view)
    return ActionPage(
        node=row.node,
        admin=None if found is None else found.admin,
        oper=None if found is None else found.oper,
        avail=None if found is None else found.avail,
        generation=generation,
        items=[_action(verdict) for verdict in verdicts],
    )


def doing(action: Action) -> Callable[[HostCall], Awaitable[Reply]]:
    """Return the handler of POST /api/v1/nodes/{node}/host:ACTION."""

    async def handler(call: HostCall) -> Reply:
        return await _do(call, action)

    return handler


async def _do(call: HostCall, action: Action) -> Reply:
    row, body = named_node(call), call.body
    detail = {"force": body.force, "seconds": body.seconds, "image": body.image}
    name = f"host.{action.name}"
    async with telling_refusals(
        call, name, row.node, detail, reason=body.reason, codes={"conflict", "invalid"}
    ):
        around, generation = await _around(call, row)
        verdict = judge(action, row, call.api.view, around)
        _check_expected(body, row, call, generation)
        _check_words(body, action, row)
        forced = _passed(verdict, body)
        image = await image_given(call, body.image) if action.needs_media else {}
        if call.query.dry_run:
            return Reply(_answer(row, verdict, forced))
        if action.verb is None:
            return await _delete(call, row, verdict)
        order = await _order(call, row, verdict, around, image)
    return Reply(_answer(row, verdict, forced, order=order), status=202)


async def _order(
    call: HostCall, row: NodeRow, verdict: Verdict, around: Around, image: dict[str, Any]
) -> OrderRecord:
    """Place the order that an act is; of two people at once the second is refused."""
    body, action = call.body, verdict.action
    verb, name = action.verb, f"host.{action.name}"
    if verb is None or row.host is None:
        raise AssertionError("an action without a verb, or of a host that nobody spoke of")
    given: dict[str, Any] = {
        "node": row.name,
        "expect": "/".join(row.host.triple),
        "force": body.force,
        **image,
    }
    if verb is HostMaintenance and body.seconds is not None:
        given["seconds"] = body.seconds
    life_s = verb.life_s_max or LIFE_S
    wanted = Wanted(verdict.receiver, verb.verb, given, body.reason.strip(), life_s)

    def note(record: OrderRecord, _before: OrderRecord | None) -> Act:
        told = {"id": record.id, "to": record.node, "force": body.force, "by_two": record.by_two}
        after = order_answer(record)
        return act_of(call, name, row.node, told, reason=wanted.reason, after=after)

    async def check(connection: AsyncConnection) -> None:
        now = replace(around, open_orders=await _open_orders(connection, row.site))
        if stopping := _stopping(judge(action, row, call.api.view, now), body):
            raise OrderRefusedError(f"{stopping[0].text}: {stopping[0].todo}")

    return await asked(desk_of(call).place(wanted, principal_of(call).name, note, check))


async def _delete(call: HostCall, row: NodeRow, verdict: Verdict) -> Reply:
    act = act_of(call, "host.delete", row.node, {"site": row.site}, reason=call.body.reason)
    try:
        ended = await call.api.registry.delete_node(row.node, act)
    except NotFoundError as err:
        raise ApiError("not-found", f"there is no node {row.node}") from err
    return Reply(_answer(row, verdict, (), ended=ended))


def _check_expected(
    body: HostActBody, row: NodeRow, call: HostCall, generation: int | None
) -> None:
    """Refuse what was decided on another state, or for a box that was replaced meanwhile."""
    found = shown(row, call.api.view)
    now = {} if found is None else {"admin": found.admin, "oper": found.oper, "avail": found.avail}
    for name, value in (now | {"generation": generation}).items():
        expected = getattr(body.expect, name)
        if expected is not None and expected != value:
            detail = f"{row.node} has {name} {value} now, not {expected}: look again"
            raise ApiError(
                "conflict", detail, errors=[FieldError(f"expect.{name}", "differs", detail, value)]
            )


def _check_words(body: HostActBody, action: Action, row: NodeRow) -> None:
    if (body.force or action.needs_confirm) and body.confirm != row.node:
        detail = f"say {row.node!r} to confirm: {action.name} can interrupt what runs there"
        raise blame("invalid", FieldError("confirm", "differs", detail, row.node))
    if body.seconds is not None and action.verb is not HostMaintenance:
        raise blame("invalid", FieldError("seconds", "unknown", f"{action.name} has none"))
    if body.image and not action.needs_media:
        raise blame("invalid", FieldError("image", "unknown", f"{action.name} has none"))


def _passed(verdict: Verdict, body: HostActBody) -> tuple[Blocker, ...]:
    """Return what force goes past.

    Raises:
        ApiError: ``conflict``: something is in the way that it does not go past, or nobody forces.
    """
    stopping = _stopping(verdict, body)
    if not stopping:
        return verdict.blockers
    hint = ""
    if verdict.is_forcible:
        hint = "; force goes past it: GET host/actions says what it would break"
    first = stopping[0]
    errors = [FieldError("node", each.code, f"{each.text}: {each.todo}") for each in stopping]
    raise ApiError("conflict", f"{first.text}: {first.todo}{hint}", errors=errors)


def _stopping(verdict: Verdict, body: HostActBody) -> list[Blocker]:
    return [each for each in verdict.blockers if not (body.force and each.can_force)]


async def _open_orders(connection: AsyncConnection, site: str) -> list[OrderRecord]:
    query = orders.OrderQuery(states=OPEN, sites=[site])
    return await orders.page(connection, query, before=None, limit=OPEN_OF_A_SITE_MAX)


async def _around(call: Call[Any, Any], row: NodeRow) -> tuple[Around, int | None]:
    """Return what stands around a host, and the generation of its identity."""
    api = call.api
    async with api.database.read() as connection:
        rows = await identities.of_node(connection, row.node)
        open_ = await _open_orders(connection, row.site)
        board = await bmc_reports.find(connection, row.node)
    is_polled = board is not None and board.speaker == bmc_reports.SPEAKER
    alarms = api.alarms.open_of(row.site)
    live = [each for each in rows if each.state in LIVE]
    around = Around(
        open_orders=open_,
        alarms=[
            SeenAlarm(each.node, each.type, each.text, each.severity is Severity.CRITICAL)
            for each in alarms
        ],
        board_by="" if board is None or is_polled else board.speaker,
        board_type="" if board is None else board.report.by,
        is_polled=is_polled,
        is_storm=any(each.incident for each in alarms),
        is_rolled=row.site in api.rollouts.busy(Kind.RELEASE),
        lacks=_lacks(call, row, has_identity=bool(live)),
    )
    return around, max((each.generation for each in live), default=None)


def _lacks(call: Call[Any, Any], row: NodeRow, *, has_identity: bool) -> str:
    """Return why no order can reach a host."""
    if call.api.orders is None:
        return "this centre has no fleet of its own: [fleet] and [signer] in central.toml"
    if not call.api.view.sites[row.site].managed:
        return f"site {row.site} is not managed: `roost site manage {row.site}` first"
    if row.quarantine:
        return f"{row.name} is in quarantine: `roost node release {row.node}`"
    return "" if has_identity else f"{row.name} is not enrolled: it could not check who orders"


def _answer(
    row: NodeRow,
    verdict: Verdict,
    forced: tuple[Blocker, ...],
    *,
    order: OrderRecord | None = None,
    ended: int = 0,
) -> HostActAnswer:
    return HostActAnswer(
        node=row.node,
        action=verdict.action.name,
        order=None if order is None else order_answer(order),
        forced=[_blocker(each) for each in forced],
        effects=[_effect(each) for each in verdict.effects],
        ended=ended,
    )


def _action(verdict: Verdict) -> ActionAnswer:
    action = verdict.action
    return ActionAnswer(
        action=action.name,
        title=action.title,
        allowed=verdict.is_allowed,
        forcible=verdict.is_forcible,
        needs_confirm=action.needs_confirm,
        receiver=verdict.receiver or None,
        blockers=[_blocker(each) for each in verdict.blockers],
        effects=[_effect(each) for each in verdict.effects],
    )


def _blocker(each: Blocker) -> BlockerAnswer:
    return BlockerAnswer(each.code, each.text, each.todo, each.can_force)


def _effect(each: Effect) -> EffectAnswer:
    return EffectAnswer(each.kind, each.text, list(each.services))
