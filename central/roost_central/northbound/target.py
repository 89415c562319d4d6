"""What every target has: a durable cursor, its health, an alarm of its own when nobody answers.

Cursors are written once a second for all targets together (``Ledger``): after a kill a target is
told the last second again, never less. Dead letters go with the cursor that passed them.
"""

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Protocol

from roost_central.alarms.row import AlarmRow
from roost_central.errors import StorageUnavailableError
from roost_central.northbound.core import Health
from roost_central.northbound.feed import AlarmFeed
from roost_central.ports import Clock
from roost_central.storage import northbound as rows
from roost_central.storage.engine import Database
from roost_protocol.severity import Severity

logger = logging.getLogger(__name__)

UNREACHABLE: Final = "210.804"
SAVE_S: Final = 1.0
LETTERS_WAITING_MAX: Final = 1_000  # not yet written; the oldest go first, counted
ERROR_CHARS_MAX: Final = 300


class Target(Protocol):
    """One receiver."""

    @property
    def state(self) -> "TargetState":
        """What is known of it."""

    async def run(self) -> None:
        """Serve it until cancelled."""

    async def test(self) -> str:
        """Send a test message; returns what went wrong, empty where nothing did."""


@dataclass(slots=True)
class TargetState:
    """What is known of one target; ``address`` holds no secret."""

    name: str
    kind: str
    address: str
    feed: AlarmFeed
    clock: Clock
    cursor: int = 0
    sent: int = 0
    skipped: int = 0
    waiting: int = 0
    disabled: str = ""
    worked_ms: int | None = None
    letters: int = 0
    health: Health = field(default_factory=Health)
    new_letters: list[rows.Letter] = field(default_factory=list)
    is_dirty: bool = False

    @property
    def word(self) -> str:
        """``disabled``, ``unreachable``, ``failing``, ``ok`` or, before a first try, ``idle``."""
        if self.disabled:
            return "disabled"
        if self.health.is_unreachable:
            return "unreachable"
        if self.health.failures:
            return "failing"
        return "ok" if self.worked_ms is not None else "idle"

    @property
    def failures(self) -> int:
        """Failed attempts in a row."""
        return self.health.failures

    @property
    def last_error(self) -> str:
        """What went wrong last."""
        return self.health.last_error

    @property
    def queue(self) -> int:
        """Transitions that it has not passed yet."""
        return max(0, self.feed.last_seq - self.cursor)

    def take_over(self, alarms: Iterable[AlarmRow]) -> None:
        """Begin as unreachable where the alarm stands of before this start: only we can end it."""
        for alarm in alarms:
            if alarm.type == UNREACHABLE and alarm.entity == self.entity:
                self.health = Health(is_unreachable=True, last_error=alarm.text)

    def moved(self, cursor: int) -> None:
        """Note that everything up to a number is told, or need not be."""
        if cursor > self.cursor:
            self.cursor, self.is_dirty = cursor, True

    def worked(self, count: int = 1) -> None:
        """Note that it took messages."""
        self.sent += count
        self.worked_ms = self.clock.wall_ms()
        if self.health.worked():
            logger.info("%s: takes messages again", self.name)
            self.feed.clear_own(UNREACHABLE, self.entity)

    def failed(self, why: str) -> None:
        """Note a failed attempt; the third, or a minute of them, raises an alarm."""
        why = why[:ERROR_CHARS_MAX]
        if self.health.failed(why, self.clock.boot_ms()):
            self._unreachable()

    def review(self) -> None:
        """Look whether it has been failing for too long."""
        if self.health.review(self.clock.boot_ms()):
            self._unreachable()

    def bury(self, about_seq: int, error: str, body: bytes) -> None:
        """Keep a message that is given up."""
        letter = rows.Letter(
            self.name, self.clock.wall_ms(), about_seq, error[:ERROR_CHARS_MAX], body
        )
        self.new_letters.append(letter)
        del self.new_letters[:-LETTERS_WAITING_MAX]
        self.letters += 1
        self.is_dirty = True
        logger.warning("%s: gave up transition %d: %s", self.name, about_seq, error)

    def disable(self, why: str) -> None:
        """Serve it no more until a test works."""
        self.disabled, self.is_dirty = why, True
        logger.warning("%s: disabled: %s", self.name, why)

    def enable(self) -> None:
        """Serve it again."""
        if self.disabled:
            self.disabled, self.is_dirty = "", True

    @property
    def entity(self) -> str:
        """What its alarm is about."""
        return f"central=roost,target={self.name}"

    def _unreachable(self) -> None:
        why = self.health.last_error
        logger.warning("%s: does not take messages: %s", self.name, why)
        self.feed.raise_own(UNREACHABLE, self.entity, Severity.MINOR, {"reason": why})


def clear_forgotten(feed: AlarmFeed, states: Iterable[TargetState]) -> None:
    """End the alarms of targets that are configured no more."""
    ours = {state.entity for state in states}
    for alarm in feed.open_alarms():
        if alarm.type == UNREACHABLE and alarm.entity not in ours:
            feed.clear_own(UNREACHABLE, alarm.entity, "it is no target any more")


class Ledger:
    """Writes the cursors of all targets."""

    def __init__(self, database: Database, states: list[TargetState]) -> None:
        self._database = database
        self._states = states

    async def load(self) -> None:
        """Set each target to where it was; a new one begins with what comes next."""
        async with self._database.read() as connection:
            known = await rows.targets(connection)
            counts = await rows.letter_counts(connection)
        for state in self._states:
            row = known.get(state.name)
            state.cursor = state.feed.last_seq if row is None else row.cursor
            state.disabled = "" if row is None else row.disabled
            state.letters = counts.get(state.name, 0)
            state.is_dirty = row is None
        await self.save()

    async def run(self) -> None:
        """Write what moved, once a second, until cancelled; and once more at the end."""
        try:
            while True:
                await asyncio.sleep(SAVE_S)
                await self._try_save()
        finally:
            await self._try_save()

    async def save(self) -> None:
        """Write what moved.

        Raises:
            StorageUnavailableError: the environment failed; it is written with the next.
        """
        dirty = [state for state in self._states if state.is_dirty]
        if not dirty:
            return
        for state in dirty:
            state.is_dirty = False
        letters = [(state, list(state.new_letters)) for state in dirty]
        try:
            async with self._database.write() as connection:
                await rows.save(
                    connection,
                    [rows.TargetRow(s.name, s.kind, s.cursor, s.disabled) for s in dirty],
                )
                await rows.append_letters(connection, [each for _, own in letters for each in own])
        except StorageUnavailableError:
            for state in dirty:
                state.is_dirty = True
            raise
        for state, own in letters:
            del state.new_letters[: len(own)]

    async def _try_save(self) -> None:
        try:
            await self.save()
        except StorageUnavailableError as err:
            logger.warning("cursors are not written: %s", err)
