"""How often an address, or an account, may fail to prove itself; pure, and bounded in both.

A 256-bit token is not found by guessing: this bounds the rows that guessing writes and the slow
hashes of passwords. So what is right by itself, a token or a session, is let in from an address
over its limit; a password is not looked at.
"""

import ipaddress
from collections import OrderedDict, deque
from functools import lru_cache
from typing import Final

FAILURES_MAX: Final = 5
WINDOW_MS: Final = 60_000
ADDRESSES_MAX: Final = 10_000  # about 4 MB; the one that failed longest ago is forgotten first
NETWORKS_KEPT: Final = 1_000  # that were worked out last
IPV4_PREFIX: Final = 32
IPV6_PREFIX: Final = 64  # one subscriber has at least that many addresses


class Throttle:
    """Counts failures in the last minute by address, an IPv6 one by its /64, or by any other key.

    Args:
        ipv4_prefix: addresses that count as one.
    """

    def __init__(self, *, ipv4_prefix: int = IPV4_PREFIX) -> None:
        self._ipv4_prefix = ipv4_prefix
        self._failures: OrderedDict[str, deque[int]] = OrderedDict()

    def wait_ms(self, address: str, now_ms: int) -> int:
        """Return how long an address has to wait, 0 when it may try."""
        failures = self._failures.get(network(address, self._ipv4_prefix, IPV6_PREFIX))
        if failures is None or len(failures) < FAILURES_MAX:
            return 0
        return max(0, failures[0] + WINDOW_MS - now_ms)

    def failed(self, address: str, now_ms: int) -> None:
        """Count a failure."""
        group = network(address, self._ipv4_prefix, IPV6_PREFIX)
        failures = self._failures.setdefault(group, deque(maxlen=FAILURES_MAX))
        failures.append(now_ms)
        self._failures.move_to_end(group)
        while len(self._failures) > ADDRESSES_MAX:
            self._failures.popitem(last=False)


@lru_cache(NETWORKS_KEPT)
def network(address: str, ipv4_prefix: int, ipv6_prefix: int) -> str:
    """Return the network that an address counts as; what is no address counts as itself."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    is_v6 = isinstance(parsed, ipaddress.IPv6Address)
    prefix = ipv6_prefix if is_v6 else ipv4_prefix
    return str(ipaddress.ip_network((parsed, prefix), strict=False))
