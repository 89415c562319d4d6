"""Counts what a source brings, and ends it where the budget of bytes is spent."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from roost_agent.durable import replace_file
from roost_agent.errors import AgentError
from roost_agent.trust.source import Source

UNLIMITED: Final = 1 << 62
NOTED_EVERY: Final = 1 << 20  # bytes: what a kill may leave uncounted
NOTE_BYTES_MAX: Final = 32


class BudgetError(AgentError):
    """What is missing is more than may be fetched now; what came stays, to be gone on with."""

    exit_status = 75  # as EX_TEMPFAIL of sysexits.h


class Budget:
    """Bytes that may still come.

    Args:
        bytes_max: in all.
        note: the file that has what was spent before, so that another run goes on with the rest;
            None: there is no other run.

    Attributes:
        spent: by this run, and those before it.

    Raises:
        ValueError: the note is no number.
    """

    def __init__(self, bytes_max: int = UNLIMITED, note: Path | None = None) -> None:
        self._bytes_max = bytes_max
        self._note = note
        self.before = self.spent = self._noted = _read(note)

    def need(self, size: int) -> None:
        """Refuse to begin what cannot be brought to its end.

        Raises:
            BudgetError: it says how much is missing.
        """
        if self.spent + size > self._bytes_max:
            left = max(self._bytes_max - self.spent, 0)
            raise BudgetError(f"{size} bytes are to be fetched, {left} may be now")

    def take(self, size: int) -> None:
        """Count what came.

        Raises:
            BudgetError: it is spent.
        """
        self.spent += size
        if self.spent - self._noted >= NOTED_EVERY:
            self.keep()
        if self.spent > self._bytes_max:
            raise BudgetError(f"{self.spent} bytes came, {self._bytes_max} may")

    def keep(self) -> None:
        """Note what was spent.

        Raises:
            OSError: it cannot be.
        """
        if self._note is not None and self.spent != self._noted:
            replace_file(self._note, str(self.spent).encode())
            self._noted = self.spent


def _read(note: Path | None) -> int:
    if note is None:
        return 0
    try:
        with note.open("rb") as stream:
            return int(stream.read(NOTE_BYTES_MAX))
    except FileNotFoundError:
        return 0


class Metered:
    """A source whose bytes count; see Source."""

    def __init__(self, source: Source, budget: Budget) -> None:
        self._source = source
        self._budget = budget

    @property
    def name(self) -> str:
        """See Source."""
        return self._source.name

    def open(self, path: str, offset: int = 0) -> Iterator[bytes]:
        """See Source."""
        self._budget.need(1)
        for chunk in self._source.open(path, offset):
            self._budget.take(len(chunk))
            yield chunk
