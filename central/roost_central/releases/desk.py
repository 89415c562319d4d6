"""Releases at the centre: what is uploaded, what the signer signs, what nodes are served.

Leaves to others: files (store.py), the signer's own judgement (signer/release.py), which site gets
what and when (rollouts). What is signed for days is asked for anew well before it ends, so that a
fleet without news does not go stale.

Invariant: what a node may fetch was checked whole; what the signer refused is not served.
"""

import asyncio
import logging
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Final

import msgspec
from backports.zstd import decompress

from roost_central.errors import SignerError
from roost_central.ports import Clock, Entropy
from roost_central.releases.build import wan_bytes
from roost_central.releases.delegation import checked_whole, read_whole, roles_of
from roost_central.releases.fault import ReleaseError
from roost_central.releases.metadata import (
    Named,
    check_added,
    read_root,
    read_targets,
)
from roost_central.releases.operators import COMPONENT as OPERATORS
from roost_central.releases.operators import FILE as OPERATORS_FILE
from roost_central.releases.operators import Operators, operators_of
from roost_central.releases.standing import (
    DIRECTOR_ROOT,
    IMAGE_ROOT,
    ONLINE,
    TARGETS,
    Life,
)
from roost_central.releases.store import DIRECTOR, IMAGE, Given, ReleaseStore
from roost_central.signer.client import Signer
from roost_central.signer.message import Approved, SignDirector, SignedDirector, SignImage
from roost_protocol.release.approval import Approval, SignedApproval
from roost_protocol.release.director import SiteDocument
from roost_protocol.release.manifest import Manifest
from roost_protocol.release.meant import Shown
from roost_protocol.release.target import TargetCustom, target_path

logger = logging.getLogger(__name__)

AVAILABLE, UNAVAILABLE = "available", "unavailable"
UPLOADING, RETRACTED = "uploading", "retracted"
NAMED: Final = frozenset({AVAILABLE, UNAVAILABLE})  # by the image repository, now
LOOK_S: Final = 600.0
OPERATORS_BYTES_MAX: Final = 64 << 10
NAME_BYTES: Final = 8


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


