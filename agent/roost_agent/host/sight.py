"""How one host of a site sees another at a tick: what it hears, and what the other says. Pure."""

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from roost_agent.host.transitions import Triple


class Sight(msgspec.Struct, frozen=True):
    """One other host at a tick.

    Attributes:
        is_heard: evidence that it was alive since the last tick came, by any path.
        told: how it says that it stands; None: it never said so.
        boot_id: in hexadecimal digits; empty: it was never heard.
        reasons: why it is degraded, by its own word.
        maintenance_ms: for how long nothing is to be done about it by itself; 0: as ever.
        is_exhausted: it failed too often, and is not tried again by itself.
        stage: that it is being enabled by, or that failed, by its own word.
        ways: the names of the paths; ``by_way``: by which of them it was heard, path n in bit n.
        seen_by: other hosts to the paths by which they say that they hear it.
    """

    node: str
    is_heard: bool
    told: Triple | None = None
    boot_id: str = ""
    uptime_ms: int = 0
    reasons: frozenset[str] = frozenset()
    maintenance_ms: int = 0
    is_exhausted: bool = False
    stage: str = ""
    ways: tuple[str, ...] = ()
    by_way: int = 0
    seen_by: Mapping[str, int] = MappingProxyType({})
