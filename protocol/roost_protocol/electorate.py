"""Who votes on the leases of a site, and how many of them it takes."""

import msgspec

from roost_protocol.configuration import WITNESS, Configuration, generation


class Electorate(msgspec.Struct, frozen=True):
    """The voters of one configuration; nodes by their index.

    Attributes:
        cfgver: of the configuration: voters, mode and timing.
        voters: one, three or five; two where it is sticky, or while the voters are changed.
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

    @property
    def local(self) -> tuple[int, ...]:
        """The voters that are nodes of the site: all but a witness elsewhere."""
        return tuple(voter for voter in self.voters if voter != WITNESS)

    @property
    def has_witness(self) -> bool:
        """Whether a witness elsewhere votes."""
        return WITNESS in self.voters

    @property
    def is_changed(self) -> bool:
        """Whether it is not what the site's file says."""
        return generation(self.cfgver) > 0

    def under(self, cfg: Configuration) -> "Electorate":
        """Return the electorate of another configuration of the same site."""
        return Electorate(cfg.cfgver, cfg.voters, self.nodes, cfg.sticky)