class ReleaseDesk:
    """All of it.

    Args:
        folder: of the store.
        signer: signs what is online.
        clock: UTC, by which expiry is judged.
        entropy: names of uploads.

    Raises:
        ReleaseError: what is in the folder cannot be read.
        OSError: it cannot be used.
    """

    def __init__(self, folder: Path, signer: Signer, clock: Clock, entropy: Entropy) -> None:
        self.store = ReleaseStore(folder)
        self._signer = signer
        self._clock = clock
        self._entropy = entropy
        self._given: dict[str, Given] = self.store.given()
        self._lock = asyncio.Lock()  # one publication at a time

    @property
    def is_published(self) -> bool:
        """Whether there is an image repository to fetch."""
        return self.store.image.targets is not None

    def releases(self) -> list[Release]:
        """Return every release that is known, by component and counter."""
        named_ = {each.digest: each for each in self.store.image.releases.values()}
        found = []
        for digest, manifest in self.store.manifests.items():
            release = named_.get(digest)
            missing = len(self.store.missing(digest))
            if release is not None:
                state = UNAVAILABLE if missing else AVAILABLE
                custom = release.custom
            else:
                gone = self._was_named(manifest, digest)
                state = RETRACTED if gone else UPLOADING
                custom = _said(manifest)
            path = target_path(manifest.component, manifest.version)
            full = sum({each.blob: each.blob_size for each in manifest.files}.values())
            found.append(
                Release(
                    manifest.component,
                    manifest.version,
                    path,
                    digest,
                    state,
                    custom,
                    manifest,
                    full,
                    missing,
                )
            )
        return sorted(found, key=lambda each: (each.component, each.custom.counter, each.digest))

    def find(self, component: str, version: str) -> Release | None:
        """Return a release that is named, or else one of that name that is not."""
        of_it = [
            each
            for each in self.releases()
            if (each.component, each.version) == (component, version)
        ]
        of_it.sort(key=lambda each: each.state not in NAMED)
        return of_it[0] if of_it else None

    def wan_bytes(self, release: Release, running: Sequence[str]) -> int:
        """Return what a node fetches that has releases of these digests."""
        here = [self.store.manifests[each] for each in running if each in self.store.manifests]
        return wan_bytes(release.manifest, here)

    def document(self, site: str) -> SiteDocument | None:
        """Return what a site was told last; None: nothing."""
        given = self._given.get(site)
        return None if given is None else given.document

    def told(self) -> set[str]:
        """Return the sites that were told something."""
        return {*self._given}

    def forget(self, site: str) -> None:
        """Serve nothing any more to a site that was removed.

        Raises:
            OSError: the disk refuses.
        """
        self._given.pop(site, None)
        self.store.forget(site)

    async def approvals_needed(self) -> int:
        """Return how many operators the signer wants to have agreed.

        Raises:
            SignerError: it does not answer, or signs no releases.
        """
        facts = await self._signer.info()
        if facts.releases is None:
            raise SignerError("releases", "this signer holds no keys of releases")
        return facts.releases.approvals

    async def publish(
        self,
        roots: Sequence[bytes],
        targets: bytes,
        delegated: Mapping[str, bytes] = MappingProxyType({}),
    ) -> list[Named]:
        """Serve targets that their holders signed; return what is newly named.

        Args:
            roots: newer ones, oldest first.
            targets: of the top level; empty: those that are served.
            delegated: of roles that they give components to; the others stay as they are.

        Raises:
            ReleaseError: they do not hold, or something of a release is not here.
            SignerError: the signer does not agree.
            OSError: something cannot be written.
        """
        async with self._lock:
            store = self.store
            for raw in roots:
                await asyncio.to_thread(store.take_root, IMAGE, raw)
            root = store.image.root
            if root is None:
                raise ReleaseError("repository", "there is no root of the image repository yet")
            before = store.image.whole
            least = {} if before is None else before.versions
            targets = targets or store.targets_raw()
            given = roles_of(read_targets(targets, TARGETS).signed)
            kept = {**store.delegated_raw(), **delegated}
            raws = {role: raw for role, raw in kept.items() if role in given}
            made = checked_whole(root, targets, raws, self._clock.wall_ms(), least)
            after = made.releases
            added = check_added(dict(store.image.releases), after)
            for release in after.values():
                await asyncio.to_thread(store.check, release)
            await self._sign_image(targets, raws)
            logger.info(
                "targets of version %d are served: %d releases, %d of them new",
                made.top.signed.version, len(after), len(added),
            )  # fmt: skip
            return added

    async def follow(self, roots: Sequence[bytes]) -> None:
        """Keep roots that follow the present one; what is served goes on below the newest.

        Raises:
            ReleaseError: they do not follow, or what is served is not signed by their keys.
            SignerError: the signer does not agree.
            OSError: something cannot be written.
        """
        async with self._lock:
            for raw in roots:
                await asyncio.to_thread(self.store.take_root, IMAGE, raw)
            if roots and self.is_published:
                await self._sign_image(self.store.targets_raw(), self.store.delegated_raw())

    def carried(self, site: str) -> tuple[dict[str, str], dict[str, int]]:
        """Return what a site is to have, as a node's mirror has it.

        Returns:
            path to text of metadata and manifests; blobs of what the site is to install, digest to
            bytes.

        Raises:
            ReleaseError: ``repository``: nothing is published, or the site was told nothing.
        """
        if not self.is_published or site not in self._given:
            raise ReleaseError("repository", f"{site} was told nothing to install yet")
        return self.store.carried(site)

    async def take_director_root(self, raw: bytes) -> int:
        """Keep a root of the director; return its version.

        Raises:
            ReleaseError: it does not follow the one before.
            OSError: it cannot be written.
        """
        return await asyncio.to_thread(self.store.take_root, DIRECTOR, raw)

    async def take_manifest(self, raw: bytes) -> str:
        """Keep a manifest; return its digest.

        Raises:
            ReleaseError: it is none.
            OSError: it cannot be written.
        """
        return await asyncio.to_thread(self.store.take_manifest, raw)

    def upload(self) -> Path:
        """Return where an upload goes until it is whole.

        Raises:
            ReleaseError: ``busy``.
        """
        return self.store.incoming(self._entropy.token(NAME_BYTES).hex())

    async def operators(self) -> list[str]:
        """Return who may approve, by name.

        Raises:
            ReleaseError: what is here is broken.
            OSError: it cannot be read.
        """
        return sorted((await asyncio.to_thread(self._who)).keys)

    async def check_approval(self, signed: SignedApproval) -> Approval:
        """Return an approval that one of the operators signed, by the newest that were named.

        Raises:
            ReleaseError: ``approval``: nobody did who may approve; else what is here is broken.
            OSError: it cannot be read.
        """
        return (await asyncio.to_thread(self._who)).check(signed)

    async def assign(
        self,
        documents: Sequence[SiteDocument],
        approvals: Sequence[SignedApproval],
        shown: Mapping[str, list[Shown]] | None = None,
    ) -> list[SignerError | None]:
        """Have sites told what to install, each by a whole document.

        Args:
            documents: of different sites.
            approvals: of the rollouts in them; who needs which is found here.
            shown: by site, why it is meant by the rollouts in its document.

        Returns:
            for each document why it is not served; None: it is.
        """
        now_ms, why = self._clock.wall_ms(), (shown or {}).get
        wanted = [
            Given(each, _of(each, approvals), self._version(each.site), now_ms, why(each.site, []))
            for each in documents
        ]
        return await self._direct(wanted)

    def lives(self) -> dict[str, Life]:
        """Return from when until when each part of the repositories counts; blocks on the disk."""
        image = self.store.image
        found: dict[str, Life] = {}
        if image.root is not None:
            found[IMAGE_ROOT] = Life(0, _ms(image.root.signed.expires))
        if roots := self.store.roots(DIRECTOR):
            found[DIRECTOR_ROOT] = Life(0, _ms(read_root(roots[-1], DIRECTOR).signed.expires))
        if image.whole is not None:
            found[TARGETS] = Life(0, image.whole.ends_ms)
            found[ONLINE] = Life(image.version, self.store.timestamp_ends_ms())
        return found

    async def run(self) -> None:
        """Ask again for what ends soon, until cancelled."""
        while True:
            self.store.look_again()
            try:
                await self._refresh()
            except (SignerError, ReleaseError, OSError) as err:
                logger.warning("metadata of releases is not signed anew: %s", err)
            await asyncio.sleep(LOOK_S)

    async def _refresh(self) -> None:
        facts = await self._signer.info()
        if facts.releases is None:
            return
        # A day is a seventh of what is signed for a week: six tries of a day before it ends.
        due_ms = self._clock.wall_ms() - facts.releases.days * 86_400_000 // 7
        image = self.store.image
        if image.targets is not None and image.version < due_ms:
            async with self._lock:
                await self._sign_image(self.store.targets_raw(), self.store.delegated_raw())
        old = [each for each in self._given.values() if each.signed_ms < due_ms]
        now_ms = self._clock.wall_ms()
        refused = await self._direct(
            [msgspec.structs.replace(each, signed_ms=now_ms) for each in old]
        )
        for each, why in zip(old, refused, strict=True):
            if why is not None:
                logger.warning("%s keeps its old document: %s", each.document.site, why.detail)

    async def _direct(self, wanted: Sequence[Given]) -> list[SignerError | None]:
        asked = [
            SignDirector(
                each.document.site,
                msgspec.json.encode(each.document).decode(),
                [_approved(one) for one in each.approvals],
                each.shown,
                each.version,
            )
            for each in wanted
        ]
        answers = await self._signer.sign_directors(asked)
        return await asyncio.to_thread(self._keep, wanted, answers)

    def _keep(
        self, wanted: Sequence[Given], answers: Sequence[SignedDirector | SignerError]
    ) -> list[SignerError | None]:
        told: list[SignerError | None] = []
        for given, answer in zip(wanted, answers, strict=True):
            if isinstance(answer, SignerError):
                told.append(answer)
                continue
            site = given.document.site
            kept = msgspec.structs.replace(given, version=answer.version)
            signed = (answer.targets, answer.snapshot, answer.timestamp)
            self.store.put_director(site, kept, signed)
            self._given[site] = kept
            told.append(None)
        return told

    async def _sign_image(self, targets: bytes, delegated: Mapping[str, bytes]) -> None:
        """Have the newest targets signed above, and serve them."""
        store = self.store
        roots = await asyncio.to_thread(store.roots, IMAGE)
        manifest, operators = await asyncio.to_thread(self._operators, targets, delegated)
        asked = SignImage(
            targets=targets.decode(), roots=[each.decode() for each in roots[-8:]],
            delegated={role: raw.decode() for role, raw in delegated.items()},
            operators_manifest=manifest, operators=operators, after=store.image.version,
        )  # fmt: skip
        signed = await self._signer.sign_image(asked)
        above = (signed.snapshot, signed.timestamp, signed.version)
        await asyncio.to_thread(store.publish, roots, targets, delegated, above)

    def _operators(self, targets: bytes, delegated: Mapping[str, bytes]) -> tuple[str, str]:
        """Return manifest and file of the newest release of the operators; empty: there is none."""
        of_it = [
            each
            for each in read_whole(targets, delegated).releases.values()
            if each.custom.component == OPERATORS
        ]
        if not of_it:
            return "", ""
        newest = max(of_it, key=lambda each: each.custom.counter)
        raw = (self.store.folder / "manifests" / newest.digest).read_bytes()
        manifest = self.store.manifests[newest.digest]
        for entry in manifest.files:
            if entry.path == OPERATORS_FILE and entry.size <= OPERATORS_BYTES_MAX:
                with self.store.open_blob(entry.blob) as file:
                    return raw.decode(), decompress(file.read()).decode()
        raise ReleaseError("bundle", f"{newest.path} has no {OPERATORS_FILE}")

    def _who(self) -> Operators:
        """Return who may approve, by what is served."""
        if not self.is_published:
            return Operators()
        store = self.store
        found = self._operators(store.targets_raw(), store.delegated_raw())
        manifest, file = (each.encode() for each in found)
        return operators_of(manifest, file, sha256(manifest).hexdigest()) if file else Operators()

    def _version(self, site: str) -> int:
        given = self._given.get(site)
        return 0 if given is None else given.version

    def _was_named(self, manifest: Manifest, digest: str) -> bool:
        path = target_path(manifest.component, manifest.version)
        folder, _, file = path.rpartition("/")
        return (self.store.folder / IMAGE / "targets" / folder / f"{digest}.{file}").exists()


def _ms(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000


def _said(manifest: Manifest) -> TargetCustom:
    return TargetCustom(
        component=manifest.component, version=manifest.version, counter=manifest.release_counter,
        hw=manifest.hw, arch=manifest.arch, size_unpacked=manifest.size_unpacked, signed_at_ms=0,
    )  # fmt: skip


def _of(document: SiteDocument, approvals: Sequence[SignedApproval]) -> list[SignedApproval]:
    """Return the approvals that speak of a rollout of a document."""
    rollouts = [each.rollout.encode() for each in document.assignments]
    return [each for each in approvals if any(name in each.approval for name in rollouts)]


def _approved(each: SignedApproval) -> Approved:
    return Approved(b64encode(each.approval).decode(), b64encode(each.signature).decode())
