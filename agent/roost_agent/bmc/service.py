"""Asks the board controllers of ``bmc.toml`` in this node's turn, by children that exit.

Where the node takes part in local HA, the turn is that of who holds the lease ``site``; else it is
always this node's. Passwords are dropped as soon as the file was read: the child reads it anew.

Invariants: a controller that is silent holds up nobody that answers; an act is given when it was
kept on the disk that it is; nothing here waits for the centre.
"""

import asyncio
import logging
import sys
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, assert_never

import msgspec
from msgspec.structs import replace

from roost_agent import child
from roost_agent.bmc import kept, told
from roost_agent.bmc.budget import COUNTED, ActBudget
from roost_agent.bmc.core import Boards
from roost_agent.bmc.effect import Act, Answered, Effect, Moment, Note, Poll, Record, Tick
from roost_agent.bmc.fault import Fault
from roost_agent.bmc.standing import log_severity, steady
from roost_agent.bmc.talk import Answer, Known, Request, Verb
from roost_agent.errors import StorageError
from roost_agent.host.samples.ring import BOARDS_FOLDER
from roost_agent.outbox.latest import Latest, Outbox
from roost_agent.outbox.spool import Batch
from roost_agent.outbox.store import Entry
from roost_agent.ports import Clock
from roost_protocol.alarm import Event as EventSaid
from roost_protocol.catalogue import cut
from roost_protocol.codec import VERSION, pack
from roost_protocol.entity import escape
from roost_protocol.envelope import ItemKind, Lane

if TYPE_CHECKING:
    from roost_agent.bmc.board import Board
    from roost_agent.ha.upward import Alarming
    from roost_protocol.bmc_report import BmcReport

CHILD: Final = (sys.executable, "-P", "-m", "roost_agent.bmc.child")
LOOK_S: Final = 1.0
RECORDS_MAX: Final = 1_024  # of controllers' logs that wait for the outbox; the oldest go
SWEEP_S: Final = 60.0
ACT_S: Final = 150.0  # power-off: five orders, 20 s apart, and the last reads
ILL_S: Final = 20.0  # for controllers that failed the last time: those that answer wait for them
START_S: Final = 30.0  # on top, for a child to begin: half a second, at 5 % of a processor
OUTPUT_BYTES_MAX: Final = 8 << 20
LOG_TYPE: Final = "200.814"
LEFT: Final = "reinstall.json"  # reinstall/left.py, which a node without any does not import
# Faults after which nobody knows whether the board took the order.
UNSURE: Final = frozenset({Fault.UNCONFIRMED, Fault.TIMEOUT, Fault.CHILD, Fault.GARBAGE})

log = logging.getLogger(__name__)


