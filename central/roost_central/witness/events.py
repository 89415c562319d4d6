"""What reaches the witness of one site, and what it wants done."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from roost_protocol.codec import Decoder, encode
from roost_protocol.configuration import NodeIndex
from roost_protocol.enlistment import Enlistment
from roost_protocol.explain import Explain
from roost_protocol.ha import LeaseFrame
from roost_protocol.limits import HA_NODES_MAX, NAME_CHARS_MAX
from roost_protocol.voter_state import VoterState

VERSION: Final = 1

NameText = Annotated[str, Meta(max_length=NAME_CHARS_MAX)]


class Kept(msgspec.Struct, frozen=True, array_like=True):
    """What the witness of a site knows over a restart.

    Attributes:
        enlistment: the site's file, as all of its nodes said.
        names: which node is which.
        state: of the voter.
    """

    v: Annotated[int, Meta(ge=1, le=VERSION)]
    enlistment: Enlistment
    names: Annotated[dict[NameText, NodeIndex], Meta(max_length=HA_NODES_MAX)]
    state: VoterState

    def blob(self) -> bytes:
        """Return the file's bytes."""
        return encode(self)


_decoder: Final = Decoder[Kept](Kept)


def load(blob: bytes) -> Kept:
    """Return what is kept in a file's bytes.

    Raises:
        ProtocolError: it is nothing of the kind.
    """
    return _decoder.decode(blob)


class FrameIn(msgspec.Struct, frozen=True):
    """A frame came from a node, as the broker names it, and its mac was good."""

    name: str
    frame: LeaseFrame


class Persisted(msgspec.Struct, frozen=True):
    """What was to be kept is on disk, fsynced."""

    life: int
    token: int


class PersistFailed(msgspec.Struct, frozen=True):
    """It may be on disk, or not."""

    life: int
    token: int


class Tick(msgspec.Struct, frozen=True):
    """Time has passed."""


Event = FrameIn | Persisted | PersistFailed | Tick


class Tell(msgspec.Struct, frozen=True):
    """Send a frame to a node."""

    name: str
    frame: LeaseFrame


class Keep(msgspec.Struct, frozen=True):
    """Put this on disk (temporary file, fsync, rename, fsync of the folder), in this order."""

    life: int
    token: int
    kept: Kept


Effect = Tell | Keep | Explain
