"""What reaches a voter, and what it wants done."""

import msgspec

from roost_protocol.configuration import Accepted, Configuration
from roost_protocol.electorate import Electorate
from roost_protocol.enlistment import Enlistment
from roost_protocol.explain import Explain
from roost_protocol.ha import Kind, LeaseFrame, Nonce
from roost_protocol.voter_state import VoterState


class Begin(msgspec.Struct, frozen=True):
    """The agent runs; the first event."""


class Request(msgspec.Struct, frozen=True):
    """A lease frame for this node.

    Attributes:
        frame: opened, and not older than another of its path.
        age_ms: at most so long ago its sender sent it; None where it echoes nothing of this start.
    """

    frame: LeaseFrame
    age_ms: int | None


class Persisted(msgspec.Struct, frozen=True):
    """The state of ``token`` is on disk, fsynced."""

    token: int


class PersistFailed(msgspec.Struct, frozen=True):
    """It may be on disk, or not."""

    token: int


class RolledBack(msgspec.Struct, frozen=True):
    """A peer echoes a start of this agent that its disk does not know of."""


class Tick(msgspec.Struct, frozen=True):
    """Time has passed."""


class Showed(msgspec.Struct, frozen=True):
    """A peer's frame says under which configuration it is."""

    node: int
    cfgver: int


class Rests(msgspec.Struct, frozen=True):
    """On what a right of this node rests, in a sticky configuration.

    Attributes:
        name: of the lease.
        on_proof: not on the promises of all voters (yet).
    """

    name: str
    on_proof: bool


class Won(msgspec.Struct, frozen=True):
    """This node holds an epoch that nobody else can have; to be known over a reboot.

    Attributes:
        name: of the lease.
        epoch: that every voter of a pair promised it, or that follows one which they did.
    """

    name: str
    epoch: int


Event = Begin | Request | Persisted | PersistFailed | RolledBack | Tick | Showed | Rests | Won


class Send(msgspec.Struct, frozen=True):
    """Send a lease frame with this body on all paths; to oneself, hand it over at once.

    Attributes: see LeaseFrame.
    """

    to: int
    kind: Kind
    name: str
    epoch: int
    nonce: Nonce
    owner: int | None
    owner_boot: bytes
    max_epoch: int = 0
    remaining_ms: int | None = 0
    watchdog_ms: int = 0
    reason: str = ""
    successor: int | None = None
    cfg: Configuration | None = None
    accepted: Accepted | None = None
    epochs: dict[str, int] | None = None
    enlistment: Enlistment | None = None


class Persist(msgspec.Struct, frozen=True):
    """Write the state (temporary file, fsync, rename, fsync of the folder), in order of tokens."""

    token: int
    state: VoterState


class Bound(msgspec.Struct, frozen=True):
    """This voter granted a new epoch: a hint for the node's own candidate."""

    name: str
    epoch: int
    owner: int


class Configured(msgspec.Struct, frozen=True):
    """Under which configuration this node is from now on; the leases have to know.

    Attributes:
        electorate: of it.
        provable: for whose vote the proof of a boot's end may stand in.
        accepted: what this node accepted, and does not know to be decided.
    """

    electorate: Electorate
    provable: frozenset[int]
    accepted: Accepted | None


Effect = Send | Persist | Bound | Configured | Explain
