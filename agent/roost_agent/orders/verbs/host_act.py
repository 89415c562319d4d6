"""``host-lock`` and its like: acts on the node as a host, as ``roost-agent host`` does them.

They go on in the next agent where this one ends in the middle. What needs a board controller is
done by the node whose ``bmc.toml`` has it, about whichever host; it does not go on.
"""

from typing import Final

from roost_agent.host.act import Wanted
from roost_agent.host.act_times import BEHIND_S, BOARD_S, REINSTALL_S, SECONDS
from roost_agent.orders.memory import Taken
from roost_agent.orders.verbs.handler import Handler, Node, Placed
from roost_protocol.host_verbs import (
    HostAct,
    HostMaintenance,
    HostPowerCycle,
    HostPowerOff,
    HostPowerOn,
    HostReinstall,
    HostReset,
)

MARGIN_S: Final = 30.0
OF_BOARDS: Final = (HostReset, HostPowerOn, HostPowerOff, HostPowerCycle)


async def _act(given: HostAct, placed: Placed, node: Node) -> str:
    order = placed.order
    wanted = Wanted(
        verb=given.verb,
        by=f"{order.by} and {order.approved_by}" if order.approved_by else order.by,
        reason=order.reason,
        expect=given.expect,
        force=given.force,
        seconds=given.seconds if isinstance(given, HostMaintenance) else 0,
    )
    return await node.act_on_host(wanted, given.node, order.id.hex())


async def _goes_on(taken: Taken, node: Node) -> str:
    return await node.host_went_on(taken.verb)


async def _by_board(given: HostAct, _placed: Placed, node: Node) -> str:
    verb = given.verb.removeprefix("host-")
    return await node.act_on_board(given.node, verb, expect=given.expect, force=given.force)


async def _reinstall(given: HostReinstall, _placed: Placed, node: Node) -> str:
    return await node.reinstall(given)


HANDLERS: Final = (
    *(
        Handler(verb, _act, BEHIND_S + seconds + MARGIN_S, goes_on=_goes_on)
        for verb, seconds in SECONDS.items()
    ),
    *(Handler(kind.verb, _by_board, BOARD_S) for kind in OF_BOARDS),
    Handler(HostReinstall.verb, _reinstall, REINSTALL_S),
)
