"""The child of a centre: polls the boards that only the centre reaches, until its input ends.

``python -m roost_agent.bmc.fleet``, lines of board_lines.py in and out. It decides as an agent does
(core) and acts on no machine: what sensors ask for beyond an alarm is for a coordinator, which
knows how the hosts of its site stand. It keeps nothing on disk: what was learned of a board is told
and given back.

Invariants:
- no password is in a word, a name of a task or a complaint;
- boards that answer wait for none that do not: each sort has its own places.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Final, NoReturn, assert_never

import msgspec
from msgspec.structs import asdict, replace

from roost_agent.alarms.rules import Finding
from roost_agent.bmc import redfish  # noqa: F401 - now: the first of many boards would wait
from roost_agent.bmc.act import Patience, Waiting
from roost_agent.bmc.board import Board
from roost_agent.bmc.child import answer
from roost_agent.bmc.core import Boards
from roost_agent.bmc.effect import Act, Answered, Effect, Moment, Note, Poll, Record, Tick
from roost_agent.bmc.standing import log_severity, steady
from roost_agent.bmc.talk import Answer, Known, Request
from roost_agent.bmc.told import bare
from roost_agent.ports import Clock, SystemClock
from roost_protocol.board_lines import (
    ALIVE_S,
    LINE_BYTES_MAX,
    REACH_S,
    Alive,
    Found,
    LearnAnew,
    Logged,
    PollBoards,
    Polled,
    ReachBoard,
    Reached,
    Told,
    Word,
    read_line,
)
from roost_protocol.boards import INTERVAL_S, Group, GroupSettings
from roost_protocol.catalogue import cut

WELL_MAX: Final = 48  # boards at once that answered the last time
ILL_MAX: Final = 16  # that did not
SWEEP_S: Final = 60.0
ILL_S: Final = 20.0
LOOK_S: Final = 1.0
ACTS: Final = frozenset({"reset", "power-cycle"})

Write = Callable[[Word], None]


class Ended(Exception):  # noqa: N818 - the centre hung up, which is no error
    """The input ended."""


class Fleet:
    """The boards of a centre.

    Args:
        write: puts a word on the output.
        clock: for what is due.
        waiting: how an act waits.
    """

    def __init__(self, write: Write, clock: Clock, waiting: Waiting) -> None:
        self._write = write
        self._clock = clock
        self._waiting = waiting
        self._core = Boards((), {}, {}, clock.boot_ms())
        self._boards: dict[str, Board] = {}
        self._told: dict[str, object] = {}
        self._well, self._ill = asyncio.Semaphore(WELL_MAX), asyncio.Semaphore(ILL_MAX)

    async def run(self, lines: AsyncIterator[bytes]) -> None:
        """Do what is asked until there are no more lines.

        Raises:
            msgspec.DecodeError: a line is none.
        """
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._look(group), name="bmc.fleet.look")
                group.create_task(self._live(), name="bmc.fleet.alive")
                async for line in lines:
                    self._take(read_line(line), group)
                _hang_up()
        except* Ended:
            pass

    def _take(self, line: PollBoards | ReachBoard | LearnAnew, group: asyncio.TaskGroup) -> None:
        match line:
            case PollBoards(boards):
                self._set(boards)
                self._alive()
            case ReachBoard(node):
                group.create_task(self._test(node), name=f"bmc.test[{node}]")
            case LearnAnew(node):
                self._told.pop(node, None)
                self._core.relearn(node, self._clock.boot_ms())
            case _:
                assert_never(line)

    def _set(self, boards: list[Polled]) -> None:
        self._boards = {each.node: board_of(each) for each in boards}
        known = self._core.known()
        self._core.redefine(map(bare, self._boards.values()), self._clock.boot_ms())
        for each in boards:
            if each.node not in known and each.learned:
                self._core.learned(each.node, msgspec.convert(each.learned, Known))
        self._told = {node: said for node, said in self._told.items() if node in self._boards}

    async def _look(self, group: asyncio.TaskGroup) -> None:
        while True:
            for effect in self._core.handle(Tick(is_ours=True), self._now()):
                self._do(effect, group)
            await asyncio.sleep(LOOK_S)

    async def _live(self) -> None:
        while True:
            self._alive()
            await asyncio.sleep(ALIVE_S)

    def _alive(self) -> None:
        late = self._core.late(self._clock.boot_ms())
        self._write(Alive(boards=len(self._boards), late=late))

    def _do(self, effect: Effect, group: asyncio.TaskGroup) -> None:
        match effect:
            case Poll(nodes):
                for node in nodes:
                    group.create_task(self._poll(node, group), name=f"bmc.poll[{node}]")
            case Record(node, record):
                severity = int(log_severity(record.severity))
                text = cut(f"{node}: {record.text}")
                self._write(
                    Logged(
                        node=node, record=record.record, at=record.at, text=text, severity=severity
                    )
                )
            case Note(text):
                sys.stderr.write(f"{text}\n")
            case Act():
                raise AssertionError("no board of a centre acts on its machine: see _mild")
            case _:
                assert_never(effect)

    async def _poll(self, node: str, group: asyncio.TaskGroup) -> None:
        is_ill = bool(self._known(node).failures)
        async with self._ill if is_ill else self._well:
            made = await self._answer(node, "poll", ILL_S if is_ill else SWEEP_S)
        if made is None:
            return
        for effect in self._core.handle(Answered(made), self._now()):
            self._do(effect, group)
        self._tell(node)

    async def _test(self, node: str) -> None:
        made = await self._answer(node, "test", REACH_S)
        if made is None:
            self._write(Reached(node=node, fault="config", text="it is not polled by the centre"))
            return
        known = made.known
        who = " ".join(each for each in (known.maker, known.model, known.uuid) if each)
        text = f"{node}: {who or 'a machine'}, by {known.type}, power {made.power}"
        self._write(Reached(node=node, fault=made.fault, text=made.why or text))

    async def _answer(self, node: str, do: str, seconds: float) -> Answer | None:
        board = self._boards.get(node)
        if board is None:
            return None
        asked = Request(
            file="",
            do=do,  # type: ignore[arg-type] # one of this module's own words
            nodes=[node],
            known={node: self._known(node)},
            seconds=seconds,
        )
        return await answer(board, asked, self._clock, self._waiting)

    def _known(self, node: str) -> Known:
        return self._core.known().get(node, Known())

    def _tell(self, node: str) -> None:
        """Tell how a board stands where that is another than was told, or long ago."""
        stands = self._core.stands(node)
        if stands is None:
            return
        report, samples = stands
        found = [_found(each) for each in samples if isinstance(each, Finding)]
        known = self._known(node)
        said = (
            steady(report),
            [(each.type, each.entity, each.severity) for each in found],
            replace(known, failures=min(known.failures, 1)),
        )
        if said != self._told.get(node):
            self._told[node] = said
            learned = msgspec.to_builtins(known)
            self._write(Told(node=node, report=report, found=found, learned=learned))

    def _now(self) -> Moment:
        return Moment(self._clock.boot_ms(), self._clock.wall_ms())


def _hang_up() -> NoReturn:
    raise Ended


def board_of(said: Polled) -> Board:
    """Return a board of the centre's list as the core has one; it acts on no machine."""
    return Board(
        node=said.node,
        **asdict(said.access),
        interval_s=said.sensors.interval_s or INTERVAL_S,
        groups=_mild(said.sensors.groups),
        suppress=said.sensors.suppress,
    )


