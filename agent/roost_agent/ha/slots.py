"""Which host stands for which slot of an N+M group: one table a site, made by one node.

The holder of the built-in lease makes it, from the members alone: another that knew the same would
make the same. Its beats carry it, with the epoch of that lease, and every node stands for its own
slot and for no other. It says who *should* stand, never who may be active: that is each slot's
lease, so a table that is old or of two minds costs time and nothing else.

Invariants:
- who has a slot keeps it while it is there, and takes no second one of the same group;
- of the slots that nobody has, as many are given as hosts that could take them allow.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from roost_agent.ha.config import Group, Slot

GIVEN_MS: Final = 2_000  # whom a holder named as its successor needs no table for so long


class Want(msgspec.Struct, frozen=True):
    """One group as it is now.

    Attributes:
        slots: in order.
        hosts: in order of priority.
        held: who has which slot.
        able: of each slot, the hosts that could take it.
        shunned: whoever gave a slot away of late by its own choice; it comes last.
    """

    slots: Sequence[str]
    hosts: Sequence[int]
    held: Mapping[str, int]
    able: Mapping[str, frozenset[int]]
    shunned: Mapping[str, int]


def slot_table(want: Want) -> dict[str, int]:
    """Return who is to have each slot; a slot that nobody could take is not in it."""
    table = {slot: want.held[slot] for slot in want.slots if slot in want.held}
    free = [host for host in want.hosts if host not in set(table.values())]
    given: dict[int, str] = {}  # host -> slot

    def place(slot: str, tried: set[int]) -> bool:
        """Give a slot its best free host, else one whose slot can have another."""
        able = [host for host in free if host in want.able.get(slot, ())]
        able.sort(key=lambda host: (host in given, host == want.shunned.get(slot)))
        for host in able:
            if host in tried:
                continue
            tried.add(host)
            if host not in given or place(given[host], tried):
                given[host] = slot
                return True
        return False

    for slot in want.slots:
        if slot not in table:
            place(slot, set())
    return table | {slot: host for host, slot in given.items()}


class Slots:
    """The table as one node knows it.

    Args:
        me: this node.
        groups: of the site.
    """

    def __init__(self, me: int, groups: Sequence[Group]) -> None:
        self.table: dict[str, int] = {}
        self.families: dict[str, list[str]] = {}
        for group in groups:
            if isinstance(group, Slot):
                self.families.setdefault(group.family, []).append(group.name)
        self._family = {slot: name for name, slots in self.families.items() for slot in slots}
        self._me = me
        self._epoch = 0  # of the built-in lease, whose holder made the table
        self._given_ms: dict[str, int] = {}

    def make(self, epoch: int, wanted: Callable[[str], Want]) -> bool:
        """Make the table as the holder of this epoch; return whether it is another now.

        Args:
            epoch: of the built-in lease.
            wanted: tells of a group by its name.
        """
        made = {
            slot: host
            for family in self.families
            for slot, host in slot_table(wanted(family)).items()
        }
        return self._adopt(epoch, made)

    def heard(self, epoch: int, table: Mapping[str, int]) -> None:
        """Take in a beat's table, unless a later holder's is known."""
        if epoch >= self._epoch:
            self._adopt(epoch, table)

    def _adopt(self, epoch: int, table: Mapping[str, int]) -> bool:
        known = {slot: host for slot, host in table.items() if slot in self._family}
        is_other = known != self.table
        self._epoch, self.table = epoch, known
        return is_other

    def given(self, slot: str, now_ms: int) -> None:
        """Note that its holder names this node as the one to have it next."""
        if slot in self._family:
            self._given_ms[slot] = now_ms

    def mates(self, lease: str) -> list[str]:
        """Return the other slots of a slot's group; none of what is no slot."""
        return [
            each for each in self.families.get(self._family.get(lease, ""), []) if each != lease
        ]

    def is_mine(self, lease: str, now_ms: int) -> bool:
        """Whether this node should stand for a lease; for what is no slot every host should."""
        if lease not in self._family or self.table.get(lease) == self._me:
            return True
        given_ms = self._given_ms.get(lease)
        return given_ms is not None and now_ms - given_ms < GIVEN_MS
