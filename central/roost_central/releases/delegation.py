"""Which role of the image repository names which components, and that one names no others. Pure.

The top-level targets may give a family of components to holders of their own: ``agent``, ``os``,
``app``, ``plugin``, ``policy``, and for each tenant ``config.TENANT``. Their metadata is a file
beside the top-level one. A role is terminating (TUF 4.5): what it does not name nobody below it
does; and a node goes by its path alone, so that ``app`` never names an ``os``.

Invariant: a role is given the paths of its family, and no other ones.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tuf.api.exceptions import RepositoryError, UnsignedMetadataError
from tuf.api.metadata import DelegatedRole, Delegations, Metadata, Root, Targets

from roost_central.releases.fault import ReleaseError
from roost_central.releases.metadata import (
    DRAFT_ANEW,
    TARGETS,
    TARGETS_MAX,
    Named,
    checked_targets,
    moment,
    named,
    read_targets,
    same_counter,
)

ROLES_MAX: Final = 32  # as nodes bound them (agent trust/chain.py)
ROLE_PATTERN: Final = r"agent|os|app|plugin|policy|config\.[a-z0-9][a-z0-9._-]{0,62}"
_ROLE: Final = re.compile(ROLE_PATTERN)
_ALONE: Final = frozenset({"agent", "os"})  # components without a name behind a slash


@dataclass(frozen=True, slots=True)
class Whole:
    """The top-level targets with those that they give to others, by role."""

    top: "Metadata[Targets]"
    delegated: Mapping[str, "Metadata[Targets]"]

    @property
    def versions(self) -> dict[str, int]:
        """Of each, by its role."""
        found = {TARGETS: self.top.signed.version}
        return found | {role: each.signed.version for role, each in self.delegated.items()}

    @property
    def releases(self) -> dict[str, Named]:
        """All that is named, by path.

        Raises:
            ReleaseError: ``metadata`` or ``counter``.
        """
        found = named(self.top.signed)
        for role, each in self.delegated.items():
            more = named(each.signed)
            if twice := sorted(more.keys() & found.keys()):
                raise ReleaseError("metadata", f"{twice[0]} is named twice, in {role} as well")
            found |= more
        if len(found) > TARGETS_MAX:
            raise ReleaseError("metadata", f"{len(found)} targets, at most {TARGETS_MAX}")
        counters: dict[tuple[str, int], str] = {}
        for path, release in found.items():
            key = (release.custom.component, release.custom.counter)
            if (other := counters.setdefault(key, path)) != path:
                raise ReleaseError("counter", same_counter(path, other, key[1]))
        return found

    @property
    def ends_ms(self) -> int:
        """When the first of them ends, UTC."""
        ends = [each.signed.expires for each in (self.top, *self.delegated.values())]
        return int(min(ends).timestamp()) * 1_000


def role_of(component: str) -> str:
    """Return the role that a component would be given to."""
    family, _, name = component.partition("/")
    return f"config.{name}" if family == "config" else family


def is_role(text: str) -> bool:
    """Say whether components may be given to a role of this name."""
    return _ROLE.fullmatch(text) is not None


def pattern_of(role: str) -> str:
    """Return the paths of targets that a role may name.

    Raises:
        ReleaseError: ``draft``: there is no such role.
    """
    if not is_role(role):
        text = f"{role} is no role: agent, os, app, plugin, policy or config.TENANT"
        raise ReleaseError("draft", text)
    family, _, tenant = role.partition(".")
    if family == "config":
        return f"config/{tenant}/*"
    return f"{family}/*" if family in _ALONE else f"{family}/*/*"


def roles_of(top: Targets) -> dict[str, DelegatedRole]:
    """Return who is given what, by role.

    Raises:
        ReleaseError: ``metadata``: it is given otherwise than here.
    """
    if top.delegations is None:
        return {}
    roles = top.delegations.roles
    if roles is None or len(roles) > ROLES_MAX:
        raise ReleaseError("metadata", f"targets give to at most {ROLES_MAX} roles, by their paths")
    for name, role in roles.items():
        if role.paths != [pattern_of(name)] or not role.terminating:
            text = f"{name} is to have {pattern_of(name)} and nothing else, terminating"
            raise ReleaseError("metadata", text)
    return dict(roles)


def give(top: Targets, role: str, keys: Iterable[Any], threshold: int) -> None:
    """Give a role to holders, in place of those who had it.

    Args:
        top: targets that are drafted.
        role: its name.
        keys: of python-tuf.
        threshold: how many of them it takes.

    Raises:
        ReleaseError: ``draft``.
    """
    pattern = pattern_of(role)
    if top.delegations is None:
        top.delegations = Delegations({}, {})
    roles = top.delegations.roles
    if roles is None or (role not in roles and len(roles) >= ROLES_MAX):
        raise ReleaseError("draft", f"targets give to at most {ROLES_MAX} roles, by their paths")
    roles[role] = DelegatedRole(role, [], threshold, terminating=True, paths=[pattern])
    for key in keys:
        top.add_key(key, role)
    used = {keyid for each in roles.values() for keyid in each.keyids}
    for keyid in [each for each in top.delegations.keys if each not in used]:
        del top.delegations.keys[keyid]


def read_whole(raw: bytes, delegated: Mapping[str, bytes]) -> Whole:
    """Return targets that were checked before.

    Raises:
        ReleaseError: ``metadata``.
    """
    return Whole(
        read_targets(raw, TARGETS),
        {role: read_targets(each, role) for role, each in sorted(delegated.items())},
    )


def checked_whole(
    root: "Metadata[Root]",
    raw: bytes,
    delegated: Mapping[str, bytes],
    now_ms: int,
    least: Mapping[str, int],
) -> Whole:
    """Return targets with all that they give to others, if their holders stand behind them now.

    Args:
        root: that counts.
        raw: the top-level targets.
        delegated: what is given to others, by role: each, and no other.
        now_ms: UTC.
        least: versions that were there before, by role.

    Raises:
        ReleaseError: ``metadata``, ``signature``, ``expired`` or ``rollback``.
    """
    top = checked_targets(root, raw, now_ms, least_version=least.get(TARGETS, 1))
    roles = roles_of(top.signed)
    if roles.keys() != delegated.keys():
        lacking = ", ".join(sorted(roles.keys() ^ delegated.keys()))
        raise ReleaseError("metadata", f"targets and their roles differ: {lacking}")
    made = Whole(top, {
        role: _checked(top.signed, roles[role], each, now_ms, least.get(role, 1))
        for role, each in sorted(delegated.items())
    })  # fmt: skip
    _ = made.releases
    return made


def check_follows(before: Whole | None, after: Whole) -> None:
    """Check that no version of a role is used twice: nodes that have the one never take the other.

    It is what a draft has that was made before another one was published. It lacks what that
    brought, so that it would take it away as well.

    Raises:
        ReleaseError: ``rollback``.
    """
    if before is None:
        return
    served = {TARGETS: before.top, **before.delegated}
    for role, made in {TARGETS: after.top, **after.delegated}.items():
        was = served.get(role)
        if was is None or was.signed.version != made.signed.version:
            continue
        if was.signed_bytes != made.signed_bytes:
            text = f"{role} of version {made.signed.version} is there already, with other content: "
            raise ReleaseError("rollback", f"{text}{DRAFT_ANEW}")


def _checked(
    top: Targets, role: DelegatedRole, raw: bytes, now_ms: int, least: int
) -> "Metadata[Targets]":
    made = read_targets(raw, role.name)
    try:
        top.verify_delegate(role.name, made.signed_bytes, made.signatures)
    except UnsignedMetadataError as err:
        text = f"{role.name} of version {made.signed.version}: it takes {role.threshold} keys of "
        raise ReleaseError("signature", f"{text}those that the targets give it to") from err
    except (RepositoryError, ValueError) as err:
        raise ReleaseError("signature", f"{role.name}: {err}") from err
    if made.signed.version < least:
        text = f"{role.name} of version {made.signed.version}; {least} was there before"
        raise ReleaseError("rollback", f"{text}: {DRAFT_ANEW}")
    if made.signed.is_expired(moment(now_ms)):
        text = f"{role.name} ended at {made.signed.expires:%Y-%m-%d}: have it signed anew"
        raise ReleaseError("expired", text)
    if made.signed.delegations is not None:
        raise ReleaseError("metadata", f"{role.name} gives to others what it was given")
    for path in made.signed.targets:
        if not role.is_delegated_path(path):
            raise ReleaseError("metadata", f"{role.name} names {path}, which is not its own")
    return made
