"""The two repositories on the centre's disk, as nodes fetch them.

``image/metadata``, ``image/targets`` (manifests), ``image-offline/metadata`` (what stands above
them for sites without a WAN: it is carried there, nobody fetches it), ``director/metadata``
(roots), ``sites/SITE`` (what the director says to each, and what operators said of its members),
``blobs/XX/DIGEST``, ``manifests/DIGEST`` (what was uploaded, named or not), ``incoming`` (not whole
yet). What nodes fetch of it is public to them, and none of it is believed by them.

Leaves to others: metadata (chain_store.py), manifests and blobs (bundle_store.py), documents of
sites (site_store.py), and how a file is written (served_files.py).
"""

from pathlib import Path

from roost_central.releases.bundle import blobs_of
from roost_central.releases.bundle_store import BundleStore
from roost_central.releases.chain_store import ChainStore
from roost_central.releases.folders import DIRECTOR, IMAGE, MANIFESTS, METADATA, OFFLINE, SITES
from roost_central.releases.site_store import GIVEN, SiteStore, read_given


class ReleaseStore:
    """The folder.

    Args:
        folder: it is made where it is not there.

    Attributes:
        chains: metadata.
        bundles: manifests and blobs.
        sites: their documents.

    Raises:
        ReleaseError: ``metadata``: what is there cannot be read.
        OSError: it cannot be used.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.chains = ChainStore(folder)
        self.bundles = BundleStore(folder)
        self.sites = SiteStore(folder)

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
        document = read_given(self.folder / SITES / site / GIVEN).document
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
            release = self.chains.image.releases.get(target)
            if release is None:
                continue  # it was retracted: nodes say so, too
            above, _, file = target.rpartition("/")
            raw = (self.folder / MANIFESTS / release.digest).read_text()
            files[f"{IMAGE}/targets/{above}/{release.digest}.{file}"] = raw
            blobs |= blobs_of(self.bundles.manifests[release.digest])
        return files, blobs
