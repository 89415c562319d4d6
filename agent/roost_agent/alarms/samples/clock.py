"""Whether something keeps the kernel's clock right."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from roost_agent.alarms.rules import Finding, Sample
from roost_agent.alarms.samples.child import output
from roost_agent.alarms.samples.sampler import Look
from roost_protocol.severity import Severity

UNSYNCED: Final = "100.114"
STATUS_UNSYNC: Final = 0x40  # STA_UNSYNC, linux/timex.h
COMMAND: Final = (
    sys.executable,
    "-I",
    "-S",
    str(Path(__file__).with_name("kernel_clock.py")),
)


class KernelClock:
    """See the module.

    Args:
        command: prints status and maximum error.
    """

    types = frozenset({UNSYNCED})
    interval_s = 300
    may_hang = True

    def __init__(self, command: tuple[str, ...] = COMMAND) -> None:
        self._command = command

    def sample(self, look: Look) -> Iterator[Sample]:
        """Return the one state there is; only of the running machine."""
        reader = look.reader
        words = output(self._command).split() if reader.is_live else []
        if not words or not words[0].isdecimal():
            yield Finding(UNSYNCED, "", None)
            return
        is_free = bool(int(words[0]) & STATUS_UNSYNC)
        yield Finding(UNSYNCED, "", Severity.MAJOR if is_free else Severity.CLEARED)
