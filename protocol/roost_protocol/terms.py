"""How long a voter's promise must last, so that the holder has stopped before it ends."""

from typing import Final

import msgspec

WHOLE_BP: Final = 10_000


class Terms(msgspec.Struct, frozen=True):
    """What a voter knows of the lease's constants, in milliseconds.

    Attributes:
        lease_ms: validity of a round of grants, from the sending of its requests (L).
        margin_ms: for killing what does not stop by itself (G).
        rate_bp: how far a clock's rate may be off, in 1/100 of a percent (rho).
        age_ms_max: the oldest request that is answered.
    """

    lease_ms: int
    margin_ms: int
    rate_bp: int
    age_ms_max: int

    def promise_ms(self, watchdog_ms: int = 0) -> int:
        """Return how long a grant binds the voter, from the receipt of its request (P).

        L (1 + rho) / (1 - rho) + W + G, rounded up: the holder's clock may be as slow as the bound
        allows and the voter's as fast.
        """
        above, below = WHOLE_BP + self.rate_bp, WHOLE_BP - self.rate_bp
        return -(-self.lease_ms * above // below) + watchdog_ms + self.margin_ms
