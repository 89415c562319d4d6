"""Makes the slot table on the holder of the built-in lease, and takes it in on every other node."""

from collections.abc import Sequence

from roost_agent.ha.config import SITE_LEASE
from roost_agent.ha.fitness import unfit
from roost_agent.ha.known import Known
from roost_agent.ha.lease_phase import Phase
from roost_agent.ha.member import PRESENT
from roost_agent.ha.slots import Want
from roost_protocol.explain import Explain
from roost_protocol.ha import Beat, LeaseState


class SlotMaker:
    """See the module.

    Args:
        known: of this node; only read here, but for the table.
    """

    def __init__(self, known: Known) -> None:
        self._known = known

    @property
    def makes(self) -> bool:
        """Whether it is this node that says who stands for which slot."""
        site = self._known.leases.get(SITE_LEASE)
        return bool(self._known.slots.families) and site is not None and site.phase == Phase.HOLDING

    def look(self, now_ms: int) -> list[Explain]:
        """Make the table anew, where that is this node's; return what to say of a change."""
        if not self.makes:
            return []
        known = self._known
        epoch, families = known.leases[SITE_LEASE].epoch, known.slots.families
        if not known.slots.make(epoch, lambda family: self._want(families[family], now_ms)):
            return []
        table = {slot: known.name_of(node) for slot, node in sorted(known.slots.table.items())}
        said = ", ".join(f"{slot} to {name}" for slot, name in table.items()) or "none to anybody"
        return [Explain(f"slots (epoch {epoch}): {said}", dict(table))]

    def heard(self, beat: Beat) -> None:
        """Take in the table of a node that holds the built-in lease."""
        site = beat.leases.get(SITE_LEASE)
        if beat.slots and site is not None and site.state is LeaseState.HOLDING:
            self._known.slots.heard(site.epoch, beat.slot_table())

    def _want(self, slots: Sequence[str], now_ms: int) -> Want:
        hosts = self._known.hosts[slots[0]]
        movers = {slot: self._known.moves.last_mover(slot, now_ms) for slot in slots}
        holders = {slot: self._holder(slot) for slot in slots}
        return Want(
            slots=slots,
            hosts=hosts,
            held={slot: node for slot, node in holders.items() if node is not None},
            able={
                slot: frozenset(host for host in hosts if self._is_able(host, slot))
                for slot in slots
            },
            shunned={slot: node for slot, node in movers.items() if node is not None},
        )

    def _holder(self, slot: str) -> int | None:
        """Return who has a slot, nobody where that node is gone."""
        holder = self._known.leases[slot].holder
        members = self._known.members
        is_here = holder is not None and (holder == members.me or members.state(holder) in PRESENT)
        return holder if is_here else None

    def _is_able(self, host: int, slot: str) -> bool:
        members = self._known.members
        if host == members.me:
            return not self._known.bar(slot)
        return not unfit(members, host, slot)
