"""One SNMP receiver: reads transitions into the queue, sends what it gives, waits for acks."""

import asyncio
import logging
import socket
from collections.abc import Mapping
from typing import Final

from pysnmp.error import PySnmpError
from pysnmp.proto.error import StatusInformation

from roost_central.alarms.flat import FlatAlarm, FlatIncident
from roost_central.alarms.transition import Transition
from roost_central.northbound.config import SnmpConfig
from roost_central.northbound.core import LINE_RETRIES_S, Audience, Bucket, retry_ms
from roost_central.northbound.feed import flatten, has_news
from roost_central.northbound.hold import LOOK_S, Hold, is_untold
from roost_central.northbound.snmp import mib
from roost_central.northbound.snmp.core import OWN_KEY, QUEUE_MAX, Note, TrapQueue
from roost_central.northbound.snmp.engine import SnmpPort
from roost_central.northbound.snmp.profile import (
    HEARTBEAT,
    TEST,
    Notification,
    Profile,
    Removal,
    RoostProfile,
    Word,
)
from roost_central.northbound.snmp.rfc3877 import Rfc3877Profile
from roost_central.northbound.snmp.wrs import WrsProfile
from roost_central.northbound.target import TargetState
from roost_central.ports import Clock, Entropy

logger = logging.getLogger(__name__)

BATCH: Final = 500
WINDOW: Final = 32  # informs in flight: a round trip of 200 ms still gives 150 a second
HEARTBEAT_S: Final = 300.0
RESOLVE_S_MAX: Final = 10.0
IDLE_S: Final = 1.0  # a note of our own is noticed within
TOLD: Final = frozenset({"raise", "change", "clear", "unknown", "back", "unshelve", "unmask",
                         "unsuppress"})  # fmt: skip
CRITICAL: Final = 4
DELETED: Final = "deleted"  # the reason of a clear of what was removed
PROFILES: Final[Mapping[str, Profile]] = {
    "roost": RoostProfile(),
    "wrs": WrsProfile(),
    "rfc3877": Rfc3877Profile(),
}


