"""The rules of a wave, each of them said: by the wave, by its plan, or by the defaults here. Pure.

What a wave does not say the plan's ``[wave_defaults]`` says, and then the defaults; the first wave
is the canary and has stricter ones.
"""

from dataclasses import dataclass
from typing import Any, Final

import msgspec

from roost_central.rollout.kpi import Kpi, read_kpi
from roost_central.rollout.plan import (
    Gates,
    InFlight,
    Plan,
    Rate,
    Rules,
    WeekWindow,
    waves_of,
)
from roost_central.rollout.table import Kind
from roost_protocol.update import FailureType

RETRY_FIRST_MS: Final = 900_000  # then twice as late each time,
RETRY_MS_MAX: Final = 6 * 3_600_000  # up to this

_USUAL_RULES: Final = Rules(
    success_pct=95,
    error_pct=5,
    error_abs=10,
    min_finished=10,
    error_types=[],
    max_in_flight=InFlight(),
    rate=Rate(),
    site_soak_s=300,
    soak_s=1_800,
    silent_s=600,
    deadline_h=72.0,
    gates=Gates(),
    on_error="pause",
    on_unreachable="catch_up",
    retry={FailureType.DOWNLOAD: 3, FailureType.PRECHECK: 2},
)
# A machine that cannot be what a profile says is none a quarter of an hour later either.
_USUAL_OF_PROFILES: Final = msgspec.structs.replace(_USUAL_RULES, retry={})
_CANARY_RULES: Final = Rules(success_pct=100, error_pct=100, error_abs=1, soak_s=3_600)


@dataclass(frozen=True, slots=True)
class Settled:
    """The rules of one wave, each of them said; see Rules for what they mean."""

    success_pct: int
    error_pct: int
    error_abs: int
    min_finished: int
    error_types: frozenset[FailureType]
    max_in_flight: InFlight
    rate: Rate
    site_soak_ms: int
    soak_ms: int
    silent_ms: int
    deadline_ms: int
    window: WeekWindow | None
    gates: Gates
    on_error: str
    on_unreachable: str
    retry: dict[FailureType, int]
    kpis: tuple[Kpi, ...] = ()

    def retry_ms(self, failure: FailureType, attempt: int) -> int | None:
        """Return after how long another attempt begins; None: there is none.

        Args:
            failure: of this attempt.
            attempt: the one that failed, from 1.
        """
        if attempt > self.retry.get(failure, 0):
            return None
        return min(RETRY_FIRST_MS << min(attempt - 1, 10), RETRY_MS_MAX)


def settled(plan: Plan, index: int) -> Settled:
    """Return the rules of a wave; beyond the last: of the catch-up wave, which is as the last."""
    waves = waves_of(plan)
    wave: Rules = waves[min(index, len(waves) - 1)]
    canary = _CANARY_RULES if index == 0 and len(waves) > 1 else Rules()
    usual = _USUAL_RULES if plan.kind is Kind.RELEASE else _USUAL_OF_PROFILES
    layers = (wave, plan.wave_defaults, canary, usual)
    pick: dict[str, Any] = {
        name: next((value for each in layers if (value := getattr(each, name)) is not None), None)
        for name in Rules.__struct_fields__
    }
    made: dict[str, Any] = {
        f"{name}_ms": pick.pop(f"{name}_s") * 1_000 for name in ("site_soak", "soak", "silent")
    }
    made["deadline_ms"] = round(pick.pop("deadline_h") * 3_600_000)
    if pick["window"] is not None and not (wave.deadline_h or plan.wave_defaults.deadline_h):
        made["deadline_ms"] += pick["window"].needs_ms
    made["kpis"] = tuple(read_kpi(each) for each in pick["gates"].kpi)
    return Settled(**{**pick, **made, "error_types": frozenset(pick["error_types"])})
