"""How often a site may switch nodes off: fencing that goes round and round helps nobody."""

from collections.abc import Iterable
from typing import Final

HOUR_MS: Final = 3_600_000
HOURLY_MAX: Final = 3  # attempts of a site (design: ha, 8)


class Budget:
    """The attempts of the last hour, this node's and what it heard of others'.

    Args:
        spent_ms: attempts of before, on the boot clock; they may lie before the boot.
    """

    def __init__(self, spent_ms: Iterable[int] = ()) -> None:
        self._spent_ms = list(spent_ms)

    def spent_ms(self, now_ms: int) -> tuple[int, ...]:
        """Return the attempts that still count."""
        self._spent_ms = [each for each in self._spent_ms if now_ms - each < HOUR_MS]
        return tuple(self._spent_ms)

    def refusal(self, now_ms: int) -> str:
        """Return why there may be no other attempt; empty where there may."""
        count = len(self.spent_ms(now_ms))
        return f"{count} attempts of this hour's {HOURLY_MAX} are spent" * (count >= HOURLY_MAX)

    def spend(self, now_ms: int) -> None:
        """Count one."""
        self._spent_ms.append(now_ms)