class SnmpTarget:
    """One receiver."""

    def __init__(
        self,
        config: SnmpConfig,
        state: TargetState,
        port: SnmpPort,
        *,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self.state = state
        self.queue = TrapQueue(Bucket(config.rate, config.burst))
        self._config = config
        self._port = port
        self._clock = clock
        self._entropy = entropy
        self._audience = Audience()
        self._hold = Hold(state.feed.is_candidate)
        self._profile = PROFILES[config.profile]
        self._removal = ("", 0)  # the newest: its entity, and when it was received
        self._read = 0
        self._paused_ms = 0
        self._news = asyncio.Event()
        self._window = asyncio.Semaphore(WINDOW)

    async def run(self) -> None:
        """See Target."""
        bucket = Bucket(self._config.rate, self._config.burst)
        self.queue = TrapQueue(bucket, cursor=self.state.cursor)
        self._audience = Audience()
        self._hold = Hold(self.state.feed.is_candidate)
        self._window = asyncio.Semaphore(WINDOW)
        self._read = self.state.cursor
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._feed(), name=f"northbound.{self.state.name}.read")
            tasks.create_task(self._beat(), name=f"northbound.{self.state.name}.heartbeat")
            while True:
                await self._send_due(tasks)

    async def test(self) -> str:
        """See Target."""
        words = Note(0, OWN_KEY, TEST, urgent=True)
        try:
            error = await self._attempt(words)
        except (OSError, TimeoutError) as err:
            error = str(err) or "no answer"
        if not error:
            self.state.worked(0)
            self._paused_ms = 0
            self._news.set()
        return error

    async def _feed(self) -> None:
        """Read transitions: always, so that a receiver that is away is counted for, in bounds."""
        feed = self.state.feed
        while True:
            if await has_news(feed, self._read, LOOK_S if self._hold else None):
                changes = await feed.transitions(self._read, BATCH)
                for change in changes:
                    if self._hold.keeps(change):
                        self.queue.reserve(change.seq)
                    else:
                        self._offer(change)
                self._read = changes[-1].seq if changes else feed.last_seq
            self._offer_due()
            self._note()
            self._news.set()

    def _offer_due(self) -> None:
        """Offer what no storm took, and pass over what one did."""
        for steps in self._hold.due(is_behind=self._read < self.state.feed.last_seq):
            if not is_untold(steps):
                for change in steps:
                    self._offer(change)
                continue
            self._audience.pass_over(steps)
            self.state.skipped += len(steps)
            for change in steps:
                self.queue.skip(change.seq)

    def _offer(self, change: Transition) -> None:
        flat = flatten(self.state.feed, change)
        note: Note | None = None
        if isinstance(flat, FlatAlarm):
            note = self._note_of(flat, change)
        elif flat is not None and self._audience.admits_incident(
            flat.event, flat.id, flat.cause, is_held=flat.held
        ):
            note = Note(change.seq, flat.id, flat.event, urgent=True, body=flat)
        if note is None:
            self.state.skipped += 1
            self.queue.skip(change.seq)
        else:
            self.queue.offer(note, self._clock.boot_ms())

    def _note_of(self, flat: FlatAlarm, change: Transition) -> Note | None:
        """Return the note of an alarm's transition, None where there is nothing to tell."""
        shown = self._audience.tells(flat.event, flat.key_id, is_suppressed=flat.suppressed)
        if not shown or flat.event not in TOLD:
            return None
        removal_key = f"removed|{flat.site}"
        if self._profile.folds_removals and flat.reason == DELETED and change.note:
            newest = (change.note, change.received_ms)
            if self.queue.withdraw(flat.key_id):
                if newest == self._removal:
                    return None
                self._removal = newest
                removal = Removal(change.note, flat.site, flat.changed, change.seq)
                return Note(change.seq, removal_key, "removal", urgent=True, body=removal)
        behind = removal_key if self.queue.waits(removal_key) else ""
        urgent = flat.sev >= CRITICAL and flat.event != "clear"
        return Note(change.seq, flat.key_id, shown, urgent=urgent, body=flat, behind=behind)

    async def _beat(self) -> None:
        while True:
            self.queue.say(Note(0, OWN_KEY, HEARTBEAT, urgent=True), self._clock.boot_ms())
            self._news.set()
            await asyncio.sleep(HEARTBEAT_S)

    async def _send_due(self, tasks: asyncio.TaskGroup) -> None:
        """Send the next note, or wait for one."""
        await self._window.acquire()
        now_ms = self._clock.boot_ms()
        note = self.queue.take(now_ms) if now_ms >= self._paused_ms else None
        if note is not None:
            tasks.create_task(self._deliver(note), name=f"northbound.{self.state.name}.send")
            return
        self._window.release()
        self._news.clear()
        waits_ms = self.queue.wait_ms(now_ms)
        wait_ms = IDLE_S * 1000 if waits_ms is None else max(waits_ms, self._paused_ms - now_ms)
        try:
            async with asyncio.timeout(max(0.001, min(wait_ms / 1000, IDLE_S))):
                await self._news.wait()
        except TimeoutError:
            return

    async def _deliver(self, note: Note) -> None:
        """Send one note; the receiver that does not answer gets it again, later."""
        try:
            try:
                error = await self._attempt(note)
            except (OSError, TimeoutError) as err:
                error = str(err) or "no answer"
            now_ms = self._clock.boot_ms()
            if error:
                self.state.failed(error)
                dice = self._entropy.uniform(0, 1)
                wait_ms = retry_ms(LINE_RETRIES_S, self.state.health.failures, dice)
                self._paused_ms = now_ms + wait_ms
                self.queue.failed(note, self._paused_ms)
            else:
                self.queue.done(note, now_ms)
                self.state.worked()
            self._note()
        finally:
            self._window.release()
            self._news.set()

    async def _attempt(self, note: Note) -> str:
        address = await self._resolved()
        try:
            self._port.add_receiver(self.state.name, address, self._config.who)
            return await self._port.send(
                self.state.name, self._bindings(note), confirmed=self._config.confirmed
            )
        except (PySnmpError, StatusInformation) as err:
            return str(err)

    async def _resolved(self) -> tuple[str, int]:
        """Return the receiver's address now: a name may have moved."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(RESOLVE_S_MAX):
            found = await loop.getaddrinfo(
                self._config.host, self._config.port, type=socket.SOCK_DGRAM
            )
        return str(found[0][4][0]), self._config.port

    def _bindings(self, note: Note) -> list[mib.Binding]:
        oid, bindings = self._notification(note)
        return mib.head(self._port.uptime_cs, oid) + bindings

    def _notification(self, note: Note) -> Notification:
        match note.body:
            case FlatAlarm():
                return self._profile.alarm(note.body)
            case FlatIncident():
                return self._profile.incident(note.body)
            case Removal():
                return self._profile.removal(note.body)
            case _:
                word = Word(note.kind, self.state.feed.flat_summary(), note.held or {})
                return self._profile.word(word)

    def _note(self) -> None:
        self.state.waiting = len(self.queue)
        self.state.moved(self.queue.cursor)
        assert len(self.queue) <= 2 * QUEUE_MAX + 1  # noqa: S101 - the core's promise
