"""A browser's login: a token, or a name and a password, in; a cookie out."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from roost_central.access.chain import REFUSED
from roost_central.api.acts import act_of
from roost_central.api.answers import SessionAnswer
from roost_central.api.auth import Principal, check_origin
from roost_central.api.call import Call, NoQuery, Reply
from roost_central.api.instants import instant
from roost_central.api.problem import ApiError, FieldError, blame
from roost_central.api.sessions import Proof, Session, TokenHash
from roost_central.storage import accounts, audit


class SessionBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The token to log in with, or a user's name and password."""

    token: Annotated[str, Meta(max_length=128)] = ""
    user: Annotated[str, Meta(max_length=64)] = ""
    password: Annotated[str, Meta(max_length=512)] = ""


async def log_in(call: Call[NoQuery, SessionBody]) -> Reply:
    """POST /api/v1/session."""
    check_origin(call.request)
    principal = await _proved(call)
    cookie, session = await begun(call, principal)
    answer = SessionAnswer(principal.name, instant(session.ends_ms))
    return Reply(answer, headers={"Set-Cookie": cookie})


async def begun(call: Call[Any, Any], principal: Principal) -> tuple[str, Session]:
    """Begin the session of somebody who was proved; return the Set-Cookie header with it."""
    async with call.api.database.write() as connection:
        await accounts.logged_in(connection, principal.name, at_ms=call.now_ms)
        await audit.add(connection, act_of(call, "session.begin", principal.name, who=principal))
    return call.api.access.begin(principal.proof)


async def log_out(call: Call[NoQuery, None]) -> Reply:
    """DELETE /api/v1/session."""
    cookie = call.api.access.log_out(call.request)
    async with call.api.database.write() as connection:
        about = "" if call.principal is None else call.principal.name
        await audit.add(connection, act_of(call, "session.end", about))
    return Reply(status=204, headers={"Set-Cookie": cookie})


async def _proved(call: Call[NoQuery, SessionBody]) -> Principal:
    body, access = call.body, call.api.access
    if bool(body.token) is bool(body.user):
        detail = "give a token, or a user and a password"
        raise blame("invalid", FieldError(field="token", code="missing", detail=detail))
    if body.token:
        return await access.prove(body.token, call.request)
    try:
        proof: Proof = await call.api.logins.prove(body.user, body.password, call.request)
    except ApiError as err:
        if err.code == "unauthenticated":
            await _note_failure(call)
        raise
    principal = await access.recheck(proof)
    if principal is None:
        raise ApiError("unauthenticated", "the name or the password is wrong")
    return principal


async def _note_failure(call: Call[NoQuery, SessionBody]) -> None:
    """Record a wrong password; the throttle bounds how often.

    The name only of an account that is there: what was typed may be a password.
    """
    async with call.api.database.write() as connection:
        known = await accounts.find(connection, call.body.user)
        name = known.name if known is not None else audit.UNKNOWN
        nobody = Principal(name, (), TokenHash(b""), "password", is_full=False)
        act = act_of(call, "session.begin", name, who=nobody, outcome=REFUSED)
        await audit.add(connection, act)
