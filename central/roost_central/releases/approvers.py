"""Who may approve, by the newest release of the operators that a store has."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Final

from backports.zstd import decompress

from roost_central.releases.delegation import read_whole
from roost_central.releases.fault import ReleaseError
from roost_central.releases.operators import COMPONENT, FILE, Operators, operators_of
from roost_central.releases.store import ReleaseStore

OPERATORS_BYTES_MAX: Final = 64 << 10


def operators_files(
    store: ReleaseStore, targets: bytes, delegated: Mapping[str, bytes]
) -> tuple[str, str]:
    """Return manifest and file of the newest release of the operators; empty: there is none.

    Args:
        store: with its blobs.
        targets: that name it.
        delegated: of the roles that they give components to, by role.

    Raises:
        ReleaseError: ``bundle``: the release has no such file.
        OSError: it cannot be read.
    """
    of_it = [
        each
        for each in read_whole(targets, delegated).releases.values()
        if each.custom.component == COMPONENT
    ]
    if not of_it:
        return "", ""
    newest = max(of_it, key=lambda each: each.custom.counter)
    raw = (store.folder / "manifests" / newest.digest).read_bytes()
    manifest = store.bundles.manifests[newest.digest]
    for entry in manifest.files:
        if entry.path == FILE and entry.size <= OPERATORS_BYTES_MAX:
            with store.bundles.open_blob(entry.blob) as file:
                return raw.decode(), decompress(file.read()).decode()
    raise ReleaseError("bundle", f"{newest.path} has no {FILE}")


def approvers(store: ReleaseStore) -> Operators:
    """Return who may approve, by what is served.

    Raises:
        ReleaseError: what is here is broken.
        OSError: it cannot be read.
    """
    if store.chains.image.targets is None:
        return Operators()
    found = operators_files(store, store.chains.targets_raw(), store.chains.delegated_raw())
    manifest, file = (each.encode() for each in found)
    return operators_of(manifest, file, sha256(manifest).hexdigest()) if file else Operators()
