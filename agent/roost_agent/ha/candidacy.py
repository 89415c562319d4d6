"""Why this node may not stand for a lease: maintenance, connections, guard, needs, its services.

Leaves to others: who is heard and who holds what (membership, lease); both are asked.
"""

from collections.abc import Mapping
from typing import Final

from roost_agent.ha import core_events as ev
from roost_agent.ha.config import SITE_LEASE, HaConfig
from roost_agent.ha.guard_fitness import GuardFitness
from roost_agent.ha.lease import Lease
from roost_agent.ha.membership import Membership
from roost_agent.ha.requirements import Requirements
from roost_agent.ha.slots import Slots

PAUSED: Final = "maintenance"
PAUSE_MS_MAX: Final = 86_400_000  # a maintenance that is forgotten ends within a day


class Candidacy:
    """What bars this node from each lease.

    Args:
        config: of the site.
        members: of this node.
        leases: as this node sees them; only read here.
        slots: of the site.
        requirements: of its groups.
    """

    def __init__(
        self,
        config: HaConfig,
        members: Membership,
        leases: Mapping[str, Lease],
        *,
        slots: Slots,
        requirements: Requirements,
    ) -> None:
        self.paused: dict[str, int] = {}  # lease -> until when
        self.is_leaving = False
        self.host_bar = ""  # why this node, as a host, may run no service
        self.unfenced = ""  # why this node's own fence would not work
        self.guard = GuardFitness()
        self._config = config
        self._members = members
        self._leases = leases
        self._slots = slots
        self._requirements = requirements
        self._workload: dict[str, ev.Eligible] = {}

    def told(self, event: ev.Eligible) -> None:
        """Take in whether the services of a group could run here."""
        self._workload[event.lease] = event
        self._requirements.told(event.lease, event.lacks)

    def pause(self, name: str, until_ms: int | None, now_ms: int) -> str:
        """Begin, change or end a maintenance; return what to say of it."""
        if until_ms is None:
            self.paused.pop(name, None)
            return f"maintenance of {name} ended"
        self.paused[name] = min(until_ms, now_ms + PAUSE_MS_MAX)
        return f"maintenance of {name} for {(self.paused[name] - now_ms) // 1000} s"

    def ended(self, now_ms: int) -> list[str]:
        """Return the leases whose maintenance is over."""
        return [name for name, until_ms in self.paused.items() if until_ms <= now_ms]

    def bar(self, name: str) -> str:
        """Return why this node may not stand for a lease, empty if it may."""
        if self.is_leaving:
            return "its agent was told to end"
        if name == SITE_LEASE:
            return ""
        if self.host_bar:
            return self.host_bar
        if name in self.paused:
            return PAUSED
        if self._members.is_barred():
            return "another node is better connected"
        return self.guard.bar(name) or self._missing(name) or self._workload_bar(name)

    def _missing(self, name: str) -> str:
        group = self._config.group(name)
        if group.hard_by == "fence" and self.unfenced:
            return f"its own fence: {self.unfenced}"
        for mate in self._slots.mates(name):
            if self._leases[mate].is_held:
                return f"{mate} runs here"
        needed = self._requirements.lacking(name)
        return "" if needed is None else str(needed)

    def _workload_bar(self, name: str) -> str:
        workload = self._workload.get(name)
        if workload is None:
            return "its services were not looked at yet"
        return "" if workload.ok else workload.why or "its services could not run here"
