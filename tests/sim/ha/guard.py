"""The guard of a simulated node, and its watchdog: when they act, over all holds of the node.

The watchdog bites at the last moment it may. The guard looks at its deadlines before it acts again
after whatever stopped it, and goes on with its holds when it is started again.
"""

from typing import TYPE_CHECKING

from roost_agent.ha.lease_events import Armed, GuardLost

if TYPE_CHECKING:
    from sim.ha.node import Node


class Guard:
    """See the module.

    Attributes:
        is_up: whether it lives.
        until: it is stopped till then, true ms.
    """

    def __init__(self, node: "Node") -> None:
        self.node = node
        self.world = node.world
        self.is_up = True
        self.until = 0
        self._bite = 0  # when it bites, true ms; 0: it was fed

    def power_on(self) -> None:
        """Begin with nothing."""
        self.is_up, self.until, self._bite = True, 0, 0

    def look(self) -> None:
        """Do what is due, before anything else."""
        for group in self.node.groups.values():
            group.look()

    def wakes(self, boots: int) -> None:
        """Look, once it is not stopped any more."""
        if self.node.is_on and boots == self.node.boots and self.is_up:
            until = max(self.until, self.node.frozen_until)
            if self.world.now < until:
                self.world.at(until, self.wakes, boots)
            else:
                self.look()
                self.feed()

    def feed(self) -> None:
        """Feed the watchdog, or let it bite W after it was last fed, and not sooner."""
        watchdog_ms = self.world.plan.watchdog_ms
        if not watchdog_ms or not self.node.is_on:
            return
        is_able = self.is_up and self.world.now >= max(self.until, self.node.frozen_until)
        if is_able and not any(group.keeps_hungry() for group in self.node.groups.values()):
            self._bite = 0
            return
        if not self._bite:
            self._bite = self.world.now + watchdog_ms
            self.world.at(self._bite, self._bites, self.node.boots, self._bite)

    def _bites(self, boots: int, bite: int) -> None:
        if boots == self.node.boots and self.node.is_on and self._bite == bite:
            self.world.checkers.met["a watchdog bit"] += 1
            self.node.power_off(self.world.dice.randrange(500, 4_000))

    # -- faults --------------------------------------------------------------------------------

    def pause(self, for_ms: int) -> None:
        """Stop it; the watchdog is fed no more."""
        self.until = max(self.until, self.world.now + for_ms)
        self.feed()
        self.world.at(self.until, self.wakes, self.node.boots)

    def kill(self, for_ms: int) -> None:
        """Kill it; it comes back and goes on with its file."""
        self.is_up = False
        self.feed()
        for group in self.node.groups.values():
            if group.lease is not None:
                group.take(group.handle, GuardLost())
        self.world.after(max(1, for_ms), self._back, self.node.boots)

    def _back(self, boots: int) -> None:
        if boots != self.node.boots or not self.node.is_on:
            return
        self.is_up = True
        self.look()
        self.feed()
        for group in self.node.groups.values():
            if group.lease is not None and group.armed is not None:
                epoch, _, _, d3_ms = group.armed
                group.take(group.handle, Armed(epoch, d3_ms is not None))
