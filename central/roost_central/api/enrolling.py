"""What boxes ask before they are nodes, and nodes to stay it: on a listener of its own, over TLS.

Nobody here has a token or a session. What proves nothing is counted against its network
(enrol/gate.py). Secrets come in bodies only, which no log has.
"""

import logging
from collections.abc import Awaitable
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from roost_central.api.call import UNLOGGED, Call, NoQuery, Reply
from roost_central.api.problem import ApiError, FieldError
from roost_central.enrol.desk import Desk
from roost_central.enrol.refused import RefusedError
from roost_central.enrol.service import Enrolment
from roost_central.errors import SignerError
from roost_protocol.enrol import (
    Activation,
    Challenge,
    ClaimKind,
    EnrolRequest,
    Hello,
    Issued,
    RenewRequest,
    TicketRequest,
    Waiting,
)
from roost_protocol.errors import ProtocolError
from roost_protocol.join_token import from_text

logger = logging.getLogger(__name__)

ACCEPTED = 202


class HelloQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the box commits to: base64url of 32 bytes."""

    commit: Annotated[str, Meta(min_length=43, max_length=43)]


async def hello(call: Call[HelloQuery, None]) -> Hello:
    """GET /api/v1/enrol/hello."""
    desk = _admitted(call)
    try:
        return desk.hello(from_text(call.query.commit))
    except ProtocolError as err:
        raise ApiError("bad-parameter", f"commit: {err}") from None


async def enrol(call: Call[NoQuery, EnrolRequest]) -> Reply:
    """POST /api/v1/enrol."""
    desk = _admitted(call)
    if call.body.kind is ClaimKind.BARE:
        _count(call)  # before anything is written for it
    return await _answered(call, desk.enrol(call.body, call.request.remote or ""))


async def activate(call: Call[NoQuery, Activation]) -> Reply:
    """POST /api/v1/enrol/activate: what the TPM of a box answers."""
    desk = _admitted(call)
    return await _answered(call, desk.activate(call.body, call.request.remote or ""))


async def expired(call: Call[NoQuery, EnrolRequest]) -> Reply:
    """POST /api/v1/enrol/expired: a node that was away until its certificate ended."""
    desk = _admitted(call)
    return await _answered(call, desk.expired(call.body, call.request.remote or ""))


async def ticket(call: Call[NoQuery, TicketRequest]) -> Reply:
    """POST /api/v1/enrol/ticket."""
    desk, body = _admitted(call), call.body
    asked = desk.withdraw(body.ticket) if body.withdraw else desk.ask(body.ticket)
    return await _answered(call, asked)


async def renew(call: Call[NoQuery, RenewRequest]) -> Reply:
    """POST /api/v1/renew: the one route here that asks for a certificate, in the handshake."""
    desk = _admitted(call)
    transport = call.request.transport
    tls = None if transport is None else transport.get_extra_info("ssl_object")
    certificate = None if tls is None else tls.getpeercert(binary_form=True)
    if certificate is None:
        _count(call)
        raise ApiError("unauthenticated", "show the node's certificate in the TLS handshake")
    return await _answered(call, desk.renewals.renew(certificate, call.body))


def enrolment_of(call: Call[Any, Any]) -> Enrolment:
    """Return enrolment, where this centre has it.

    Raises:
        ApiError: ``conflict``.
    """
    if call.api.enrolment is None:
        raise ApiError("conflict", "this centre lets nobody in: write [enrol] in central.toml")
    return call.api.enrolment


def desk_of(enrolment: Enrolment) -> Desk:
    """Return the desk, once the signer has answered.

    Raises:
        ApiError: ``busy``.
    """
    if enrolment.desk is None:
        raise ApiError("busy", "the signer has not answered yet: is roost-signer running?")
    return enrolment.desk


def _admitted(call: Call[Any, Any]) -> Desk:
    """Return the desk for a request that may be looked at.

    Raises:
        ApiError: ``busy``.
    """
    enrolment, now_ms = enrolment_of(call), call.api.clock.mono_ms()
    if enrolment.gate.wait_ms(call.request.remote or "", now_ms):
        call.request[UNLOGGED] = True  # it is told as a count: a line each would fill the disk
        if told := enrolment.gate.refused(now_ms):
            count, most = sum(refused for _, refused in told), told[0][0]
            logger.warning("too many boxes at once: %d requests refused, most of %s", count, most)
        raise ApiError("busy", "too many boxes at once; ask again", headers={"Retry-After": "1"})
    return desk_of(enrolment)


async def _answered(call: Call[Any, Any], asked: Awaitable[Issued | Waiting | Challenge]) -> Reply:
    """Return an answer of the desk; count what anybody could have sent."""
    try:
        answer = await asked
    except RefusedError as err:
        if err.is_unproven and getattr(call.body, "kind", None) is not ClaimKind.BARE:
            _count(call)
        if err.code == "queue-full":
            raise ApiError("busy", err.detail, headers={"Retry-After": "60"}) from None
        error = FieldError(field="proof", code=err.code, detail=err.detail)
        raise ApiError("not-let-in", err.detail, errors=[error]) from None
    except ProtocolError as err:
        if getattr(call.body, "kind", None) is not ClaimKind.BARE:
            _count(call)
        error = FieldError(field=err.field, code=err.code, detail=str(err), bound=err.bound)
        raise ApiError("invalid", str(err), errors=[error]) from None
    except SignerError as err:
        raise ApiError("busy", f"{err}; ask again") from None
    if not isinstance(answer, Waiting):
        return Reply(answer)
    return Reply(answer, status=ACCEPTED, headers={"Retry-After": str(answer.retry_after_s)})


def _count(call: Call[Any, Any]) -> None:
    """Count what anybody could have sent.

    Raises:
        ApiError: ``throttled``: it was too much of that.
    """
    now_ms = call.api.clock.mono_ms()
    wait_ms = enrolment_of(call).gate.unproven_wait_ms(call.request.remote or "", now_ms)
    if wait_ms:
        headers = {"Retry-After": str(wait_ms // 1000 + 1)}
        raise ApiError("throttled", "too many requests that prove nothing; wait", headers=headers)
