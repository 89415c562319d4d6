"""Who votes on the leases of a site, and how many of them it takes."""

import msgspec


class Electorate(msgspec.Struct, frozen=True):
    """The voters of one configuration; nodes by their index.

    Attributes:
        cfgver: of the configuration: voters, mode and timing.
        voters: one, three or five; two only where it is sticky.
        nodes: all of the site.
        sticky: every voter must grant, and a grant has no end.
    """

    cfgver: int
    voters: tuple[int, ...]
    nodes: tuple[int, ...]
    sticky: bool = False

    @property
    def needed(self) -> int:
        """How many grants make a right."""
        return len(self.voters) if self.sticky else len(self.voters) // 2 + 1
