"""Guesses of a claim's secret: counted, told in the log, and an alarm as long as they go on.

A secret has 256 bits: nobody finds one. Who tries knows the claim's name, and ought to be looked
for. Claims that are not there are not counted.
"""

import logging
from collections import Counter
from typing import Final

from roost_central.alarms.book import AlarmBook
from roost_central.alarms.facts import OwnRaised
from roost_central.storage.claims import ClaimRecord
from roost_protocol.severity import Severity

logger = logging.getLogger(__name__)

TYPE: Final = "210.808"
TOLD: Final = 20  # wrong secrets of one claim; then each so many more
CLAIMS_MAX: Final = 1_000  # that are counted; of more the one that was guessed least is forgotten
QUIET_MS: Final = 3_600_000  # without so many more, and the alarm ends


class Guesses:
    """Counts them by claim.

    Args:
        book: of alarms; None: nobody looks.
    """

    def __init__(self, book: AlarmBook | None) -> None:
        self._book = book
        self._bad = Counter[str]()

    def note(self, claim: ClaimRecord) -> None:
        """Count a wrong secret."""
        if claim.id not in self._bad and len(self._bad) >= CLAIMS_MAX:
            del self._bad[min(self._bad, key=self._bad.__getitem__)]
        self._bad[claim.id] += 1
        count = self._bad[claim.id]
        if count % TOLD:
            return
        logger.warning("claim %s: %d wrong secrets: somebody guesses", claim.id, count)
        if self._book is not None:
            entity = f"central=roost,claim={claim.id}"
            raised = OwnRaised(
                TYPE,
                entity,
                Severity.MAJOR,
                {"claim": claim.id, "site": claim.site, "count": count},
                ttl_ms=QUIET_MS,
            )
            self._book.signal(raised)
