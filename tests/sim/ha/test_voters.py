"""Straight to the places of a change of the voters that random faults seldom reach."""

import pytest
from sim.ha.plan import Fault, Plan
from sim.ha.world import World

from roost_agent.ha.lease_events import Order
from roost_protocol.ha import Kind

pytestmark = pytest.mark.timeout(600)  # seconds on a quiet machine

AT = 12_000
SHAPES = {  # nodes, voters at first, whose vote changes
    "alone, then a pair": (2, (0,), 1),
    "a pair, then three": (3, (0, 1), 2),
    "three, then a pair": (3, (0, 1, 2), 2),
    "three, then four": (4, (0, 1, 2), 3),
    "five, then four": (5, (0, 1, 2, 3, 4), 4),
}


def plan_of(shape, seed=0, **more):
    nodes, voters, who = SHAPES[shape]
    given = {"safety_ms": 40_000, "faults": (Fault("voters", AT, 6_000, who),)}
    return Plan(seed, nodes=nodes, voters=voters, sticky=len(voters) <= 2, **given | more)


def after(shape):
    _, voters, who = SHAPES[shape]
    return tuple(sorted(set(voters) ^ {who}))


def voters_of(world):
    return {node.voter.electorate.voters for node in world.nodes}


class Losing(World):
    """Loses every copy of one of the frames about a configuration; then its asker may crash."""

    def __init__(self, plan, kind, place, *, crash):
        super().__init__(plan)
        self._kind, self._left, self._crash = kind, place, crash

    def transmit(self, sender, to, what, message):
        if what == "frame" and message[3].kind is self._kind:
            self._left -= 1
            if self._left == 0:
                if self._crash:
                    self.after(2, self.strike, Fault("crash", 0, 9_000, sender))
                return
        super().transmit(sender, to, what, message)


@pytest.mark.parametrize("crash", [False, True], ids=["lost", "lost, and its sender crashes"])
@pytest.mark.parametrize("shape", SHAPES)
def test_whichever_frame_of_a_change_is_lost_it_is_decided_once_and_for_all(shape, crash):
    for kind in (Kind.CFG_PROPOSE, Kind.CFG_ACCEPT, Kind.CFG_COMMIT):
        for place in (1, 2, 3):
            world = Losing(plan_of(shape), kind, place, crash=crash)
            outcome = world.run()
            assert outcome.violations == (), (kind, place)
            (voters,) = voters_of(world)
            # A proposer that crashes before anybody heard of it leaves nothing behind.
            assert voters == after(shape) or (crash and kind is Kind.CFG_PROPOSE), (kind, place)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_change_moves_no_group(shape):
    for seed in range(5):
        world = World(plan_of(shape, seed))
        outcome = world.run()
        assert outcome.violations == ()
        assert len(outcome.activations) == 1
        assert voters_of(world) == {after(shape)}


class Staged(World):
    """Steers who holds what by orders, which a quiet site carries out."""

    def steer(self, name, to):
        """Have a lease held by a node, by giving it back until it is."""
        held = [node for node in self.nodes if node.lease_of(name).phase == "holding"]
        if held and held[0].index != to:
            give = Order("staged", to)
            held[0].take(held[0].life, held[0].of(name), give)
        if not held or held[0].index != to:
            self.after(700, self.steer, name, to)


def test_a_right_is_over_before_voters_may_grant_that_never_promised_it():
    """The voters change twice while a holder that is cut off still runs.

    Node 0 runs by the promises of 0 and 1; 2 never heard of it. With 3 and 4 there would be a
    majority that promised nobody anything.
    """
    for seed in range(6):
        plan = Plan(seed, nodes=5, voters=(0, 1, 2), safety_ms=60_000)
        world = Staged(plan)
        world.at(6_000, world.steer, "main", 0)
        world.at(6_000, world.steer, "site", 2)
        for one, other in ((0, 2), (2, 0)):
            world.at(14_000, world.cut, one, other, 30_000)
        world.at(24_000, world.strike, Fault("isolate", 24_000, 20_000, 0))
        world.at(24_000, world.strike, Fault("agent-pause", 24_000, 9_000, 0))
        world.at(24_001, world.want, 3, 60_000)
        world.at(24_600, world.want, 4, 60_000)
        outcome = world.run()
        assert outcome.violations == (), seed
        assert voters_of(world) == {(0, 1, 2, 3, 4)}
        assert outcome.met["another node took over"]
