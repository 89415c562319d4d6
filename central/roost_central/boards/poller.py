"""Polls the board controllers that only the centre reaches, by one child for all of them.

The child is a program of the agent's (board_lines.MODULE), begun with the first such board and
ended with the last: a hung or hostile board costs the centre neither memory nor time. It gets
passwords by a pipe, opened from the vault for that moment. What it says is kept by taken.py.

Invariants:
- a child that ends or says nothing for SILENT_S is killed, told by alarm 280.817, and begun again
  after a wait that doubles up to RESTART_S;
- the tables are the truth: a list that changed is said anew, whole.
"""

import asyncio
import logging
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import suppress
from typing import Final, assert_never

import msgspec

from roost_central.alarms.book import AlarmBook
from roost_central.boards.core import BoardRecord
from roost_central.boards.taken import BoardWords
from roost_central.boards.vault import Vault, VaultError
from roost_central.errors import StorageError
from roost_central.ports import Clock, Entropy
from roost_central.storage import boards
from roost_central.storage.engine import Database
from roost_protocol.board_lines import (
    BOARDS_MAX,
    MODULE,
    REACH_S,
    Alive,
    LearnAnew,
    Logged,
    PollBoards,
    Polled,
    ReachBoard,
    Reached,
    Told,
    read_word,
)
from roost_protocol.boards import SensorSettings
from roost_protocol.entity import key_id
from roost_protocol.severity import Severity

CHILD: Final = (sys.executable, "-P", "-m", MODULE)
TYPE: Final = "280.817"
ENTITY: Final = "central=roost"
WORD_BYTES_MAX: Final = 1 << 20  # a board of SENSORS_MAX sensors takes a tenth of it
TOGETHER_MAX: Final = 256  # words in a transaction
GATHER_S: Final = 1.0  # that words wait for others
SILENT_S: Final = 60.0  # six words that it lives
WELL_S: Final = 60.0  # a child that lived so long is well
RESTART_S: Final = (1.0, 60.0)
END_S: Final = 5.0  # for a child to end by itself

logger = logging.getLogger(__name__)


