"""The agent's part of settings: has root apply them, looks for drift, and tells the centre.

Root decides and acts (program.py); what it tells is a file, so that nothing waits for it here. The
schema and the sections are a child's to carry, not the agent's.

Leaves to others: the order (orders/), the helper's socket, when the node counts as reached
(``Host.is_reached``).
"""

import asyncio
import logging
import os
import sys
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec

from roost_agent.alarm_types import CONFIG_TYPES
from roost_agent.alarms.service import Alarms
from roost_agent.child import run as run_child
from roost_agent.config_apply import told as tolds
from roost_agent.config_apply import words
from roost_agent.config_apply.for_agent import ForAgent, for_agent
from roost_agent.config_apply.job_file import FOLDER as JOBS
from roost_agent.config_apply.job_file import Job, job_file
from roost_agent.config_apply.looked import LOOKED_BYTES_MAX, Looked, decode
from roost_agent.config_apply.told import Told, Waiting
from roost_agent.errors import AgentError, StorageError
from roost_agent.outbox.spool import Batch, Spool
from roost_agent.outbox.store import Entry
from roost_agent.ports import Clock
from roost_protocol.codec import encode
from roost_protocol.config_report import ConfigState
from roost_protocol.envelope import ItemKind, Lane
from roost_protocol.errors import ProtocolError
from roost_protocol.order import OrderKey, read_signed

log = logging.getLogger(__name__)

LOOK_S: Final = 300.0
CHILD_S: Final = 30.0
POLL_S: Final = 0.5  # of what root tells, while it works
APPLY_S: Final = 420.0  # root's unit has 360, and may begin anew
ASK_S: Final = 2.0  # between two words to root that the node is reached
LATE_MS: Final = 10_000  # after its time: root has told by then how it went
REAPPLY_MAX: Final = 6  # by itself, in REAPPLY_WINDOW_MS: who fights another program loses
REAPPLY_WINDOW_MS: Final = 3_600_000

Look = Callable[[], Awaitable[Looked]]
Helper = Callable[[str, str], Awaitable[None]]


class HeldError(Exception):
    """Root has taken settings up, and applies them later by itself; the text says when."""


