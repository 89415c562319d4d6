"""How much strangers may ask. Pure.

What proves something is not counted among what proves nothing: behind one address of a carrier
there may be hundreds of sites, and one of them may be a stranger's. Before it is known what proves
something all are counted, and **nobody gets more of a second than is left for all others**: one
network at most half of it, two a third each; whoever comes next is let in.
"""

from collections import Counter
from typing import Final

from roost_central.access.throttle import IPV6_PREFIX, Throttle, network

REQUESTS_A_SECOND_MAX: Final = 900  # half of it is 225 joins, and two cores do half of those
IPV4_PREFIX: Final = 24
TOLD_MS: Final = 60_000  # refused requests are told as one count, so often at most
_SECOND_MS: Final = 1_000


class Gate:
    """Counts requests, by network, and of each those that could not be proven."""

    def __init__(self) -> None:
        self._unproven = Throttle(ipv4_prefix=IPV4_PREFIX)
        self._second = 0
        self._left = REQUESTS_A_SECOND_MAX
        self._taken = Counter[str]()
        self._refused = Counter[str]()
        self._told_ms: int | None = None

    def wait_ms(self, address: str, now_ms: int) -> int:
        """Return how long an address has to wait, 0 for now; counts the request."""
        if now_ms // _SECOND_MS != self._second:
            self._second, self._left = now_ms // _SECOND_MS, REQUESTS_A_SECOND_MAX
            self._taken.clear()
        asks = network(address, IPV4_PREFIX, IPV6_PREFIX)
        if self._taken[asks] >= self._left:
            if asks in self._refused or len(self._refused) < REQUESTS_A_SECOND_MAX:
                self._refused[asks] += 1
            return _SECOND_MS
        self._taken[asks] += 1
        self._left -= 1
        return 0

    def refused(self, now_ms: int) -> list[tuple[str, int]]:
        """Return how many requests were refused by network, most first, if it is time to tell."""
        if self._told_ms is not None and now_ms - self._told_ms < TOLD_MS:
            return []
        told = self._refused.most_common()
        if told:
            self._told_ms = now_ms
            self._refused.clear()
        return told

    def unproven_wait_ms(self, address: str, now_ms: int) -> int:
        """Return how long who proves nothing has to wait at an address; counts it where it is 0."""
        wait_ms = self._unproven.wait_ms(address, now_ms)
        if not wait_ms:
            self._unproven.failed(address, now_ms)
        return wait_ms
