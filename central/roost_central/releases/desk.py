"""Releases at the centre: what is uploaded, what the signer signs, what nodes are served.

Leaves to others: files (store.py), the signer's own judgement (signer/release.py), what operators
agreed to (operator_words.py), which site gets what and when (rollouts). What is signed for days is
asked for anew well before it ends, so that a fleet without news does not go stale.

Invariant: what a node may fetch was checked whole; what the signer refused is not served.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Final

from roost_central.errors import SignerError
from roost_central.ports import Clock, Entropy
from roost_central.releases.approvers import operators_files
from roost_central.releases.chain_store import Above
from roost_central.releases.delegation import check_follows, checked_whole, roles_of
from roost_central.releases.fault import ReleaseError
from roost_central.releases.folders import DIRECTOR, IMAGE
from roost_central.releases.metadata import (
    Named,
    check_added,
    read_root,
    read_targets,
)
from roost_central.releases.operator_words import OperatorWords
from roost_central.releases.shelf import Release, find, listed, wan_bytes
from roost_central.releases.site_documents import SiteDocuments
from roost_central.releases.standing import (
    DIRECTOR_ROOT,
    IMAGE_ROOT,
    ONLINE,
    TARGETS,
    Life,
)
from roost_central.releases.store import ReleaseStore
from roost_central.signer.client import Signer
from roost_central.signer.message import SignImage

logger = logging.getLogger(__name__)

LOOK_S: Final = 600.0
NAME_BYTES: Final = 8


class ReleaseDesk:
    """All of it.

    Args:
        folder: of the store.
        signer: signs what is online.
        clock: UTC, by which expiry is judged.
        entropy: names of uploads.

    Attributes:
        sites: what each site is told.
        words: what operators agreed to.

    Raises:
        ReleaseError: what is in the folder cannot be read.
        OSError: it cannot be used.
    """

    def __init__(self, folder: Path, signer: Signer, clock: Clock, entropy: Entropy) -> None:
        self.store = ReleaseStore(folder)
        self._signer = signer
        self._clock = clock
        self._entropy = entropy
        self.sites = SiteDocuments(self.store, signer, clock)
        self.words = OperatorWords(self.store, self.sites, clock)
        self._lock = asyncio.Lock()  # one publication at a time

    @property
    def is_published(self) -> bool:
        """Whether there is an image repository to fetch."""
        return self.store.chains.image.targets is not None

    def releases(self) -> list[Release]:
        """Return every release that is known, by component and counter."""
        return listed(self.store)

    def find(self, component: str, version: str) -> Release | None:
        """Return a release that is named, or else one of that name that is not."""
        return find(self.store, component, version)

    def wan_bytes(self, release: Release, running: Sequence[str]) -> int:
        """Return what a node fetches that has releases of these digests."""
        return wan_bytes(self.store, release, running)

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
                await asyncio.to_thread(store.chains.take_root, IMAGE, raw)
            root = store.chains.image.root
            if root is None:
                raise ReleaseError("repository", "there is no root of the image repository yet")
            before = store.chains.image.whole
            least = {} if before is None else before.versions
            targets = targets or store.chains.targets_raw()
            given = roles_of(read_targets(targets, TARGETS).signed)
            kept = {**store.chains.delegated_raw(), **delegated}
            raws = {role: raw for role, raw in kept.items() if role in given}
            made = checked_whole(root, targets, raws, self._clock.wall_ms(), least)
            check_follows(before, made)
            after = made.releases
            added = check_added(dict(store.chains.image.releases), after)
            for release in after.values():
                await asyncio.to_thread(store.bundles.check, release)
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
                await asyncio.to_thread(self.store.chains.take_root, IMAGE, raw)
            if roots and self.is_published:
                await self._sign_image(
                    self.store.chains.targets_raw(), self.store.chains.delegated_raw()
                )

    def carried(self, site: str) -> tuple[dict[str, str], dict[str, int]]:
        """Return what a site is to have, as a node's mirror has it; without a WAN for longer.

        Returns:
            path to text of metadata and manifests; blobs of what the site is to install, digest to
            bytes.

        Raises:
            ReleaseError: ``repository``: nothing is published, or the site was told nothing.
        """
        if not self.is_published or self.sites.document(site) is None:
            raise ReleaseError("repository", f"{site} was told nothing to install yet")
        return self.store.carried(site, is_offline=self.sites.is_offline(site))

    async def take_director_root(self, raw: bytes) -> int:
        """Keep a root of the director; return its version.

        Raises:
            ReleaseError: it does not follow the one before.
            OSError: it cannot be written.
        """
        return await asyncio.to_thread(self.store.chains.take_root, DIRECTOR, raw)

    async def take_manifest(self, raw: bytes) -> str:
        """Keep a manifest; return its digest.

        Raises:
            ReleaseError: it is none.
            OSError: it cannot be written.
        """
        return await asyncio.to_thread(self.store.bundles.take_manifest, raw)

    def upload(self) -> Path:
        """Return where an upload goes until it is whole.

        Raises:
            ReleaseError: ``busy``.
        """
        return self.store.bundles.incoming(self._entropy.token(NAME_BYTES).hex())

    def lives(self) -> dict[str, Life]:
        """Return from when until when each part of the repositories counts; blocks on the disk."""
        image = self.store.chains.image
        found: dict[str, Life] = {}
        if image.root is not None:
            found[IMAGE_ROOT] = Life(0, _ms(image.root.signed.expires))
        if roots := self.store.chains.roots(DIRECTOR):
            found[DIRECTOR_ROOT] = Life(0, _ms(read_root(roots[-1], DIRECTOR).signed.expires))
        if image.whole is not None:
            found[TARGETS] = Life(0, image.whole.ends_ms)
            found[ONLINE] = Life(image.version, self.store.chains.timestamp_ends_ms())
        return found

    async def run(self) -> None:
        """Ask again for what ends soon, until cancelled."""
        while True:
            self.store.bundles.look_again()
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
        image = self.store.chains.image
        if image.targets is not None and image.version < due_ms:
            async with self._lock:
                await self._sign_image(
                    self.store.chains.targets_raw(), self.store.chains.delegated_raw()
                )
        await self.sites.renew(due_ms)

    async def _sign_image(self, targets: bytes, delegated: Mapping[str, bytes]) -> None:
        """Have the newest targets signed above, and serve them."""
        store = self.store
        roots = await asyncio.to_thread(store.chains.roots, IMAGE)
        manifest, operators = await asyncio.to_thread(operators_files, store, targets, delegated)
        asked = SignImage(
            targets=targets.decode(), roots=[each.decode() for each in roots[-8:]],
            delegated={role: raw.decode() for role, raw in delegated.items()},
            operators_manifest=manifest, operators=operators, after=store.chains.image.version,
        )  # fmt: skip
        signed = await self._signer.sign_image(asked)
        above = Above(signed.snapshot, signed.timestamp, signed.version, signed.offline)
        await asyncio.to_thread(store.chains.publish, roots, targets, delegated, above)


def _ms(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000
