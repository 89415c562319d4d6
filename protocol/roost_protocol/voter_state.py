"""What a voter knows over a crash: about 100 bytes, written when an epoch begins or ends."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from roost_protocol.codec import Decoder, encode
from roost_protocol.configuration import (
    Accepted,
    CfgVersion,
    Configuration,
    LeaseName,
    NodeIndex,
)
from roost_protocol.envelope import Count, Id16
from roost_protocol.limits import HA_LEASES_MAX, HA_NODES_MAX

VERSION: Final = 1
NO_BOOT: Final = bytes(16)


class Record(msgspec.Struct, frozen=True, array_like=True):
    """One lease.

    Attributes:
        max_epoch: the highest ever granted; never falls.
        owner: to whom; nobody else can have a promise newer than that.
        owner_boot: and to which boot of it.
        cfgver: under which every node of the site said that it held nothing, before the first
            grant; another configuration asks them anew.
        endless: the promise to the owner has no end.
        watchdog_ms: of the owner.
        given_back: the highest epoch that this node itself held and is done with; apart from
            ``owner``, who may be another and still hold.
        floor: no new epoch below it: the voters before this one's time granted as high.
        won: the epoch that every voter of a pair promised this node, or that rests on such a one;
            kept only where the last holder starts alone.
        won_under: the configuration in which that was.
    """

    max_epoch: Count = 0
    owner: NodeIndex | None = None
    owner_boot: Id16 = NO_BOOT
    cfgver: CfgVersion = 0
    endless: bool = False
    watchdog_ms: Count = 0
    given_back: Count = 0
    floor: Count = 0
    won: Count = 0
    won_under: CfgVersion = 0

    def is_still_mine(self, me: int, cfgver: int) -> bool:
        """Whether nobody else can have had the lease since this node won it, whatever is unheard.

        Another needs this node's own promise as well, which would be on this disk as its.
        """
        is_last = self.owner == me and self.won == self.max_epoch > self.given_back
        return is_last and self.endless and self.won_under == cfgver


class VoterState(msgspec.Struct, frozen=True, array_like=True):
    """All of it.

    Attributes:
        voter_id: random, born with the file.
        inc: of the agent, +1 each start.
        boot: in which the agent last started.
        records: by lease.
        cfg: as decided last; None: the one of the site's file.
        accepted: what follows it perhaps.
        shown: which nodes showed that they are under it.
    """

    v: Annotated[int, Meta(ge=1, le=VERSION)]
    voter_id: Id16
    inc: Count
    boot: Id16
    records: Annotated[dict[LeaseName, Record], Meta(max_length=HA_LEASES_MAX)]
    cfg: Configuration | None = None
    accepted: Accepted | None = None
    shown: Annotated[tuple[NodeIndex, ...], Meta(max_length=HA_NODES_MAX)] = ()

    @classmethod
    def blank(cls, voter_id: bytes) -> "VoterState":
        """Return the state of a new disk."""
        return cls(VERSION, voter_id, 0, NO_BOOT, {})

    def blob(self) -> bytes:
        """Return the file's bytes."""
        return encode(self)


_decoder: Final = Decoder[VoterState](VoterState)


def load(blob: bytes) -> VoterState:
    """Return the state in a file's bytes.

    Raises:
        ProtocolError: it is none; a voter that cannot read its file must not vote as a new one.
    """
    return _decoder.decode(blob)
