"""A draft: metadata that waits for the signatures of its holders, in a folder that is carried.

``image-root.json``, ``director-root.json``, ``targets.json``: what is to be signed, as far as there
is some. ``before/``: what it follows. ``signatures/``: one small file of each holder, which may be
made on other machines and put together here.

Invariants: what is to be signed is never changed once the folder is there; nothing is signed by a
key that has no role there; a release is signed only by who rebuilt it or names its digest, a
release goes only by who names it, a root only by who names its digest.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta
from securesystemslib.signer import Signature
from tuf.api.exceptions import UnsignedMetadataError
from tuf.api.metadata import Metadata, Root, TargetFile, Targets

from roost_central.private_file import sync_folder
from roost_central.releases.bundle import Bundle
from roost_central.releases.fault import ReleaseError
from roost_central.releases.keys import OpenKey, PublicKey
from roost_central.releases.metadata import (
    ROOT,
    SNAPSHOT,
    TARGETS,
    TARGETS_BYTES_MAX,
    TIMESTAMP,
    Named,
    check_added,
    named,
    read_root,
    read_targets,
    until,
)
from roost_protocol.release.target import written

IMAGE_ROOT: Final = "image-root.json"
DIRECTOR_ROOT: Final = "director-root.json"
TARGETS_FILE: Final = "targets.json"
BEFORE: Final = "before"
SIGNATURES: Final = "signatures"
ROOT_DAYS: Final = 365
TARGETS_DAYS: Final = 180
KEYS_MAX: Final = 16  # of a role
SIGNATURE_BYTES_MAX: Final = 4_096
_ROLE: Final = {IMAGE_ROOT: ROOT, DIRECTOR_ROOT: ROOT, TARGETS_FILE: TARGETS}


class Signed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``signatures/FILE.KEYID.json``."""

    file: str
    digest: Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]
    name: str
    keyid: Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]
    signature: Annotated[str, Meta(pattern=r"\A[0-9a-f]{128}\Z")]


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


@dataclass(frozen=True, slots=True)
class Repository:
    """What a draft follows: the newest root and targets of the image repository, as they came.

    Attributes:
        image_root, director_root, targets: bytes; empty: there is none yet.
    """

    image_root: bytes = b""
    director_root: bytes = b""
    targets: bytes = b""


