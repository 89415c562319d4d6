"""What each site is told to install, and who belongs to it: asked of the signer, kept, renewed.

Leaves to others: what a site is to install (rollouts), files (store.py), the signer's own judgement
(signer/release.py).

Invariant: what the signer refused is not served; a site keeps what it was told before.
"""

import asyncio
import logging
from base64 import b64encode
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

import msgspec

from roost_central.errors import SignerError
from roost_central.ports import Clock
from roost_central.releases.site_store import Given
from roost_central.releases.store import ReleaseStore
from roost_central.signer.client import Signer
from roost_central.signer.message import Approved, ForMembers, SignDirector, SignedDirector
from roost_protocol.release.approval import SignedApproval
from roost_protocol.release.director import VERSION, SiteDocument
from roost_protocol.release.meant import Shown
from roost_protocol.release.members import SignedMembers

logger = logging.getLogger(__name__)

MembersOf = Callable[[Collection[str]], Awaitable[Mapping[str, Mapping[str, int]]]]
IsOffline = Callable[[str], bool]


class SiteDocuments:
    """The documents that sites have.

    Args:
        store: of their files.
        signer: signs them.
        clock: UTC.

    Attributes:
        members_of: returns of each site who belongs to it, node id to the number of its box.
        is_offline: says whether a site has no WAN, so that its document counts longer.
    """

    def __init__(self, store: ReleaseStore, signer: Signer, clock: Clock) -> None:
        self.members_of: MembersOf = _nobody
        self.is_offline: IsOffline = lambda _site: False
        self._store = store
        self._signer = signer
        self._clock = clock
        self._given: dict[str, Given] = store.sites.given()
        self._refused: dict[str, SignerError] = {}

    def document(self, site: str) -> SiteDocument | None:
        """Return what a site was told last; None: nothing."""
        given = self._given.get(site)
        return None if given is None else given.document

    def refused(self, site: str) -> SignerError | None:
        """Return why the signer refuses what a site is to be told now; None: it does not."""
        return self._refused.get(site)

    def told(self) -> set[str]:
        """Return the sites that were told something."""
        return {*self._given}

    def forget(self, site: str) -> None:
        """Serve nothing any more to a site that was removed.

        Raises:
            OSError: the disk refuses.
        """
        self._given.pop(site, None)
        self._refused.pop(site, None)
        self._store.sites.forget(site)

    async def assign(
        self,
        documents: Sequence[SiteDocument],
        approvals: Sequence[SignedApproval],
        shown: Mapping[str, list[Shown]] | None = None,
    ) -> list[SignerError | None]:
        """Have sites told what to install, each by a whole document.

        Args:
            documents: of different sites; who belongs to them is put in here.
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

    async def renew(self, signed_before_ms: int) -> None:
        """Have told anew, with who belongs to them now, what was signed before a time, UTC.

        Raises:
            SignerError: the signer does not answer.
        """
        old = [each for each in self._given.values() if each.signed_ms < signed_before_ms]
        now_ms = self._clock.wall_ms()
        refused = await self._direct(
            [msgspec.structs.replace(each, signed_ms=now_ms) for each in old]
        )
        for each, why in zip(old, refused, strict=True):
            if why is not None:
                logger.warning("%s keeps its old document: %s", each.document.site, why.detail)

    async def tell_members(self, site: str) -> SignerError | None:
        """Have a site told who belongs to it now, with what it is to install as before.

        Returns:
            why it is not served; None: it is.
        """
        nothing = Given(SiteDocument(v=VERSION, site=site, assignments=[]))
        given = self._given.get(site, nothing)
        [why] = await self._direct(
            [msgspec.structs.replace(given, signed_ms=self._clock.wall_ms())]
        )
        return why

    async def _direct(self, wanted: Sequence[Given]) -> list[SignerError | None]:
        members = await self.members_of([each.document.site for each in wanted])
        told = [
            msgspec.structs.replace(
                each,
                document=msgspec.structs.replace(
                    each.document, members=dict(members.get(each.document.site, {}))
                ),
            )
            for each in wanted
        ]
        asked = [self._asked(each) for each in told]
        answers = await self._signer.sign_directors(asked)
        return await asyncio.to_thread(self._keep, told, answers)

    def _asked(self, given: Given) -> SignDirector:
        document = given.document
        return SignDirector(
            document.site,
            msgspec.json.encode(document).decode(),
            [_approved(one) for one in given.approvals],
            given.shown,
            given.version,
            [_for_members(one) for one in self._store.sites.words(document.site)],
            is_offline=self.is_offline(document.site),
        )

    def _keep(
        self, wanted: Sequence[Given], answers: Sequence[SignedDirector | SignerError]
    ) -> list[SignerError | None]:
        signed: list[tuple[Given, tuple[str, str, str]]] = []
        for given, answer in zip(wanted, answers, strict=True):
            if isinstance(answer, SignerError):
                self._refused[given.document.site] = answer
                continue
            kept = msgspec.structs.replace(given, version=answer.version)
            signed.append((kept, (answer.targets, answer.snapshot, answer.timestamp)))
        self._store.sites.put_directors(signed)
        for kept, _ in signed:
            self._given[kept.document.site] = kept
            self._refused.pop(kept.document.site, None)
        return [answer if isinstance(answer, SignerError) else None for answer in answers]

    def _version(self, site: str) -> int:
        given = self._given.get(site)
        return 0 if given is None else given.version


async def _nobody(_sites: Collection[str]) -> Mapping[str, Mapping[str, int]]:
    return {}


def _of(document: SiteDocument, approvals: Sequence[SignedApproval]) -> list[SignedApproval]:
    """Return the approvals that speak of a rollout of a document."""
    rollouts = [each.rollout.encode() for each in document.assignments]
    return [each for each in approvals if any(name in each.approval for name in rollouts)]


def _approved(each: SignedApproval) -> Approved:
    return Approved(b64encode(each.approval).decode(), b64encode(each.signature).decode())


def _for_members(each: SignedMembers) -> ForMembers:
    return ForMembers(b64encode(each.word).decode(), b64encode(each.signature).decode())
