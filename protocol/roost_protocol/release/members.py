"""An operator's word for who belongs to a site, which the signer wants where several go. Pure.

An Ed25519 signature over ``MEMBERS_DOMAIN`` and the bytes of a ``MembersWord``: all members of one
site as they are to be, each with the number of its box. Whoever drops or replaces more than one of
them within 24 h needs two operators' (updates.md 10): no centre dissolves a site's HA by itself.
"""

from collections.abc import Mapping
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from roost_protocol.envelope import Count, NodeText
from roost_protocol.errors import ProtocolError
from roost_protocol.limits import GENERATION_MAX, HA_NODES_MAX
from roost_protocol.release.approval import SIGNATURE_BYTES, Operator
from roost_protocol.topics import split_node_id

MEMBERS_VERSION: Final = 1
MEMBERS_DOMAIN: Final = b"roost members 1\n"
MEMBERS_BYTES_MAX: Final = 4_096  # 32 node ids of 59 characters, with their boxes, and the rest
MEMBERS_LIFE_MS_MAX: Final = 7 * 86_400_000  # boxes are replaced on a day, not over weeks

Box = Annotated[int, Meta(ge=1, le=GENERATION_MAX)]
Members = Annotated[dict[NodeText, Box], Meta(max_length=HA_NODES_MAX)]  # node id to box


class MembersWord(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an operator agrees to.

    Attributes:
        members: node id to the number of the box in that slot; nobody else belongs to the site.
        not_before_ms, not_after_ms: UTC; while it counts.
    """

    v: int
    operator: Operator
    site: Annotated[str, Meta(min_length=1, max_length=64)]
    members: Members
    not_before_ms: Count
    not_after_ms: Count


class SignedMembers(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The bytes as they were signed, and the signature."""

    word: Annotated[bytes, Meta(max_length=MEMBERS_BYTES_MAX)]
    signature: Annotated[bytes, Meta(min_length=SIGNATURE_BYTES, max_length=SIGNATURE_BYTES)]


_word: Final = msgspec.json.Decoder(MembersWord)


def write_members(word: MembersWord) -> bytes:
    """Return the bytes that are signed, behind MEMBERS_DOMAIN."""
    return msgspec.json.encode(word, order="sorted")


def read_members(raw: bytes) -> MembersWord:
    """Return an operator's word for the members of a site.

    Raises:
        ProtocolError: ``members``, ``node`` or ``times``.
    """
    try:
        read = _word.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as err:
        raise ProtocolError("members", detail=str(err)[:200]) from err
    if read.v != MEMBERS_VERSION:
        raise ProtocolError("members", field="v", got=read.v, bound=MEMBERS_VERSION)
    check_members(read.site, read.members)
    if not 0 < read.not_after_ms - read.not_before_ms <= MEMBERS_LIFE_MS_MAX:
        bound = f"1 to {MEMBERS_LIFE_MS_MAX} ms after not_before_ms"
        raise ProtocolError("times", field="not_after_ms", got=read.not_after_ms, bound=bound)
    return read


def check_members(site: str, members: Mapping[str, int]) -> None:
    """Check that members are of a site.

    Raises:
        ProtocolError: ``node``.
    """
    for node in members:
        if split_node_id(node)[0] != site:
            raise ProtocolError("node", field="members", got=node, bound=f"of {site}")
