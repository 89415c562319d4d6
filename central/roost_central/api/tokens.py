"""API tokens over HTTP: one's own, and for an admin those of all.

A token may what its owner may, or less: each of its grants must be held by one of the owner's, at
each use again. The token itself is answered once, when it is made.
"""

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from roost_central.access.core import Permission, is_covered, scope_of
from roost_central.api.acts import act_of, principal_of
from roost_central.api.answers import Time
from roost_central.api.call import Call, NoQuery, Reply
from roost_central.api.grants import GrantBody, Grants, Name, check_full, grants_of, told
from roost_central.api.instants import instant
from roost_central.api.problem import ApiError
from roost_central.api.secret import digest, new_token
from roost_central.api.sessions import Login
from roost_central.storage import audit, tokens
from roost_central.storage.accounts import grants_to
from roost_central.storage.tokens import TokenRecord

DAY_S: Final = 86_400
TOKEN_S_MAX: Final = 365 * DAY_S
TOKEN_S: Final = 90 * DAY_S
TOKENS_MAX: Final = 50  # of one owner


class TokenQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose: one's own, or all, for an admin over the whole fleet."""

    of: Literal["me", "all"] = "me"


class NewToken(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A token: what it may, null: all that its owner may; and for how long."""

    name: Name
    grants: Grants | None = None
    for_s: Annotated[int, Meta(ge=60, le=TOKEN_S_MAX)] = TOKEN_S


class Token(msgspec.Struct, frozen=True):
    """One token; ``token`` is there once, in the answer to its making."""

    name: str
    owner: str
    grants: list[GrantBody] | None
    created: Time | None
    expires: Time | None
    used: Time | None
    token: str = ""


class TokenPage(msgspec.Struct, frozen=True):
    """Tokens in the order of their making."""

    items: list[Token]


async def list_tokens(call: Call[TokenQuery, None]) -> TokenPage:
    """GET /api/v1/tokens."""
    owner: str | None = principal_of(call).name
    if call.query.of == "all":
        _check_admin(call)
        owner = None
    async with call.api.database.read() as connection:
        found = await tokens.load_all(connection, owner)
    return TokenPage([_answer(each) for each in found])


async def add_token(call: Call[NoQuery, NewToken]) -> Reply:
    """POST /api/v1/tokens."""
    body, who = call.body, principal_of(call)
    grants = None if body.grants is None else grants_of(body.grants)
    is_by_groups = isinstance(who.proof, Login) and bool(who.proof.grants)
    if grants is None or is_by_groups:  # a token would outlive what the groups give
        check_full(call)
    for grant in grants or ():
        if not is_covered(who.grants, grant):
            detail = f"no grant of yours holds {grant.role} {grant.selector}".rstrip()
            raise ApiError("not-allowed", detail)
    secret = new_token(call.api.entropy)
    expires_ms = call.now_ms + body.for_s * 1000
    new = TokenRecord(digest(secret), body.name, who.name, call.now_ms, grants, expires_ms)
    async with call.api.database.write() as connection:
        if await tokens.named(connection, body.name) is not None:
            raise ApiError("conflict", f"there is a token {body.name!r} already")
        if len(await tokens.load_all(connection, who.name)) >= TOKENS_MAX:
            detail = f"you have {TOKENS_MAX} tokens, the most there may be: revoke one"
            raise ApiError("conflict", detail)
        await tokens.add(connection, new)
        asked = {"owner": who.name, "for_s": body.for_s}
        act = act_of(call, "token.create", new.name, asked, after=_state(new))
        await audit.add(connection, act)
    return Reply(_answer(new, secret), status=201)


async def delete_token(call: Call[NoQuery, None]) -> Reply:
    """DELETE /api/v1/tokens/{token}: it is refused from now on, and sessions begun with it end."""
    name, who = call.path("token"), principal_of(call)
    async with call.api.database.write() as connection:
        old = await tokens.named(connection, name)
        is_mine = old is not None and old.owner == who.name
        if old is None or not (is_mine or _is_admin(call)):
            raise ApiError("not-found", f"there is no token {name[:64]!r}")
        await tokens.delete(connection, name)
        act = act_of(call, "token.revoke", name, {"owner": old.owner}, before=_state(old))
        await audit.add(connection, act)
    call.api.access.forget()
    return Reply(status=204)


def _is_admin(call: Call[NoQuery, None] | Call[TokenQuery, None]) -> bool:
    scope = scope_of(principal_of(call).grants, Permission.ADMIN)
    return scope is not None and scope.is_whole


def _check_admin(call: Call[TokenQuery, None]) -> None:
    if not _is_admin(call):
        raise ApiError("not-allowed", "only an admin over the whole fleet sees others' tokens")


def _state(token: TokenRecord) -> list[object]:
    grants = None if token.grants is None else grants_to(token.grants)
    return [token.name, token.owner, grants, token.expires_ms]


def _answer(token: TokenRecord, secret: str = "") -> Token:
    return Token(
        name=token.name,
        owner=token.owner,
        grants=None if token.grants is None else told(token.grants),
        created=instant(token.created_ms),
        expires=instant(token.expires_ms),
        used=instant(token.used_ms),
        token=secret,
    )
