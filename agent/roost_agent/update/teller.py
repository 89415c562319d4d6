"""Tells the centre of this node's updates: where a job is, and what runs. Puts it into the outbox.

A report is numbered beyond all that were told of its attempt before, also by an agent that has
ended since; one that says nothing new is not told.
"""

import logging
from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec.structs import replace

from roost_agent.errors import StorageError
from roost_agent.outbox.spool import Batch, Spool
from roost_agent.outbox.store import Entry
from roost_agent.ports import Clock
from roost_agent.update import words
from roost_protocol.codec import VERSION, encode, pack
from roost_protocol.envelope import ItemKind, Lane
from roost_protocol.update import JobReport, NodeSaid, Offer, SiteState, SoftwareReport

log = logging.getLogger(__name__)

REPORTS_A_LINE: Final = 1_000  # so that a number outlives a restart: lines are counted by journal


class Teller:
    """One node's.

    Args:
        spool: for what is told.
        clock: when it is.
    """

    def __init__(self, spool: Spool, clock: Clock) -> None:
        self._spool = spool
        self._clock = clock
        self._number = 0
        self._said = b""
        self._software = b""

    @property
    def is_told(self) -> bool:
        """Whether the centre has receipted all that was told."""
        lane = self._spool.lanes.get(Lane.BULK)
        return self._spool.is_idle and lane is not None and not lane.waiting_items

    def begin(self, lines: int) -> None:
        """Number the reports of a job whose journal has so many lines beyond those before."""
        self._number = lines * REPORTS_A_LINE

    def report(self, said: JobReport) -> None:
        """Tell where the job that is under way is, where that is news; its number is set here."""
        if encode(said) != self._said and self._append(ItemKind.UPDATE, self._numbered(said)):
            self._said = encode(said)

    def answer(  # noqa: PLR0913 - what an answer says
        self, offer: Offer, state: SiteState, text: str, *, retry_at_ms: int = 0, is_mine: bool,
        nodes: Sequence[NodeSaid] = (),
    ) -> None:  # fmt: skip
        """Tell of an offer that is not begun here, or of a cancel that came too late.

        Args:
            offer: that is answered.
            state: how.
            text: a sentence.
            retry_at_ms: when it may come again; 0: not said.
            is_mine: it is of the job that is under way.
            nodes: what it says of itself beside that.
        """
        said = JobReport(
            v=VERSION, job=offer.job, attempt=offer.attempt, seq=0, state=state,
            detail=words.cut(text), retry_at_ms=retry_at_ms, nodes=list(nodes),
        )  # fmt: skip
        self._append(ItemKind.UPDATE, self._numbered(said) if is_mine else replace(said, seq=1))

    def software(self, said: SoftwareReport) -> None:
        """Tell what runs, where that is news."""
        if encode(said) != self._software and self._append(ItemKind.SOFTWARE, said):
            self._software = encode(said)

    def _numbered(self, said: JobReport) -> JobReport:
        self._number += 1
        return replace(said, seq=self._number)

    def _append(self, kind: ItemKind, body: msgspec.Struct) -> bool:
        raw, compressed = pack(body)
        entry = Entry(Lane.BULK, kind, self._clock.wall_ms(), raw, compressed)
        try:
            self._spool.append(Batch((entry,), {}))
        except StorageError as err:
            log.warning("update: not told yet: %s", err)
            return False
        return True
