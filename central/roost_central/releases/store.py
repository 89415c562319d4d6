"""The two repositories on the centre's disk, as nodes fetch them.

``image/metadata``, ``image/targets`` (manifests), ``image-offline/metadata`` (what stands above
them for sites without a WAN: it is carried there, nobody fetches it), ``director/metadata``
(roots), ``sites/SITE`` (what the director says to each, and what operators said of its members),
``blobs/XX/DIGEST``, ``manifests/DIGEST`` (what was uploaded, named or not), ``incoming`` (not whole
yet). What nodes fetch of it is public to them, and none of it is believed by them.

Invariants: a file appears whole and checked, or not at all; metadata of a repository is written
from the leaves up, the timestamp last, so that whoever reads meanwhile finds all that it names.
"""

import os
import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

import msgspec
from tuf.api.metadata import Metadata, Root, Snapshot, Targets, Timestamp

from roost_central.private_file import sync_folder
from roost_central.releases.bundle import BLOBS, blob_path, blobs_of, check
from roost_central.releases.delegation import Whole, read_whole
from roost_central.releases.fault import ReleaseError
from roost_central.releases.metadata import (
    Named,
    anchored,
    followed,
    read_root,
)
from roost_protocol.errors import ProtocolError
from roost_protocol.release.approval import SignedApproval
from roost_protocol.release.director import SiteDocument
from roost_protocol.release.manifest import (
    MANIFEST_BYTES_MAX,
    UNPACKED_BYTES_MAX,
    decode,
    digest,
)
from roost_protocol.release.meant import Shown
from roost_protocol.release.members import SignedMembers
from roost_protocol.release.target import check_manifest

FOLDER: Final = "releases"  # of the data directory
IMAGE, DIRECTOR, SITES = "image", "director", "sites"
MANIFESTS, INCOMING = "manifests", "incoming"
OFFLINE: Final = "image-offline"
METADATA: Final = "metadata"
GIVEN: Final = "given.json"
WORDS: Final = "members.json"  # of operators, for the members of a site
VERSIONS_MAX: Final = 2  # of each role but root: who reads while another is written finds its own
BLOB_BYTES_MAX: Final = UNPACKED_BYTES_MAX
INCOMING_MAX: Final = 16  # uploads at once
READABLE: Final = 0o644
SYNCS_AT_ONCE: Final = 16  # measured: 1.5 to 3 ms a site in place of 13, one after the other


class Given(msgspec.Struct, frozen=True):
    """``sites/SITE/given.json``: what the signer was asked, to ask it again before it ends."""

    document: SiteDocument
    approvals: list[SignedApproval] = []
    version: int = 0
    signed_ms: int = 0
    shown: list[Shown] = []


@dataclass(slots=True)
class Image:
    """The image repository as it is served now; without a root there is none."""

    root: "Metadata[Root] | None" = None
    targets: "Metadata[Targets] | None" = None
    version: int = 0
    releases: Mapping[str, Named] = field(default_factory=dict)
    whole: Whole | None = None


class Above(NamedTuple):
    """What the signer puts above targets; ``offline``: snapshot and timestamp that count longer."""

    snapshot: str
    timestamp: str
    version: int
    offline: tuple[str, str] = ("", "")