class BoardControllers:
    """The controllers of one node's file.

    Attributes:
        budget: what may be done to machines of the site, whoever asks for it.

    Args:
        file: bmc.toml.
        boards: what it says; the passwords are dropped.
        own: this node's name.
        folder: the state directory.
        outbox: of the node.
        alarms: of the node.
        clock: for what is due.
        is_ours: whether it is this node's turn; None: nobody knows yet.
        why_not: why a host must not be acted on for what its sensors say; empty: it may.
    """

    def __init__(  # noqa: PLR0913 - the parts of a node that it works with
        self,
        file: str,
        boards: Sequence["Board"],
        own: str,
        *,
        folder: Path,
        outbox: Outbox,
        alarms: "Alarming",
        clock: Clock,
        is_ours: Callable[[], bool | None],
        why_not: Callable[[str], str] = lambda _node: "",
    ) -> None:
        self._file = file
        self._own = own
        self._folder = folder
        self._outbox = outbox
        self._alarms = alarms
        self._clock = clock
        self._is_ours = is_ours
        self._why_not = why_not
        self.budget = ActBudget(folder, clock)
        found = kept.read(folder)
        bare = [told.bare(board) for board in boards]
        self._core = Boards(bare, found.known, found.acts, clock.boot_ms())
        self._told: dict[str, Latest[BmcReport]] = {
            board.node: Latest(outbox, ItemKind.BMC, steady) for board in bare
        }
        self._records: list[Entry] = []
        self._busy: set[str] = set()
        self._group: asyncio.TaskGroup | None = None
        # One child that polls and one that acts: each has 30 MiB beside the agent, which has 96.
        self._polling, self._acting = asyncio.Lock(), asyncio.Lock()

    def has(self, node: str) -> bool:
        """Whether a node's machine has a controller here."""
        return node in self._core.nodes

    def power(self, node: str) -> tuple[bool, int] | None:
        """Return whether a machine has power, off read twice; and when, by the boot clock, ms."""
        return self._core.power(node)

    def ill(self, node: str) -> str:
        """Return which sensor of a machine is critical, and its reading; empty: none."""
        return self._core.ill(node)

    def look_soon(self, node: str) -> None:
        """Read a controller before it is due: its host is not heard any more."""
        self._core.hurry(node, self._clock.boot_ms())

    async def act(self, node: str, verb: str, may: Callable[[], str] = str) -> str:
        """Do something to a machine's power, and return why it is not done; empty: it reads so.

        Args:
            node: whose machine.
            verb: ``power-on``, ``power-off``, ``power-cycle`` or ``reset``.
            may: asked right before the child is; returns why it must not, empty: it may.

        What takes power counts against the site's hour, and is given back where the board did not
        take the order; the word ``budget`` before a reason says that the hour is full.
        """
        if not self.has(node):
            return f"neither {self._file} nor the centre names a controller of {node}"
        if node in self._busy:
            return f"another act on {node} is under way"
        self._busy.add(node)
        try:
            async with self._acting:
                if why := may():
                    return why
                return await self._counted(node, Verb(verb))
        finally:
            self._busy.discard(node)

    async def _counted(self, node: str, verb: Verb) -> str:
        """Act on a machine within the site's hour; return why it is not done."""
        spent = None
        if verb in COUNTED:
            if why := self.budget.refusal():
                return f"budget: {why}"
            try:
                spent = self.budget.spend()
            except OSError as err:
                return f"budget: it cannot be counted: {err.strerror}"
        log.warning("bmc: %s of %s", verb, node)
        asked = replace(self._request("power", (node,), ACT_S), verb=verb)
        (answer,) = await self._asked(asked)
        if not answer.fault:
            self._core.learned(node, answer.known)
            return ""
        if spent is not None and answer.fault not in UNSURE:
            self.budget.give_back(spent)
        return f"{answer.fault}: {answer.why}"

    def host(self, node: str) -> str:
        """Return where a controller is."""
        return self._core.host(node)

    async def ask(self, node: str, seconds: float, **said: Any) -> Answer:  # noqa: ANN401 - talk.py
        """Have one thing done by a controller that takes no power: its drive, its next boot.

        Args:
            node: whose machine.
            seconds: that it may take.
            said: fields of the request (talk.py).
        """
        async with self._acting:
            asked = replace(self._request(said.pop("do"), (node,), seconds), **said)
            (answer,) = await self._asked(asked)
        if not answer.fault:
            self._core.learned(node, answer.known)
        return answer

    def begin(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Have something go on for as long as boards are asked."""
        if self._group is None:
            work.close()
            raise RuntimeError("boards are not asked yet")
        self._group.create_task(work, name=name)

    async def test(self, node: str) -> Answer:
        """Reach a controller, and return who it is or what is wrong; no failure is counted."""
        (answer,) = await self._asked(self._request("test", (node,), SWEEP_S))
        return answer

    def relearn(self, node: str) -> None:
        """Forget what was learned of a controller; it is asked at once."""
        self._core.relearn(node, self._clock.boot_ms())
        with suppress(OSError):  # it is forgotten again, then
            self._keep()

    def redefine(self, boards: "Sequence[Board]") -> None:
        """Go by other controllers from now on; their passwords are dropped."""
        bare = [told.bare(board) for board in boards]
        self._core.redefine(bare, self._clock.boot_ms())
        self._told = {
            board.node: self._told.get(board.node) or Latest(self._outbox, ItemKind.BMC, steady)
            for board in bare
        }

    async def run(self) -> None:
        """Ask what is due, until cancelled; a child that runs then is killed."""
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                if (self._folder / LEFT).exists():
                    from roost_agent.reinstall.left import Left  # noqa: PLC0415 - seldom

                    self.begin(Left(self, self._folder).put_away(), "agent.reinstall.left")
                while True:
                    for effect in self._core.handle(Tick(self._is_ours()), self._now()):
                        self._do(effect, group)
                    self._tell()
                    await asyncio.sleep(LOOK_S)
        finally:
            with suppress(OSError):
                self._keep()

    def _do(self, effect: Effect, group: asyncio.TaskGroup) -> None:
        match effect:
            case Poll(nodes):
                name = f"agent.bmc[{','.join(nodes)[:60]}]"
                group.create_task(self._poll(nodes, group), name=name)
            case Act():
                group.create_task(self._act(effect), name=f"agent.bmc.act[{effect.node}]")
            case Note(text):
                log.warning("bmc: %s", text)
            case Record():
                self._records.append(_entry(effect, self._clock.wall_ms()))
                del self._records[:-RECORDS_MAX]
            case _:
                assert_never(effect)

    async def _poll(self, nodes: tuple[str, ...], group: asyncio.TaskGroup) -> None:
        before = self._core.known()
        is_ill = any(before[node].failures for node in nodes if node in before)
        asked = self._request("poll", nodes, ILL_S if is_ill else SWEEP_S)
        async with self._polling:
            answers = await self._asked(asked)
        for answer in answers:
            for effect in self._core.handle(Answered(answer, self.budget.spent()), self._now()):
                self._do(effect, group)
        self._tell()
        if _settled(before) != _settled(self._core.known()):
            with suppress(OSError):  # it is learned again, then
                self._keep()

    async def _act(self, asked: Act) -> None:
        try:
            self._keep()
        except OSError as err:
            log.warning("bmc: no %s of %s: it cannot be counted: %s", asked.verb, asked.node, err)
            return
        log.warning("bmc: %s of %s: %s", asked.verb, asked.node, asked.why)
        if why := await self.act(asked.node, asked.verb, lambda: self._refused(asked.node)):
            log.warning("bmc: %s of %s was not done: %s", asked.verb, asked.node, why)

    def _refused(self, node: str) -> str:
        """Return why sensors must not have a host acted on, as it is in this moment."""
        return "another node's turn it is" if not self._is_ours() else self._why_not(node)

    async def _asked(self, asked: Request) -> list[Answer]:
        """Return an answer for each node that is asked for, whatever becomes of the child."""
        seconds = asked.seconds + START_S
        why = ""
        found: dict[str, Answer] = {}
        try:
            done = await child.run(
                CHILD,
                seconds=seconds,
                bytes_max=OUTPUT_BYTES_MAX,
                given=msgspec.json.encode(asked),
            )
            why = done.complaint.decode(errors="replace").strip().rpartition("\n")[2][:200]
            found = {each.node: each for each in _answers(done.output)}
        except TimeoutError:
            why = f"the child did not end within {seconds:g} s"
        except OSError as err:
            why = f"the child did not begin: {err.strerror}"
        return [found.get(node) or self._lost(node, asked, why) for node in asked.nodes]

    def _lost(self, node: str, asked: Request, why: str) -> Answer:
        known = asked.known.get(node, Known())
        known = replace(known, failures=known.failures + 1)
        return Answer(
            node=node, fault=Fault.CHILD, why=why or "the child said nothing", known=known
        )

    def _request(self, do: str, nodes: tuple[str, ...], seconds: float) -> Request:
        known = self._core.known()
        return Request(
            file=self._file,
            folder=str(self._folder),
            do=do,  # type: ignore[arg-type] # one of this module's own words
            nodes=list(nodes),
            known={node: known.get(node, Known()) for node in nodes},
            own=self._own,
            seconds=seconds,
            history=str(self._folder / BOARDS_FOLDER) if do == "poll" else "",
        )

    def _tell(self) -> None:
        """Hand over how all of it stands."""
        seen = self._core.round()
        if self._alarms.is_open and seen is not None:
            self._alarms.observe(seen)
        now = self._now()
        for report in self._core.reports():
            self._told[report.node].tell(report, now_ms=now.ms, wall_ms=now.wall_ms)
        if self._records and self._outbox.lanes:
            with suppress(StorageError):  # offered again
                self._outbox.append(Batch(tuple(self._records), {}))
                self._records = []

    def _keep(self) -> None:
        kept.write(self._folder, self._core.known(), self._core.acts())

    def _now(self) -> Moment:
        return Moment(self._clock.boot_ms(), self._clock.wall_ms())


def _answers(raw: bytes) -> Iterator[Answer]:
    for line in raw.splitlines():
        with suppress(msgspec.DecodeError):  # cut at the bound: that node has no answer
            yield msgspec.json.decode(line, type=Answer)


def _entry(said: Record, wall_ms: int) -> Entry:
    record = said.record
    event = EventSaid(
        v=VERSION,
        type=LOG_TYPE,
        severity=log_severity(record.severity),
        entity=f"bmc={escape(said.node)}",
        text=cut(f"{said.node}: {record.text}"),
        params={"record": record.record, "at": record.at},
    )
    body, compressed = pack(event)
    return Entry(Lane.BULK, ItemKind.EVENT, max(wall_ms, 0), body, compressed)


def _settled(known: dict[str, Known]) -> dict[str, Known]:
    """Return what is worth a write: a failure that is one more is not."""
    return {node: replace(each, failures=min(each.failures, 1)) for node, each in known.items()}
