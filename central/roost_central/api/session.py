"""A browser's login: a token in, a cookie out."""

from typing import Annotated

import msgspec
from msgspec import Meta

from roost_central.api.answers import SessionAnswer
from roost_central.api.call import Call, NoQuery, Reply
from roost_central.api.instants import instant


class SessionBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The token to log in with."""

    token: Annotated[str, Meta(max_length=128)]


async def log_in(call: Call[NoQuery, SessionBody]) -> Reply:
    """POST /api/v1/session."""
    principal, cookie, session = await call.api.access.log_in(call.body.token, call.request)
    answer = SessionAnswer(principal.name, instant(session.ends_ms))
    return Reply(answer, headers={"Set-Cookie": cookie})


async def log_out(call: Call[NoQuery, None]) -> Reply:
    """DELETE /api/v1/session."""
    return Reply(status=204, headers={"Set-Cookie": call.api.access.log_out(call.request)})
