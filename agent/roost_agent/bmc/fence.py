"""``roost-agent bmc fence NODE status|off|on``: what local HA's fence of a node has as its command.

One order and no wait: local HA itself reads what came of it, off twice (ha/fence). A controller
whose certificate nobody knows is not asked: whoever answers in its place could say "off" of a
machine that runs.
"""

import asyncio
import sys
from pathlib import Path
from typing import Final

from roost_agent.bmc import kept
from roost_agent.bmc.board import Board
from roost_agent.bmc.child import connected
from roost_agent.bmc.driver import Order
from roost_agent.bmc.fault import BmcError
from roost_agent.bmc.ready import ready_boards
from roost_agent.bmc.talk import Known, Power
from roost_agent.errors import AgentError
from roost_protocol.boards import LOCAL

SECONDS: Final = 30.0  # a fence's own timeout_s is shorter
VERBS: Final = ("status", "off", "on")
_ORDERS: Final = {"off": (Power.OFF, Order.OFF), "on": (Power.ON, Order.ON)}


def fence(file: str, state_dir: Path, node: str, verb: str) -> int:
    """Do it; ``status`` prints the power and the machine's UUID.

    Raises:
        AgentError: it cannot, and why.
    """
    boards, why_not = ready_boards(file, state_dir, [node])
    board = boards.get(node)
    if board is None:
        raise AgentError(why_not.get(node, f"{file} names no controller of {node}"))
    known = kept.read(state_dir).known.get(node, Known())
    if not _is_trusted(board, known):
        raise AgentError(f"{node}: its certificate is not known yet: certificate_sha256 in {file}")
    try:
        power, machine = asyncio.run(_done(board, known, verb))
    except BmcError as err:
        raise AgentError(f"{node}: {err.fault}: {err}") from err
    except TimeoutError as err:
        raise AgentError(f"{node}: no answer within {SECONDS:g} s") from err
    if verb == "status":
        sys.stdout.write(f"{power} {machine}\n")
    return 0


async def _done(board: Board, known: Known, verb: str) -> tuple[Power, str]:
    async with asyncio.timeout(SECONDS), connected(board, known) as machine:
        power = await machine.power()
        if verb in _ORDERS:
            wanted, order = _ORDERS[verb]
            if power is not wanted:
                await machine.order(order)
        return power, (await machine.identity()).uuid


def _is_trusted(board: Board, known: Known) -> bool:
    """Whether the controller proves who it is: by its certificate, or in IPMI by the password."""
    if board.type == "ipmi" or board.host == LOCAL or known.type == "ipmi":
        return True
    return bool(board.ca or board.ca_file or board.certificate_sha256 or known.pin)
