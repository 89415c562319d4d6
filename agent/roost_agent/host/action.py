"""What a host's core wants done (core); data alone."""

import msgspec

from roost_agent.host.kept import Kept
from roost_agent.host.transitions import Triple


class Keep(msgspec.Struct, frozen=True):
    """Bring this to the disk before anything that follows."""

    kept: Kept


class Check(msgspec.Struct, frozen=True):
    """Run the health checks; their end is told by Look."""


class Moved(msgspec.Struct, frozen=True):
    """The triple is another; for the log and for the centre."""

    before: Triple
    after: Triple
    cause: str


class Reboot(msgspec.Struct, frozen=True):
    """Restart this machine; by its watchdog, where it has one and that is asked for."""

    why: str
    is_by_watchdog: bool


Action = Keep | Check | Moved | Reboot
