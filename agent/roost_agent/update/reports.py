"""What the centre hears of the job that this node is at, put together from those who know."""

import asyncio
from contextlib import suppress
from typing import Final

from msgspec.structs import replace

from roost_agent.update import words
from roost_agent.update.coordinator import Coordinator
from roost_agent.update.hands import Hands
from roost_agent.update.keeper import Keeper
from roost_agent.update.local_job import LocalJob
from roost_agent.update.receipts import Receipts
from roost_agent.update.step import Step
from roost_agent.update.teller import Teller
from roost_protocol.update import SiteState, WaitReason

TELL_S: Final = 5.0  # for the centre to hear that a release goes in; with no way to it nobody waits
TELL_STEP_S: Final = 0.05


class Reports:
    """One node's.

    Args:
        node: its id.
        keeper: counts the journal's lines, and has the hash of the newest.
        hands: know what a download waits for.
        receipts: the newest goes with every report.
        teller: takes what is news.
        coordinator: knows whether the centre is reached.
    """

    def __init__(  # noqa: PLR0913 - what a report is made of
        self, node: str, *, keeper: Keeper, hands: Hands, receipts: Receipts, teller: Teller,
        coordinator: Coordinator,
    ) -> None:  # fmt: skip
        self._node = node
        self._keeper = keeper
        self._hands = hands
        self._receipts = receipts
        self._teller = teller
        self._coordinator = coordinator

    def number(self) -> None:
        """Number what follows beyond all that was told before the journal's newest line."""
        self._teller.begin(self._keeper.lines)

    def tell(self, job: LocalJob) -> None:
        """Tell where a job is, where that is news."""
        nodes = [words.said(self._node, job.node, self._keeper.receipt)]
        said = words.report(job.offer, job.node, nodes, job.verdict, 0)
        short_of = self._hands.short_of
        if short_of and job.node.state.step is Step.DOWNLOAD:
            said = replace(
                said, state=SiteState.WAITING, wait=WaitReason.BUDGET, detail=words.cut(short_of)
            )
        elif self._hands.broke_off and job.node.state.step is Step.DOWNLOAD:
            said = replace(said, detail=words.cut(self._hands.broke_off))
        self._teller.report(replace(said, install=self._receipts.newest))

    async def until_told(self) -> None:
        """Let the centre hear all that was told: that a release goes in, before it does.

        A node that falls silent by it would else count as one whose network failed while it waited.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(TELL_S):
                while (  # noqa: ASYNC110 - receipts change it, nothing is set
                    self._coordinator.is_reached() and not self._teller.is_told
                ):
                    await asyncio.sleep(TELL_STEP_S)
