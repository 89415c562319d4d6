"""Who may do what, where: roles, grants and the places they hold for. Pure.

An act is allowed if ONE grant has both the permission and a selector that matches the object: roles
and selectors of several grants are never put together (Mender CVE-2026-33552). What no grant allows
is refused. Nobody gives more than one holds (Tower CVE-2018-1101). Source: security.md section 6.

Invariants: a selector is the canonical text of a query over names and labels of sites, empty for
the whole fleet with all that belongs to no site; ``Scope.admits`` holds for a place if, and only
if, one of the grants it was made of has the permission and matches the place.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from roost_central.fleet.place import Place, parse_place, place_test

SELECTOR_CHARS_MAX: Final = 512
GRANTS_MAX: Final = 16  # of one user or token
TESTS_MAX: Final = 1_024  # compiled selectors kept
WHOLE: Final = ""


class Permission(StrEnum):
    """What a route asks for."""

    READ = "read"  # fleet, alarms, inventory, rollouts
    ALARM = "alarm"  # acknowledge, shelve, annotate
    HOST = "host"  # approve enrolment, replace, leave quarantine; lock, swact, reboot
    RELEASE = "release"  # upload, roll out, approve
    ADMIN = "admin"  # users, grants, tokens, sites, revoke, policy; read the audit


ROLES: Final = MappingProxyType(
    {
        "viewer": frozenset({Permission.READ}),
        "operator": frozenset({Permission.READ, Permission.ALARM, Permission.HOST}),
        "release": frozenset({Permission.READ, Permission.ALARM, Permission.RELEASE}),
        "admin": frozenset(Permission),
    }
)


@dataclass(frozen=True, slots=True)
class Grant:
    """A role over the sites that a selector matches; WHOLE: over everything."""

    role: str
    selector: str = WHOLE

    def has(self, permission: Permission) -> bool:
        """Say whether the role has a permission; one that is not known has none."""
        return permission in ROLES.get(self.role, frozenset())


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a permission holds for somebody.

    Attributes:
        selectors: in order; none where ``is_whole``.
        is_whole: everywhere, and for what belongs to no site.
    """

    selectors: tuple[str, ...]
    is_whole: bool = False

    def admits(self, place: Place) -> bool:
        """Say whether it holds for a site."""
        return self.is_whole or any(_test(selector)(place) for selector in self.selectors)

    def narrowed(self, query: str) -> str:
        """Return the text of a query that matches what this one does, within the scope."""
        if self.is_whole:
            return query
        places = " OR ".join(f"({selector})" for selector in self.selectors)
        return f"({places}) ({query})" if query else places


EVERYWHERE: Final = Scope((), is_whole=True)


def scope_of(grants: Iterable[Grant], permission: Permission) -> Scope | None:
    """Return where a permission holds, None where no grant has it."""
    selectors = sorted({grant.selector for grant in grants if grant.has(permission)})
    if not selectors:
        return None
    return EVERYWHERE if WHOLE in selectors else Scope(tuple(selectors))


def role_for(grants: Sequence[Grant], permission: Permission) -> str:
    """Return the role that gives a permission, the least that does; empty where none does."""
    roles = [grant.role for grant in grants if grant.has(permission)]
    return min(roles, key=lambda role: len(ROLES[role]), default="")


def may_give(grants: Iterable[Grant], wanted: Grant) -> bool:
    """Say whether who has these may give a grant: one of them holds all of it, as an admin."""
    return any(
        grant.has(Permission.ADMIN) and grant.selector in {WHOLE, wanted.selector}
        for grant in grants
    )


def is_covered(grants: Iterable[Grant], wanted: Grant) -> bool:
    """Say whether one grant holds all that another does."""
    return any(
        ROLES[wanted.role] <= ROLES[grant.role] and grant.selector in {WHOLE, wanted.selector}
        for grant in grants
    )


def within(owner: Sequence[Grant], token: Sequence[Grant] | None) -> tuple[Grant, ...]:
    """Return what a token is worth now: its grants, as far as one of its owner's holds each.

    Args:
        owner: the owner's grants as they are now.
        token: the token's; None: all of its owner's.
    """
    if token is None:
        return tuple(owner)
    pairs = (
        Grant(asked.role, _both(held.selector, asked.selector))
        for asked in token
        for held in owner
        if ROLES.get(asked.role, frozenset()) <= ROLES.get(held.role, frozenset())
    )
    return tuple(dict.fromkeys(pairs))


def canonical_selector(text: str) -> str:
    """Return the one text of a selector.

    Raises:
        QueryError: no query, or one that asks for more than names and labels of sites.
    """
    return parse_place(text, "a grant").canonical()


def _both(one: str, other: str) -> str:
    if one == other or not other:
        return one
    return canonical_selector(f"({one}) ({other})") if one else other


@lru_cache(TESTS_MAX)
def _test(selector: str) -> Callable[[Place], bool]:
    return place_test(parse_place(selector, "a grant"))