def _mild(groups: Mapping[Group, GroupSettings]) -> dict[Group, GroupSettings]:
    """Return settings of which none has a machine acted on."""
    return {
        group: replace(each, critical="alarm")
        if each.critical in {"reset", "power-cycle"}
        else each
        for group, each in groups.items()
    }


def _found(said: Finding) -> Found:
    severity = None if said.severity is None else int(said.severity)
    return Found(said.type, said.entity, severity, dict(said.params))


def _write(word: Word) -> None:
    """Put a word on standard output, a line of its own."""
    sys.stdout.buffer.write(msgspec.json.encode(word) + b"\n")
    sys.stdout.buffer.flush()


async def _lines() -> AsyncIterator[bytes]:
    reader = asyncio.StreamReader(limit=LINE_BYTES_MAX)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        yield line


async def _serve() -> None:
    await Fleet(_write, SystemClock(), Patience()).run(_lines())


def main() -> int:
    """Poll until standard input ends; return the exit status."""
    status = 0
    try:
        asyncio.run(_serve())
    except* BrokenPipeError:
        pass
    except* (msgspec.MsgspecError, ValueError) as errors:
        sys.stderr.write(f"a line of the centre makes no sense: {errors.exceptions[0]}\n")
        status = 2
    return status


if __name__ == "__main__":
    sys.exit(main())
