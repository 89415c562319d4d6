"""What holders sign of a draft, and what that makes.

Invariants: nothing is signed by a key that has no role there; a release is signed only by who
rebuilt it or names its digest, a release goes only by who names it, a root, or that components are
given to others, only by who names its digest.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta
from securesystemslib.signer import Signature
from tuf.api.exceptions import UnsignedMetadataError
from tuf.api.metadata import Targets

from roost_central.private_file import sync_folder
from roost_central.releases.bundle import Bundle
from roost_central.releases.draft_folder import (
    FILES_MAX,
    KEYS_MAX,
    ROOT_FILES,
    SIGNATURES,
    Repository,
    above,
    files_of,
    is_given_anew,
    made_of,
    repository_of,
    was_of,
)
from roost_central.releases.fault import ReleaseError
from roost_central.releases.keys import OpenKey
from roost_central.releases.metadata import Named, check_added, named

SIGNATURE_BYTES_MAX: Final = 4_096


class Signed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``signatures/FILE.KEYID.json``."""

    file: str
    digest: Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]
    name: str
    keyid: Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]
    signature: Annotated[str, Meta(pattern=r"\A[0-9a-f]{128}\Z")]


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


def changes(folder: Path) -> list[Change]:
    """Return what a draft would have signed, and who has.

    Raises:
        ReleaseError: ``draft``.
    """
    found = []
    for file in files_of(folder):
        made, by = made_of(folder, file), above(folder, file)[-1]
        added: list[Named] = []
        removed: list[Named] = []
        if isinstance(made.signed, Targets):
            was, will = was_of(folder, file), named(made.signed)
            added = check_added(was, will)
            removed = [was[path] for path in sorted(was.keys() - will.keys())]
        have = [each.name for each in signatures(folder) if each.file == file]
        digest = sha256(made.signed_bytes).hexdigest()
        given = isinstance(made.signed, Targets) and is_given_anew(folder, file, made.signed)
        found.append(Change(file, digest, added, removed, by.role.threshold, have, given))
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
        made, by = made_of(folder, change.file), above(folder, change.file)
        if not any(key.keyid in each.role.keyids for each in by):
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
        metadata = made_of(folder, change.file)
        for each in signatures(folder):
            if each.file == change.file and each.digest == change.digest:
                metadata.signatures[each.keyid] = Signature(each.keyid, each.signature)
        try:
            for each_ in above(folder, change.file):
                each_.by.verify_delegate(
                    each_.role_name, metadata.signed_bytes, metadata.signatures
                )
        except UnsignedMetadataError as err:
            have = ", ".join(change.signers) or "nobody"
            have = f"{change.file} takes {change.needed} signatures, it has those of {have}"
            text = f"{have}: have more of its holders sign (roost release sign {folder} --key FILE)"
            raise ReleaseError("signature", text) from err
        made[change.file] = metadata.to_bytes()
    return repository_of(made)
