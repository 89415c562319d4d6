"""Having a board controller reached, or learned anew, by who reads it: a node, or the centre."""

from typing import Any, Final

import msgspec

from roost_central.access.chain import Act
from roost_central.api.acts import act_of, principal_of
from roost_central.api.boards import BoardReasonBody, keeper_of
from roost_central.api.call import Call, NoQuery, Reply
from roost_central.api.named_node import named_node
from roost_central.api.orders import OrderAnswer, asked, desk_of, order_answer
from roost_central.api.problem import ApiError
from roost_central.boards.poller import BoardPoller
from roost_central.fleet.view import NodeRow
from roost_central.orders.core import OrderRecord
from roost_central.orders.desk import Wanted
from roost_central.storage import audit, bmc_reports, boards, orders
from roost_protocol.board_faults import todo
from roost_protocol.board_lines import Reached
from roost_protocol.board_verbs import RelearnBoard, TestBoard

TEST_LIFE_S: Final = 300  # it is about what is so now
HEARD: Final = frozenset({"online", "degraded"})


class ReachedAnswer(msgspec.Struct, frozen=True):
    """What came of reaching a controller; ``fault``: its kind, empty: it was reached."""

    fault: str
    text: str
    todo: str


class BoardOrderAnswer(msgspec.Struct, frozen=True):
    """By which node a controller is reached, and the order for it.

    Where the centre reaches it (``by`` is ``central``) there is no order, and ``reached`` says at
    once what came of it.
    """

    node: str
    by: str
    order: OrderAnswer | None
    reached: ReachedAnswer | None = None


async def test_board(call: Call[NoQuery, None]) -> Reply:
    """POST /api/v1/nodes/{node}/bmc:test."""
    if await _is_polled(call):
        found = await _poller_of(call).reach(named_node(call).node)
        return await _reached(call, "bmc.test", "", found)
    return await _ordered(call, TestBoard.verb, "bmc.test", "")


async def relearn_board(call: Call[NoQuery, BoardReasonBody]) -> Reply:
    """POST /api/v1/nodes/{node}/bmc:relearn."""
    if await _is_polled(call):
        node = named_node(call).node
        found = Reached(node=node, text=f"{node}: it is learned anew: roost bmc show {node}")
        if not _poller_of(call).learn_anew(node):
            found = Reached(node=node, fault="child", text="its child does not run")
        return await _reached(call, "bmc.relearn", call.body.reason, found)
    return await _ordered(call, RelearnBoard.verb, "bmc.relearn", call.body.reason)


def _poller_of(call: Call[Any, Any]) -> BoardPoller:
    assert call.api.poller is not None  # noqa: S101 - it is there where keeper_of is
    return call.api.poller


async def _is_polled(call: Call[Any, Any]) -> bool:
    """Whether a controller is one that the centre polls."""
    keeper_of(call)
    async with call.api.database.read() as connection:
        record = await boards.find(connection, named_node(call).node)
    return record is not None and record.reached_by == "centre"


async def _reached(call: Call[Any, Any], name: str, reason: str, found: Reached) -> Reply:
    """Say and note what came of reaching a controller from here."""
    node = named_node(call).node
    detail = {"by": bmc_reports.SPEAKER, "fault": found.fault}
    async with call.api.database.write() as connection:
        await audit.add(connection, act_of(call, name, node, detail, reason=reason))
    said = ReachedAnswer(found.fault, found.text, todo(found.fault))
    return Reply(BoardOrderAnswer(node, bmc_reports.SPEAKER, None, said), status=202)


async def _ordered(call: Call[Any, Any], verb: str, name: str, reason: str) -> Reply:
    """Order something about a controller of the node that reads it."""
    row, desk = named_node(call), desk_of(call)
    by = await _reader(call, row)
    wanted = Wanted(by, verb, {"node": row.name}, reason, TEST_LIFE_S)

    def placed(record: OrderRecord, _before: OrderRecord | None) -> Act:
        told = {"id": record.id, "by": by}
        return act_of(call, name, row.node, told, reason=reason, after=order_answer(record))

    record = await asked(desk.place(wanted, principal_of(call).name, placed))
    return Reply(BoardOrderAnswer(row.node, by, order_answer(record)), status=202)


async def _reader(call: Call[Any, Any], row: NodeRow) -> str:
    """Return the node that reads a controller, or that will: one that was told of it and is heard.

    Raises:
        ApiError: ``conflict``: there is none.
    """
    async with call.api.database.read() as connection:
        said = await bmc_reports.find(connection, row.node)
        given = await boards.load_given(connection, call.api.view.sites[row.site].nodes)
        placed = await orders.by_ids(connection, [each.order for each in given.values()])
    nodes = call.api.view.nodes
    knows = [name for name, each in sorted(given.items()) if _is_done(placed.get(each.order))]
    wanted = ([] if said is None else [said.speaker]) + knows
    heard = [name for name in wanted if name in nodes and nodes[name].presence in HEARD]
    if heard:
        return heard[0]
    if wanted:
        raise ApiError("conflict", f"{wanted[0]}, which reads it, is not heard: see its presence")
    text = f"no node knows a board controller of {row.node} yet: set it, and see roost bmc show"
    raise ApiError("conflict", text)


def _is_done(order: OrderRecord | None) -> bool:
    return order is not None and str(order.state) == "done"
