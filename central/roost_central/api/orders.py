"""Orders to nodes over HTTP: who may have what done, and what became of it.

What is decided is in orders/desk.py, together with its audit row.
"""

from collections.abc import Awaitable
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from roost_central.access.chain import Act
from roost_central.api.acts import act_of, principal_of, telling_refusals
from roost_central.api.answers import Time
from roost_central.api.bounds import in_words
from roost_central.api.call import Call, NoQuery, Reply
from roost_central.api.cursor import Cursor, pack, scope_of, unpack
from roost_central.api.instants import instant
from roost_central.api.lists import LIMIT, LIMIT_MAX, CursorText
from roost_central.api.named_node import named_node
from roost_central.api.problem import ApiError, FieldError, blame
from roost_central.errors import NotFoundError, SignerError
from roost_central.orders.core import LIFE_S, OPEN, OrderMoveError, OrderRecord, State
from roost_central.orders.desk import OrderDesk, OrderRefusedError, Wanted
from roost_central.storage import orders
from roost_protocol.errors import ProtocolError
from roost_protocol.host_verbs import HOST_VERBS
from roost_protocol.limits import ORDER_GIVEN_MAX, ORDER_REASON_CHARS_MAX, ORDER_TEXT_CHARS_MAX
from roost_protocol.order import Reason
from roost_protocol.order_verbs import VERBS
from roost_protocol.patterns import NO_CONTROLS

LIFE_S_USUAL: Final = 3_600

Argument = Annotated[str, Meta(max_length=ORDER_TEXT_CHARS_MAX)]
NodeText = Annotated[str, Meta(max_length=80)]


class OrderAnswer(msgspec.Struct, frozen=True):
    """An order, and where it stands; ``sends`` is how often it was sent."""

    id: str
    node: str
    verb: str
    given: dict[str, Any]
    reason: str
    state: str
    code: str
    text: str
    by: str
    by_two: bool
    approved_by: str
    placed: Time | None
    not_after: Time | None
    changed: Time | None
    sent: Time | None
    sends: int
    taken: Time | None
    ended: Time | None


class OrderPage(msgspec.Struct, frozen=True):
    """Orders, the newest first."""

    items: list[OrderAnswer]
    next: str | None = None


class VerbAnswer(msgspec.Struct, frozen=True):
    """What can be ordered; in ``given`` a ``?`` is behind arguments that may be left out.

    Acts on hosts are not among it: they have routes of their own, which check first.
    """

    verb: str
    title: str
    given: list[str]
    needs_reason: bool
    by_two: bool
    never: bool


class VerbPage(msgspec.Struct, frozen=True):
    """All verbs."""

    items: list[VerbAnswer]
    next: str | None = None


class OrderBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is ordered; arguments are text, also where they are numbers."""

    verb: Annotated[str, Meta(max_length=64)]
    given: Annotated[dict[str, Argument], Meta(max_length=ORDER_GIVEN_MAX)] = {}
    reason: Reason = ""
    life_s: Annotated[int, Meta(ge=LIFE_S[0], le=LIFE_S[1])] = LIFE_S_USUAL


class CancelBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why."""

    reason: Annotated[
        str, Meta(min_length=1, max_length=ORDER_REASON_CHARS_MAX, pattern=NO_CONTROLS)
    ]


class OrderQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which orders: of a node, in a state; ``open`` are those that have not ended."""

    node: NodeText = ""
    state: (
        Literal[
            "open", "pending", "ready", "taken", "done", "failed", "refused", "expired", "cancelled"
        ]
        | None
    ) = None
    limit: Annotated[int, Meta(ge=1, le=LIMIT_MAX)] = LIMIT
    cursor: CursorText = ""


async def list_orders(call: Call[OrderQuery, None]) -> OrderPage:
    """GET /api/v1/orders."""
    query = call.query
    scope = scope_of("orders", query.node, query.state or "")
    before = None
    if query.cursor:
        place = unpack(query.cursor, scope=scope)
        before = (place.value if isinstance(place.value, int) else 0, place.name)
    states = (
        None if query.state is None else OPEN if query.state == "open" else [State(query.state)]
    )
    sites = None if call.scope.is_whole else frozenset(call.api.view.sites)
    which = orders.OrderQuery(query.node or None, states, sites)
    async with call.api.database.read() as connection:
        found = await orders.page(connection, which, before=before, limit=query.limit + 1)
    shown = found[: query.limit]
    following = None
    if len(found) > query.limit:
        following = pack(Cursor(scope, shown[-1].placed_ms, shown[-1].id))
    return OrderPage([order_answer(record) for record in shown], following)


async def list_verbs(call: Call[NoQuery, None]) -> VerbPage:
    """GET /api/v1/order-verbs."""
    try:
        rules = await desk_of(call).rules()
    except SignerError as err:
        raise _no_signer(err) from err
    return VerbPage(
        [
            VerbAnswer(
                verb=verb,
                title=kind.title,
                given=[
                    field.name if field.required else f"{field.name}?"
                    for field in msgspec.structs.fields(kind)
                ],
                needs_reason=kind.needs_reason,
                by_two=verb in rules.by_two,
                never=verb in rules.never,
            )
            for verb, kind in VERBS.items()
            if kind.is_by_hand and verb not in HOST_VERBS
        ]
    )


async def place_order(call: Call[NoQuery, OrderBody]) -> Reply:
    """POST /api/v1/nodes/{node}/orders."""
    node, body, who = named_node(call).node, call.body, principal_of(call)
    wanted = Wanted(node, body.verb, body.given, body.reason.strip(), body.life_s)
    detail = {"verb": body.verb, "given": body.given, "life_s": body.life_s}

    def note(record: OrderRecord, _before: OrderRecord | None) -> Act:
        told = detail | {"id": record.id, "by_two": record.by_two}
        return act_of(
            call, "order.place", node, told, reason=wanted.reason, after=order_answer(record)
        )

    async with telling_refusals(
        call, "order.place", node, detail, reason=wanted.reason, codes={"conflict", "invalid"}
    ):
        _refuse_host_act(node, body.verb)
        record = await asked(desk_of(call).place(wanted, who.name, note))
    return Reply(order_answer(record), status=201)


def _refuse_host_act(node: str, verb: str) -> None:
    """Refuse what would go past the checks of an act on a host."""
    if verb in HOST_VERBS:
        action = verb.removeprefix("host-")
        said = f"{verb} is an act on a host, and what is in its way is looked at first"
        todo = f"`roost host {action} {node}`, or POST /api/v1/nodes/{node}/host:{action}"
        raise blame("invalid", FieldError("verb", "host-act", f"{said}: {todo}", verb))


async def show_order(call: Call[NoQuery, None]) -> OrderAnswer:
    """GET /api/v1/orders/{order}."""
    return order_answer(await _seen(call))


async def approve_order(call: Call[NoQuery, None]) -> OrderAnswer:
    """POST /api/v1/orders/{order}/approve."""
    record, who = await _seen(call), principal_of(call).name
    return order_answer(await _moved(call, record, "order.approve", who=who))


async def cancel_order(call: Call[NoQuery, CancelBody]) -> OrderAnswer:
    """POST /api/v1/orders/{order}/cancel."""
    record = await _seen(call)
    return order_answer(await _moved(call, record, "order.cancel", reason=call.body.reason))


async def _moved(
    call: Call[Any, Any], record: OrderRecord, action: str, *, who: str = "", reason: str = ""
) -> OrderRecord:
    """Approve or cancel an order; what was refused is in the audit log, too."""
    desk = desk_of(call)
    detail = {"verb": record.verb, "node": record.node, "by": record.by}

    def note(after: OrderRecord, before: OrderRecord | None) -> Act:
        was = None if before is None else order_answer(before)
        return act_of(
            call, action, record.id, detail, reason=reason, before=was, after=order_answer(after)
        )

    async with telling_refusals(call, action, record.id, detail, reason=reason, codes={"conflict"}):
        if who:
            return await asked(desk.approve(record.id, who, note))
        return await asked(desk.cancel(record.id, reason, note))


async def asked(doing: Awaitable[OrderRecord]) -> OrderRecord:
    """Return what an act of the desk returns, its refusals as answers."""
    try:
        return await doing
    except NotFoundError as err:
        raise ApiError("not-found", f"there is no order {str(err.got)[:64]!r}") from err
    except (OrderRefusedError, OrderMoveError) as err:
        raise ApiError("conflict", str(err)) from err
    except ProtocolError as err:
        raise _ungiven(err) from err
    except SignerError as err:
        raise _no_signer(err) from err


def _ungiven(err: ProtocolError) -> ApiError:
    """Return the refusal of a verb or its arguments, with what it takes."""
    field = err.field or "given"
    said = in_words(field, err.detail) if err.detail else f"got {err.got!r}"
    return blame("invalid", FieldError(field, err.code, f"{said}; {err.bound}"))


def desk_of(call: Call[Any, Any]) -> OrderDesk:
    """Return who takes orders.

    Raises:
        ApiError: ``conflict``: this centre has no signer.
    """
    desk = call.api.orders
    if desk is None:
        detail = "this centre has no fleet of its own: [fleet] and [signer] in central.toml"
        raise ApiError("conflict", detail)
    return desk


async def _seen(call: Call[Any, Any]) -> OrderRecord:
    """Return the order that is meant.

    Raises:
        ApiError: ``not-found``: there is none that the caller may see.
    """
    order_id = call.path("order")
    async with call.api.database.read() as connection:
        record = await orders.find(connection, order_id)
    if record is None or not call.api.alarms.sees(record.site):
        raise ApiError("not-found", f"there is no order {order_id[:64]!r}")
    return record


def _no_signer(err: SignerError) -> ApiError:
    detail = f"nobody can order now, for the signer cannot be asked: {err.detail}"
    return ApiError("busy", detail, headers={"Retry-After": "10"})


def order_answer(record: OrderRecord) -> OrderAnswer:
    """Return an order as it is shown."""
    return OrderAnswer(
        id=record.id,
        node=record.node,
        verb=record.verb,
        given=record.given,
        reason=record.reason,
        state=str(record.state),
        code=record.code,
        text=record.text,
        by=record.by,
        by_two=record.by_two,
        approved_by=record.approved_by,
        placed=instant(record.placed_ms),
        not_after=instant(record.not_after_ms),
        changed=instant(record.changed_ms),
        sent=instant(record.sent_ms),
        sends=record.sends,
        taken=instant(record.taken_ms),
        ended=instant(record.ended_ms),
    )
