"""An operator's word for a rollout, which the signer wants before it names a release. Pure.

An Ed25519 signature over ``APPROVAL_DOMAIN`` and the bytes of an ``Approval``: who, which release
by the digest of its manifest, in which rollout, for which sites, until when. The public keys stand
in the target ``policy/operators``, signed offline: the centre cannot make an operator, nor add a
site to what one signed (updates.md 10).
"""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from roost_protocol.envelope import Count
from roost_protocol.errors import ProtocolError
from roost_protocol.patterns import END
from roost_protocol.release.meant import LATE_MAX, MEANT_MAX
from roost_protocol.update_verbs import JobText, Sha256Text

APPROVAL_VERSION: Final = 2  # 1 named a release for any site
APPROVAL_DOMAIN: Final = b"roost approval 2\n"
APPROVAL_BYTES_MAX: Final = 1_024
APPROVAL_LIFE_MS_MAX: Final = 90 * 86_400_000  # a rollout of ten thousand sites takes weeks
OPERATORS_MAX: Final = 256
SIGNATURE_BYTES: Final = 64
KEY_BYTES: Final = 32

Operator = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9._@-]{0,63}" + END)]


class Approval(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an operator agrees to.

    Attributes:
        rollout: its id.
        plan: SHA-256 of the plan as it was shown.
        digest: SHA-256 of the release's manifest.
        sites: root of the tree of its sites, each with the release that it may go back to
            (meant.py).
        count: how many sites that are.
        late_max: how many more may come later.
        not_before_ms, not_after_ms: UTC; while it counts.
    """

    v: int
    operator: Operator
    rollout: JobText
    plan: Sha256Text
    digest: Sha256Text
    sites: Sha256Text
    count: Annotated[int, Meta(ge=1, le=MEANT_MAX)]
    late_max: Annotated[int, Meta(ge=0, le=LATE_MAX)]
    not_before_ms: Count
    not_after_ms: Count


class SignedApproval(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The bytes as they were signed, and the signature."""

    approval: Annotated[bytes, Meta(max_length=APPROVAL_BYTES_MAX)]
    signature: Annotated[bytes, Meta(min_length=SIGNATURE_BYTES, max_length=SIGNATURE_BYTES)]


class Operators(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who may approve: name to public key, 32 bytes."""

    format: int
    operators: Annotated[
        dict[Operator, Annotated[bytes, Meta(min_length=KEY_BYTES, max_length=KEY_BYTES)]],
        Meta(max_length=OPERATORS_MAX),
    ]


_approval: Final = msgspec.json.Decoder(Approval)
_operators: Final = msgspec.json.Decoder(Operators)


def write_approval(approval: Approval) -> bytes:
    """Return the bytes that are signed, behind APPROVAL_DOMAIN."""
    return msgspec.json.encode(approval, order="sorted")


def read_approval(raw: bytes) -> Approval:
    """Return an approval.

    Raises:
        ProtocolError: ``approval`` or ``times``.
    """
    try:
        read = _approval.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as err:
        raise ProtocolError("approval", detail=str(err)[:200]) from err
    if read.v != APPROVAL_VERSION:
        raise ProtocolError("approval", field="v", got=read.v, bound=APPROVAL_VERSION)
    if not 0 < read.not_after_ms - read.not_before_ms <= APPROVAL_LIFE_MS_MAX:
        bound = f"1 to {APPROVAL_LIFE_MS_MAX} ms after not_before_ms"
        raise ProtocolError("times", field="not_after_ms", got=read.not_after_ms, bound=bound)
    return read


def read_operators(raw: bytes) -> Operators:
    """Return who may approve.

    Raises:
        ProtocolError: ``operators``; also where two names share a key: one person would be two.
    """
    try:
        read = _operators.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as err:
        raise ProtocolError("operators", detail=str(err)[:200]) from err
    if read.format != 1:
        raise ProtocolError("operators", field="format", got=read.format, bound=1)
    by_key: dict[bytes, str] = {}
    for name, key in read.operators.items():
        if (other := by_key.setdefault(key, name)) != name:
            detail = f"{other} and {name} have the same key: each operator has one of their own"
            raise ProtocolError("operators", detail=detail)
    return read
