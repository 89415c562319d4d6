"""Which groups wait for a proof that the old active stopped: 400.804, one alarm a group.

A lease says that it lacks one, and fencing what its device says of it, which is the better reason.
"""

from typing import Final

from roost_agent.ha import core_events as ev
from roost_agent.ha.config import SITE_LEASE

NO_PROOF: Final = "400.804"
FENCING: Final = "-"  # stands for a lease's name, and is none


class Lacking:
    """What stands of it on one node."""

    def __init__(self) -> None:
        self._lacks: dict[str, str] = {}  # lease, or FENCING, to what lacks a proof
        self._stands: dict[str, str] = {}  # entity to reason

    def told(self, who: str, sentence: str) -> list[ev.Effect]:
        """Take in that a lease or FENCING lacks a proof, or with an empty sentence no more."""
        lacks = {**self._lacks, who: sentence}
        self._lacks = {each: said for each, said in lacks.items() if said}
        fence = self._lacks.get(FENCING, "")
        stands = {
            f"group={name}": fence or said
            for name, said in self._lacks.items()
            if name not in {FENCING, SITE_LEASE}
        }
        if fence and not stands:  # no group of services waits for it
            stands = {"": fence}
        before, self._stands = self._stands, stands
        ended: list[ev.Effect] = [ev.Clear(NO_PROOF, each) for each in before if each not in stands]
        return ended + [
            ev.Raise(NO_PROOF, {"reason": reason}, entity)
            for entity, reason in stands.items()
            if before.get(entity) != reason
        ]
