"""The folder of a draft: what is to be signed, what it follows, and who must sign each file.

``image-root.json``, ``director-root.json``, ``targets.json``, and for each role that components are
given to ``ROLE.json``: what is to be signed, as far as there is some. ``before/``: what it follows.
``signatures/``: one small file of each holder, which may be made on other machines and put together
here (draft_signing.py). What makes a draft is in draft.py.

Invariant: what is to be signed is never changed once the folder is there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tuf.api.metadata import Metadata, Role, Root, Targets

from roost_central.private_file import sync_folder
from roost_central.releases.delegation import ROLES_MAX, is_role, roles_of
from roost_central.releases.fault import ReleaseError
from roost_central.releases.metadata import ROOT, TARGETS, Named, named, read_root, read_targets

IMAGE_ROOT: Final = "image-root.json"
DIRECTOR_ROOT: Final = "director-root.json"
TARGETS_FILE: Final = "targets.json"
BEFORE: Final = "before"
SIGNATURES: Final = "signatures"
KEYS_MAX: Final = 16  # of a role
FILES_MAX: Final = ROLES_MAX + 3
ROOT_FILES: Final = (IMAGE_ROOT, DIRECTOR_ROOT)


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


def write(folder: Path, files: dict[str, bytes], before: Repository) -> None:
    """Make a draft's folder, whole or not at all.

    Raises:
        ReleaseError: ``exists``.
        OSError: it cannot be written.
    """
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


def before_of(folder: Path) -> Repository:
    """Return what a draft follows."""
    paths = sorted((folder / BEFORE).glob("*.json"))[:FILES_MAX]
    return repository_of({path.name: path.read_bytes() for path in paths})


def repository_of(files: Mapping[str, bytes]) -> Repository:
    """Return what files of a folder are together, by their names."""
    own = (IMAGE_ROOT, DIRECTOR_ROOT, TARGETS_FILE)
    image, director, targets = (files.get(name, b"") for name in own)
    delegated = {name.removesuffix(".json"): files[name] for name in files if name not in own}
    return Repository(image, director, targets, delegated)


def files_of(folder: Path) -> list[str]:
    """Return the files that a draft would have signed.

    Raises:
        ReleaseError: ``draft``: it is none.
    """
    own = [*ROOT_FILES, TARGETS_FILE]
    found = [name for name in own if (folder / name).is_file()]
    found += [path.name for path in sorted(folder.glob("*.json")) if is_role(path.stem)]
    if not found or len(found) > FILES_MAX:
        text = f"{folder} is no draft: `roost release init`, `add` or `retract` makes one"
        raise ReleaseError("draft", text)
    return found


def made_of(folder: Path, file: str) -> "Metadata[Any]":
    """Return a file as it is drafted, unchecked.

    Raises:
        ReleaseError: ``metadata``.
    """
    raw = (folder / file).read_bytes()
    return read_root(raw, file) if file in ROOT_FILES else read_targets(raw, file)


def was_of(folder: Path, file: str) -> dict[str, Named]:
    """Return what a file of targets named before."""
    before = before_of(folder)
    role = file.removesuffix(".json")
    raw = before.targets if role == TARGETS else before.delegated.get(role, b"")
    return named(read_targets(raw, role).signed) if raw else {}


def is_given_anew(folder: Path, file: str, made: Targets) -> bool:
    """Say whether top-level targets give components to others than before."""
    before = before_of(folder).targets
    was = read_targets(before, TARGETS).signed.delegations if before else None
    return file == TARGETS_FILE and made.delegations != was


@dataclass(frozen=True, slots=True)
class Above:
    """Who says whose signatures a file takes."""

    by: Root | Targets
    role_name: str

    @property
    def role(self) -> Role:
        """With its keys and threshold."""
        return self.by.get_delegated_role(self.role_name)


def above(folder: Path, file: str) -> list[Above]:
    """Return who must be satisfied by a file: of a root its predecessor and itself."""
    before, role = before_of(folder), file.removesuffix(".json")
    if file in ROOT_FILES:
        was = before.image_root if file == IMAGE_ROOT else before.director_root
        now = read_root((folder / file).read_bytes(), file).signed
        roots = [read_root(was, file).signed, now] if was else [now]
        return [Above(root, ROOT) for root in roots]
    above = IMAGE_ROOT if file == TARGETS_FILE else TARGETS_FILE
    drafted = folder / above
    kept = before.image_root if file == TARGETS_FILE else before.targets
    raw = drafted.read_bytes() if drafted.is_file() else kept
    if file == TARGETS_FILE:
        return [Above(read_root(raw, above).signed, TARGETS)]
    top = read_targets(raw, above).signed
    if role not in roles_of(top):
        raise ReleaseError("draft", f"{file}: the targets give nothing to {role}")
    return [Above(top, role)]
