"""What reaches a lease, and what it wants done."""

import msgspec

from roost_agent.ha.view import View
from roost_protocol.configuration import Accepted
from roost_protocol.explain import Explain
from roost_protocol.ha import Belief, LeaseFrame
from roost_protocol.voter_events import Bound, Configured, Rests, Send, Won


class Received(msgspec.Struct, frozen=True):
    """A lease frame for this node and of this lease; those that ask go to the voter as well.

    ``age_ms`` as in the voter's Request.
    """

    frame: LeaseFrame
    age_ms: int | None


class Believed(msgspec.Struct, frozen=True):
    """What a peer's beat said of this lease."""

    node: int
    belief: Belief


class ViewChanged(msgspec.Struct, frozen=True):
    """Whom this node hears, or what it is worth, changed."""

    view: View


class Tick(msgspec.Struct, frozen=True):
    """Time has passed; ``jitter`` in [0, 1), drawn anew for each."""

    jitter: float


class GuardState(msgspec.Struct, frozen=True):
    """What the guard holds armed for this lease as the agent starts; the first event.

    Attributes:
        epoch: 0: nothing.
        d3_ms: the end of its validity; None: without end.
    """

    epoch: int = 0
    d3_ms: int | None = 0


class Armed(msgspec.Struct, frozen=True):
    """The guard has the epoch's deadlines; ``is_timed``: they are deadlines, not "without end"."""

    epoch: int
    is_timed: bool = False


class ArmRefused(msgspec.Struct, frozen=True):
    """The guard does not take them: the ones before have run out, or it cannot.

    Attributes:
        lasts: whether it would refuse those of another turn too.
    """

    epoch: int
    why: str
    lasts: bool = False


class Disarmed(msgspec.Struct, frozen=True):
    """The guard has none for the epoch any more."""

    epoch: int


class GuardLost(msgspec.Struct, frozen=True):
    """The guard does not answer; the next Armed says that it does again."""


class StopConfirmed(msgspec.Struct, frozen=True):
    """Nothing of the group runs any more (its cgroup is empty)."""

    epoch: int


class Eligible(msgspec.Struct, frozen=True):
    """Whether this node may stand: probes, damping, redundancy state, maintenance; and why not."""

    ok: bool
    why: str = ""


class Order(msgspec.Struct, frozen=True):
    """Give the lease back; ``to`` names who shall have it, None: anybody but this node.

    The pre-checks of a switchover are the caller's.
    """

    why: str
    to: int | None = None


class Proof(msgspec.Struct, frozen=True):
    """A node's boot is proven to have ended: ``by`` its power, read Off, or by an operator."""

    node: int
    boot: bytes
    by: str


Event = (
    Received
    | Believed
    | Bound
    | Configured
    | ViewChanged
    | Tick
    | GuardState
    | Armed
    | ArmRefused
    | Disarmed
    | GuardLost
    | StopConfirmed
    | Eligible
    | Order
    | Proof
)


class Arm(msgspec.Struct, frozen=True):
    """Give the guard an epoch's deadlines, in place of the ones before.

    Attributes:
        deadlines: D1 (graceful stop), D2 (kill), D3 (the watchdog is fed no more); None: without
            end.
    """

    epoch: int
    deadlines: tuple[int, int, int] | None


class Disarm(msgspec.Struct, frozen=True):
    """Take the epoch from the guard; ends in Disarmed."""

    epoch: int


class Start(msgspec.Struct, frozen=True):
    """Start the group under this epoch; the guard is armed."""

    epoch: int


class Stop(msgspec.Struct, frozen=True):
    """Stop the group; ends in StopConfirmed, or in the guard's kill."""

    epoch: int
    why: str


class Raise(msgspec.Struct, frozen=True):
    """A condition that an operator should know of."""

    what: str
    sentence: str


class Clear(msgspec.Struct, frozen=True):
    """The condition ended."""

    what: str


class Answer(msgspec.Struct, frozen=True):
    """The answer to an Order."""

    ok: bool
    sentence: str


class RoundWon(msgspec.Struct, frozen=True):
    """Enough voters answered a round themselves, none by proof.

    Attributes:
        epoch: that they granted.
        cfgver: under which they did.
        accepted: of what they had accepted, the one of the highest epoch.
    """

    epoch: int
    cfgver: int
    accepted: Accepted | None


Effect = (
    Send | Rests | Won | RoundWon | Arm | Disarm | Start | Stop | Raise | Clear | Answer | Explain
)
