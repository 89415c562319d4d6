"""Frames between the nodes of a site: beats, and what the lease protocol asks and answers.

Every path carries the same bytes, an MQTT payload or one datagram: MessagePack
``[body, {receiver: mac}]``. The body is an array whose first element is the kind; the mac is
HMAC-SHA256 with the pair key of sender and receiver, cut to 16 bytes. Nodes are named by their
place in the site's list, 0 to 31.

Leaves to others: which frame is fresh (freshness by echo), which is obeyed (voter.py), the keys.

Invariants:
- a frame is opened only by a node for which it carries a good mac of the node it names as sender,
  so that a member can lie only as itself;
- whatever the bytes, ``open_frame`` raises nothing but ProtocolError, naming the field.
"""

import hmac
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from roost_protocol.codec import Decoder
from roost_protocol.configuration import (
    Accepted,
    CfgVersion,
    Configuration,
    LeaseName,
    NodeIndex,
)
from roost_protocol.enlistment import Enlistment
from roost_protocol.envelope import Count, Digest8, Id16, ShortText
from roost_protocol.errors import ProtocolError
from roost_protocol.limits import (
    HA_FRAME_BYTES_MAX,
    HA_LEASES_MAX,
    HA_MAC_BYTES,
    HA_NODES_MAX,
    HA_PATHS_MAX,
    NAME_CHARS_MAX,
)

VERSION: Final = 1
KEY_BYTES: Final = 32

# What a beat's ``standing`` says of its sender, bit by bit; it is never a right.
LEAVING: Final = 1  # its agent was told to end: it gives back what it holds
MAINTENANCE: Final = 2  # a group is kept away from it by an operator's word
LEFT: Final = 4  # good-bye: this incarnation ends here

HELD_MS_MAX: Final = 86_400_000  # an echo older than a day is told as a day old
NO_NODE: Final = 255  # in a beat's ``slots``

PathIndex = Annotated[int, Meta(ge=0, le=HA_PATHS_MAX - 1)]
Bitmap = Annotated[int, Meta(ge=0, le=2**HA_PATHS_MAX - 1)]
Nodes = Annotated[int, Meta(ge=0, le=2**HA_NODES_MAX - 1)]  # bit n: the node of index n
Multiplier = Annotated[int, Meta(ge=1, le=8)]
Millis = Annotated[int, Meta(ge=0, le=2**53)]
SiteText = Annotated[str, Meta(max_length=NAME_CHARS_MAX)]
Mac = Annotated[bytes, Meta(min_length=HA_MAC_BYTES, max_length=HA_MAC_BYTES)]


class Echo(msgspec.Struct, frozen=True, array_like=True):
    """The newest frame that the sender has of a peer: its incarnation and number, and for how long.

    The peer, who knows when it sent that number, learns from it that the sender was alive at or
    after then. ``held_ms`` is from the frame's arrival to this frame's departure.
    """

    inc: Count
    seq: Count
    held_ms: Millis


class LeaseState(StrEnum):
    """What the sender is for a lease, or what it last knew of it."""

    NONE = "none"  # holds nothing, and knows no holder
    FOLLOWING = "following"  # somebody else holds it
    HOLDING = "holding"
    STOPPING = "stopping"  # holds it, and stops what runs under it


class Belief(msgspec.Struct, frozen=True, array_like=True):
    """What the sender knows of one lease; a hint for candidates, never a right.

    Attributes:
        epoch: the highest that the sender heard of.
        holder: whom it takes for the holder, None for nobody.
        remaining_ms: of the holder's validity where the sender is the holder, else 0.
    """

    epoch: Count
    holder: NodeIndex | None
    remaining_ms: Millis
    state: LeaseState


