"""What a node vouches for with its key: how a job ended on it, and what runs there since.

Receipts of one node form a chain: each has a number above that of the one before, and its hash. So
an old one that is said again changes nothing, and one that is missing is noticed (updates.md 6).

Leaves to others: to sign (agent trust/sign.py), and whose key it is (central ingest/receipt_of.py).
"""

from hashlib import sha256
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from roost_protocol.codec import Decoder
from roost_protocol.envelope import Count, NodeText
from roost_protocol.errors import ProtocolError
from roost_protocol.patterns import END
from roost_protocol.update_verbs import Attempt, JobText

DOMAIN: Final = b"roost install receipt\x00"  # signed before the body: no other word of this key
BODY_BYTES_MAX: Final = 1_024
SIGNATURE_BYTES_MAX: Final = 128  # ECDSA on P-256 in DER has 72 at most

Hash = Annotated[str, Meta(pattern=r"^([0-9a-f]{64})?" + END)]


class SignedInstall(msgspec.Struct, frozen=True, array_like=True):
    """The bytes of an InstallReceipt, and the node's signature over DOMAIN and them."""

    body: Annotated[bytes, Meta(max_length=BODY_BYTES_MAX)]
    signature: Annotated[bytes, Meta(max_length=SIGNATURE_BYTES_MAX)]


class InstallReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """How one job ended on one node.

    Attributes:
        boot_id: of the system that runs, 32 of 0-9 a-f.
        counter: of this node's receipts, above that of the one before.
        component: of the job; ``digest`` is what runs of it, measured; empty: nothing does.
        before: SHA-256 of the body of the receipt before; empty: of the first one.
        clock_ok_ms: when root said of a stick that the node's clock is right, though no time
            service keeps it; 0: nobody did.
    """

    v: int
    node: NodeText
    job: JobText
    attempt: Attempt
    outcome: Literal["succeeded", "rolled_back", "failed", "canceled"]
    boot_id: Annotated[str, Meta(pattern=r"^[0-9a-f]{32}" + END)]
    counter: Annotated[int, Meta(ge=1, le=1 << 53)]
    component: Annotated[str, Meta(max_length=80)]
    digest: Hash = ""
    before: Hash = ""
    at_ms: Count = 0
    clock_ok_ms: Count = 0


def hash_of(signed: SignedInstall) -> str:
    """Return what the next receipt says of this one."""
    return sha256(signed.body).hexdigest()


def read_receipt(signed: SignedInstall) -> InstallReceipt:
    """Return what is in a receipt; whose it is is not looked at.

    Raises:
        ProtocolError: it is none.
    """
    return _decoder.decode(signed.body)


def follows(fresh: InstallReceipt, last: SignedInstall | None, node: str) -> str:
    """Return what is missing between a receipt and the one before it; empty: nothing.

    Args:
        fresh: whose signature holds.
        last: the newest that is known of this node; None: none is.
        node: who said it.

    Raises:
        ProtocolError: ``receipt``: it is another node's, or older than what is known.
    """
    if fresh.node != node:
        raise ProtocolError("receipt", field="node", got=fresh.node, bound=node)
    if last is None:
        return ""
    known = read_receipt(last)
    if fresh.counter <= known.counter:
        raise ProtocolError(
            "receipt", field="counter", got=fresh.counter, bound=f"> {known.counter}",
            detail="it is an old one",
        )  # fmt: skip
    if fresh.before == hash_of(last):
        return ""
    if not fresh.before:
        return f"receipts begin anew at {fresh.counter}, after {known.counter}"
    return f"receipts between {known.counter} and {fresh.counter} are missing"


_decoder: Final[Decoder[InstallReceipt]] = Decoder(InstallReceipt, limit=BODY_BYTES_MAX)
