"""This node's own frames: each with a number of its own, and an echo of whom it heard."""

from collections.abc import Container, Mapping
from typing import Any

from roost_agent.ha.config import HaConfig
from roost_agent.ha.freshness import Freshness
from roost_agent.ha.membership import Membership
from roost_agent.ha.start import Who
from roost_protocol.ha import Beat, Belief, LeaseFrame
from roost_protocol.voter import Voter
from roost_protocol.voter_events import Send


class OwnFrames:
    """Makes them; ``path`` is the sender's shell's to fill in.

    Args:
        who: this start.
        config: of the site.
        fresh: numbers them, and knows what to echo.
        members: knows this node's health.
        voter: knows under which configuration it is.
    """

    def __init__(
        self,
        who: Who,
        config: HaConfig,
        fresh: Freshness,
        members: Membership,
        voter: Voter,
    ) -> None:
        self._who = who
        self._config = config
        self._fresh = fresh
        self._members = members
        self._voter = voter

    def lease_frame(self, send: Send, now_ms: int) -> LeaseFrame:
        """Return the frame of what a lease or the voter has to say."""
        fields = {name: getattr(send, name) for name in send.__struct_fields__}
        return LeaseFrame(**self._header(now_ms), **fields)

    def beat(
        self,
        leases: Mapping[str, Belief],
        now_ms: int,
        *,
        standing: int,
        barred: Container[str],
        moves: dict[str, dict[int, int]],
    ) -> Beat:
        """Return a beat that tells ``leases``, and which of them this node may not stand for."""
        bits = (name in barred for name in sorted(leases))
        return Beat(
            **self._header(now_ms),
            defs=self._config.defs,
            seen=self._fresh.seen(now_ms),
            leases=dict(leases),
            score=self._members.score,
            standing=standing,
            barred=sum(bit << n for n, bit in enumerate(bits)),
            moves=moves,
        )

    def _header(self, now_ms: int) -> dict[str, Any]:
        who = self._who
        return {
            "site": who.site,
            "node": who.node,
            "boot": who.boot,
            "inc": who.inc,
            "path": 0,
            "seq": self._fresh.sent(now_ms),
            "boot_ms": now_ms,
            "period_ms": self._config.timing.beat_ms,
            "lhm": self._members.lhm,
            "cfgver": self._voter.electorate.cfgver,
            "echo": self._fresh.echoes(now_ms),
        }
