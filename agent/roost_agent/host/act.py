"""An act on this host: its verb, what is wanted with it, and that it was refused."""

from typing import Final

import msgspec

LOCK: Final = "host-lock"
FORCE_LOCK: Final = "host-force-lock"
UNLOCK: Final = "host-unlock"
SWACT: Final = "host-swact"
REBOOT: Final = "host-reboot"
RECOVER: Final = "host-recover"
MAINTENANCE: Final = "host-maintenance"
LOCKS: Final = frozenset({LOCK, FORCE_LOCK})


class ActRefusedError(Exception):
    """It is not done; ``code`` is a word for programs, the text a sentence."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class Wanted(msgspec.Struct, frozen=True):
    """What somebody wants of this host.

    Attributes:
        verb: of host_verbs.py.
        by: who.
        expect: the state that it was decided on; empty: any.
        force: break what can be broken.
        seconds: of a maintenance; 0 ends it.
        node: another host that is silent, of a lock; empty: this one.
        is_own: the host itself wants it, as a rung of its recovery (ladder).
        is_by_watchdog: of a reboot: by the machine's watchdog, where it has one.
    """

    verb: str
    by: str
    reason: str
    expect: str = ""
    force: bool = False
    seconds: int = 0
    node: str = ""
    is_own: bool = False
    is_by_watchdog: bool = False
