"""What a host's core is told: what is the case, and what people want (core). Data alone."""

from collections.abc import Mapping

import msgspec

from roost_agent.host.enable import Facts
from roost_agent.host.kept import Kept, Pending


class Begin(msgspec.Struct, frozen=True):
    """The agent starts."""

    kept: Kept | None


class Look(msgspec.Struct, frozen=True):
    """What is the case now; told once a second, and at once after another event.

    Attributes:
        facts: of the enable sequence.
        reasons: to be degraded: reason to since when, UTC in ms.
        critical: what this host cannot do without and does, in a sentence; empty: nothing.
        is_last: no other host could serve in its place.
        is_spared: another one is known to serve, and the site can do without this one.
        quorum: as ``critical``, of what its watchdog is to reset it for.
    """

    facts: Facts
    reasons: Mapping[str, int]
    critical: str = ""
    is_last: bool = False
    is_spared: bool = False
    quorum: str = ""


class Lock(msgspec.Struct, frozen=True):
    """It was drained, or somebody who may has said that this does not matter."""

    by: str
    reason: str


class Unlock(msgspec.Struct, frozen=True):
    """An operator puts it into service."""

    by: str
    reason: str


class Recover(msgspec.Struct, frozen=True):
    """An operator lets it begin from nought."""

    by: str


class Maintain(msgspec.Struct, frozen=True):
    """Do nothing by itself until then, UTC in ms; 0: again."""

    until_ms: int


class Intend(msgspec.Struct, frozen=True):
    """An act is under way from now on, or no more: on disk before anything of it is done."""

    pending: Pending | None


class LostOften(msgspec.Struct, frozen=True):
    """Others lost it again and again, and it never went down: it is to run its recovery."""

    by: str
    is_last: bool = False


class NotRebooted(msgspec.Struct, frozen=True):
    """The reboot that was asked for does not come."""

    why: str


Event = Begin | Look | Lock | Unlock | Recover | Maintain | Intend | LostOften | NotRebooted
