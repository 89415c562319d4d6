"""Where files of releases come from: the centre, a peer on the LAN, a stick. All are untrusted.

Invariant: no source holds anybody up: what brings less than SLOW_BYTES in SLOW_MS is left
(updates.md 8: 1 KiB/s over 60 s).
"""

from collections.abc import Iterator
from typing import Final, Protocol

from roost_agent.errors import AgentError
from roost_agent.ports import Clock

SLOW_MS: Final = 60_000
SLOW_BYTES: Final = 60 << 10


class SourceError(AgentError):
    """A source does not bring a file; the next one may."""


class AbsentError(SourceError):
    """It has no such file."""


class Source(Protocol):
    """One mirror."""

    @property
    def name(self) -> str:
        """How people know it."""

    def open(self, path: str, offset: int = 0) -> Iterator[bytes]:
        """Yield the bytes of a file from an offset on; nothing is promised of them.

        Raises:
            AbsentError: it has no such file.
            SourceError: it cannot be asked, or breaks off.
        """


def steady(chunks: Iterator[bytes], clock: Clock, name: str) -> Iterator[bytes]:
    """Yield chunks as long as they come fast enough.

    Raises:
        SourceError: they do not.
    """
    since_ms, got = clock.boot_ms(), 0
    for chunk in chunks:
        got += len(chunk)
        took_ms = clock.boot_ms() - since_ms
        if took_ms >= SLOW_MS:
            if got < SLOW_BYTES:
                raise SourceError(f"{name}: {got} bytes in {took_ms // 1_000} s is too slow")
            since_ms, got = clock.boot_ms(), 0
        yield chunk
