"""Operators' approvals of rollouts over HTTP: checked when they are brought.

The signer checks them anew by what it has verified itself; what is refused here is refused early
and with a sentence, so that nobody starts a rollout that stops at its first site.
"""

from base64 import b64decode
from binascii import Error as Base64Error
from contextlib import suppress
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from roost_central.api.acts import principal_of
from roost_central.api.call import Call
from roost_central.api.problem import ApiError, FieldError, blame
from roost_central.api.rollout_id import AT_ITS_END
from roost_central.releases.fault import ReleaseError
from roost_central.rollout.head import Head
from roost_central.rollout.meant import late_max
from roost_central.rollout.open import OpenRollout
from roost_central.rollout.table import RolloutState
from roost_central.storage import rollouts
from roost_central.storage.rollouts import ApprovalRecord
from roost_protocol.release.approval import (
    APPROVAL_BYTES_MAX,
    SIGNATURE_BYTES,
    Approval,
    SignedApproval,
)

NAMED_MAX: Final = 5  # operators in a sentence
_BASE64_MAX: Final = APPROVAL_BYTES_MAX * 2


class RolloutApproval(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An operator's approval as it was signed, and the signature, both in base64."""

    approval: Annotated[str, Meta(min_length=1, max_length=_BASE64_MAX)]
    signature: Annotated[str, Meta(min_length=1, max_length=128)]


async def approval_record(call: Call[Any, RolloutApproval], id_: str) -> ApprovalRecord:
    """Return the approval of a call, of this rollout and signed by who may approve.

    Raises:
        ApiError: ``invalid`` or ``conflict``.
    """
    raw = _decoded("approval", call.body.approval, APPROVAL_BYTES_MAX)
    signature = _decoded("signature", call.body.signature, SIGNATURE_BYTES)
    if len(signature) != SIGNATURE_BYTES:
        error = FieldError(field="signature", code="size", detail=f"is not {SIGNATURE_BYTES} bytes")
        raise blame("invalid", error)
    known = call.api.rollouts.open.get(id_)
    if known is None:
        raise ApiError("conflict", AT_ITS_END)
    approval = await _signed(call, SignedApproval(approval=raw, signature=signature))
    _check_of(known, approval)
    if not approval.not_before_ms <= call.now_ms < approval.not_after_ms:
        raise ApiError("conflict", "the approval does not count now: its time is not now")
    author = known.rollout.head.by
    if author in {principal_of(call).name, approval.operator}:
        raise ApiError("conflict", f"{author} made this rollout, and cannot approve it")
    return ApprovalRecord(
        id_, approval.operator, approval.digest, call.now_ms,
        principal_of(call).name, raw, signature,
    )  # fmt: skip


async def awaited(call: Call[Any, Any], head: Head) -> str:
    """Return whose approvals a rollout waits for, and how they are given, in a sentence."""
    async with call.api.database.read() as connection:
        signed = await rollouts.approvals_of(connection, head.id)
    have = sorted({each.operator for each in signed if each.digest == head.digest})
    may: list[str] = []
    if call.api.releases is not None:
        with suppress(ReleaseError, OSError):  # then nobody is named
            may = await call.api.releases.words.operators()
    others = [each for each in may if each not in {*have, head.by}]
    who = f" (by {', '.join(have)})" if have else ""
    of = f" of {', '.join(others[:NAMED_MAX])}" if others else ""
    return (
        f"the rollout has {len(have)} of {head.approvers} approvals{who}: it waits for "
        f"{head.approvers - len(have)} more{of}: roost rollout approve {head.id[:8]} --plan FILE "
        "--operator NAME --key FILE"
    )


def _decoded(field: str, text: str, most: int) -> bytes:
    try:
        raw = b64decode(text, validate=True)
    except (Base64Error, ValueError) as err:
        error = FieldError(field=field, code="base64", detail="is no base64")
        raise blame("invalid", error) from err
    if len(raw) > most:
        error = FieldError(field=field, code="size", detail=f"is over {most} bytes", bound=most)
        raise blame("invalid", error)
    return raw


async def _signed(call: Call[Any, Any], signed: SignedApproval) -> Approval:
    if call.api.releases is None:
        raise ApiError("conflict", "this centre carries no releases: it knows nobody who approves")
    try:
        return await call.api.releases.words.check_approval(signed)
    except ReleaseError as err:
        error = FieldError(field="approval", code=err.code, detail=str(err))
        raise blame("invalid", error) from err


def _check_of(known: OpenRollout, approval: Approval) -> None:
    """Check that an approval is of a rollout as it is now.

    Raises:
        ApiError: ``conflict``.
    """
    head = known.rollout.head
    if head.state is not RolloutState.AWAITING_APPROVAL:
        raise ApiError("conflict", f"the rollout is {head.state}: nobody's approval is awaited")
    if (approval.rollout, approval.plan) != (head.id, head.plan_digest):
        raise ApiError("conflict", "the approval is of another rollout, or of another plan")
    if approval.digest != head.digest:
        raise ApiError("conflict", "the approval is of a release that this rollout never sends")
    if (approval.sites, approval.count) != (known.tree.root, known.tree.count):
        detail = f"the approval is for other sites than the {known.tree.count} of this rollout"
        raise ApiError("conflict", detail)
    if approval.late_max != (most := late_max(head, known.rollout.plan)):
        detail = f"the approval lets {approval.late_max} sites come later, the plan {most}"
        raise ApiError("conflict", detail)
