"""The releases that a store has, as people and rollouts see them: named, uploading, retracted."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from roost_central.releases.bundle import wan_bytes as bytes_from
from roost_central.releases.folders import IMAGE
from roost_central.releases.store import ReleaseStore
from roost_protocol.release.manifest import Manifest
from roost_protocol.release.target import TargetCustom, target_path

AVAILABLE, UNAVAILABLE = "available", "unavailable"
UPLOADING, RETRACTED = "uploading", "retracted"
NAMED: Final = frozenset({AVAILABLE, UNAVAILABLE})  # by the image repository, now


@dataclass(frozen=True, slots=True)
class Release:
    """A release as people and rollouts see it.

    Attributes:
        state: ``available``; ``uploading``: its manifest or some blobs are here and it is not named
            yet; ``unavailable``: it is named and a blob is missing; ``retracted``: it was named.
        custom: what its signers say; of one that was never named, what its manifest says.
        bytes_full: of all its files' blobs.
        missing: blobs that are not here.
    """

    component: str
    version: str
    path: str
    digest: str
    state: str
    custom: TargetCustom
    manifest: Manifest
    bytes_full: int
    missing: int

    @property
    def reboot(self) -> bool:
        """Whether installing it takes one."""
        return self.manifest.reboot

    @property
    def expected_alarms(self) -> dict[str, int]:
        """Type to seconds for which it is no failure."""
        return self.manifest.expected_alarms


def listed(store: ReleaseStore) -> list[Release]:
    """Return every release that is known, by component and counter."""
    custom_of = {each.digest: each.custom for each in store.chains.image.releases.values()}
    found = [
        _release(store, digest, manifest, custom_of.get(digest))
        for digest, manifest in store.bundles.manifests.items()
    ]
    return sorted(found, key=lambda each: (each.component, each.custom.counter, each.digest))


def find(store: ReleaseStore, component: str, version: str) -> Release | None:
    """Return a release that is named, or else one of that name that is not."""
    of_it = [
        each for each in listed(store) if (each.component, each.version) == (component, version)
    ]
    of_it.sort(key=lambda each: each.state not in NAMED)
    return of_it[0] if of_it else None


def wan_bytes(store: ReleaseStore, release: Release, running: Sequence[str]) -> int:
    """Return what a node fetches that has releases of these digests."""
    here = [store.bundles.manifests[each] for each in running if each in store.bundles.manifests]
    return bytes_from(release.manifest, here)


def _release(
    store: ReleaseStore, digest: str, manifest: Manifest, custom: TargetCustom | None
) -> Release:
    missing = len(store.bundles.missing(digest))
    if custom is not None:
        state = UNAVAILABLE if missing else AVAILABLE
    else:
        state = RETRACTED if _was_named(store, manifest, digest) else UPLOADING
    return Release(
        component=manifest.component,
        version=manifest.version,
        path=target_path(manifest.component, manifest.version),
        digest=digest,
        state=state,
        custom=custom or _said(manifest),
        manifest=manifest,
        bytes_full=sum({each.blob: each.blob_size for each in manifest.files}.values()),
        missing=missing,
    )


def _was_named(store: ReleaseStore, manifest: Manifest, digest: str) -> bool:
    path = target_path(manifest.component, manifest.version)
    folder, _, file = path.rpartition("/")
    return (store.folder / IMAGE / "targets" / folder / f"{digest}.{file}").exists()


def _said(manifest: Manifest) -> TargetCustom:
    return TargetCustom(
        component=manifest.component, version=manifest.version, counter=manifest.release_counter,
        hw=manifest.hw, arch=manifest.arch, size_unpacked=manifest.size_unpacked, signed_at_ms=0,
    )  # fmt: skip
