"""What reaches a node's fencing, and what it wants done."""

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from roost_protocol.explain import Explain


class Power(StrEnum):
    """What a fence's device says of a node's power."""

    ON = "on"
    OFF = "off"
    UNKNOWN = "unknown"  # neither: switching, or no answer that could be read


class Verb(StrEnum):
    """What a fence's device is asked to do."""

    STATUS = "status"
    OFF = "off"
    ON = "on"


class Case(msgspec.Struct, frozen=True):
    """A lease that this node would take, had its owner ended.

    Attributes:
        lease: its name.
        node: the owner, silent and lost.
        epoch: of its turn; 0 where that is not known.
        boot: of the owner: the one that has to end.
        is_heard: this start of the agent heard that very boot.
        may_off: the owner may be switched off; else its power is only read.
        wait_ms: before the device is asked: a better candidate goes first.
        is_needed: nobody takes it over without a proof; else one only comes before the promise
            ends.
    """

    lease: str
    node: int
    epoch: int
    boot: bytes
    is_heard: bool
    may_off: bool
    wait_ms: int
    is_needed: bool = True


class Situation(msgspec.Struct, frozen=True):
    """What fencing must know before it acts; told anew before each tick.

    Attributes:
        cases: one for each lease that waits for an owner's end.
        present: nodes that are heard.
        spared: nodes that said good-bye, or are under maintenance.
        boots: the boot of each node that was heard since this start of the agent.
        holders: by lease.
        has_majority: this node hears a majority of the voters.
        is_sticky: every voter must grant (a pair), so a majority says nothing.
        is_owner: this node holds a group itself.
        is_isolated: this node may be the one that is cut off: it hears nobody, not even itself,
            or none of its networks has a carrier.
        unsure: nodes that fell silent together with this node's gateways: either may be cut off.
    """

    cases: tuple[Case, ...] = ()
    present: frozenset[int] = frozenset()
    spared: frozenset[int] = frozenset()
    boots: Mapping[int, bytes] = {}
    holders: Mapping[str, int | None] = {}
    has_majority: bool = False
    is_sticky: bool = False
    is_owner: bool = False
    is_isolated: bool = False
    unsure: frozenset[int] = frozenset()


class Tick(msgspec.Struct, frozen=True):
    """Time has passed; ``jitter`` in [0, 1), drawn anew for each."""

    jitter: float


class Driven(msgspec.Struct, frozen=True):
    """A device answered, or did not.

    Attributes:
        token: of the Drive.
        power: as it was read, after the verb where there was one.
        uuid: of the machine, as the device says; empty where it says none.
        fault: why it is not known; empty where the verb went well.
    """

    token: int
    power: Power
    uuid: str = ""
    fault: str = ""


class Kept(msgspec.Struct, frozen=True):
    """The record of a Keep is on disk."""

    token: int


class KeepFailed(msgspec.Struct, frozen=True):
    """It may be or not."""

    token: int
    why: str


class Elsewhere(msgspec.Struct, frozen=True):
    """Another node proved that a boot of a node ended: one fencing of the site's."""

    node: int
    boot: bytes


Event = Situation | Tick | Driven | Kept | KeepFailed | Elsewhere


class Ask(msgspec.Struct, frozen=True):
    """Ask the owner of a lease to stop and give it back."""

    node: int
    lease: str
    epoch: int


class Keep(msgspec.Struct, frozen=True):
    """Put on disk what must outlive this agent; ends in Kept or KeepFailed.

    Attributes:
        spent_ms: when attempts were made, on the boot clock.
        off: nodes that this node switched off and has yet to switch on again.
    """

    token: int
    spent_ms: tuple[int, ...]
    off: tuple[int, ...]


class Drive(msgspec.Struct, frozen=True):
    """Have a node's device do it; ends in Driven."""

    token: int
    node: int
    verb: Verb


class Proven(msgspec.Struct, frozen=True):
    """A boot of a node has ended; ``by`` says how that is known."""

    node: int
    boot: bytes
    by: str


class NoProof(msgspec.Struct, frozen=True):
    """Nothing proves that a node is off, so an operator must; an empty sentence ends it."""

    sentence: str


class Tried(msgspec.Struct, frozen=True):
    """A node's fence was tested; an empty ``fault`` says that it passed."""

    node: int
    fault: str


Effect = Ask | Keep | Drive | Proven | NoProof | Tried | Explain
