"""The child that talks to board controllers: one request, an answer a line, and an end.

``python -m roost_agent.bmc.child``: a hung or hostile controller costs the resident agent neither
memory nor time. What was learned of a controller comes in with the request and goes out with the
answer, so the child keeps nothing.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec.structs import replace

from roost_agent.bmc import ipmi
from roost_agent.bmc.act import Patience, Waiting, act, read_power, set_boot
from roost_agent.bmc.board import Board, load
from roost_agent.bmc.driver import Driver
from roost_agent.bmc.fault import BmcError, Fault
from roost_agent.bmc.history import chosen, keep
from roost_agent.bmc.media import eject, insert
from roost_agent.bmc.ready import ready_boards
from roost_agent.bmc.talk import Answer, Known, Request
from roost_agent.bmc.told import all_boards
from roost_agent.errors import ConfigError
from roost_agent.ports import Clock, SystemClock
from roost_protocol.boards import LOCAL

if TYPE_CHECKING:
    from roost_agent.bmc.sensor import Sensor

REQUEST_BYTES_MAX: Final = 4 << 20  # what is known of a thousand controllers
TOGETHER_MAX: Final = 64  # controllers at once
RELEARN: Final = 5  # failures in a row after which it is learned anew
_NOT_THERE: Final = frozenset(
    {Fault.UNREACHABLE, Fault.TIMEOUT, Fault.GARBAGE, Fault.REFUSED, Fault.REDIRECT}
)
_UNREAD: Final = frozenset(  # of sensors alone: the controller is there, and answers else
    {
        Fault.REFUSED,
        Fault.UNSUPPORTED,
        Fault.GARBAGE,
        Fault.OVERSIZE,
        Fault.CREDENTIAL,
        Fault.RIGHTS,
    }
)


@asynccontextmanager
async def connected(board: Board, known: Known) -> AsyncIterator[Driver]:
    """Yield a machine by the way that is known, or by the first that answers.

    A credential that Redfish refuses is an answer: IPMI is not tried with it.
    """
    way = "ipmi" if board.host == LOCAL else known.type if board.type == "dynamic" else board.type
    async with AsyncExitStack() as stack:
        machine: Driver
        if way == "ipmi":
            machine = await stack.enter_async_context(ipmi.connected(board, known))
        else:
            from roost_agent.bmc import redfish  # noqa: PLC0415 - 100 ms of aiohttp

            try:
                machine = await stack.enter_async_context(redfish.connected(board, known))
            except BmcError as err:
                if way or err.fault not in _NOT_THERE:
                    raise
                try:
                    machine = await stack.enter_async_context(ipmi.connected(board, known))
                except BmcError as other:
                    text = f"Redfish: {err}; IPMI: {other}"
                    raise BmcError(other.fault, text) from other
        yield machine


async def answer(board: Board, asked: Request, clock: Clock, waiting: Waiting) -> Answer:
    """Do what is asked of one controller; whatever goes wrong is a fault of the answer."""
    known = asked.known.get(board.node, Known())
    if known.failures >= RELEARN and asked.do in {"poll", "test"}:  # an act is for who was learned
        known = replace(known, type="", system="", uuid="")
    began_ms = clock.mono_ms()
    try:
        async with asyncio.timeout(asked.seconds), connected(board, known) as machine:
            made = await _done(board, asked, machine, waiting)
    except BmcError as err:
        made = Answer(node=board.node, fault=err.fault, why=str(err)[:300])
    except TimeoutError:
        why = f"not done within {asked.seconds:g} s"
        made = Answer(node=board.node, fault=Fault.TIMEOUT, why=why)
    except Exception as err:  # noqa: BLE001 - one controller's nonsense must not cost the others
        why = f"what it says breaks our reading: {type(err).__name__}: {err}"
        made = Answer(node=board.node, fault=Fault.CHILD, why=why[:300])
    if made.fault and made.fault != Fault.UNCONFIRMED:
        made = replace(made, known=replace(known, failures=known.failures + 1))
    made = replace(made, took_ms=clock.mono_ms() - began_ms)
    if asked.history and not made.fault:
        folder = Path(asked.history) / board.node
        unkept = await asyncio.to_thread(keep, folder, made.sensors, clock.wall_ms())
        made = replace(made, unkept=unkept)
    return made


async def _done(board: Board, asked: Request, machine: Driver, waiting: Waiting) -> Answer:
    known = await machine.identity()
    try:
        match asked.do:
            case "power":
                is_own = asked.own == board.node
                power = await act(
                    machine, asked.verb, forced=asked.forced, is_own=is_own, waiting=waiting
                )
                return Answer(node=board.node, known=known, power=power)
            case "boot":
                boot = await set_boot(machine, asked.device, once=asked.once)
                return Answer(node=board.node, known=known, boot=boot)
            case "media":
                held = await _media(machine, asked, waiting)
                return Answer(node=board.node, known=known, media=held)
            case "test":
                power, boot = await machine.power(), await machine.boot()
                return Answer(node=board.node, known=known, power=power, boot=boot)
            case "poll":
                return await _polled(board.node, machine, known, waiting)
    except BmcError as err:
        if err.fault is not Fault.UNCONFIRMED:
            raise
        return Answer(node=board.node, known=known, fault=err.fault, why=str(err)[:300])


async def _media(machine: Driver, asked: Request, waiting: Waiting) -> str:
    match asked.media:
        case "insert":
            return await insert(machine, asked.image, waiting)
        case "eject":
            return await eject(machine, waiting)
        case "status":
            return await machine.media()


async def _polled(node: str, machine: Driver, known: Known, waiting: Waiting) -> Answer:
    power = await read_power(machine, waiting)
    sensors: list[Sensor] = []
    dropped, unread = 0, ""
    try:
        sensors, dropped = await machine.sensors()
    except BmcError as err:
        if err.fault not in _UNREAD:
            raise
        unread = f"{err.fault}: {err}"[:300]
    log, last = await machine.log(known.record)
    return Answer(
        node=node,
        known=replace(known, record=last),
        power=power,
        sensors=sensors,
        dropped=dropped,
        unread=unread,
        log=log,
    )


async def serve(
    asked: Request, write: Callable[[Answer], None], clock: Clock, waiting: Waiting
) -> None:
    """Do a request and write an answer for each node, as they come.

    Raises:
        ConfigError: the file.
    """
    folder = Path(asked.folder) if asked.folder else None
    boards, why_not = ready_boards(asked.file, folder, asked.nodes)
    remembered: frozenset[str] = frozenset()
    if asked.history:
        named = load(asked.file) if folder is None else all_boards(asked.file, folder)
        remembered = chosen(Path(asked.history), [board.node for board in named])
    slots = asyncio.Semaphore(TOGETHER_MAX)

    async def one(node: str) -> None:
        board = boards.get(node)
        if board is None:
            why = why_not.get(node, f"{asked.file} names no controller of {node}")
            write(Answer(node=node, fault=Fault.CONFIG, why=why))
            return
        wish = asked if node in remembered else replace(asked, history="")
        async with slots:
            write(await answer(board, wish, clock, waiting))

    async with asyncio.TaskGroup() as group:
        for node in dict.fromkeys(asked.nodes):
            group.create_task(one(node), name=f"bmc[{node}]")


def _write(made: Answer) -> None:
    """Put an answer on standard output, a line of its own."""
    sys.stdout.buffer.write(msgspec.json.encode(made) + b"\n")
    sys.stdout.buffer.flush()


def main() -> int:
    """Read the request, answer, and return the exit status."""
    try:
        asked = msgspec.json.decode(sys.stdin.buffer.read(REQUEST_BYTES_MAX), type=Request)
        asyncio.run(serve(asked, _write, SystemClock(), Patience()))
    except (msgspec.DecodeError, ConfigError) as err:
        sys.stderr.write(f"{err}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
