"""A browser's login by the OpenID provider: offered, begun, and ended in a session as any other.

The provider sends the browser back to a page of the console, which posts what it was given: so the
login is a request of our own page, with its cookies, and its refusals are shown where the form is.
Invariants: an account is found by issuer and subject alone; one that a mapped group lets in is made
without grants of its own, and never takes the name of another.
"""

import re
import shlex
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta
from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.access.chain import REFUSED
from roost_central.api.acts import act_of
from roost_central.api.answers import Time
from roost_central.api.auth import Principal, check_origin
from roost_central.api.call import Call, NoQuery, Reply
from roost_central.api.grants import NAME_PATTERN, state_of
from roost_central.api.instants import instant
from roost_central.api.problem import ApiError
from roost_central.api.session import begun
from roost_central.api.sessions import Login, TokenHash
from roost_central.api.users import ACCOUNTS_MAX
from roost_central.errors import OidcError
from roost_central.oidc.login import Identified, OidcLogin
from roost_central.oidc.pending import LOGIN_MS_MAX
from roost_central.storage import accounts, audit
from roost_central.storage.accounts import AccountRecord

VIA: Final = "oidc"
COOKIE: Final = "roost_oidc"
PROBLEMS: Final = {"over": "conflict", "refused": "unauthenticated", "unreachable": "busy"}
_NAME: Final = re.compile(NAME_PATTERN, re.ASCII)


class Offer(msgspec.Struct, frozen=True):
    """How else one may log in: the provider's host, None without one; why it cannot be used now."""

    provider: str | None
    problem: str


class BeginBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where in the console to go on after the login: a path, never another host."""

    next: Annotated[str, Meta(max_length=2_048, pattern=r"^/(?![/\\])")] = "/"


class BegunAnswer(msgspec.Struct, frozen=True):
    """The provider's address to send the browser to."""

    url: str


class FinishBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the provider sent the browser back with (RFC 6749 section 4.1.2, RFC 9207)."""

    code: Annotated[str, Meta(min_length=1, max_length=4_096)]
    state: Annotated[str, Meta(min_length=1, max_length=128)]
    iss: Annotated[str, Meta(max_length=255)] = ""


class FinishAnswer(msgspec.Struct, frozen=True):
    """Who is logged in, until when, and where to go on."""

    name: str
    expires: Time | None
    next: str


async def show_offer(call: Call[NoQuery, None]) -> Offer:
    """GET /api/v1/session/oidc."""
    oidc = call.api.oidc
    if oidc is None:
        return Offer(None, "")
    return Offer(oidc.config.host, await oidc.problem())


async def begin(call: Call[NoQuery, BeginBody]) -> Reply:
    """POST /api/v1/session/oidc."""
    check_origin(call.request)
    oidc, access = _configured(call), call.api.access
    access.check_throttle(call.request.remote or "")
    try:
        login = await oidc.begin(call.body.next)
    except OidcError as err:
        raise _problem(oidc, err) from err
    cookie = access.set_cookie(access.cookie_name(COOKIE), login.browser, LOGIN_MS_MAX // 1_000)
    return Reply(BegunAnswer(login.url), headers={"Set-Cookie": cookie})


async def finish(call: Call[NoQuery, FinishBody]) -> Reply:
    """POST /api/v1/session/oidc/code."""
    check_origin(call.request)
    oidc, access, body = _configured(call), call.api.access, call.body
    address = call.request.remote or ""
    access.check_throttle(address)
    browser = call.request.cookies.get(access.cookie_name(COOKIE), "")
    try:
        who = await oidc.finish(code=body.code, state=body.state, issuer=body.iss, browser=browser)
    except OidcError as err:
        if err.code != "unreachable":
            access.throttle.failed(address, call.api.clock.mono_ms())
            await _note_refusal(call, {"why": err.code})
        raise _problem(oidc, err) from err
    principal = await _principal(call, who)
    cookie, session = await begun(call, principal)
    answer = FinishAnswer(principal.name, instant(session.ends_ms), who.next_path)
    return Reply(answer, headers={"Set-Cookie": cookie})


async def _principal(call: Call[NoQuery, FinishBody], who: Identified) -> Principal:
    """Return whom an identity stands for here.

    Raises:
        ApiError: ``unauthenticated``, with what an admin has to do.
    """
    async with call.api.database.write() as connection:
        account = await accounts.find_subject(connection, who.issuer, who.subject)
        if account is None and who.grants:
            account = await _welcome(connection, call, who)
    principal = None
    if account is not None:
        login = Login(account.name, account.changed_ms, VIA, who.grants)
        principal = await call.api.access.recheck(login)
    if principal is None:
        await _note_refusal(call, {"issuer": who.issuer, "subject": who.subject})
        detail = _unknown(who) if account is None else f"the user {account.name} is disabled"
        raise ApiError("unauthenticated", detail)
    return principal


async def _welcome(
    connection: AsyncConnection, call: Call[NoQuery, FinishBody], who: Identified
) -> AccountRecord | None:
    """Make the account of somebody whom a mapped group lets in; None where no name is free."""
    there = await accounts.load_all(connection)
    is_free = _is_name(who.username) and all(each.name != who.username for each in there)
    if not is_free or len(there) >= ACCOUNTS_MAX:
        return None
    account = AccountRecord(
        name=who.username,
        grants=(),
        created_ms=call.now_ms,
        changed_ms=call.now_ms,
        issuer=who.issuer,
        subject=who.subject,
    )
    await accounts.save(connection, account)
    by = Principal(account.name, who.grants, TokenHash(b""), VIA, is_full=False)
    detail = {"issuer": who.issuer, "subject": who.subject}
    act = act_of(call, "user.create", account.name, detail, after=state_of(account), who=by)
    await audit.add(connection, act)
    return account


async def _note_refusal(call: Call[NoQuery, FinishBody], detail: dict[str, Any]) -> None:
    """Record a login that was refused; the throttle, or the provider's own login, bounds them."""
    nobody = Principal(audit.UNKNOWN, (), TokenHash(b""), VIA, is_full=False)
    act = act_of(call, "session.begin", audit.UNKNOWN, detail, who=nobody, outcome=REFUSED)
    async with call.api.database.write() as connection:
        await audit.add(connection, act)


def _is_name(text: str) -> bool:
    return _NAME.search(text) is not None and text not in audit.NOBODYS


def _unknown(who: Identified) -> str:
    """Say what lets somebody in; every part is quoted for a shell, whatever the provider says."""
    name = who.username if _is_name(who.username) else "NAME"
    issuer, subject = shlex.quote(who.issuer), shlex.quote(who.subject)
    return (
        "the provider knows you, this centre does not yet; an admin adds you by: roost user add "
        f"{name} --issuer {issuer} --subject {subject} --grant viewer"
    )


def _configured(call: Call[Any, Any]) -> OidcLogin:
    if call.api.oidc is None:
        raise ApiError("not-found", "no OpenID provider is configured here: see [oidc]")
    return call.api.oidc


def _problem(oidc: OidcLogin, err: OidcError) -> ApiError:
    detail = err.detail if err.code == "over" else f"{oidc.config.host}: {err.detail}"
    if err.code == "unreachable":
        detail += "; passwords and tokens work all the same"
    return ApiError(PROBLEMS[err.code], detail)
