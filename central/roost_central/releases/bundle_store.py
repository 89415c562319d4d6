"""Manifests and blobs on the centre's disk, named by releases or not, and uploads on their way.

Invariant: a blob is in its place once it was hashed, and never before.
"""

import os
from pathlib import Path
from typing import BinaryIO, Final

from roost_central.private_file import sync_folder
from roost_central.releases.bundle import BLOBS, blob_path, blobs_of, check
from roost_central.releases.fault import ReleaseError
from roost_central.releases.folders import INCOMING, MANIFESTS
from roost_central.releases.metadata import Named
from roost_central.releases.served_files import READABLE, put
from roost_protocol.errors import ProtocolError
from roost_protocol.release.manifest import (
    MANIFEST_BYTES_MAX,
    UNPACKED_BYTES_MAX,
    decode,
    digest,
)
from roost_protocol.release.target import check_manifest

BLOB_BYTES_MAX: Final = UNPACKED_BYTES_MAX
INCOMING_MAX: Final = 16  # uploads at once


class BundleStore:
    """What releases are made of.

    Args:
        folder: of all repositories; it is made where it is not there.

    Attributes:
        manifests: all that were uploaded, by digest.

    Raises:
        OSError: it cannot be used.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in (MANIFESTS, INCOMING, BLOBS):
            (folder / name).mkdir(mode=0o755, parents=True, exist_ok=True)
        for left in (folder / INCOMING).iterdir():  # of a centre that was stopped meanwhile
            left.unlink()
        self.manifests = {
            path.name: decode(path.read_bytes()) for path in (folder / MANIFESTS).iterdir()
        }
        self._complete: set[str] = set()  # as below, that were seen to have all blobs
        self._whole: set[str] = set()  # digests of manifests whose blobs were checked

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
        put(self.folder / MANIFESTS / name, raw)
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
