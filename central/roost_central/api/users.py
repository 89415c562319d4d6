"""Accounts over HTTP: who there is, what they may, their passwords; and what oneself may.

Invariants: nobody gives, changes or takes away more than one of his own grants holds; one enabled
admin over the whole fleet is always left; a password is never answered, and one's own is changed
only by who knows it.
"""

from dataclasses import replace
from typing import Annotated, Final

import msgspec
from msgspec import Meta
from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.access.core import ROLES, WHOLE, Grant, Permission, may_give, scope_of
from roost_central.access.password import CHARS
from roost_central.api.acts import act_of, principal_of
from roost_central.api.answers import Time
from roost_central.api.call import Call, NoQuery, Reply
from roost_central.api.grants import (
    GrantBody,
    Grants,
    Name,
    check_full,
    check_may_give,
    grants_of,
    state_of,
    told,
)
from roost_central.api.instants import instant
from roost_central.api.problem import ApiError, FieldError, blame
from roost_central.storage import accounts, audit
from roost_central.storage.accounts import AccountRecord

ACCOUNTS_MAX: Final = 1_000

Password = Annotated[str, Meta(max_length=4 * CHARS[-1])]
Subject = Annotated[str, Meta(min_length=1, max_length=255)]


class Me(msgspec.Struct, frozen=True):
    """Who asks, by what proof, and what that may; ``everywhere`` of it over the whole fleet."""

    name: str
    via: str
    grants: list[GrantBody]
    permissions: list[str]
    everywhere: list[str]


class Role(msgspec.Struct, frozen=True):
    """A role and what it may."""

    role: str
    permissions: list[str]


class RolePage(msgspec.Struct, frozen=True):
    """All roles."""

    items: list[Role]


class User(msgspec.Struct, frozen=True):
    """One account; ``password``: it may log in by one."""

    name: str
    grants: list[GrantBody]
    disabled: bool
    password: bool
    issuer: str | None
    subject: str | None
    created: Time | None
    login: Time | None


class UserPage(msgspec.Struct, frozen=True):
    """All accounts, by name."""

    items: list[User]


