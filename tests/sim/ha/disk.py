"""The disk of a simulated node: it loses what was not acknowledged when the power goes."""

from typing import TYPE_CHECKING

from roost_protocol.voter_events import Persist, Persisted, PersistFailed
from roost_protocol.voter_state import VoterState

if TYPE_CHECKING:
    from sim.ha.node import Node

SLOW = 0.03  # of all writes
SLOW_MS = 300


class Disk:
    """See the module.

    Attributes:
        state: as it would be read after a loss of power.
        bad_until: writes fail till then, true ms.
    """

    def __init__(self, node: "Node") -> None:
        self.node = node
        self.world = node.world
        self.state = VoterState.blank(bytes([node.index + 1]) * 16)
        self.bad_until = 0
        self._writes: list[tuple[int, VoterState]] = []
        self._free_at = 0

    def agent_start(self) -> None:
        """Begin with nothing on its way."""
        self._writes, self._free_at = [], 0

    def agent_end(self) -> None:
        """Let what is on its way land, or not."""
        landed = self.world.dice.randrange(len(self._writes) + 1)
        for _, state in self._writes[:landed]:
            self.state = state

    def persist(self, effect: Persist) -> None:
        """Write, in the order of asking."""
        dice, world = self.world.dice, self.world
        took = dice.choice((1, 2, 5, 10, 30)) if dice.random() < 1 - SLOW else SLOW_MS
        self._free_at = max(world.now + took, self._free_at)
        self._writes.append((effect.token, effect.state))
        world.at(self._free_at, self._written, self.node.life, effect.token)

    def _written(self, life: int, token: int) -> None:
        node = self.node
        if life != node.life or node.voter is None:
            return
        (_, state) = self._writes.pop(0)
        if self.world.now < self.bad_until:
            self.world.checkers.met["a write failed"] += 1
            if self.world.dice.random() < 0.5:
                self.state = state
            node.take(life, node.vote, PersistFailed(token))
            return
        self.state = state
        node.take(life, node.on_disk, Persisted(token))
