"""Makes drafts: metadata that waits for the signatures of its holders, in a folder that is carried.

Leaves to others: what lies in the folder (draft_folder.py), and who signs it (draft_signing.py).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
from tuf.api.metadata import Metadata, Root, TargetFile, Targets

from roost_central.releases.bundle import Bundle
from roost_central.releases.delegation import give, read_whole, role_of
from roost_central.releases.draft_folder import (
    DIRECTOR_ROOT,
    IMAGE_ROOT,
    KEYS_MAX,
    TARGETS_FILE,
    Repository,
    write,
)
from roost_central.releases.fault import ReleaseError
from roost_central.releases.keys import PublicKey
from roost_central.releases.metadata import (
    ROOT,
    SNAPSHOT,
    TARGETS,
    TARGETS_BYTES_MAX,
    TIMESTAMP,
    check_added,
    read_root,
    read_targets,
    until,
)
from roost_protocol.release.target import written

ROOT_DAYS: Final = 365
TARGETS_DAYS: Final = 180


@dataclass(frozen=True, slots=True)
class Holders:
    """Who is to have a role."""

    keys: Sequence[PublicKey]
    threshold: int


@dataclass(frozen=True, slots=True)
class Roles:
    """Who begins: roots and targets by holders, the rest by the signer's two online keys."""

    image: Holders
    director: Holders
    targets: Holders
    image_online: PublicKey
    director_online: PublicKey


@dataclass(frozen=True, slots=True)
class Succession:
    """Who has a role from then on.

    Attributes:
        chain: ``image`` or ``director``.
        role: ``root``, ``targets``, ``snapshot`` or ``timestamp``.
    """

    chain: str
    role: str
    holders: Holders


def init(folder: Path, roles: Roles, now_ms: int) -> None:
    """Draft the first roots, and targets that name nothing.

    Raises:
        ReleaseError: ``exists`` or ``draft``.
        OSError: it cannot be written.
    """
    image_root = Root(expires=until(now_ms, ROOT_DAYS))
    _give(image_root, ROOT, roles.image)
    _give(image_root, TARGETS, roles.targets)
    for role in (SNAPSHOT, TIMESTAMP):
        _give(image_root, role, Holders([roles.image_online], 1))
    director_root = Root(expires=until(now_ms, ROOT_DAYS))
    _give(director_root, ROOT, roles.director)
    for role in (TARGETS, SNAPSHOT, TIMESTAMP):
        _give(director_root, role, Holders([roles.director_online], 1))
    first = Targets(expires=until(now_ms, TARGETS_DAYS))
    write(
        folder,
        {
            IMAGE_ROOT: Metadata(image_root).to_bytes(),
            DIRECTOR_ROOT: Metadata(director_root).to_bytes(),
            TARGETS_FILE: Metadata(first).to_bytes(),
        },
        Repository(),
    )


def edit(
    folder: Path,
    before: Repository,
    now_ms: int,
    *,
    add: Sequence[Bundle] = (),
    retract: Collection[str] = (),
) -> None:
    """Draft the next targets: releases come, releases go, or nothing changes but the date.

    Raises:
        ReleaseError: ``exists``, ``not-found``, ``counter``, ``digest`` or ``metadata``.
        OSError: it cannot be written.
    """
    whole_ = read_whole(before.targets, before.delegated)
    was = whole_.releases
    roles = {TARGETS: whole_.top, **whole_.delegated}
    changed: set[str] = set()
    for path in retract:
        if path not in was:
            raise ReleaseError(
                "not-found", f"{path} is not named: {', '.join(was) or 'nothing is'}"
            )
        role = next(name for name, each in roles.items() if path in each.signed.targets)
        del roles[role].signed.targets[path]
        changed.add(role)
    for bundle in add:
        if bundle.path in was:
            raise ReleaseError("exists", f"{bundle.path} is named already: take a new version")
        custom = msgspec.structs.replace(bundle.custom, signed_at_ms=now_ms)
        target = TargetFile.from_data(bundle.path, bundle.raw, ["sha256"])
        target.unrecognized_fields["custom"] = written(custom)
        role = role_of(custom.component)
        role = role if role in roles else TARGETS
        roles[role].signed.targets[bundle.path] = target
        changed.add(role)
    check_added(was, whole_.releases)
    files = {
        f"{role}.json": _next(each.signed, now_ms)
        for role, each in roles.items()
        if role in changed or not changed  # nothing but the date changes: of all
    }
    write(folder, files, before)


def delegate(folder: Path, before: Repository, now_ms: int, role: str, holders: Holders) -> None:
    """Draft that components of a role are named by holders of their own from then on.

    What is named by now stays where it is; what the role named is signed anew by them.

    Raises:
        ReleaseError: ``exists`` or ``draft``.
        OSError: it cannot be written.
    """
    _check_holders(role, holders)
    top = read_targets(before.targets, TARGETS).signed
    give(top, role, [each.key for each in holders.keys], holders.threshold)
    raw = before.delegated.get(role)
    if raw is None:
        first = Targets(expires=until(now_ms, TARGETS_DAYS))
        given = Metadata(first).to_bytes()
    else:
        given = _next(read_targets(raw, role).signed, now_ms)
    write(folder, {TARGETS_FILE: _next(top, now_ms), f"{role}.json": given}, before)


def _next(targets: Targets, now_ms: int) -> bytes:
    """Return the next version of targets, unsigned.

    Raises:
        ReleaseError: ``metadata``: nodes do not take as much.
    """
    targets.version += 1
    targets.expires = until(now_ms, TARGETS_DAYS)
    raw = Metadata(targets).to_bytes()
    if len(raw) > TARGETS_BYTES_MAX:
        text = f"{len(raw)} bytes of targets, nodes take {TARGETS_BYTES_MAX}: retract old releases"
        raise ReleaseError("metadata", text)
    return raw


def succeed(folder: Path, before: Repository, now_ms: int, wanted: Succession) -> None:
    """Draft a root that gives a role to other keys: one was lost, or is in other hands.

    Raises:
        ReleaseError: ``draft`` or ``exists``.
        OSError: it cannot be written.
    """
    file = IMAGE_ROOT if wanted.chain == "image" else DIRECTOR_ROOT
    made = read_root(before.image_root if wanted.chain == "image" else before.director_root, file)
    root = made.signed
    for keyid in list(root.roles[wanted.role].keyids):
        root.revoke_key(keyid, wanted.role)
    _give(root, wanted.role, wanted.holders)
    root.version += 1
    root.expires = until(now_ms, ROOT_DAYS)
    write(folder, {file: Metadata(root).to_bytes()}, before)


def _give(root: Root, role: str, holders: Holders) -> None:
    _check_holders(role, holders)
    for each in holders.keys:
        root.add_key(each.key, role)
    root.roles[role].threshold = holders.threshold


def _check_holders(role: str, holders: Holders) -> None:
    names = [each.name for each in holders.keys]
    keys = {each.ed25519 for each in holders.keys}
    if len(keys) != len(names) or not 1 <= holders.threshold <= len(names) <= KEYS_MAX:
        text = f"{role}: {holders.threshold} of {', '.join(names) or 'no keys'}: different keys, "
        raise ReleaseError("draft", f"{text}at most {KEYS_MAX}, and a threshold that they reach")
