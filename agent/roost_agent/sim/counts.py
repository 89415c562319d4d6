"""What the simulated fleet did since it started."""

from dataclasses import dataclass


@dataclass(slots=True)
class Counts:
    """Totals over all nodes.

    Attributes:
        items: put into outboxes; those that a central has not receipted wait.
        receipted: items that a central said it has committed.
        lost: messages that a fault or a missing connection swallowed.
    """

    beats: int = 0
    reports: int = 0
    items: int = 0
    receipts: int = 0
    receipted: int = 0
    resyncs: int = 0
    lost: int = 0
    refused: int = 0

    @property
    def waiting(self) -> int:
        """Items that no central has receipted yet."""
        return self.items - self.receipted