class NewUser(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new account: its grants, and a password, or who it is at an OpenID provider."""

    name: Name
    grants: Grants = []
    password: Password | None = None
    issuer: Subject | None = None
    subject: Subject | None = None


class UserBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an account may from now on, all of it."""

    grants: Grants
    disabled: bool = False


class PasswordBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The new password; the present one too where it is one's own."""

    password: Password
    current: Password = ""


async def show_me(call: Call[NoQuery, None]) -> Me:
    """GET /api/v1/me."""
    who = principal_of(call)
    scopes = {each: scope_of(who.grants, each) for each in Permission}
    return Me(
        name=who.name,
        via=who.via,
        grants=told(who.grants),
        permissions=[each for each, scope in scopes.items() if scope is not None],
        everywhere=[each for each, scope in scopes.items() if scope is not None and scope.is_whole],
    )


async def list_roles(call: Call[NoQuery, None]) -> RolePage:  # noqa: ARG001 - a handler's signature
    """GET /api/v1/roles."""
    return RolePage([Role(role, sorted(may)) for role, may in ROLES.items()])


async def list_users(call: Call[NoQuery, None]) -> UserPage:
    """GET /api/v1/users."""
    async with call.api.database.read() as connection:
        found = await accounts.load_all(connection)
    return UserPage([_answer(each) for each in found if _is_mine(call, each)])


async def show_user(call: Call[NoQuery, None]) -> User:
    """GET /api/v1/users/{user}."""
    async with call.api.database.read() as connection:
        found = await _found(connection, call.path("user"))
    if not _is_mine(call, found):
        raise ApiError("not-found", f"there is no user {found.name!r}")
    return _answer(found)


async def add_user(call: Call[NoQuery, NewUser]) -> Reply:
    """POST /api/v1/users."""
    body = call.body
    grants = grants_of(body.grants)
    check_may_give(call, grants)
    if (body.issuer is None) is not (body.subject is None):
        raise blame(
            "invalid",
            FieldError(field="subject", code="incomplete", detail="issuer and subject go together"),
        )
    password = None if body.password is None else await _hashed(call, body.name, body.password)
    new = AccountRecord(
        name=body.name,
        grants=grants,
        created_ms=call.now_ms,
        password=password,
        changed_ms=call.now_ms,
        issuer=body.issuer,
        subject=body.subject,
    )
    async with call.api.database.write() as connection:
        there = await accounts.load_all(connection)
        _check_new(new, there)
        await accounts.save(connection, new)
        detail = {"grants": [f"{each.role} {each.selector}".strip() for each in grants]}
        act = act_of(call, "user.create", new.name, detail, after=state_of(new))
        await audit.add(connection, act)
    call.api.access.forget()
    return Reply(_answer(new), status=201)


async def put_user(call: Call[NoQuery, UserBody]) -> User:
    """PUT /api/v1/users/{user}."""
    grants = grants_of(call.body.grants)
    async with call.api.database.write() as connection:
        old = await _found(connection, call.path("user"))
        check_may_give(call, {*old.grants, *grants})
        turned = call.body.disabled is not old.disabled
        new = replace(
            old,
            grants=grants,
            disabled=call.body.disabled,
            changed_ms=max(call.now_ms, old.changed_ms + 1) if turned else old.changed_ms,
        )
        await accounts.save(connection, new)
        await _check_admin_left(connection)
        detail = {
            "grants": [f"{each.role} {each.selector}".strip() for each in grants],
            "disabled": new.disabled,
        }
        before, after = state_of(old), state_of(new)
        act = act_of(call, "user.put", new.name, detail, before=before, after=after)
        await audit.add(connection, act)
    call.api.access.forget()
    return _answer(new)


async def put_password(call: Call[NoQuery, PasswordBody]) -> Reply:
    """PUT /api/v1/users/{user}/password: of oneself, or by who may give all that it may."""
    check_full(call)
    name, who = call.path("user"), principal_of(call)
    async with call.api.database.read() as connection:
        old = await accounts.find(connection, name)
    if name != who.name:
        if scope_of(who.grants, Permission.ADMIN) is None:
            raise ApiError("not-allowed", "only an admin sets the password of another")
        check_may_give(call, old.grants if old else ())
    elif old is not None and old.password is not None:
        await _check_current(call, name)
    password = await _hashed(call, name, call.body.password)
    async with call.api.database.write() as connection:
        old = await _found(connection, name)
        if name != who.name:
            check_may_give(call, old.grants)
        changed_ms = max(call.now_ms, old.changed_ms + 1)
        new = replace(old, password=password, changed_ms=changed_ms)
        await accounts.save(connection, new)
        before, after = state_of(old), state_of(new)
        await audit.add(connection, act_of(call, "user.password", name, before=before, after=after))
    call.api.access.forget()
    return Reply(status=204)


async def delete_user(call: Call[NoQuery, None]) -> Reply:
    """DELETE /api/v1/users/{user}: with its tokens; its logins end."""
    async with call.api.database.write() as connection:
        old = await _found(connection, call.path("user"))
        check_may_give(call, old.grants)
        await accounts.delete(connection, old.name)
        await _check_admin_left(connection)
        await audit.add(connection, act_of(call, "user.delete", old.name, before=state_of(old)))
    call.api.access.forget()
    return Reply(status=204)


async def _check_current(call: Call[NoQuery, PasswordBody], name: str) -> None:
    """Refuse a wrong present password: who is logged in stays so, unlike with a wrong login."""
    try:
        await call.api.logins.prove(name, call.body.current, call.request)
    except ApiError as err:
        if err.code != "unauthenticated":
            raise
        detail = "is not the present password"
        raise blame("invalid", FieldError(field="current", code="wrong", detail=detail)) from None


def _is_mine(call: Call[NoQuery, None], account: AccountRecord) -> bool:
    """Say whether an admin may see an account: all that it may is his to give."""
    held = principal_of(call).grants
    return call.scope.is_whole or all(may_give(held, grant) for grant in account.grants)


def _check_new(new: AccountRecord, there: list[AccountRecord]) -> None:
    if new.name in audit.NOBODYS:
        raise ApiError("conflict", f"{new.name!r} is what the audit log calls nobody: take another")
    if any(each.name == new.name for each in there):
        raise ApiError("conflict", f"there is a user {new.name!r} already")
    identity = (new.issuer, new.subject)
    if new.issuer and any((each.issuer, each.subject) == identity for each in there):
        raise ApiError("conflict", "another user has this issuer and subject")
    if len(there) >= ACCOUNTS_MAX:
        raise ApiError("conflict", f"there are {ACCOUNTS_MAX} users, the most there may be")


async def _check_admin_left(connection: AsyncConnection) -> None:
    """Refuse what would leave nobody who may let others in again."""
    everyone = await accounts.load_all(connection)
    if not any(Grant("admin", WHOLE) in each.grants and not each.disabled for each in everyone):
        detail = "that would leave no admin over the whole fleet: make another one first"
        raise ApiError("conflict", detail)


async def _hashed(
    call: Call[NoQuery, NewUser] | Call[NoQuery, PasswordBody], name: str, password: str
) -> str:
    is_named = name.lower() in password.lower() and len(password) - len(name) < CHARS[0]
    if len(password) not in CHARS or is_named:
        detail = f"has {CHARS[0]} to {CHARS[-1]} characters beside the name"
        raise blame("invalid", FieldError(field="password", code="weak", detail=detail))
    return await call.api.logins.passwords.hash(password)


async def _found(connection: AsyncConnection, name: str) -> AccountRecord:
    account = await accounts.find(connection, name)
    if account is None:
        raise ApiError("not-found", f"there is no user {name[:64]!r}")
    return account


def _answer(account: AccountRecord) -> User:
    return User(
        name=account.name,
        grants=told(account.grants),
        disabled=account.disabled,
        password=account.password is not None,
        issuer=account.issuer,
        subject=account.subject,
        created=instant(account.created_ms),
        login=instant(account.login_ms),
    )
