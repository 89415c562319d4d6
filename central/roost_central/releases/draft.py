"""A draft: metadata that waits for the signatures of its holders, in a folder that is carried.

``image-root.json``, ``director-root.json``, ``targets.json``, and for each role that components are
given to ``ROLE.json``: what is to be signed, as far as there is some. ``before/``: what it follows.
``signatures/``: one small file of each holder, which may be made on other machines and put together
here.

Invariants: what is to be signed is never changed once the folder is there; nothing is signed by a
key that has no role there; a release is signed only by who rebuilt it or names its digest, a
release goes only by who names it, a root only by who names its digest.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta
from securesystemslib.signer import Signature
from tuf.api.exceptions import UnsignedMetadataError
from tuf.api.metadata import Metadata, Role, Root, TargetFile, Targets

from roost_central.private_file import sync_folder
from roost_central.releases.bundle import Bundle
from roost_central.releases.delegation import ROLES_MAX, give, read_whole, role_of, roles_of
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
FILES_MAX: Final = ROLES_MAX + 3
ROOT_FILES: Final = (IMAGE_ROOT, DIRECTOR_ROOT)


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
        delegated: metadata of the roles that components are given to, by role.
    """

    image_root: bytes = b""
    director_root: bytes = b""
    targets: bytes = b""
    delegated: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Change:
    """What a draft would have signed."""

    file: str
    digest: str
    added: Sequence[Named]
    removed: Sequence[Named]
    needed: int
    signers: Sequence[str]
    gives: bool = False  # components are named by others from then on


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
    _write(folder, files, before)


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
    _write(folder, {TARGETS_FILE: _next(top, now_ms), f"{role}.json": given}, before)


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
    _write(folder, {file: Metadata(root).to_bytes()}, before)


def changes(folder: Path) -> list[Change]:
    """Return what a draft would have signed, and who has.

    Raises:
        ReleaseError: ``draft``.
    """
    found = []
    for file in _files(folder):
        made, above = _made(folder, file), _above(folder, file)[-1]
        added: list[Named] = []
        removed: list[Named] = []
        if isinstance(made.signed, Targets):
            was, will = _was(folder, file), named(made.signed)
            added = check_added(was, will)
            removed = [was[path] for path in sorted(was.keys() - will.keys())]
        have = [each.name for each in signatures(folder) if each.file == file]
        digest = sha256(made.signed_bytes).hexdigest()
        given = isinstance(made.signed, Targets) and _is_given_anew(folder, file, made.signed)
        found.append(Change(file, digest, added, removed, above.role.threshold, have, given))
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
        made, above = _made(folder, change.file), _above(folder, change.file)
        if not any(key.keyid in each.role.keyids for each in above):
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
    if (change.file in ROOT_FILES or change.gives) and change.digest not in known:
        text = f"{change.file} has the digest {change.digest}: compare it with the other "
        raise ReleaseError("digest", f"{text}holders', then say --digest {change.digest}")
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
    for path in sorted((folder / SIGNATURES).glob("*.json"))[: FILES_MAX * KEYS_MAX]:
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
            for each_ in _above(folder, change.file):
                each_.by.verify_delegate(
                    each_.role_name, metadata.signed_bytes, metadata.signatures
                )
        except UnsignedMetadataError as err:
            have = ", ".join(change.signers) or "nobody"
            text = f"{change.file} takes {change.needed} signatures, it has those of {have}"
            raise ReleaseError("signature", text) from err
        made[change.file] = metadata.to_bytes()
    return _repository(made)


def before_of(folder: Path) -> Repository:
    """Return what a draft follows."""
    paths = sorted((folder / BEFORE).glob("*.json"))[:FILES_MAX]
    return _repository({path.name: path.read_bytes() for path in paths})


def _repository(files: Mapping[str, bytes]) -> Repository:
    own = (IMAGE_ROOT, DIRECTOR_ROOT, TARGETS_FILE)
    image, director, targets = (files.get(name, b"") for name in own)
    delegated = {name.removesuffix(".json"): files[name] for name in files if name not in own}
    return Repository(image, director, targets, delegated)


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
        **{f"{role}.json": raw for role, raw in before.delegated.items()},
    }  # fmt: skip
    for name, raw in was.items():
        if raw:
            (fresh / BEFORE / name).write_bytes(raw)
    sync_folder(fresh)
    fresh.rename(folder)


def _files(folder: Path) -> list[str]:
    own = [*ROOT_FILES, TARGETS_FILE]
    found = [name for name in own if (folder / name).is_file()]
    found += [path.name for path in sorted(folder.glob("*.json")) if path.name not in own]
    if not found or len(found) > FILES_MAX:
        text = f"{folder} is no draft: `roost release init`, `add` or `retract` makes one"
        raise ReleaseError("draft", text)
    return found


def _made(folder: Path, file: str) -> "Metadata[Any]":
    raw = (folder / file).read_bytes()
    return read_root(raw, file) if file in ROOT_FILES else read_targets(raw, file)


def _was(folder: Path, file: str) -> dict[str, Named]:
    """Return what a file of targets named before."""
    before = before_of(folder)
    role = file.removesuffix(".json")
    raw = before.targets if role == TARGETS else before.delegated.get(role, b"")
    return named(read_targets(raw, role).signed) if raw else {}


def _is_given_anew(folder: Path, file: str, made: Targets) -> bool:
    """Say whether top-level targets give components to others than before."""
    before = before_of(folder).targets
    was = read_targets(before, TARGETS).signed.delegations if before else None
    return file == TARGETS_FILE and made.delegations != was


@dataclass(frozen=True, slots=True)
class _Above:
    """Who says whose signatures a file takes."""

    by: Root | Targets
    role_name: str

    @property
    def role(self) -> Role:
        """With its keys and threshold."""
        return self.by.get_delegated_role(self.role_name)


def _above(folder: Path, file: str) -> list[_Above]:
    """Return who must be satisfied by a file: of a root its predecessor and itself."""
    before, role = before_of(folder), file.removesuffix(".json")
    if file in ROOT_FILES:
        was = before.image_root if file == IMAGE_ROOT else before.director_root
        now = read_root((folder / file).read_bytes(), file).signed
        roots = [read_root(was, file).signed, now] if was else [now]
        return [_Above(root, ROOT) for root in roots]
    above = IMAGE_ROOT if file == TARGETS_FILE else TARGETS_FILE
    drafted = folder / above
    kept = before.image_root if file == TARGETS_FILE else before.targets
    raw = drafted.read_bytes() if drafted.is_file() else kept
    if file == TARGETS_FILE:
        return [_Above(read_root(raw, above).signed, TARGETS)]
    top = read_targets(raw, above).signed
    if role not in roles_of(top):
        raise ReleaseError("draft", f"{file}: the targets give nothing to {role}")
    return [_Above(top, role)]
