"""Grants as requests and answers say them, and the rules about giving them."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from roost_central.access.core import (
    GRANTS_MAX,
    SELECTOR_CHARS_MAX,
    Grant,
    canonical_selector,
    may_give,
)
from roost_central.api.acts import principal_of
from roost_central.api.call import Call
from roost_central.api.problem import ApiError, FieldError, blame
from roost_central.fleet.query import QueryError
from roost_central.storage.accounts import AccountRecord, grants_to
from roost_protocol.patterns import END

NAME_PATTERN: Final = r"^[a-z0-9][a-z0-9._@-]{0,63}" + END

Name = Annotated[str, Meta(pattern=NAME_PATTERN)]


class GrantBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A role, over the sites that a query on names and labels matches; empty: over everything."""

    role: Literal["viewer", "operator", "release", "admin"]
    on: Annotated[str, Meta(max_length=SELECTOR_CHARS_MAX)] = ""


Grants = Annotated[list[GrantBody], Meta(max_length=GRANTS_MAX)]


def grants_of(bodies: Sequence[GrantBody]) -> tuple[Grant, ...]:
    """Return grants with canonical selectors, each once.

    Raises:
        ApiError: ``invalid``.
    """
    found: dict[Grant, None] = {}
    for number, body in enumerate(bodies):
        try:
            found[Grant(body.role, canonical_selector(body.on))] = None
        except QueryError as err:
            error = FieldError(
                field=f"grants[{number}].on",
                code=err.code,
                detail=err.message,
                offset=err.offset,
                length=err.length,
                suggestion=err.suggestion,
            )
            raise blame("invalid", error) from None
    return tuple(found)


def told(grants: Iterable[Grant]) -> list[GrantBody]:
    """Return grants as an answer has them."""
    return [GrantBody(grant.role, grant.selector) for grant in grants]  # type: ignore[arg-type] # kept ones are of these roles


def check_may_give(call: Call[Any, Any], grants: Iterable[Grant]) -> None:
    """Refuse to give, or take from somebody, what the caller does not hold.

    Raises:
        ApiError: ``not-allowed``.
    """
    held = principal_of(call).grants
    for grant in grants:
        if not may_give(held, grant):
            where = f"on {grant.selector}" if grant.selector else "over the whole fleet"
            detail = f"you do not hold {grant.role} {where} as an admin, so you cannot give it"
            raise ApiError("not-allowed", detail)


def check_full(call: Call[Any, Any]) -> None:
    """Refuse who may less, or more, than the account where it could become the account.

    Raises:
        ApiError: ``not-allowed``.
    """
    if not principal_of(call).is_full:
        detail = (
            "a token with grants of its own, or a login by the provider's groups, may not do this: "
            "use a full token, or an account with grants"
        )
        raise ApiError("not-allowed", detail)


def state_of(account: AccountRecord) -> list[object]:
    """Return what the audit log keeps the digest of; of the password when it was changed."""
    return [
        account.name,
        grants_to(account.grants),
        account.disabled,
        account.issuer,
        account.subject,
        account.changed_ms,
    ]
