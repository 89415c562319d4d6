"""The constants of the lease, their presets, and what must hold between them.

All are milliseconds of CLOCK_BOOTTIME but ``rate_bp``. Detection adapts to the network; these never
do, since voter and holder must have reckoned with the same ones.
"""

from typing import Final

import msgspec

from roost_protocol.terms import Terms

BEAT_MS: Final = (50, 10_000)
LEASE_MS: Final = (500, 600_000)
RATE_BP_MAX: Final = 2_000  # basis points; past 20 % two clocks tell nothing about each other
TICK_MS: Final = (10, 1_000)  # as roost-guard takes it
WATCHDOG_MS: Final = (1_000, 600_000)  # as roost-guard takes it, in whole seconds
SECOND_MS: Final = 1_000
LOST_BEATS: Final = 12  # the worst T_lost at a local health multiplier of 1
ROUND_TRIPS: Final = 6  # renewals in one lease


class Timing(msgspec.Struct, frozen=True):
    """One site's constants; the same on all of its nodes (they are part of ``cfgver``).

    Attributes:
        beat_ms: between two beats (h).
        lease_ms: how long a majority's grants are valid, from the sending of the request (L).
        tick_ms: of the guard (tau).
        margin_ms: what the guard has for killing (G).
        watchdog_ms: within which the watchdog bites, for groups of ``exclusive = "hard"`` (W).
        rate_bp: how far a clock's rate may be off, in 1/100 of a percent (rho).
        rank_ms: a candidate waits so long for each better one.
        health_ms: and for each step of its local health multiplier.
        spread_ms: and up to this long by chance.
    """

    beat_ms: int = 500
    lease_ms: int = 6_000
    tick_ms: int = 100
    margin_ms: int = 1_000
    watchdog_ms: int = 5_000
    rate_bp: int = 100
    rank_ms: int = 300
    health_ms: int = 200
    spread_ms: int = 150

    @property
    def terms(self) -> Terms:
        """What a voter has to know of these."""
        return Terms(self.lease_ms, self.margin_ms, self.rate_bp, self.age_ms_max)

    @property
    def renew_ms(self) -> int:
        """Between two renewals."""
        return self.lease_ms // ROUND_TRIPS

    @property
    def age_ms_max(self) -> int:
        """The oldest request that a voter answers."""
        return 2 * self.beat_ms

    def promise_ms(self, watchdog_ms: int = 0) -> int:
        """Return how long a grant binds a voter (P), given the owner's watchdog; see Terms."""
        return self.terms.promise_ms(watchdog_ms)

    def check(self, stop_ms: int = 0) -> list[str]:
        """Return everything that does not hold, one sentence each.

        Args:
            stop_ms: the longest graceful stop of a group under a lease (S).
        """
        faults = self._ranges()
        if faults:
            return faults
        needed = 2 * (stop_ms + self.margin_ms)
        if needed >= self.lease_ms:
            faults.append(
                f"lease_ms is {self.lease_ms}: stopping takes {stop_ms} ms and the margin is "
                f"{self.margin_ms} ms, which needs a lease of more than {needed} ms"
            )
        if LOST_BEATS * self.beat_ms > self.promise_ms():
            faults.append(
                f"beat_ms is {self.beat_ms}: a peer counts as lost after up to "
                f"{LOST_BEATS * self.beat_ms} ms, later than a promise ends ({self.promise_ms()})"
            )
        if fault := self.margin_fault(self.tick_ms):
            faults.append(fault)
        return faults

    def margin_fault(self, tick_ms: int, kill_ms: int = 0, lag_ms: int = 0) -> str:
        """Return that the margin does not hold what a guard does in it, empty if it does.

        Args:
            tick_ms: the guard's own.
            kill_ms: how long a kill takes, as the guard measured it; 0: not measured.
            lag_ms: how late it wakes, as it measured that; 0: not measured.
        """
        needed = 2 * tick_ms + kill_ms + lag_ms
        if needed <= self.margin_ms:
            return ""
        return (
            f"margin_ms is {self.margin_ms}: two ticks of the guard ({2 * tick_ms} ms), a kill "
            f"({kill_ms} ms) and its own lag ({lag_ms} ms) take {needed} ms"
        )

    def _ranges(self) -> list[str]:
        bounds = {
            "beat_ms": BEAT_MS,
            "lease_ms": LEASE_MS,
            "tick_ms": TICK_MS,
            "rate_bp": (0, RATE_BP_MAX),
            "watchdog_ms": WATCHDOG_MS,
        }
        faults = []
        for each in msgspec.structs.fields(self):
            value = getattr(self, each.name)
            low, high = bounds.get(each.name, (1, LEASE_MS[1]))
            if not low <= value <= high:
                faults.append(f"{each.name} is {value}: it must be {low} to {high}")
            elif each.name == "watchdog_ms" and value % SECOND_MS:
                faults.append(f"watchdog_ms is {value}: devices count whole seconds")
        return faults


DEFAULT: Final = Timing()
FAST: Final = Timing(
    beat_ms=150, lease_ms=1_500, tick_ms=50, margin_ms=350, watchdog_ms=2_000,
    rank_ms=150, health_ms=100, spread_ms=75,
)  # fmt: skip
LOSSY: Final = Timing(beat_ms=1_000, lease_ms=15_000, margin_ms=2_000)
PRESETS: Final = {"default": DEFAULT, "fast": FAST, "lossy": LOSSY}


def preset(profile: str) -> Timing:
    """Return the constants of a profile.

    Raises:
        KeyError: there is none of that name.
    """
    return PRESETS[profile]
