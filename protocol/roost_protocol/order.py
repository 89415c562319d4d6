"""Orders: what the centre has a node do. Signed, addressed, numbered, with an end.

On ``down/order`` a node gets a ``SignedOrder``, sealed as all that goes down (seal.py): the bytes
of an ``Order`` as they were signed, and an Ed25519 signature (RFC 8032) over ORDER_DOMAIN and these
bytes. The seal keeps a broker's junk away, the signature a captured centre's: its key lies with the
signer. What is too long for an order comes beside it as ``body``, of which the order
holds the digest. The node answers with ``OrderTold`` items of its report: taken, then how it ended.

Invariants of what ``read_order`` returns: the bytes are the only ones of their meaning; it is for
one generation of one node; it lives no longer than ORDER_LIFE_MS_MAX.

Leaves to others: which verbs there are (order_verbs.py), the check of the signature, and memory of
what was done before, which is what stops a replay.
"""

from enum import StrEnum
from hashlib import blake2b, sha256
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from roost_protocol.board_verbs import SetBoards
from roost_protocol.codec import VERSION, Decoder, encode
from roost_protocol.envelope import Count, Id16, NodeText, ShortText
from roost_protocol.errors import ProtocolError
from roost_protocol.limits import (
    ALARM_TEXT_BYTES_MAX,
    GENERATION_MAX,
    ORDER_BODY_BYTES_MAX,
    ORDER_BYTES_MAX,
    ORDER_GIVEN_MAX,
    ORDER_LIFE_MS_MAX,
    ORDER_MESSAGE_BYTES_MAX,
    ORDER_REASON_CHARS_MAX,
)
from roost_protocol.order_act import Act, Scalar
from roost_protocol.order_verbs import Configure
from roost_protocol.patterns import END, NO_CONTROLS, ONE_LINE
from roost_protocol.topics import split_node_id
from roost_protocol.update_verbs import UpdateOffer

ORDER_DOMAIN: Final = b"roost order 1\n"  # an order's signature is good for nothing else
ORDER_KEY_DOMAIN: Final = b"roost order key 1\n"  # of the word of an order key for the next one
ORDER_KEY_BYTES: Final = 32
ORDER_SIGNATURE_BYTES: Final = 64
ORDER_KEY_ID_CHARS: Final = 16
BODY_DIGEST_BYTES: Final = 32

Given = Annotated[dict[ShortText, Scalar], Meta(max_length=ORDER_GIVEN_MAX)]
Person = Annotated[str, Meta(max_length=64, pattern=NO_CONTROLS)]
Reason = Annotated[str, Meta(max_length=ORDER_REASON_CHARS_MAX, pattern=ONE_LINE)]
KeyId = Annotated[str, Meta(pattern=r"^[0-9a-f]{16}" + END)]


class OrderKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A public key by which orders are checked.

    Attributes:
        since_ms: it signs from then on; 0: from the beginning.
        until_ms: it counts until then; 0: it has no successor yet.
    """

    key: Annotated[bytes, Meta(min_length=ORDER_KEY_BYTES, max_length=ORDER_KEY_BYTES)]
    since_ms: Count = 0
    until_ms: Count = 0

    @property
    def key_id(self) -> str:
        """Its name in a SignedOrder."""
        return order_key_id(self.key)


class Order(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """One order to one node.

    Attributes:
        id: 16 unpredictable bytes; the same order keeps its id when it is signed anew.
        node, generation: whom it is for.
        seq: greater than that of any order to this node before it.
        not_before_ms, not_after_ms: when it may begin, UTC of the centre.
        verb, given: see order_verbs.py.
        reason: of who ordered it.
        by, approved_by: accounts; the second is empty where one person is enough.
    """

    v: int
    id: Id16
    node: NodeText
    generation: Annotated[int, Meta(ge=1, le=GENERATION_MAX)]
    seq: Count
    not_before_ms: Count
    not_after_ms: Count
    verb: ShortText
    given: Given
    reason: Reason
    by: Person
    approved_by: Person


class SignedOrder(msgspec.Struct, kw_only=True, frozen=True, omit_defaults=True):
    """An order's bytes, who signed them, and what comes with them.

    Attributes:
        body: is not signed: the order names its digest (``check_body``).
    """

    v: int
    key_id: KeyId
    signature: Annotated[
        bytes, Meta(min_length=ORDER_SIGNATURE_BYTES, max_length=ORDER_SIGNATURE_BYTES)
    ]
    order: Annotated[bytes, Meta(max_length=ORDER_BYTES_MAX)]
    body: Annotated[bytes, Meta(max_length=ORDER_BODY_BYTES_MAX)] = b""


class OrderState(StrEnum):
    """What a node says of an order; all but the first are its end."""

    TAKEN = "taken"  # checked and kept; it is about to be done
    DONE = "done"
    FAILED = "failed"
    REFUSED = "refused"


class OrderTold(msgspec.Struct, kw_only=True, frozen=True):
    """A report item: what became of an order.

    Attributes:
        id, seq: of the order.
        code: why, a word for programs; empty where there is nothing to say.
        text: a sentence for people.
    """

    v: int
    id: Id16
    seq: Count
    state: OrderState
    code: ShortText = ""
    text: Annotated[str, Meta(max_length=ALARM_TEXT_BYTES_MAX)] = ""


_orders: Final = Decoder[Order](Order, limit=ORDER_BYTES_MAX)
_signed: Final = Decoder[SignedOrder](SignedOrder, limit=ORDER_MESSAGE_BYTES_MAX)


def read_order(raw: bytes) -> Order:
    """Return the order in these bytes.

    Raises:
        ProtocolError: those of a Decoder, ``canonical``, ``name``, or ``life``.
    """
    order = _orders.decode(raw)
    if encode(order) != raw:
        raise ProtocolError("canonical", detail="not the one way to write this order")
    split_node_id(order.node)
    life_ms = order.not_after_ms - order.not_before_ms
    if not 0 < life_ms <= ORDER_LIFE_MS_MAX:
        raise ProtocolError("life", field="not_after_ms", got=life_ms, bound=ORDER_LIFE_MS_MAX)
    return order


def read_signed(message: bytes) -> SignedOrder:
    """Return the signed order in an opened message.

    Raises:
        ProtocolError: those of a Decoder.
    """
    return _signed.decode(message)


def signed_message(order: bytes, signature: bytes, key_id: str, body: bytes = b"") -> bytes:
    """Return what is sent of a signed order, before its seal."""
    return encode(
        SignedOrder(v=VERSION, key_id=key_id, signature=signature, order=order, body=body)
    )


def check_body(act: Act, body: bytes) -> None:
    """Check that a body is the one that an order is about; verbs without one have none.

    Raises:
        ProtocolError: ``body``: it is missing, is another one, or nobody asked for it.
    """
    if not isinstance(act, Configure | UpdateOffer | SetBoards):
        if body:
            raise ProtocolError("body", field="body", bound=f"{act.verb} has none", got=len(body))
    elif body_digest(body) != act.digest:
        raise ProtocolError("body", field="body", bound=f"BLAKE2b {act.digest}", got=len(body))


def body_digest(body: bytes) -> str:
    """Return the name of a body in an order: BLAKE2b of 32 bytes, in hexadecimal digits."""
    return blake2b(body, digest_size=BODY_DIGEST_BYTES).hexdigest()


def order_key_id(public: bytes) -> str:
    """Return the name of an order key: the beginning of the hash of its 32 bytes."""
    return sha256(public).hexdigest()[:ORDER_KEY_ID_CHARS]


def next_seq(last: int, now_ms: int) -> int:
    """Return the number of the next order to a node.

    It is a time as well, so that a centre that was restored from a backup and forgot the last ones
    is not taken for one that repeats them (security.md section 3).
    """
    return max(last + 1, now_ms)