class BoardPoller:
    """See the module.

    Args:
        database: open.
        vault: opens passwords.
        book: all alarms.
        clock: of this machine.
        entropy: for the waits between two children.
        child: the command; another in tests.
    """

    def __init__(  # noqa: PLR0913 - what a child is fed from, and what its words go to
        self,
        database: Database,
        vault: Vault,
        book: AlarmBook,
        clock: Clock,
        entropy: Entropy,
        *,
        child: tuple[str, ...] = CHILD,
    ) -> None:
        self._database = database
        self._vault = vault
        self._book = book
        self._clock = clock
        self._entropy = entropy
        self._child = child
        self._words = BoardWords(database, book, clock)
        self._changed = asyncio.Event()
        self._process: Process | None = None
        self._reached: dict[str, asyncio.Future[Reached]] = {}
        self._failures = 0
        self._is_over = False  # it ends, and that is meant

    def changed(self) -> None:
        """Take in that boards were set."""
        self._changed.set()

    async def reach(self, node: str) -> Reached:
        """Have a board reached now, and return what came of it."""
        said = self._reached.get(node)
        if said is None:
            said = self._reached[node] = asyncio.get_running_loop().create_future()
            if not self._say(ReachBoard(node)):
                said.set_result(Reached(node=node, fault="child", text="its child does not run"))
        try:
            async with asyncio.timeout(REACH_S + END_S):
                return await asyncio.shield(said)
        except TimeoutError:
            return Reached(node=node, fault="timeout", text=f"not done within {REACH_S:g} s")
        finally:
            self._reached.pop(node, None)

    def learn_anew(self, node: str) -> bool:
        """Have a board learned anew; False: the child does not run."""
        return self._say(LearnAnew(node))

    async def run(self) -> None:
        """Poll until cancelled; a child that runs then ends."""
        while True:
            self._changed.clear()
            try:
                polled = await self._polled()
                if polled:
                    await self._live(polled)
                    continue
                self._well("no board is polled by the centre")
            except StorageError as err:
                logger.warning("boards are not polled yet: %s", err)
            with suppress(TimeoutError):
                async with asyncio.timeout(SILENT_S):
                    await self._changed.wait()

    async def _polled(self) -> list[Polled]:
        """Return the boards that are to be polled, with their passwords."""
        async with self._database.read() as connection:
            records = await boards.load_polled(connection)
            learned = await boards.load_learned(connection)
        await self._words.forget({each.node for each in records})
        found = []
        for record in records[:BOARDS_MAX]:
            try:
                found.append(self._opened(record, learned.get(record.node)))
            except VaultError as err:
                logger.warning("the board of %s is not polled: %s; set it anew", record.node, err)
        return found

    def _opened(self, record: BoardRecord, learned: bytes | None) -> Polled:
        assert record.access is not None  # noqa: S101 - the API sets none without
        password = self._vault.open(record.node, record.secret)
        return Polled(
            node=record.node,
            access=msgspec.structs.replace(record.access, password=password),
            sensors=record.sensors or SensorSettings(),
            learned={} if learned is None else msgspec.json.decode(learned),
        )

    # -- one child -----------------------------------------------------------------------------

    async def _live(self, polled: list[Polled]) -> None:
        """Have a child poll until it fails or nothing is left; then wait."""
        began_ms = self._clock.mono_ms()
        try:
            process = await asyncio.create_subprocess_exec(
                *self._child, stdin=PIPE, stdout=PIPE, stderr=PIPE, limit=WORD_BYTES_MAX
            )
        except OSError as err:
            await self._failed(f"its child did not begin: {err.strerror}")
            return
        self._process, self._is_over = process, False
        why = ""
        try:
            self._say(PollBoards(polled))
            async with asyncio.TaskGroup() as group:
                changes = group.create_task(self._feed(), name="central.boards.feed")
                noting = group.create_task(_note(process), name="central.boards.notes")
                why = await self._hear(process, began_ms)
                changes.cancel()
                noting.cancel()
        finally:
            self._process = None
            await _end(process)
        if why:
            await self._failed(why)

    async def _failed(self, why: str) -> None:
        self._failures += 1
        logger.warning("no board is polled by the centre: %s", why)
        self._book.raise_own(TYPE, ENTITY, Severity.MAJOR, {"reason": why})
        first, last = RESTART_S
        most = min(first * 2 ** min(self._failures, 16), last)
        await asyncio.sleep(self._entropy.uniform(first / 2, most))

    def _well(self, reason: str) -> None:
        self._failures = 0
        row = self._book.find(key_id(TYPE, ENTITY))
        if row is not None and row.is_open:
            self._book.clear_own(TYPE, ENTITY, reason)

    async def _feed(self) -> None:
        """Say the list anew where it changed."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            try:
                polled = await self._polled()
            except StorageError as err:
                logger.warning("the list of boards is not read: %s", err)
                self._changed.set()
                await asyncio.sleep(GATHER_S)
                continue
            if polled:
                self._say(PollBoards(polled))
            elif self._process is not None and self._process.stdin is not None:
                self._is_over = True
                self._process.stdin.close()
                return

    async def _hear(self, process: Process, began_ms: int) -> str:
        """Take in what a child says; return why it is no more, empty: that was meant."""
        assert process.stdout is not None  # noqa: S101 - a pipe
        waiting: list[Told | Logged] = []
        silent_ms = self._clock.mono_ms()
        while True:
            try:
                async with asyncio.timeout(GATHER_S if waiting else SILENT_S):
                    line = await process.stdout.readline()
            except TimeoutError:
                line = None
            except ValueError:
                return f"its child said a word of more than {WORD_BYTES_MAX} bytes"
            now_ms = self._clock.mono_ms()
            if line is not None:
                silent_ms = now_ms
            if line:
                try:
                    self._heard(read_word(line), waiting, now_ms - began_ms)
                except msgspec.DecodeError as err:
                    return f"its child said what is no word: {err}"
            if waiting and (not line or len(waiting) >= TOGETHER_MAX):
                await self._keep(waiting)
            if line == b"":
                ended = f"its child ended, status {await process.wait()}"
                return "" if self._is_over else ended
            if now_ms - silent_ms >= SILENT_S * 1000:
                return f"its child said nothing for {SILENT_S:g} s"

    def _heard(
        self,
        word: Told | Logged | Reached | Alive,
        waiting: list[Told | Logged],
        lived_ms: int,
    ) -> None:
        match word:
            case Told() | Logged():
                waiting.append(word)
            case Reached():
                said = self._reached.pop(word.node, None)
                if said is not None and not said.done():
                    said.set_result(word)
            case Alive():
                if lived_ms >= WELL_S * 1000:
                    self._well("gone")
            case _:
                assert_never(word)

    async def _keep(self, waiting: list[Told | Logged]) -> None:
        try:
            await self._words.take(waiting)
        except StorageError as err:
            logger.warning("what boards told is not kept: %s", err)
        waiting.clear()

    def _say(self, line: PollBoards | ReachBoard | LearnAnew) -> bool:
        process = self._process
        if process is None or process.stdin is None or process.stdin.is_closing():
            return False
        process.stdin.write(msgspec.json.encode(line) + b"\n")
        return True


async def _note(process: Process) -> None:
    """Bring what a child complains of to the log; it names no password."""
    assert process.stderr is not None  # noqa: S101 - a pipe
    while line := await process.stderr.readline():
        logger.warning("boards: %s", line.decode(errors="replace").strip()[:300])


async def _end(process: Process) -> None:
    """Have a child end, by force where it does not."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        async with asyncio.timeout(END_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
