"""How much strangers may ask. Pure.

What proves something is neither counted nor held up: behind one address of a carrier there may be
hundreds of sites, and one of them may be a stranger's.
"""

from typing import Final

from roost_central.api.throttle import Throttle

REQUESTS_A_SECOND_MAX: Final = 600  # of everybody: a join has three, and two cores do 200 joins
IPV4_PREFIX: Final = 24
_SECOND_MS: Final = 1_000


class Gate:
    """Counts requests, and by network those that could not be proven."""

    def __init__(self) -> None:
        self._unproven = Throttle(ipv4_prefix=IPV4_PREFIX)
        self._second = 0
        self._requests = 0

    def wait_ms(self, now_ms: int) -> int:
        """Return how long anybody has to wait, 0 for now; counts the request."""
        if now_ms // _SECOND_MS != self._second:
            self._second, self._requests = now_ms // _SECOND_MS, 0
        self._requests += 1
        return _SECOND_MS if self._requests > REQUESTS_A_SECOND_MAX else 0

    def unproven_wait_ms(self, address: str, now_ms: int) -> int:
        """Return how long who proves nothing has to wait at an address; counts it where it is 0."""
        wait_ms = self._unproven.wait_ms(address, now_ms)
        if not wait_ms:
            self._unproven.failed(address, now_ms)
        return wait_ms
