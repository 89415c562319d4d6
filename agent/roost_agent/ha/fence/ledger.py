"""What fencing keeps over a restart: its attempts, and whom it has yet to switch on again.

Attempts are kept by the wall clock, as the boot clock begins anew. One that would lie ahead counts
as made now: a clock that was set back makes attempts count longer, never shorter.
"""

from collections.abc import Iterable

import msgspec

from roost_agent.ha.fence.budget import HOURLY_MAX


class Ledger(msgspec.Struct, frozen=True):
    """The file.

    Attributes:
        spent_ms: when attempts were made, by the wall clock.
        off: nodes by name.
    """

    spent_ms: tuple[int, ...] = ()
    off: tuple[str, ...] = ()

    def on_boot_clock(self, wall_ms: int, boot_ms: int) -> tuple[int, ...]:
        """Return when the attempts were made by the boot clock."""
        return tuple(boot_ms - max(wall_ms - each, 0) for each in self.spent_ms)


def ledger(spent_ms: Iterable[int], off: Iterable[str], *, wall_ms: int, boot_ms: int) -> Ledger:
    """Return what to keep of attempts by the boot clock."""
    return Ledger(tuple(wall_ms - (boot_ms - each) for each in spent_ms), tuple(off))


def read(raw: bytes | None, wall_ms: int) -> Ledger:
    """Return what a file says; one that cannot be read is a spent budget, none at all a new one."""
    if raw is None:
        return Ledger()
    try:
        return msgspec.json.decode(raw, type=Ledger)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return Ledger((wall_ms,) * HOURLY_MAX)
