"""What orders ask of this node, where time passes between the look and the act."""

import asyncio
from types import SimpleNamespace

import pytest

from roost_agent.bmc.board import Board
from roost_agent.bmc.service import BoardControllers
from roost_agent.bmc.talk import Answer, Known, Power
from roost_agent.order_node import OrderNode
from roost_agent.orders.verbs.handler import ActError

LOCKED, UP = "locked/disabled/online", "unlocked/enabled/available"


class Clock:
    def boot_ms(self):
        return 0

    wall_ms = boot_ms


@pytest.mark.parametrize("change", ["network", "serves"])
async def test_an_act_that_waited_for_another_is_looked_at_again_before_it_leaves(tmp_path, change):
    made = BoardControllers(
        "f", [Board(node="n1", host="a"), Board(node="n2", host="b")], "n3", folder=tmp_path,
        outbox=SimpleNamespace(lanes=()), alarms=SimpleNamespace(is_open=False), clock=Clock(),
        is_ours=lambda: True,
    )  # fmt: skip
    sent, goes_on = [], asyncio.Event()

    async def asked(request):
        sent.append(request.nodes)
        await goes_on.wait()
        return [Answer(node=request.nodes[0], power=Power.ON, known=Known(type="redfish"))]

    made._asked = asked
    hosts = [{"node": node, "state": LOCKED} for node in ("n1", "n2")]
    report = {"is_mnfa": False, "hosts": hosts}
    host = SimpleNamespace(report=lambda: report)
    node = OrderNode.__new__(OrderNode)
    node._driver = SimpleNamespace(boards=made, host=host)
    async with asyncio.TaskGroup() as group:
        first, second = (group.create_task(ordered(node, name), name=name) for name in ("n1", "n2"))
        while not sent:  # noqa: ASYNC110 - the first is under way
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        report["is_mnfa"] = change == "network"
        hosts[1]["state"] = UP if change == "serves" else LOCKED
        goes_on.set()
    assert sent == [["n1"]]
    assert first.result() == ""
    assert second.result() == "state"


async def ordered(node, name):
    """The code by which it was refused; empty: it was done."""
    try:
        await node.act_on_board(name, "reset", expect="", force=False)
    except ActError as err:
        return err.code
    return ""
