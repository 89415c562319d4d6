"""Who is to blame for silence: several hosts at once are the network, or a power-up. Pure.

Multi-node failure avoidance and the dead office of hosts.md section 5.
"""

from collections.abc import Collection
from typing import Final

from roost_agent.host.moment import Moment
from roost_agent.host.policy import Policy

MNFA_EXIT_MS: Final = 3_000
POWER_UP_MS: Final = 600_000  # of uptime: who is younger has just powered up
DEAD_OFFICE_MS: Final = 300_000  # for which nobody is failed then


class Blame:
    """See the module.

    Args:
        policy: how many are several, and for how long.
        now: when this host began to listen.

    Attributes:
        is_mnfa: several are silent together.
        is_dead_office: the whole site powered up a moment ago.
    """

    def __init__(self, policy: Policy, now: Moment) -> None:
        self.is_mnfa = False
        self.is_dead_office = False
        self._policy = policy
        self._began_ms = now.ms
        self._mnfa_ms: int | None = None  # since when several are silent together
        self._few_ms: int | None = None  # since when fewer are silent than blame the network

    @property
    def held_back(self) -> str:
        """Why nothing is done about silent hosts; empty: nothing holds back."""
        if self.is_mnfa:
            return "several hosts are silent together: the network is to blame"
        return "the whole site powered up a moment ago" if self.is_dead_office else ""

    def tick(self, fresh: int, uptimes_ms: Collection[int], own_ms: int, now: Moment) -> None:
        """Take in a tick.

        Args:
            fresh: how many fell silent and are not lost yet.
            uptimes_ms: of all hosts of which it is known.
            own_ms: of this one, which is among them.
            now: of the tick.
        """
        self._storm(fresh, now)
        young = sum(each < POWER_UP_MS for each in uptimes_ms)
        is_young = own_ms < POWER_UP_MS and 2 * young >= len(uptimes_ms)
        self.is_dead_office = is_young and now.ms - self._began_ms < DEAD_OFFICE_MS

    def _storm(self, fresh: int, now: Moment) -> None:
        if fresh >= self._policy.mnfa_threshold:
            self._mnfa_ms = now.ms if self._mnfa_ms is None else self._mnfa_ms
            limit_ms = self._policy.mnfa_timeout_ms
            self.is_mnfa = not limit_ms or now.ms - self._mnfa_ms < limit_ms
            self._few_ms = None
        elif self._mnfa_ms is not None:
            self._few_ms = now.ms if self._few_ms is None else self._few_ms
            if now.ms - self._few_ms >= MNFA_EXIT_MS:
                self.is_mnfa, self._few_ms, self._mnfa_ms = False, None, None
