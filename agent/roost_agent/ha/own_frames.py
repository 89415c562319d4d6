"""This node's own frames: each with a number of its own, and an echo of whom it heard."""

from collections.abc import Mapping
from typing import Any

import msgspec

from roost_agent.ha.config import HaConfig
from roost_agent.ha.freshness import Freshness
from roost_agent.ha.membership import Membership
from roost_agent.ha.start import Who
from roost_protocol.ha import NO_NODE, Beat, Belief, LeaseFrame
from roost_protocol.voter import Voter
from roost_protocol.voter_events import Send


class Said(msgspec.Struct, frozen=True):
    """What a beat tells besides who hears whom.

    Attributes:
        leases: what this node believes of each.
        standing: bits of protocol/ha.py.
        barred: the leases that this node may not stand for.
        moves: chosen ones of late, as Moves tells them.
        slots: the slot table where this node makes it, else None.
        host: how this node stands as a host, 0: it does not say; whom it locked in absence; and who
            is to run its recovery.
        update: where it is with an update, and whom it lets go on or has go back.
    """

    leases: Mapping[str, Belief]
    standing: int = 0
    barred: frozenset[str] = frozenset()
    moves: dict[str, dict[int, int]] = {}
    slots: Mapping[str, int] | None = None
    host: tuple[int, int, int] = (0, 0, 0)
    update: tuple[int, int, int] = (0, 0, 0)


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
        self._period_ms = config.timing.beat_ms
        self._defs = config.defs
        self._fresh = fresh
        self._members = members
        self._voter = voter

    def lease_frame(self, send: Send, now_ms: int) -> LeaseFrame:
        """Return the frame of what a lease or the voter has to say."""
        fields = {name: getattr(send, name) for name in send.__struct_fields__}
        return LeaseFrame(**self._header(now_ms), **fields)

    def beat(self, said: Said, now_ms: int) -> Beat:
        """Return a beat that says this."""
        names = sorted(said.leases)
        bits = (name in said.barred for name in names)
        slots = said.slots
        return Beat(
            **self._header(now_ms),
            defs=self._defs,
            seen=self._fresh.seen(now_ms),
            leases=dict(said.leases),
            score=self._members.score,
            standing=said.standing,
            barred=sum(bit << n for n, bit in enumerate(bits)),
            slots=b"" if slots is None else bytes(slots.get(name, NO_NODE) for name in names),
            moves=said.moves,
            host=said.host[0],
            update=said.update[0],
            lets=said.update[1],
            backs=said.update[2],
            locks=said.host[1],
            anew=said.host[2],
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
            "period_ms": self._period_ms,
            "lhm": self._members.lhm,
            "cfgver": self._voter.electorate.cfgver,
            "echo": self._fresh.echoes(now_ms),
        }
