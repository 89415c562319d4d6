"""What one node knows of one lease now: the state that asking, holding and ending work on."""

from typing import TYPE_CHECKING, Final

from roost_agent.ha.ballot import Ballots
from roost_agent.ha.deadlines import Deadlines
from roost_agent.ha.lease_phase import Phase
from roost_agent.ha.timing import Timing
from roost_agent.ha.view import View
from roost_protocol.electorate import Electorate

if TYPE_CHECKING:
    from roost_agent.ha.quorum import Round

HEAD_START_MS: Final = 2_000  # of a transfer's successor before everybody else


class Turn:
    """See the module.

    Args:
        name: of the lease.
        me: this node.
        boot: its boot id.
        hosts: who may hold it.
        electorate: of the site.
        timing: of the site.
        stop_ms: the longest graceful stop of the group (S).
        ballots: this node's numbers for it.

    Attributes:
        valid_ms: until when this node may run it; None: without end.
        previous: who held it last before this node, None where nobody is known to have.
        is_given_back: that one gave it back.
        view: whom this node hears.
        round: that is asked now.
        stand_ms: when this node asks next, None while it should not.
        not_before_ms: it does not stand before this.
        renew_ms: of a holder, when it asks again; of a candidate, when a round is over.
    """

    __slots__ = (
        "ballots", "boot", "deadlines", "electorate", "epoch", "holder", "hosts", "is_given_back",
        "me", "name", "not_before_ms", "phase", "previous", "renew_ms", "round", "stand_ms",
        "timing", "valid_ms", "view",
    )  # fmt: skip

    def __init__(  # noqa: PLR0913 - what it is to one node
        self,
        name: str,
        *,
        me: int,
        boot: bytes,
        hosts: tuple[int, ...],
        electorate: Electorate,
        timing: Timing,
        stop_ms: int,
        ballots: Ballots,
    ) -> None:
        self.name = name
        self.me = me
        self.boot = boot
        self.hosts = hosts
        self.electorate = electorate
        self.timing = timing
        self.deadlines = Deadlines(timing, stop_ms)
        self.ballots = ballots
        self.phase: str = Phase.UNKNOWN
        self.epoch = 0
        self.valid_ms: int | None = None
        self.holder: int | None = None
        self.previous: int | None = None
        self.is_given_back = False
        self.view = View()
        self.round: Round | None = None
        self.stand_ms: int | None = None
        self.not_before_ms = 0
        self.renew_ms = 0

    @property
    def is_held(self) -> bool:
        """Whether this node holds it, stopping or not."""
        return self.phase in {Phase.HOLDING, Phase.STOPPING, Phase.DISARMING}

    def held_by(self, node: int) -> None:
        """Take in who holds it; before this node it was another's, or nobody's."""
        if node == self.me and self.holder not in {self.me, None}:
            self.previous = self.holder
        elif node != self.me:
            self.previous, self.is_given_back = node, False
        self.holder = node

    def d1_ms(self) -> int | None:
        """Return when the graceful stop begins; None where the right has no end."""
        return self.deadlines.d1_ms(self.valid_ms)

    def is_past_d1(self, now_ms: int) -> bool:
        """Whether nothing may be extended any more."""
        d1_ms = self.d1_ms()
        return d1_ms is not None and now_ms >= d1_ms