@dataclass(frozen=True, slots=True)
class Change:
    """What a draft would have signed."""

    file: str
    digest: str
    added: Sequence[Named]
    removed: Sequence[Named]
    needed: int
    signers: Sequence[str]


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
    _write(
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
    made = read_targets(before.targets, TARGETS)
    targets = made.signed
    was = named(targets)
    for path in retract:
        if path not in was:
            raise ReleaseError(
                "not-found", f"{path} is not named: {', '.join(was) or 'nothing is'}"
            )
        del targets.targets[path]
    for bundle in add:
        if bundle.path in was:
            raise ReleaseError("exists", f"{bundle.path} is named already: take a new version")
        custom = msgspec.structs.replace(bundle.custom, signed_at_ms=now_ms)
        target = TargetFile.from_data(bundle.path, bundle.raw, ["sha256"])
        target.unrecognized_fields["custom"] = written(custom)
        targets.targets[bundle.path] = target
    check_added(was, named(targets))
    targets.version += 1
    targets.expires = until(now_ms, TARGETS_DAYS)
    raw = Metadata(targets).to_bytes()
    if len(raw) > TARGETS_BYTES_MAX:
        text = f"{len(raw)} bytes of targets, nodes take {TARGETS_BYTES_MAX}: retract old releases"
        raise ReleaseError("metadata", text)
    _write(folder, {TARGETS_FILE: raw}, before)


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
    _write(folder, {file: Metadata(root).to_bytes()}, before)


def changes(folder: Path) -> list[Change]:
    """Return what a draft would have signed, and who has.

    Raises:
        ReleaseError: ``draft``.
    """
    found = []
    for file in _files(folder):
        made, root = _made(folder, file), _root_of(folder, file)
        added: list[Named] = []
        removed: list[Named] = []
        if isinstance(made.signed, Targets):
            was, will = _was(folder), named(made.signed)
            added = check_added(was, will)
            removed = [was[path] for path in sorted(was.keys() - will.keys())]
        have = [each.name for each in signatures(folder) if each.file == file]
        threshold = root.roles[_ROLE[file]].threshold
        digest = sha256(made.signed_bytes).hexdigest()
        found.append(Change(file, digest, added, removed, threshold, have))
    return found


def sign(
    folder: Path,
    key: OpenKey,
    *,
    rebuilt: Sequence[Bundle] = (),
    digests: Collection[str] = (),
    retracted: Collection[str] = (),
) -> list[str]:
    """Sign what a key has a role for; return the files of the signatures.

    Args:
        folder: of the draft.
        key: of a holder.
        rebuilt: bundles that the holder made and checked: their releases are what is signed.
        digests: of releases and of roots that the holder compared with another's.
        retracted: paths of releases that the holder agrees to be named no more.

    Raises:
        ReleaseError: ``draft``; ``key``: it has no role there; ``digest``: something is neither
            rebuilt nor compared.
        OSError: it cannot be written.
    """
    known = {each.digest for each in rebuilt} | set(digests)
    written_: list[str] = []
    for change in changes(folder):
        made, roots = _made(folder, change.file), _roots_of(folder, change.file)
        if not any(key.keyid in root.roles[_ROLE[change.file]].keyids for root in roots):
            continue
        _agree(change, known, set(retracted))
        signature = key.signer.sign(made.signed_bytes)
        said = Signed(
            file=change.file, digest=change.digest, name=key.name, keyid=key.keyid,
            signature=signature.signature,
        )  # fmt: skip
        path = folder / SIGNATURES / f"{change.file.removesuffix('.json')}.{key.keyid[:16]}.json"
        path.parent.mkdir(mode=0o755, exist_ok=True)
        path.write_bytes(msgspec.json.format(msgspec.json.encode(said), indent=1) + b"\n")
        sync_folder(path.parent)
        written_.append(str(path))
    if not written_:
        raise ReleaseError("key", f"{key.name} has no role in what {folder} would have signed")
    return written_


def _agree(change: Change, known: Collection[str], retracted: Collection[str]) -> None:
    if change.file != TARGETS_FILE:
        if change.digest not in known:
            text = f"{change.file} has the digest {change.digest}: compare it with the other "
            raise ReleaseError("digest", f"{text}holders', then say --digest {change.digest}")
        return
    for each in change.added:
        if each.digest not in known:
            text = f"{each.path} has the digest {each.digest}: build it yourself and say --bundle"
            raise ReleaseError("digest", f"{text} DIR, or compare the digest and say --digest")
    for each in change.removed:
        if each.path not in retracted:
            text = f"{each.path} would be named no more: say --retract {each.path} if it is to be"
            raise ReleaseError("digest", text)


def signatures(folder: Path) -> list[Signed]:
    """Return the signatures in a draft's folder, of whatever worth.

    Raises:
        ReleaseError: ``draft``: a file is none.
    """
    found = []
    for path in sorted((folder / SIGNATURES).glob("*.json"))[: len(_ROLE) * KEYS_MAX]:
        with path.open("rb") as file:
            raw = file.read(SIGNATURE_BYTES_MAX + 1)
        try:
            found.append(msgspec.json.decode(raw, type=Signed))
        except (msgspec.MsgspecError, UnicodeDecodeError) as err:
            raise ReleaseError("draft", f"{path} is no signature: remove it") from err
    return found


def whole(folder: Path) -> Repository:
    """Return what a draft makes, signed by enough; what it does not touch is empty.

    Raises:
        ReleaseError: ``signature``: whose is missing; ``draft``.
    """
    made: dict[str, bytes] = {}
    for change in changes(folder):
        metadata = _made(folder, change.file)
        for each in signatures(folder):
            if each.file == change.file and each.digest == change.digest:
                metadata.signatures[each.keyid] = Signature(each.keyid, each.signature)
        try:
            for root in _roots_of(folder, change.file):
                root.verify_delegate(_ROLE[change.file], metadata.signed_bytes, metadata.signatures)
        except UnsignedMetadataError as err:
            have = ", ".join(change.signers) or "nobody"
            text = f"{change.file} takes {change.needed} signatures, it has those of {have}"
            raise ReleaseError("signature", text) from err
        made[change.file] = metadata.to_bytes()
    return Repository(
        made.get(IMAGE_ROOT, b""), made.get(DIRECTOR_ROOT, b""), made.get(TARGETS_FILE, b"")
    )


def before_of(folder: Path) -> Repository:
    """Return what a draft follows."""
    found = []
    for name in (IMAGE_ROOT, DIRECTOR_ROOT, TARGETS_FILE):
        path = folder / BEFORE / name
        found.append(path.read_bytes() if path.exists() else b"")
    return Repository(*found)


def _give(root: Root, role: str, holders: Holders) -> None:
    names = [each.name for each in holders.keys]
    keys = {each.ed25519 for each in holders.keys}
    if len(keys) != len(names) or not 1 <= holders.threshold <= len(names) <= KEYS_MAX:
        text = f"{role}: {holders.threshold} of {', '.join(names) or 'no keys'}: different keys, "
        raise ReleaseError("draft", f"{text}at most {KEYS_MAX}, and a threshold that they reach")
    for each in holders.keys:
        root.add_key(each.key, role)
    root.roles[role].threshold = holders.threshold


def _write(folder: Path, files: dict[str, bytes], before: Repository) -> None:
    if folder.exists():
        raise ReleaseError("exists", f"{folder} is there already: name a new folder")
    fresh = folder.with_name(f"{folder.name}.new")
    (fresh / BEFORE).mkdir(mode=0o755, parents=True)
    (fresh / SIGNATURES).mkdir(mode=0o755)
    for name, raw in files.items():
        (fresh / name).write_bytes(raw)
    was = {
        IMAGE_ROOT: before.image_root, DIRECTOR_ROOT: before.director_root,
        TARGETS_FILE: before.targets,
    }  # fmt: skip
    for name, raw in was.items():
        if raw:
            (fresh / BEFORE / name).write_bytes(raw)
    sync_folder(fresh)
    fresh.rename(folder)


def _files(folder: Path) -> list[str]:
    found = [name for name in _ROLE if (folder / name).is_file()]
    if not found:
        text = f"{folder} is no draft: `roost release init`, `add` or `retract` makes one"
        raise ReleaseError("draft", text)
    return found


def _made(folder: Path, file: str) -> "Metadata[Any]":
    raw = (folder / file).read_bytes()
    return read_targets(raw, file) if file == TARGETS_FILE else read_root(raw, file)


def _was(folder: Path) -> dict[str, Named]:
    raw = before_of(folder).targets
    return named(read_targets(raw, TARGETS).signed) if raw else {}


def _root_of(folder: Path, file: str) -> Root:
    """Return the root whose threshold counts last."""
    return _roots_of(folder, file)[-1]


def _roots_of(folder: Path, file: str) -> list[Root]:
    """Return the roots that must agree to a file: of a root its predecessor and itself."""
    before = before_of(folder)
    if file == TARGETS_FILE:
        drafted = folder / IMAGE_ROOT
        raw = drafted.read_bytes() if drafted.is_file() else before.image_root
        return [read_root(raw, IMAGE_ROOT).signed]
    was = before.image_root if file == IMAGE_ROOT else before.director_root
    now = read_root((folder / file).read_bytes(), file).signed
    return [read_root(was, file).signed, now] if was else [now]
