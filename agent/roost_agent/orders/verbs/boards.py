"""``set-boards``, ``test-board``, ``relearn-board``: the controllers that this node uses.

What the centre tells is sealed to this node (bmc/take.py) and lies on its disk when it is done. A
test is answered in words: its code is the kind of the fault, its text what was seen.
"""

from typing import Final

from roost_agent.orders.memory import Taken
from roost_agent.orders.verbs.handler import ActError, Handler, Node, Placed
from roost_protocol.board_verbs import RelearnBoard, SetBoards, TestBoard
from roost_protocol.order import read_signed

TAKE_S: Final = 90.0  # a child that opens it, and the disk
TEST_S: Final = 120.0  # a minute for the controller, and the start of a child


async def _set(_given: SetBoards, placed: Placed, node: Node) -> str:
    return await node.take_boards(read_signed(placed.message).body)


def _set_again(_taken: Taken, _node: Node) -> str:
    raise ActError("interrupted", "the agent was restarted meanwhile: it is told again")


async def _test(given: TestBoard, _placed: Placed, node: Node) -> str:
    return await node.test_board(given.node)


async def _relearn(given: RelearnBoard, _placed: Placed, node: Node) -> str:
    return await node.relearn_board(given.node)


HANDLERS: Final = (
    Handler(SetBoards.verb, _set, TAKE_S, _set_again),
    Handler(TestBoard.verb, _test, TEST_S),
    Handler(RelearnBoard.verb, _relearn, TEST_S),
)
