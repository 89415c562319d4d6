"""Counts what a source brings, and ends it where the budget of bytes is spent."""

from collections.abc import Iterator
from typing import Final

from roost_agent.errors import AgentError
from roost_agent.trust.source import Source

UNLIMITED: Final = 1 << 62


class BudgetError(AgentError):
    """What is missing is more than may be fetched now; what came stays, to be gone on with."""

    exit_status = 75  # as EX_TEMPFAIL of sysexits.h


class Budget:
    """Bytes that may still come.

    Args:
        bytes_max: in all.
    """

    def __init__(self, bytes_max: int = UNLIMITED) -> None:
        self.spent = 0
        self._bytes_max = bytes_max

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
        if self.spent > self._bytes_max:
            raise BudgetError(f"{self.spent} bytes came, {self._bytes_max} may")


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
        for chunk in self._source.open(path, offset):
            self._budget.take(len(chunk))
            yield chunk
