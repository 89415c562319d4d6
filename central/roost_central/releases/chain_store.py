"""The metadata of both chains on the centre's disk: roots, and what the image repository serves.

Invariant: metadata is written from the leaves up, the timestamp last, so that whoever reads
meanwhile finds all that it names.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from tuf.api.metadata import Metadata, Root, Snapshot, Targets, Timestamp

from roost_central.releases.delegation import Whole, read_whole
from roost_central.releases.fault import ReleaseError
from roost_central.releases.folders import DIRECTOR, IMAGE, MANIFESTS, METADATA, OFFLINE
from roost_central.releases.metadata import Named, anchored, followed, read_root
from roost_central.releases.served_files import prune, put


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


class ChainStore:
    """Roots of both chains, and what holders signed of releases.

    Args:
        folder: of all repositories; it is made where it is not there.

    Attributes:
        image: what is served now.

    Raises:
        ReleaseError: ``metadata``: what is there cannot be read.
        OSError: it cannot be used.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for chain in (IMAGE, DIRECTOR):
            (folder / chain / METADATA).mkdir(mode=0o755, parents=True, exist_ok=True)
        self.image = self._read_image()

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
        put(folder / f"{root.signed.version}.root.json", raw)
        if chain == IMAGE:
            self.image.root = root
        return root.signed.version

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
                put(path, (self.folder / MANIFESTS / each.digest).read_bytes())
        version = above.version
        folder_ = self.folder / IMAGE / METADATA
        self._put_offline(above)
        for role, raw in {**delegated, "targets": targets}.items():
            put(folder_ / f"{whole.versions[role]}.{role}.json", raw)
        put(folder_ / f"{version}.snapshot.json", above.snapshot.encode())
        put(folder_ / "timestamp.json", above.timestamp.encode())
        prune(folder_)
        root = read_root(root_raws[-1], IMAGE)
        self.image = Image(root, whole.top, version, releases, whole)

    def _put_offline(self, above: Above) -> None:
        """Keep what is carried to sites without a WAN; nobody fetches it."""
        snapshot, timestamp = above.offline
        if not timestamp:
            return  # of a signer of before
        folder = self.folder / OFFLINE / METADATA
        put(folder / f"{above.version}.snapshot.json", snapshot.encode())
        put(folder / "timestamp.json", timestamp.encode())
        prune(folder)

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