class NotAppliedError(Exception):
    """Settings are not applied; ``code`` is a word for programs, the text a sentence."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class Host(Protocol):
    """The rest of the agent, as settings need it."""

    def changed(self) -> None:
        """Note that beats have something new to tell."""

    def use(self, own: ForAgent) -> bool:
        """Go by the settings that are the agent's own, from now on.

        Return whether it does; it ends, to be back with them, where a part is read at a start.
        """

    def refusals(self, said: Mapping[str, Any]) -> list[str]:
        """Return why this agent cannot go by a document, in sentences that begin with a setting."""

    def is_reached(self, since_ms: int, *, by_centre: bool) -> bool:
        """Say whether the node was reached since then (boot clock); ask for a sign that it is.

        Args:
            since_ms: when what is tried began.
            by_centre: the site alone is not enough.
        """


@dataclass(frozen=True, slots=True)
class RootPart:
    """How root is reached.

    Attributes:
        keys, vouches: the order keys of the identity, and their words for each other.
        ask: has the helper do a verb about a document, by its digest.
        look: compares the machine with what root told.
        jobs, told: folders.
    """

    keys: tuple[OrderKey, ...]
    ask: Helper
    look: Look
    vouches: Mapping[str, bytes] = field(default_factory=dict)
    jobs: Path = Path(JOBS)
    told: Path = Path(tolds.FOLDER)


class Settings:
    """The settings of one node.

    Args:
        host: the rest of the agent.
        spool: for reports.
        clock: for times and bounds.
        alarms: for what failed and what differs.
        root: who applies them.
    """

    def __init__(
        self, host: Host, spool: Spool, clock: Clock, alarms: Alarms, root: RootPart
    ) -> None:
        self.mark = words.mark(None, Looked())
        self.told: Told | None = None
        self.looked = Looked()
        self._host = host
        self._spool = spool
        self._clock = clock
        self._alarms = alarms
        self._root = root
        self._own: ForAgent | None = None  # what the agent goes by; None: not told yet
        self._is_used = True
        self._said = b""  # the last report
        self._reapplied: deque[int] = deque(maxlen=REAPPLY_MAX)
        self._one = asyncio.Lock()  # application at a time

    @property
    def digest(self) -> str:
        """Of what is applied, in hexadecimal digits."""
        told = self._read()
        return told.applied_digest if told is not None else ""

    @property
    def tried(self) -> str:
        """Digest of what is being tried, in hexadecimal digits; empty: nothing is."""
        told = self._read()
        return "" if told is None or told.waits_ms <= self._clock.boot_ms() else told.digest

    def own(self) -> ForAgent:
        """Return what the agent itself goes by, as root told it last."""
        return own_of(self._read(), self._clock.boot_ms())

    async def run(self) -> None:
        """Look for drift and for a window that opens, until cancelled; the outbox is open."""
        async with self._one:
            told = self._read()
            if told is not None and told.waits_ms > self._clock.boot_ms():
                self.told = told
                self._tell()
                await self._confirm(told, by_centre=True)  # the agent before this one began it
        while True:
            async with self._one:  # between two documents a machine is like neither
                await self.look()
                if self.looked.reapply and self._may_reapply():
                    self._reapplied.append(self._clock.boot_ms())
                    await self._again(self.looked.digest)
                if (held := self._held()) is not None and self._is_due(held):
                    await self._again(held.digest)
            await asyncio.sleep(self._rest_s())

    async def look(self) -> None:
        """Compare the machine with what is applied, and tell what is new of it."""
        self.told = self._read()
        self._use(own_of(self.told, self._clock.boot_ms()))
        told = self.told
        is_trial = told is not None and told.waits_ms > self._clock.boot_ms()
        if told is not None and told.applied_digest and not is_trial:
            try:
                self.looked = await self._root.look()
            except (OSError, TimeoutError, ValueError) as err:
                log.warning("settings: not looked at: %s", str(err) or "it took too long")
        self._tell()

    async def apply(self, message: bytes, seq: int, digest: str) -> str:
        """Have root apply the document of an order, and say how it went.

        Args:
            message: the SignedOrder.
            seq: of the order.
            digest: of the document, in hexadecimal digits.

        Raises:
            NotAppliedError: it is not applied.
            HeldError: it waits for the node's window.
        """
        if why := self._host.refusals(_said(message)):
            raise NotAppliedError("impossible", "; ".join(why))
        async with self._one:
            path = job_file(self._root.jobs, digest)
            try:
                _write(path, encode(Job(1, message, self._root.keys, dict(self._root.vouches))))
                told = await self._ended(digest, seq)
            except OSError as err:
                raise NotAppliedError("job", f"{path}: {err.strerror}") from err
            finally:
                path.unlink(missing_ok=True)
            await self.look()
        if told.state is ConfigState.PENDING_REBOOT:
            return f"applied; waits for a reboot: {', '.join(told.pending)}"
        if told.state is ConfigState.APPLIED:
            return "applied"
        if told.state is ConfigState.WAITING:
            raise HeldError(told.text)
        raise NotAppliedError(told.code, told.text)

    async def _again(self, digest: str) -> None:
        """Have root apply what it has of a document: what is applied, or waited for its window."""
        job_file(self._root.jobs, digest).unlink(missing_ok=True)  # of an agent that was killed
        try:
            await self._ended(digest, 0)
        except NotAppliedError as err:
            log.warning("settings: not applied again: %s", err)
        await self.look()

    def _held(self) -> Waiting | None:
        return None if self.told is None else self.told.held

    def _is_due(self, held: Waiting) -> bool:
        return self._clock.wall_ms() >= held.opens_ms

    def _rest_s(self) -> float:
        """Return how long to rest: until the next look, or until a window opens."""
        held = self._held()
        if held is None or self._is_due(held):
            return LOOK_S
        return min(LOOK_S, (held.opens_ms - self._clock.wall_ms()) / 1_000)

    async def _ended(self, digest: str, seq: int) -> Told:
        """Have the helper start root's one-shot, and return how it ended.

        ``seq`` is the order's; 0: it is applied without one, or by one that waited.
        """
        before = self._stamp()
        try:
            await self._root.ask("config_apply", digest)
        except AgentError as err:
            raise NotAppliedError("helper", str(err)) from err
        try:
            async with asyncio.timeout(APPLY_S):
                while True:
                    await asyncio.sleep(POLL_S)
                    if self._stamp() == before:
                        continue
                    told = self._read()
                    if told is None or told.digest != digest or (seq and told.seq not in {seq, 0}):
                        continue
                    if told.state is not None:
                        return told
                    if told.waits_ms:
                        await self._confirm(told, by_centre=False)
        except TimeoutError:
            text = f"root did not tell within {APPLY_S:.0f} s how it ended"
            raise NotAppliedError("timeout", text) from None

    async def _confirm(self, told: Told, *, by_centre: bool) -> None:
        """Tell root that the node is reached, once it is, by what is to be tried."""
        since_ms = self._clock.boot_ms()
        is_tried = self._use(own_of(told, since_ms))
        while (still := self._read()) is not None and still.waits_ms == told.waits_ms:
            if told.waits_ms <= self._clock.boot_ms() - LATE_MS:
                return  # root was killed over it, and is not back yet
            if is_tried and self._host.is_reached(since_ms, by_centre=by_centre):
                try:
                    await self._root.ask("config_confirm", told.digest)
                except AgentError as err:
                    log.warning("settings: root was not told that the node is reached: %s", err)
            await asyncio.sleep(ASK_S)

    def _use(self, own: ForAgent) -> bool:
        """Go by settings; return whether the agent does."""
        if own != self._own:
            self._is_used = self._host.use(own)
            self._own = own
        return self._is_used

    def _may_reapply(self) -> bool:
        now_ms, past = self._clock.boot_ms(), self._reapplied
        return len(past) < REAPPLY_MAX or now_ms - past[0] >= REAPPLY_WINDOW_MS

    def _tell(self) -> None:
        """Bring mark, alarms and report to what is known now."""
        fresh = words.mark(self.told, self.looked)
        if fresh != self.mark:
            self.mark = fresh
            self._host.changed()
        self._set_alarms()
        report = None if self.told is None else words.report(self.told, self.looked)
        if report is None or (body := encode(report)) == self._said:
            return
        entry = Entry(Lane.BULK, ItemKind.CONFIG, self._clock.wall_ms(), body, compressed=False)
        try:
            self._spool.append(Batch((entry,), {}))
        except StorageError as err:
            log.warning("settings: not told yet: %s", err)
        else:
            self._said = body

    def _set_alarms(self) -> None:
        if not self._alarms.is_open:
            return
        wanted = words.alarms(self.told, self.looked)
        standing = [key for key in self._alarms.table.rows if key[0] in CONFIG_TYPES]
        for type_, entity in standing:
            if (type_, entity) not in wanted:
                self._alarms.clear_condition(type_, entity)
        for (type_, entity), reason in wanted.items():
            self._alarms.raise_condition(type_, {"reason": reason}, entity)

    def _read(self) -> Told | None:
        try:
            return tolds.read(self._root.told)
        except (OSError, ValueError) as err:
            log.warning("settings: what root tells cannot be read: %s", err)
            return None

    def _stamp(self) -> tuple[int, int]:
        try:
            found = (self._root.told / tolds.NAME).stat()
        except OSError:
            return (0, 0)
        return (found.st_ino, found.st_mtime_ns)


def own_of(told: Told | None, now_ms: int) -> ForAgent:
    """Return what the agent itself goes by: what is applied, and what is being tried over it.

    Args:
        told: by root; None: nothing yet.
        now_ms: the boot clock.
    """
    if told is None:
        return ForAgent()
    return for_agent(told.applied | (told.trial if told.waits_ms > now_ms else {}))


def _said(message: bytes) -> Mapping[str, Any]:
    """Return the settings that an order brings, as they are: root checks them."""
    try:
        found: dict[str, Any] = msgspec.msgpack.decode(read_signed(message).body, type=dict)
    except (ProtocolError, msgspec.MsgspecError):
        return {}  # for root to refuse
    return found


def by_child(told: Path = Path(tolds.FOLDER), root: str = "/") -> Look:
    """Return what looks below ``root`` in a child that exits."""

    async def look() -> Looked:
        words_ = [sys.executable, "-m", "roost_agent", "config", "look"]
        words_ += ["--told", str(told), "--root", root]
        done = await run_child(words_, seconds=CHILD_S, bytes_max=LOOKED_BYTES_MAX)
        if done.status:
            raise ValueError(done.why)
        return decode(done.output)

    return look


def _write(path: Path, raw: bytes) -> None:
    """Write a job for root's group alone, which is the agent's."""
    fresh = path.with_suffix(".new")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(fresh, flags, 0o640), "wb") as stream:
        os.fchmod(stream.fileno(), 0o640)  # whatever the umask
        stream.write(raw)
    fresh.rename(path)
