"""What the API says of releases."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from roost_central.api.instants import instant
from roost_central.releases.delegation import ROLES_MAX
from roost_central.releases.desk import ReleaseDesk
from roost_central.releases.shelf import Release
from roost_protocol.release.graph import hop


class ReleaseAnswer(msgspec.Struct, frozen=True):
    """A release.

    Attributes:
        digest: of its manifest, by which it is known everywhere.
        state: ``available``, ``uploading``, ``unavailable`` (a part is missing) or ``retracted``.
        counter: of its component; releases are ordered by it.
        least_counter: the least release to come from.
        floor: nothing below it is installed once this one runs for good.
        is_barrier: no update goes past it.
        bytes_full: what a node fetches that has none of its files.
        missing: blobs that the centre does not have.
        signed: when its signers signed it.
    """

    component: str
    version: str
    digest: str
    state: str
    counter: int
    least_counter: int
    floor: int
    is_barrier: bool
    hw: list[str]
    arch: str
    installer: str
    reboot: bool
    files: int
    size_unpacked: int
    bytes_full: int
    missing: int
    signed: str | None


class HopAnswer(msgspec.Struct, frozen=True):
    """Another release, and whether a node may go from it to this one in one step.

    Attributes:
        why: why it may not; empty: it may.
        wan_bytes: what it fetches then.
    """

    version: str
    counter: int
    why: str
    wan_bytes: int


class ReleaseDetail(ReleaseAnswer, frozen=True):
    """A release with the way to it."""

    sbom: str = ""
    hops: list[HopAnswer] = []
    deltas: int = 0


class ReleasePage(msgspec.Struct, frozen=True):
    """All releases, by component and counter.

    Attributes:
        version: of the targets that name them; 0: nothing is published yet.
        expires: when the signatures of their holders end.
    """

    items: list[ReleaseAnswer]
    version: int
    expires: str | None


class RepositoryAnswer(msgspec.Struct, frozen=True):
    """What the next draft follows: metadata as text; ``delegated``: of roles, by role."""

    image_roots: list[str]
    director_roots: list[str]
    targets: str
    delegated: dict[str, str]


class SiteRepositoryAnswer(msgspec.Struct, frozen=True):
    """All that a site is to have, for who carries it there.

    Attributes:
        files: path in the mirror to its text: metadata and manifests.
        blobs: digest to bytes, of the releases that the site is to install.
    """

    site: str
    files: dict[str, str]
    blobs: dict[str, int]


class ManifestAnswer(msgspec.Struct, frozen=True):
    """A manifest that was kept, and the blobs that are to be uploaded yet."""

    digest: str
    missing: list[str]


class PublishBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Metadata that offline keys signed, as text; empty: that one stays.

    ``delegated``: of the roles that targets give components to, by role.
    """

    image_roots: Annotated[list[str], Meta(max_length=8)] = []
    director_roots: Annotated[list[str], Meta(max_length=8)] = []
    targets: str = ""
    delegated: Annotated[dict[str, str], Meta(max_length=ROLES_MAX)] = {}


class PublishedAnswer(msgspec.Struct, frozen=True):
    """What is served from now on.

    Attributes:
        version: of the targets.
        added: paths that are newly named.
    """

    version: int
    added: list[str]


def release_answer(release: Release) -> ReleaseAnswer:
    """Return a release."""
    return ReleaseAnswer(**_told(release))


def release_detail(release: Release, desk: ReleaseDesk) -> ReleaseDetail:
    """Return a release with the way to it."""
    named = [each.custom for each in desk.store.chains.image.releases.values()]
    others = [
        each
        for each in desk.releases()
        if each.component == release.component and each.custom.counter < release.custom.counter
    ]
    hops = [
        HopAnswer(
            each.version,
            each.custom.counter,
            hop(named, each.custom.counter, release.custom).why,
            desk.wan_bytes(release, [each.digest]),
        )
        for each in others
    ]
    return ReleaseDetail(
        **_told(release),
        sbom=release.custom.sbom,
        hops=hops,
        deltas=len(release.manifest.deltas),
    )


def _told(release: Release) -> dict[str, Any]:
    custom = release.custom
    return {
        "component": release.component,
        "version": release.version,
        "digest": release.digest,
        "state": release.state,
        "counter": custom.counter,
        "least_counter": custom.least_counter,
        "floor": custom.floor,
        "is_barrier": custom.is_barrier,
        "hw": custom.hw,
        "arch": custom.arch,
        "installer": release.manifest.installer,
        "reboot": release.reboot,
        "files": len(release.manifest.files),
        "size_unpacked": custom.size_unpacked,
        "bytes_full": release.bytes_full,
        "missing": release.missing,
        "signed": instant(custom.signed_at_ms) if custom.signed_at_ms else None,
    }
