"""When the health scripts run, what came of them, and what is raised for it. Pure.

Leaves to others: which scripts there are (scripts), running one (run), the alarms (service).

Invariants: one round at a time; enabling comes before a round in service, which begins anew later;
a round that was given up changes nothing; a check that is no longer there has no alarm.

Rules: design, hosts section 8; StarlingX's goenabled.
"""

from enum import StrEnum
from typing import Final, TypeAlias

import msgspec

from roost_protocol.severity import Severity

EVERY_MS: Final = 600_000  # in service, from the end of one round to the next
FIRST_MS: Final = 60_000  # after the agent's start: what it looks at is starting too


class Stage(StrEnum):
    """What a round is for; a script gets it as its argument."""

    ENABLE = "enable"
    INSERVICE = "inservice"


class Checked(msgspec.Struct, frozen=True):
    """What came of one script.

    Attributes:
        check: its name below the folder.
        complaint: why it is not well, with its last words; empty: it is.
    """

    check: str
    complaint: str
    spent_ms: int = 0


class Tick(msgspec.Struct, frozen=True):
    """Time has passed."""


class Asked(msgspec.Struct, frozen=True):
    """Somebody wants a round now."""

    stage: Stage


class Ended(msgspec.Struct, frozen=True):
    """The round has ended; its checks in order."""

    checked: tuple[Checked, ...]


class GivenUp(msgspec.Struct, frozen=True):
    """The round was given up before its end."""


Event: TypeAlias = Tick | Asked | Ended | GivenUp


class Begin(msgspec.Struct, frozen=True):
    """Run every script."""

    stage: Stage


class Abandon(msgspec.Struct, frozen=True):
    """Give up the round that runs."""


class Raise(msgspec.Struct, frozen=True):
    """A check has failed."""

    check: str
    severity: Severity
    complaint: str


class Clear(msgspec.Struct, frozen=True):
    """A check is well, or gone."""

    check: str


Action: TypeAlias = Begin | Abandon | Raise | Clear


class Health:
    """The health of one node.

    Args:
        now_ms: the boot clock.

    Attributes:
        stage: of the round that runs; None: none does.
        last: what came of the last round.
        last_stage: of it.
        ended_ms: when it ended; None: none has.
    """

    def __init__(self, now_ms: int) -> None:
        self.stage: Stage | None = None
        self.last: tuple[Checked, ...] = ()
        self.last_stage: Stage | None = None
        self.ended_ms: int | None = None
        self._due_ms = now_ms + FIRST_MS
        self._wanted: Stage | None = None

    def handle(self, event: Event, now_ms: int) -> list[Action]:
        """Take in one event and return what is to be done."""
        match event:
            case Tick():
                if self.stage is not None or now_ms < self._due_ms:
                    return []
                return self._begin(Stage.INSERVICE)
            case Asked(stage=stage):
                return self._asked(stage)
            case Ended(checked=checked):
                return [*self._ended(checked, now_ms), *self._next()]
            case GivenUp():
                self.stage, self._due_ms = None, now_ms + EVERY_MS
                return self._next()

    def due_ms(self) -> int | None:
        """Return when the next tick is needed; None: a round runs."""
        return self._due_ms if self.stage is None else None

    def failed(self) -> tuple[Checked, ...]:
        """Return what failed in the last round."""
        return tuple(each for each in self.last if each.complaint)

    def _asked(self, stage: Stage) -> list[Action]:
        if self.stage is None:
            return self._begin(stage)
        if self.stage is Stage.INSERVICE and stage is Stage.ENABLE:
            self._wanted = stage
            return [Abandon()]
        return []  # a round of the same worth runs

    def _begin(self, stage: Stage) -> list[Action]:
        self.stage = stage
        return [Begin(stage)]

    def _next(self) -> list[Action]:
        wanted, self._wanted = self._wanted, None
        return [] if wanted is None else self._begin(wanted)

    def _ended(self, checked: tuple[Checked, ...], now_ms: int) -> list[Action]:
        severity = Severity.CRITICAL if self.stage is Stage.ENABLE else Severity.MAJOR
        names = {each.check for each in checked}
        gone: list[Action] = [Clear(each.check) for each in self.last if each.check not in names]
        self.last, self.last_stage, self.stage = checked, self.stage, None
        self.ended_ms, self._due_ms = now_ms, now_ms + EVERY_MS
        return gone + [
            Raise(each.check, severity, each.complaint) if each.complaint else Clear(each.check)
            for each in checked
        ]
