"""Which boxes of the queue are meant by what they brought and what they say they are."""

from dataclasses import dataclass

from roost_central.enrol.hardware import hardware_of
from roost_central.storage.enrolments import EnrolmentRecord
from roost_protocol.enrol import ClaimKind


@dataclass(frozen=True, slots=True)
class Matching:
    """Which boxes; what is empty may be anything.

    Attributes:
        sites: that whoever asks may decide for; None: all.
    """

    site: str = ""
    claim: str = ""
    vendor: str = ""
    product: str = ""
    serials: frozenset[str] = frozenset()
    sites: frozenset[str] | None = None

    def of(self, box: EnrolmentRecord) -> bool:
        """Whether a box is one of them; one without a claim never is: it is looked at alone."""
        if box.kind in {ClaimKind.BARE, ClaimKind.EXPIRED}:
            return False
        said = hardware_of(box.hardware)
        return (
            (self.sites is None or box.site in self.sites)
            and self.site in {"", box.site}
            and self.claim in {"", box.claim}
            and self.vendor in {"", said.vendor}
            and self.product in {"", said.product}
            and (not self.serials or said.serial in self.serials)
        )
