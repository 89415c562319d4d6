"""What a host goes through before it takes traffic: stages, each with its deadline. Pure.

StarlingX's enable sequence without what boots a machine: that is the machine's. ``evidence``, its
first stage, is that this runs. Local HA gets no word of a fault in ``services``: it decides where
services run and does more about them than a host state could, so that stage ends at its deadline,
and what is missing degrades.
"""

from enum import StrEnum
from typing import Final

import msgspec


class Stage(StrEnum):
    """In their order."""

    CONFIG = "config"  # the settings that the centre told are applied
    HEALTH = "health"  # the scripts of health.d
    PROCESSES = "processes"  # what is watched runs
    SERVICES = "services"  # local HA may run them here, and each that every node runs does
    SOAK = "soak"  # all of it stays so


STAGES: Final = tuple(Stage)
DEADLINES_MS: Final = {
    Stage.CONFIG: 120_000,
    Stage.HEALTH: 310_000,  # all scripts together have 300 s
    Stage.PROCESSES: 30_000,
    Stage.SERVICES: 100_000,
    Stage.SOAK: 60_000,
}
SOAK_MS: Final = 11_000  # StarlingX's


class Facts(msgspec.Struct, frozen=True):
    """What keeps a stage from passing, in a sentence; empty: nothing.

    ``health`` is None while the scripts run.
    """

    config: str = ""
    health: str | None = ""
    processes: str = ""
    services: str = ""


class Passed(msgspec.Struct, frozen=True):
    """All of it; ``lacks`` is what the services lack all the same."""

    lacks: str = ""


class StageFailed(msgspec.Struct, frozen=True):
    """A stage ended otherwise."""

    stage: Stage
    why: str


class Enable:
    """One run of the sequence.

    Args:
        now_ms: the boot clock.
        stage: from which on; later than the first where an agent goes on with it.
    """

    def __init__(self, now_ms: int, stage: Stage = Stage.CONFIG) -> None:
        self.stage = stage
        self._since_ms = now_ms
        self._well_ms = now_ms  # since when nothing is wrong: the soak is counted from it
        self._lacks = ""

    @property
    def lets_services_run(self) -> bool:
        """Whether local HA may run services here by now."""
        return STAGES.index(self.stage) >= STAGES.index(Stage.SERVICES)

    def look(self, facts: Facts, now_ms: int) -> Passed | StageFailed | None:
        """Pass every stage that passes; None: it waits in ``stage``."""
        while self.stage is not Stage.SOAK:
            why = missing(self.stage, facts)
            is_late = now_ms - self._since_ms >= DEADLINES_MS[self.stage]
            if self.stage is Stage.HEALTH and why:
                return StageFailed(self.stage, why)  # a script has its own time
            if why == "" or (self.stage is Stage.SERVICES and is_late):
                self._lacks = why or ""
                self._next(now_ms)
            elif is_late:
                return StageFailed(self.stage, why or "the health checks do not end")
            else:
                return None
        return self._soak(facts, now_ms)

    def _soak(self, facts: Facts, now_ms: int) -> Passed | StageFailed | None:
        why = missing(Stage.SOAK, facts)
        if why:
            self._well_ms = now_ms
        if now_ms - self._well_ms >= SOAK_MS:
            return Passed(self._lacks)
        if now_ms - self._since_ms >= DEADLINES_MS[Stage.SOAK]:
            return StageFailed(Stage.SOAK, why or "what was wrong a moment ago comes and goes")
        return None

    def _next(self, now_ms: int) -> None:
        self.stage = STAGES[STAGES.index(self.stage) + 1]
        self._since_ms = self._well_ms = now_ms


def missing(stage: Stage, facts: Facts) -> str | None:
    """Return what a stage lacks; empty: nothing, None: that is not known yet."""
    match stage:
        case Stage.CONFIG:
            return facts.config
        case Stage.HEALTH:
            return facts.health
        case Stage.PROCESSES:
            return facts.processes
        case Stage.SERVICES:
            return facts.services
        case Stage.SOAK:
            return facts.config or facts.processes
