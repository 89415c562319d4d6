"""Receipts of this node: how a job ended, what runs since, signed with its key in a child.

A receipt is on the disk before it is told, and the newest goes with every report. One that was not
made, because the agent ended or the key could not be read, is made at the next start.
"""

import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from roost_agent.ports import Clock
from roost_agent.update import root_trust
from roost_agent.update.keeper import Keeper
from roost_agent.update.kept import Receipt
from roost_protocol.codec import VERSION, encode
from roost_protocol.install_receipt import InstallReceipt, SignedInstall, hash_of
from roost_protocol.update import Offer

log = logging.getLogger(__name__)

Sign = Callable[[bytes], Awaitable[bytes]]
Measure = Callable[[], Awaitable[dict[str, dict[str, str]]]]
MS: Final = 1_000


class Receipts:
    """One node's.

    Args:
        node, boot_id: that vouches, and its running system.
        keeper: of the journal.
        measure: says what runs, by component.
        sign: returns the signature over a body; None: this box has no key of a node.
        trust: root's folder, which says whether root has vouched for the clock.
        clock: when.
    """

    def __init__(  # noqa: PLR0913 - what a receipt is made of
        self, node: str, boot_id: str, *, keeper: Keeper, measure: Measure, sign: Sign | None,
        clock: Clock, trust: Path,
    ) -> None:  # fmt: skip
        self._node = node
        self._boot_id = boot_id
        self._keeper = keeper
        self._measure = measure
        self._sign = sign
        self._clock = clock
        self._trust = trust

    @property
    def newest(self) -> SignedInstall | None:
        """What goes with a report."""
        signed = self._keeper.signed
        return None if signed is None else SignedInstall(signed.body, signed.signature)

    def is_missing(self, offer: Offer) -> bool:
        """Say whether a job that has ended is not vouched for yet."""
        signed = self._keeper.signed
        mine = (offer.job, offer.attempt)
        return self._sign is not None and (signed is None or (signed.job, signed.attempt) != mine)

    async def make(self, offer: Offer, outcome: str) -> bool:
        """Vouch for a job that has ended; return whether that was done.

        The first number is the time, so that a node that lost its journal goes on above it.
        """
        last, now_ms = self._keeper.signed, self._clock.wall_ms()
        before, known = self.newest, 0 if last is None else last.counter
        try:
            assert self._sign is not None  # noqa: S101 - asked before
            runs = (await self._measure()).get(offer.component, {})
            receipt = InstallReceipt(
                v=VERSION, node=self._node, job=offer.job, attempt=offer.attempt,
                outcome=outcome, boot_id=self._boot_id,  # type: ignore[arg-type] # of the core
                counter=known + 1 if known else max(now_ms // MS, 1), component=offer.component,
                digest=runs.get("digest", ""), before="" if before is None else hash_of(before),
                at_ms=now_ms, clock_ok_ms=root_trust.read(self._trust).clock_ok_ms,
            )  # fmt: skip
            body = encode(receipt)
            signature = await self._sign(body)
        except (OSError, ValueError, TimeoutError) as err:
            log.warning("update: no receipt of job %s: %s", offer.job, str(err) or "no end of it")
            return False
        fresh = Receipt(receipt.counter, offer.job, offer.attempt, body, signature)
        await self._keeper.put_receipt(fresh)
        return True
