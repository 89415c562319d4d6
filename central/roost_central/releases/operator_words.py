"""What operators agreed to: who they are, their approvals, their words for a site's members.

Leaves to others: how an operator is named and a word of theirs checked (approvers.py), what the
members of a site are (site_documents.py).
"""

import asyncio

from roost_central.ports import Clock
from roost_central.releases.approvers import approvers
from roost_central.releases.fault import ReleaseError
from roost_central.releases.site_documents import SiteDocuments
from roost_central.releases.store import ReleaseStore
from roost_protocol.release.approval import Approval, SignedApproval
from roost_protocol.release.members import MembersWord, SignedMembers


class OperatorWords:
    """See the module.

    Args:
        store: of releases, where operators are named and their words kept.
        sites: what each site is told.
        clock: UTC, by which a word counts.
    """

    def __init__(self, store: ReleaseStore, sites: SiteDocuments, clock: Clock) -> None:
        self._store = store
        self._sites = sites
        self._clock = clock

    async def operators(self) -> list[str]:
        """Return who may approve, by name.

        Raises:
            ReleaseError: what is here is broken.
            OSError: it cannot be read.
        """
        return sorted((await asyncio.to_thread(approvers, self._store)).keys)

    async def check_approval(self, signed: SignedApproval) -> Approval:
        """Return an approval that one of the operators signed, by the newest that were named.

        Raises:
            ReleaseError: ``approval``: nobody did who may approve; else what is here is broken.
            OSError: it cannot be read.
        """
        return (await asyncio.to_thread(approvers, self._store)).check(signed)

    async def take_word(self, site: str, signed: SignedMembers) -> MembersWord:
        """Keep an operator's word for the members of a site; the next document goes with it.

        Raises:
            ReleaseError: ``approval``: nobody signed it who may approve; ``members``: it is for
                others than belong to the site now, or not of this time.
            OSError: it cannot be kept.
        """
        who, now_ms = await asyncio.to_thread(approvers, self._store), self._clock.wall_ms()
        said = who.check_members(signed)
        if not said.not_before_ms <= now_ms < said.not_after_ms:
            raise ReleaseError("members", f"the word of {said.operator} does not count now")
        now = dict((await self._sites.members_of([site])).get(site, {}))
        if (said.site, said.members) != (site, now):
            text = f"the word is not for the {len(now)} members that {site} has now: sign anew"
            raise ReleaseError("members", text)
        words = [each for each in self._store.sites.words(site) if each.word != signed.word]
        kept = [each for each in words if who.agreed_to_members([each], site, now, now_ms)]
        await asyncio.to_thread(self._store.sites.put_words, site, [*kept, signed])
        return said

    async def agreed(self, site: str) -> set[str]:
        """Return who signed for the members that a site has now.

        Raises:
            ReleaseError: what is here is broken.
            OSError: it cannot be read.
        """
        who = await asyncio.to_thread(approvers, self._store)
        now = dict((await self._sites.members_of([site])).get(site, {}))
        return who.agreed_to_members(
            self._store.sites.words(site), site, now, self._clock.wall_ms()
        )
