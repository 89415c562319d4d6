"""How much of the fleet is silent, and from when after a start that is believed."""

from typing import Final

from roost_central.ports import Clock
from roost_central.rollout.sight import Sites

LOOK_S: Final = 2.0
FLEET_LOOK_S: Final = 10.0  # between counts of how much of the fleet is silent
SETTLE_S: Final = 120.0  # after a start nobody is heard yet; then silence is believed
SETTLED_PCT: Final = 20.0  # or as soon as no more than this are silent


class Silence:
    """The silence of the fleet.

    Attributes:
        dark_pct: of it, as it was counted last.
    """

    def __init__(self, sites: Sites, clock: Clock) -> None:
        self.dark_pct = 0.0
        self._sites = sites
        self._clock = clock
        self._counted_ms = -1_000_000
        self._began_ms = clock.mono_ms()
        self._is_settled = False

    def look(self) -> bool:
        """Count now and then; return whether silence is to be believed."""
        now_ms = self._clock.mono_ms()
        if now_ms - self._counted_ms >= FLEET_LOOK_S * 1_000:
            self._counted_ms = now_ms
            self.dark_pct = self._sites.dark_pct()
        if not self._is_settled:
            is_late = now_ms - self._began_ms >= SETTLE_S * 1_000
            self._is_settled = is_late or self.dark_pct <= SETTLED_PCT
            if not self._is_settled:
                self._counted_ms = now_ms - round(FLEET_LOOK_S * 1_000 - LOOK_S * 1_000)
        return self._is_settled
