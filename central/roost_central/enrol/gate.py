"""How much strangers may ask, before anything is looked up for them. Pure.

A request that proves something is not counted against its address: behind one address of a carrier
there may be hundreds of sites.
"""

from typing import Final

from roost_central.api.throttle import Throttle

REQUESTS_A_SECOND_MAX: Final = 600  # of everybody: a join has three, and two cores do 200 joins
IPV4_PREFIX: Final = 24


class Gate:
    """Counts requests, and what could not be proven by network."""

    def __init__(self) -> None:
        self._unproven = Throttle(ipv4_prefix=IPV4_PREFIX)
        self._second = 0
        self._requests = 0

    def wait_ms(self, address: str, now_ms: int) -> int:
        """Return how long an address has to wait, 0 where it may ask; counts the request."""
        if now_ms // 1000 != self._second:
            self._second, self._requests = now_ms // 1000, 0
        self._requests += 1
        if self._requests > REQUESTS_A_SECOND_MAX:
            return 1_000
        return self._unproven.wait_ms(address, now_ms)

    def unproven(self, address: str, now_ms: int) -> None:
        """Count a request that anybody could have sent."""
        self._unproven.failed(address, now_ms)