class ReleaseStore:
    """The folder.

    Args:
        folder: it is made where it is not there.

    Raises:
        ReleaseError: ``metadata``: what is there cannot be read.
        OSError: it cannot be used.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        metadata = (f"{IMAGE}/{METADATA}", f"{DIRECTOR}/{METADATA}")
        for name in (MANIFESTS, INCOMING, BLOBS, SITES, *metadata):
            (folder / name).mkdir(mode=0o755, parents=True, exist_ok=True)
        for left in (folder / INCOMING).iterdir():  # of a centre that was stopped meanwhile
            left.unlink()
        self.image = self._read_image()
        self.manifests = {
            path.name: decode(path.read_bytes()) for path in (folder / MANIFESTS).iterdir()
        }
        self._complete: set[str] = set()  # as below, that were seen to have all blobs
        self._whole: set[str] = set()  # digests of manifests whose blobs were checked

    def roots(self, chain: str) -> list[bytes]:
        """Return every root of a chain, oldest first."""
        folder = self.folder / chain / METADATA
        found = sorted(folder.glob("*.root.json"), key=lambda path: int(path.name.split(".")[0]))
        return [path.read_bytes() for path in found]

    def targets_raw(self) -> bytes:
        """Return the targets that are served, as they came; empty: none are."""
        targets = self.image.targets
        if targets is None:
            return b""
        path = self.folder / IMAGE / METADATA / f"{targets.signed.version}.targets.json"
        return path.read_bytes()

    def delegated_raw(self) -> dict[str, bytes]:
        """Return what is served of the roles that components are given to, by role."""
        whole, folder = self.image.whole, self.folder / IMAGE / METADATA
        return {} if whole is None else {
            role: (folder / f"{each.signed.version}.{role}.json").read_bytes()
            for role, each in whole.delegated.items()
        }  # fmt: skip

    def timestamp_ends_ms(self) -> int:
        """Return until when the timestamp of the image repository counts, UTC.

        Raises:
            OSError: it cannot be read.
        """
        raw = (self.folder / IMAGE / METADATA / "timestamp.json").read_bytes()
        return int(Metadata[Timestamp].from_bytes(raw).signed.expires.timestamp()) * 1_000

    def take_root(self, chain: str, raw: bytes) -> int:
        """Keep a root that follows the one before, or the first one; return its version.

        Raises:
            ReleaseError: it does not follow.
            OSError: it cannot be written.
        """
        folder = self.folder / chain / METADATA
        have = self.roots(chain)
        if have:
            before = read_root(have[-1], chain)
            root = followed(before, [raw], f"{chain} root")
            if root is before and raw not in have:
                version = read_root(raw, chain).signed.version
                raise ReleaseError("rollback", f"{chain} root {version} is there already, another")
        else:
            root = anchored(raw, f"{chain} root")
        _put(folder / f"{root.signed.version}.root.json", raw)
        if chain == IMAGE:
            self.image.root = root
        return root.signed.version

    def take_manifest(self, raw: bytes) -> str:
        """Keep a manifest; return its digest.

        Raises:
            ReleaseError: ``bundle``: it is none.
            OSError: it cannot be written.
        """
        if len(raw) > MANIFEST_BYTES_MAX:
            raise ReleaseError("bundle", f"a manifest has at most {MANIFEST_BYTES_MAX} bytes")
        try:
            manifest = decode(raw)
        except ProtocolError as err:
            raise ReleaseError("bundle", str(err)) from err
        name = digest(raw)
        _put(self.folder / MANIFESTS / name, raw)
        self.manifests[name] = manifest
        return name

    def has_blob(self, blob: str) -> bool:
        """Whether a blob is here, whole."""
        return (self.folder / blob_path(blob)).is_file()

    def missing(self, release: str) -> list[str]:
        """Return the blobs that are not here of a release, by the digest of its manifest."""
        if release in self._complete:
            return []
        found = [blob for blob in blobs_of(self.manifests[release]) if not self.has_blob(blob)]
        if not found:
            self._complete.add(release)
        return found

    def look_again(self) -> None:
        """Ask the disk again whether blobs are there."""
        self._complete.clear()

    def check(self, release: Named) -> None:
        """Check that all of a release is here, and is what its signers describe.

        Raises:
            ReleaseError: what is missing or wrong.
        """
        manifest = self.manifests.get(release.digest)
        if manifest is None:
            text = f"the manifest of {release.path} was not uploaded: publish with its --bundle"
            raise ReleaseError("blob", text)
        try:
            check_manifest(release.custom, manifest)
        except ProtocolError as err:
            raise ReleaseError("bundle", f"{release.path}: {err}") from err
        if release.digest not in self._whole:
            check(manifest, self.open_blob)
            self._whole.add(release.digest)

    def open_blob(self, blob: str) -> BinaryIO:
        """Open a blob."""
        return (self.folder / blob_path(blob)).open("rb")

    def publish(
        self,
        root_raws: list[bytes],
        targets: bytes,
        delegated: Mapping[str, bytes],
        above: Above,
    ) -> None:
        """Serve other targets: manifests, targets, snapshot, and the timestamp last.

        Args:
            root_raws: kept already; the last is the one that counts.
            targets: as their holders signed them.
            delegated: of the roles that they give components to, by role.
            above: what the signer put above them.

        Raises:
            ReleaseError: ``metadata``.
            OSError: something cannot be written.
        """
        whole = read_whole(targets, delegated)
        releases = whole.releases
        for each in releases.values():
            folder, _, file = each.path.rpartition("/")
            path = self.folder / IMAGE / "targets" / folder / f"{each.digest}.{file}"
            if not path.exists():
                _put(path, (self.folder / MANIFESTS / each.digest).read_bytes())
        version = above.version
        folder_ = self.folder / IMAGE / METADATA
        self._put_offline(above)
        for role, raw in {**delegated, "targets": targets}.items():
            _put(folder_ / f"{whole.versions[role]}.{role}.json", raw)
        _put(folder_ / f"{version}.snapshot.json", above.snapshot.encode())
        _put(folder_ / "timestamp.json", above.timestamp.encode())
        prune(folder_)
        root = read_root(root_raws[-1], IMAGE)
        self.image = Image(root, whole.top, version, releases, whole)

    def _put_offline(self, above: Above) -> None:
        """Keep what is carried to sites without a WAN; nobody fetches it."""
        snapshot, timestamp = above.offline
        if not timestamp:
            return  # of a signer of before
        folder = self.folder / OFFLINE / METADATA
        _put(folder / f"{above.version}.snapshot.json", snapshot.encode())
        _put(folder / "timestamp.json", timestamp.encode())
        prune(folder)

    def put_directors(self, given: Sequence[tuple[Given, tuple[str, str, str]]]) -> None:
        """Serve other documents of sites; all are on the disk when it returns.

        Each is written before any is waited for, and many are waited for together: a file system
        brings what it is asked for meanwhile to the disk at once.

        Args:
            given: what was asked of the signer for a site, and its answer of that version: targets,
                snapshot, timestamp.

        Raises:
            OSError: one cannot be written.
        """
        kept: list[tuple[Path, Path]] = []
        for each, signed in given:
            folder = self.folder / SITES / each.document.site / METADATA
            folder.mkdir(mode=0o755, parents=True, exist_ok=True)
            for name, text in zip(
                (f"{each.version}.targets.json", f"{each.version}.snapshot.json", "timestamp.json"),
                signed, strict=True,
            ):  # fmt: skip
                _put(folder / name, text.encode(), sync=False)
            path = folder.parent / GIVEN
            kept.append((_written(path, msgspec.json.encode(each)), path))
            prune(folder)
        with ThreadPoolExecutor(SYNCS_AT_ONCE) as pool:
            list(pool.map(_sync, [fresh for fresh, _ in kept]))
            for fresh, path in kept:
                fresh.replace(path)
            list(pool.map(sync_folder, [path.parent for _, path in kept]))

    def words(self, site: str) -> list[SignedMembers]:
        """Return the operators' words for the members of a site that were kept.

        Raises:
            ReleaseError: ``metadata``: what is there cannot be read.
            OSError: as above.
        """
        path = self.folder / SITES / site / WORDS
        try:
            return msgspec.json.decode(path.read_bytes(), type=list[SignedMembers])
        except FileNotFoundError:
            return []
        except msgspec.MsgspecError as err:
            raise ReleaseError("metadata", f"{path}: {err}") from err

    def put_words(self, site: str, words: list[SignedMembers]) -> None:
        """Keep operators' words for the members of a site, in place of those before.

        Raises:
            OSError: they cannot be written.
        """
        _put(self.folder / SITES / site / WORDS, msgspec.json.encode(words))

    def forget(self, site: str) -> None:
        """Take away what a site was given: first what it was asked by.

        Raises:
            OSError: the disk refuses.
        """
        folder = self.folder / SITES / site
        (folder / GIVEN).unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)

    def given(self) -> dict[str, Given]:
        """Return what each site was given."""
        found = {}
        for path in (self.folder / SITES).glob(f"*/{GIVEN}"):
            found[path.parent.name] = _given(path)
        return found

    def carried(
        self, site: str, *, is_offline: bool = False
    ) -> tuple[dict[str, str], dict[str, int]]:
        """Return the files of a node's mirror for a site, and the blobs of its assignments.

        Args:
            site: its name.
            is_offline: it has no WAN: what stands above the targets counts longer.

        Raises:
            ReleaseError: ``metadata``: what is here cannot be read.
            OSError: as above.
        """
        document = _given(self.folder / SITES / site / GIVEN).document
        files: dict[str, str] = {}
        for path in (self.folder / IMAGE / METADATA).glob("*.json"):
            files[f"{IMAGE}/{METADATA}/{path.name}"] = path.read_text()
        if is_offline:
            for path in (self.folder / OFFLINE / METADATA).glob("*.json"):
                files[f"{IMAGE}/{METADATA}/{path.name}"] = path.read_text()
        for folder in (f"{DIRECTOR}/{METADATA}", f"{SITES}/{site}/{METADATA}"):
            for path in (self.folder / folder).glob("*.json"):
                files[f"{DIRECTOR}/{METADATA}/{path.name}"] = path.read_text()
        blobs: dict[str, int] = {}
        for target in sorted({each.target for each in document.assignments}):
            release = self.image.releases.get(target)
            if release is None:
                continue  # it was retracted: nodes say so, too
            above, _, file = target.rpartition("/")
            raw = (self.folder / MANIFESTS / release.digest).read_text()
            files[f"{IMAGE}/targets/{above}/{release.digest}.{file}"] = raw
            blobs |= blobs_of(self.manifests[release.digest])
        return files, blobs

    def incoming(self, name: str) -> Path:
        """Return where an upload goes until it is whole.

        Raises:
            ReleaseError: ``busy``: too many come at once.
        """
        folder = self.folder / INCOMING
        if len(list(folder.iterdir())) >= INCOMING_MAX:
            raise ReleaseError("busy", f"{INCOMING_MAX} uploads at once at the most")
        return folder / name

    def keep_blob(self, part: Path, blob: str) -> None:
        """Put a blob that was hashed in its place.

        Raises:
            OSError: it cannot be written.
        """
        path = self.folder / blob_path(blob)
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.chmod(READABLE)
        part.replace(path)
        sync_folder(path.parent)

    def _read_image(self) -> Image:
        roots = self.roots(IMAGE)
        if not roots:
            return Image()
        root = read_root(roots[-1], IMAGE)
        folder = self.folder / IMAGE / METADATA
        try:
            timestamp = Metadata[Timestamp].from_bytes((folder / "timestamp.json").read_bytes())
        except FileNotFoundError:
            return Image(root)
        version = timestamp.signed.snapshot_meta.version
        above = (folder / f"{version}.snapshot.json").read_bytes()
        snapshot = Metadata[Snapshot].from_bytes(above)
        raws = {
            name.removesuffix(".json"): (folder / f"{each.version}.{name}").read_bytes()
            for name, each in snapshot.signed.meta.items()
        }
        whole = read_whole(raws.pop("targets"), raws)
        return Image(root, whole.top, version, whole.releases, whole)


def _given(path: Path) -> Given:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Given)
    except msgspec.MsgspecError as err:
        raise ReleaseError("metadata", f"{path}: {err}") from err


def prune(folder: Path) -> None:
    """Leave the newest versions of each role but root.

    Raises:
        OSError: one cannot be removed.
    """
    roles = {path.name.partition(".")[2] for path in folder.glob("[0-9]*.json")}
    for role in sorted(roles - {"root.json"}):
        found = [path for path in folder.glob("[0-9]*") if path.name.partition(".")[2] == role]
        found.sort(key=lambda path: int(path.name.split(".")[0]))
        for path in found[:-VERSIONS_MAX]:
            path.unlink(missing_ok=True)


def _put(path: Path, raw: bytes, *, sync: bool = True) -> None:
    """Put a file in place of what is there, whole."""
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    fresh = _written(path, raw)
    if sync:
        _sync(fresh)
    fresh.replace(path)
    if sync:
        sync_folder(path.parent)


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _written(path: Path, raw: bytes) -> Path:
    """Write what is to stand at a path beside it; return where."""
    fresh = path.with_name(f"{path.name}.{sha256(raw).hexdigest()[:8]}.new")
    with suppress(FileNotFoundError):
        fresh.unlink()
    with fresh.open("xb") as file:
        file.write(raw)
    fresh.chmod(READABLE)
    return fresh