class Header(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """What every frame says of its sender.

    Attributes:
        v: version of these frames.
        node: the sender.
        boot: the kernel's boot id.
        inc: +1 at each start of the agent, durable.
        path: number of the path it took, as the site's file counts them.
        seq: +1 with each frame of this incarnation, over all paths: an echo of it names one moment.
        boot_ms: the sender's CLOCK_BOOTTIME; tells a one-way fault, and nothing else.
        period_ms: the sender's beat period.
        lhm: local health multiplier.
        cfgver: of voters, mode and timing.
        echo: peer to the newest frame of it.
    """

    v: Annotated[int, Meta(ge=1, le=255)] = VERSION
    site: SiteText
    node: NodeIndex
    boot: Id16
    inc: Count
    path: PathIndex
    seq: Count
    boot_ms: Millis
    period_ms: Millis
    lhm: Multiplier
    cfgver: CfgVersion
    echo: Annotated[dict[NodeIndex, Echo], Meta(max_length=HA_NODES_MAX)]


class Beat(Header, frozen=True, kw_only=True, array_like=True, tag="beat"):
    """I am alive; whom I hear, by which paths, and what I know of the leases.

    Attributes:
        defs: digest of the service definitions; a difference lowers its rank and is told, it never
            blocks a grant.
        seen: peer to the paths by which it is heard, path 0 in bit 0.
        leases: by name.
        score: of local health, 0 to 1,000.
        standing: LEAVING, MAINTENANCE, LEFT.
        barred: the leases that the sender may not stand for now: bit n is the n-th of ``leases`` in
            the order of their names.
        slots: of the holder of the built-in lease: which node is to stand for each of ``leases`` in
            the order of their names, NO_NODE where that is not for it to say.
        moves: chosen moves of late: of a lease, the epoch that each ended, and how many ms ago.
        host: how the sender stands as a host (host_word.py); 0: it does not say.
        update: where it is with a software update (update_word.py); 0: it does not say.
        lets, backs: of the coordinator: who may go on with that update, and who is to go back.
        locks: of the coordinator: who was locked while it was silent, and does not know it yet.
        anew: of the coordinator: who was lost too often, and is to run its recovery.
    """

    defs: Digest8
    seen: Annotated[dict[NodeIndex, Bitmap], Meta(max_length=HA_NODES_MAX)]
    leases: Annotated[dict[LeaseName, Belief], Meta(max_length=HA_LEASES_MAX)]
    score: Annotated[int, Meta(ge=0, le=1_000)]
    standing: Annotated[int, Meta(ge=0, le=255)] = 0
    barred: Annotated[int, Meta(ge=0, le=2**HA_LEASES_MAX - 1)] = 0
    slots: Annotated[bytes, Meta(max_length=HA_LEASES_MAX)] = b""
    moves: Annotated[
        dict[LeaseName, Annotated[dict[Count, Millis], Meta(max_length=8)]],
        Meta(max_length=HA_LEASES_MAX),
    ] = {}
    host: Count = 0
    update: Count = 0
    lets: Nodes = 0
    backs: Nodes = 0
    locks: Nodes = 0
    anew: Nodes = 0

    def slot_table(self) -> dict[str, int]:
        """Return what ``slots`` says: lease to node."""
        told = zip(sorted(self.leases), self.slots, strict=False)
        return {name: node for name, node in told if node < HA_NODES_MAX}

    def barred_leases(self) -> frozenset[str]:
        """Return the names of what ``barred`` says."""
        names = sorted(self.leases)
        return frozenset(name for n, name in enumerate(names) if self.barred >> n & 1)


class Kind(StrEnum):
    """What a lease frame asks or answers."""

    PREVOTE = "prevote"  # would you grant? changes nothing
    ACQUIRE = "acquire"  # a new epoch
    RENEW = "renew"
    RELEASE = "release"  # stopped and confirmed; ``successor`` makes it a transfer
    GRANT = "grant"  # yes, to the nonce
    REFUSE = "refuse"  # no, with the reason
    ATTEST = "attest"  # of a starting voter: what do you hold? and the answer
    YIELD = "yield"  # please release
    FENCE_CONFIRM = "fence-confirm"  # the owner's boot is proven to have ended
    CFG_PROPOSE = "cfg-propose"  # of the holder of ``site``: other voters
    CFG_ACCEPT = "cfg-accept"  # yes, to the nonce
    CFG_COMMIT = "cfg-commit"  # decided
    ENLIST = "enlist"  # to a witness elsewhere: what the site's file says; are you there?


class Nonce(msgspec.Struct, frozen=True, array_like=True, order=True):
    """One round of one candidate. Of one ``voter_id`` later rounds compare greater.

    Attributes:
        voter_id: random, born with the candidate's state file: a wiped disk begins ``inc`` again.
        inc: the candidate's incarnation.
        counter: +1 each round.
    """

    voter_id: Id16
    inc: Count
    counter: Count


class LeaseFrame(Header, frozen=True, kw_only=True, array_like=True, tag="lease"):
    """A request to one voter, or its answer.

    Attributes:
        to: the receiver; others drop it.
        name: of the lease.
        epoch: asked for or granted; of ``attest`` held, 0 for none; of ``fence-confirm`` 0.
        nonce: of the round, repeated by the answer.
        owner: for whom the epoch is; of ``refuse`` to whom the voter is bound, None for nobody;
            of ``attest`` the one who says what it holds, None where it is the question.
        owner_boot: its boot.
        max_epoch: of an answer: the highest epoch that its sender knows of.
        remaining_ms: of ``refuse``: how long it stays bound; None without end.
        watchdog_ms: within which the owner's watchdog bites; 0 without one.
        reason: of ``refuse``, a word; of a release why.
        successor: of a release, who shall have it next.
        cfg: proposed, or decided.
        accepted: of a grant and of what is attested of ``site``: accepted, and not decided yet as
            far as the sender knows.
        epochs: of what concerns a configuration: by lease, the highest that the sender granted.
        enlistment: of ``enlist``.
    """

    to: NodeIndex
    kind: Kind
    name: LeaseName
    epoch: Count
    nonce: Nonce
    owner: NodeIndex | None
    owner_boot: Id16
    max_epoch: Count = 0
    remaining_ms: Millis | None = 0
    watchdog_ms: Annotated[int, Meta(ge=0, le=600_000)] = 0
    reason: ShortText = ""
    successor: NodeIndex | None = None
    cfg: Configuration | None = None
    accepted: Accepted | None = None
    epochs: Annotated[dict[LeaseName, Count], Meta(max_length=HA_LEASES_MAX)] | None = None
    enlistment: Enlistment | None = None


Frame = Beat | LeaseFrame


class _Sealed(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    body: Annotated[bytes, Meta(max_length=HA_FRAME_BYTES_MAX)]
    macs: Annotated[dict[NodeIndex, Mac], Meta(max_length=HA_NODES_MAX)]


# The sorting encoder takes no map whose keys are integers; senders fill theirs in order.
encode: Final = msgspec.msgpack.Encoder().encode
_sealed: Final = Decoder[_Sealed](_Sealed, limit=HA_FRAME_BYTES_MAX, again=encode)
_frames: Final = Decoder[Frame](Frame, limit=HA_FRAME_BYTES_MAX, again=encode)


def mac(key: bytes, body: bytes) -> bytes:
    """Return the mac of a body under a pair key of KEY_BYTES bytes."""
    return hmac.digest(key, body, "sha256")[:HA_MAC_BYTES]


def seal(frame: Frame, keys: Mapping[int, bytes]) -> bytes:
    """Return a frame's bytes for the receivers in ``keys``: node to the pair key with it.

    Raises:
        ProtocolError: ``oversize``; nothing was sent.
    """
    body = encode(frame)
    payload = encode(_Sealed(body, {node: mac(keys[node], body) for node in sorted(keys)}))
    if len(payload) > HA_FRAME_BYTES_MAX:
        raise ProtocolError("oversize", field="frame", bound=HA_FRAME_BYTES_MAX, got=len(payload))
    return payload


def open_frame(payload: bytes, *, site: str, me: int, keys: Mapping[int, bytes]) -> Frame:
    """Return the frame, once its mac for ``me`` was found good.

    Args:
        payload: as it came.
        site: ours.
        me: our place in it.
        keys: node to our pair key with it; a node that is not in it is no member.

    Raises:
        ProtocolError: ``site``, ``member``, ``mac``, or what codec.Decoder raises.
    """
    sealed = _sealed.decode(payload)
    try:
        frame = _frames.decode(sealed.body)
    except ProtocolError as err:
        place = err.field.rpartition("$")[2]  # in the array: [3]
        raise ProtocolError(
            err.code,
            field=f"body{place}" if place.startswith("[") else f"body.{place}".rstrip("."),
            bound=err.bound,
            got=err.got,
            detail=err.detail,
        ) from err
    if frame.site != site:
        raise ProtocolError("site", field="body.site", got=frame.site, bound=site)
    key = keys.get(frame.node)
    if key is None:
        raise ProtocolError("member", field="body.node", got=frame.node, bound="a node of the site")
    if not hmac.compare_digest(sealed.macs.get(me, b""), mac(key, sealed.body)):
        raise ProtocolError("mac", field=f"macs[{me}]", detail="not made with the pair key")
    return frame
