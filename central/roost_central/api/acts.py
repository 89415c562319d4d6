"""What an act of an operator leaves in the audit log: who, from where, on which request."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Annotated, Any

from msgspec import Meta

from roost_central.access.chain import DONE, REFUSED, Act, digest
from roost_central.api.auth import Principal
from roost_central.api.call import REQUEST_ID, Call
from roost_central.api.problem import ApiError
from roost_central.storage import audit
from roost_protocol.patterns import NO_CONTROLS

# An operator's words, where an act needs them.
Reason = Annotated[str, Meta(min_length=1, max_length=500, pattern=NO_CONTROLS)]


def principal_of(call: Call[Any, Any]) -> Principal:
    """Return who acts; every route that acts asks for one."""
    if call.principal is None:
        raise ApiError("unauthenticated", "send Authorization: Bearer rtk_..., or log in")
    return call.principal


def act_of(  # noqa: PLR0913 - what a row says
    call: Call[Any, Any],
    action: str,
    about: str,
    detail: dict[str, Any] | None = None,
    *,
    reason: str = "",
    before: object = None,
    after: object = None,
    outcome: str = DONE,
    who: Principal | None = None,
) -> Act:
    """Return the row of an act.

    Args:
        call: the request.
        action: ``noun.verb``.
        about: what it is done to.
        detail: what was asked and what came of it; no secret.
        reason: the operator's words.
        before: the object's state until then, of which the digest is kept; None: it was not there.
        after: its state from then on; None: it is gone.
        outcome: DONE or REFUSED.
        who: acts, on a route that asked nobody.
    """
    who = who or principal_of(call)
    return Act(
        at_ms=call.now_ms,
        actor=who.name,
        role=call.role,
        action=action,
        object=about,
        detail=detail or {},
        via=who.via,
        source=call.request.remote or "",
        request_id=call.request[REQUEST_ID],
        reason=reason,
        before="" if before is None else digest(before),
        after="" if after is None else digest(after),
        outcome=outcome,
    )


@asynccontextmanager
async def telling_refusals(  # noqa: PLR0913 - what a row says
    call: Call[Any, Any],
    action: str,
    about: str,
    detail: dict[str, Any],
    *,
    reason: str,
    codes: Collection[str],
) -> AsyncIterator[None]:
    """Have an act that was tried and refused in the audit log too; its refusal goes on.

    Args:
        call: the request.
        action: see act_of; so are ``about``, ``detail`` and ``reason``.
        about: what it was to be done to.
        detail: what was asked; why it was refused is put to it.
        reason: the operator's words.
        codes: which refusals are of the act; others are of the request.
    """
    try:
        yield
    except ApiError as err:
        if err.code in codes:
            told = detail | {"why": err.detail}
            act = act_of(call, action, about, told, reason=reason, outcome=REFUSED)
            async with call.api.database.write() as connection:
                await audit.add(connection, act)
        raise
