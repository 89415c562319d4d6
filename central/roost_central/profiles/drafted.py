"""What a change of profiles comes to, kept for who is about to apply it: worked out once. Pure.

The whole fleet is compiled for that, a second of a core for 50,000 nodes.
"""

from dataclasses import dataclass, replace

from roost_central.profiles.change import Change, Wanted
from roost_central.profiles.core import parts_asked
from roost_central.profiles.draft import Plan
from roost_central.profiles.settle import Cause, Writes


@dataclass(frozen=True, slots=True)
class Drafted:
    """A change that was worked out.

    Attributes:
        turn: how often anything had been compiled for good before it was begun.
        revisions: of the profiles that it was held against.
    """

    wanted: Wanted
    turn: int
    change: Change
    revisions: dict[str, int]
    plan: Plan
    writes: Writes

    def holds(self, wanted: Wanted, turn: int) -> bool:
        """Say whether it is what a change comes to still.

        Labels and nodes that are others since are compiled by themselves, after it. What nodes are
        made of is not heeded before a profile asks for it, so where one does it is worked out anew.
        """
        is_same = [*self.wanted.files] == [*wanted.files]
        is_same = is_same and [*self.wanted.remove] == [*wanted.remove]
        return is_same and self.turn == turn and not parts_asked(self.change.result)

    def written_by(self, cause: Cause) -> Writes:
        """Return what is to be written where somebody applies it, and why."""
        by, reason = cause.by, cause.reason
        changes = [replace(each, by=by, reason=reason) for each in self.writes.changes]
        return replace(self.writes, changes=changes)
