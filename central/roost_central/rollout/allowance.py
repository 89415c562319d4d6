"""How many sites a rollout may offer by now: its rate, which grows with successes. Pure."""

from typing import Final

from roost_central.rollout import gate
from roost_central.rollout.rules import Settled

_MINUTE_MS: Final = 60_000


class Allowance:
    """The offers that the rate allows; ``now_ms``: from when it counts."""

    def __init__(self, now_ms: int) -> None:
        self._tokens = 1.0
        self._tokens_ms = now_ms

    def begin(self) -> None:
        """Have a wave that begins offer its first site at once."""
        self._tokens = max(self._tokens, 1.0)

    def allowed(self, rules: Settled, succeeded: int, now_ms: int) -> int:
        """Return how many the rate allows now; unused minutes are not saved up."""
        rate = gate.rate_per_minute(rules, succeeded)
        passed_ms = max(0, now_ms - self._tokens_ms)
        self._tokens = min(self._tokens + rate * passed_ms / _MINUTE_MS, max(rate, 1.0))
        self._tokens_ms = now_ms
        return int(self._tokens)

    def spend(self, offered: int) -> None:
        """Take in how many were offered."""
        self._tokens -= offered
