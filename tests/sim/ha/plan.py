"""What one seed means: the site, its clocks and its faults, drawn before anything runs."""

import random
from dataclasses import dataclass, field, replace

from roost_agent.ha.config import WanWitness
from roost_agent.ha.timing import DEFAULT, FAST, Timing

FAULTS = (  # kind, weight
    ("crash", 4), ("agent-kill", 3), ("agent-pause", 4), ("guard-kill", 2), ("guard-pause", 2),
    ("freeze", 2), ("cut-pair", 3), ("cut-oneway", 3), ("isolate", 3), ("cut-path", 2),
    ("burst", 2), ("hang", 2), ("disk", 2), ("order", 2),
)  # fmt: skip
CENTRE_FAULTS = (
    ("wan", 5), ("wan-node", 3), ("centre", 4), ("centre-blank", 1), ("centre-old", 1),
    ("centre-disk", 2),
)  # fmt: skip
CHANGING = 0.35  # of all sites
# What takes minutes, in seconds; and shorter than the restart of a witness takes.
WAN = WanWitness(probe_s=1, gone_s=15, back_s=5, lost_s=18)
HASTY = WanWitness(probe_s=2, gone_s=6, back_s=5, lost_s=10)
PAIR = 2
SLOT = "slot-"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong: when, for how long, and to whom."""

    kind: str
    at_ms: int
    for_ms: int
    who: int
    other: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole configuration of a run.

    Attributes:
        rates: of the clocks, in 1/100 of a percent off.
        watchdog_ms: 0: there is none, and then nothing strikes the guard or the kill.
        replay: how many of four frames that were lost come late.
        again: how many frames come a second time, up to 3 s later.
        has_bmc: nodes can read the power of one that they lost.
        safety_ms: how long faults strike; then all is healed.
        voters: at first, of a site whose voters change; empty: all nodes, for ever.
        wan: the site has a witness at the centre, with these limits.
        groups: those that fail over, each with a lease of its own.
        starts_alone: the last holder of a pair starts without the other; then no proof is taken.
    """

    seed: int
    nodes: int = 3
    sticky: bool = False
    timing: Timing = DEFAULT
    rates: tuple[int, ...] = (0, 0, 0, 0, 0)
    watchdog_ms: int = 0
    stop_ms: int = 400
    loss: float = 0.0
    replay: float = 0.2
    again: float = 0.02
    delays: tuple[int, ...] = (1, 1, 2, 2, 5)
    has_bmc: bool = True
    safety_ms: int = 60_000
    faults: tuple[Fault, ...] = field(default=())
    voters: tuple[int, ...] = ()
    wan: WanWitness | None = None
    groups: tuple[str, ...] = ("main",)
    starts_alone: bool = False

    @property
    def slots(self) -> tuple[str, ...]:
        """The leases of one group with several active members: who has one stands for no other."""
        return tuple(name for name in self.groups if name.startswith(SLOT))

    @property
    def first_voters(self) -> tuple[int, ...]:
        """Who votes as the site's file says."""
        return self.voters or tuple(range(self.nodes))

    def without(self, places: set[int]) -> "Plan":
        """Return the plan with some faults less."""
        kept = tuple(each for at, each in enumerate(self.faults) if at not in places)
        return replace(self, faults=kept)


def random_plan(seed: int) -> Plan:
    """Return the plan of a seed."""
    dice = random.Random(f"{seed}/ha")
    nodes = dice.choice((1, 2, 2, 3, 3, 3, 3, 3, 5))
    timing = dice.choice((DEFAULT, DEFAULT, FAST))
    watchdog_ms = dice.choice((0, timing.watchdog_ms))
    delays = (1, 1, 2, 2, 5)
    if dice.random() < 0.5:
        delays += (20, 200)
    if dice.random() < 0.2:
        delays += (1_600,)
    plan = Plan(
        seed=seed,
        nodes=nodes,
        sticky=nodes <= 2,
        timing=timing,
        rates=tuple(dice.choice((-99, -50, 0, 50, 99)) for _ in range(5)),
        watchdog_ms=watchdog_ms,
        stop_ms=dice.choice((10, timing.lease_ms // 10, timing.lease_ms // 5)),
        loss=dice.choice((0.0, 0.05, 0.2, 0.4, 0.6)),
        delays=delays,
        has_bmc=dice.random() < 0.7,
        safety_ms=10 * timing.lease_ms,
    )
    count = dice.choice((3, 6, 10))
    if dice.random() < CHANGING:
        plan = _changing(plan, dice)
        count = dice.choice((0, 2, 4, 8))
    faults = [_fault(plan, dice) for _ in range(count)]
    if plan.voters:
        for _ in range(dice.choice((1, 2, 3, 4))):
            faults += _change(plan, dice)
    return replace(plan, faults=tuple(sorted(faults, key=lambda each: each.at_ms)))


def witness_plan(seed: int) -> Plan:
    """Return the plan of a pair with a witness at the centre."""
    dice = random.Random(f"{seed}/witness")
    nodes = dice.choice((2, 2, 2, 3))
    plan = Plan(
        seed=seed,
        nodes=nodes,
        voters=(0, 1),
        sticky=True,
        wan=dice.choice((WAN, WAN, HASTY)),
        rates=tuple(dice.choice((-99, -50, 0, 50, 99)) for _ in range(5)),
        watchdog_ms=dice.choice((0, DEFAULT.watchdog_ms)),
        stop_ms=dice.choice((10, DEFAULT.lease_ms // 10, DEFAULT.lease_ms // 5)),
        loss=dice.choice((0.0, 0.0, 0.05, 0.2, 0.4)),
        has_bmc=dice.random() < 0.5,
        safety_ms=15 * DEFAULT.lease_ms,
    )
    faults = [_fault(plan, dice) for _ in range(dice.choice((2, 4, 8)))]
    for _ in range(dice.choice((1, 2, 4))):
        kind = dice.choices(*zip(*CENTRE_FAULTS, strict=True))[0]
        unit = plan.timing.lease_ms
        for_ms = int(unit * dice.choice((0.05, 0.45, 1.0, 1.6, 2.5, 6.0)))
        at_ms = dice.randrange(unit // 2, plan.safety_ms)
        faults.append(Fault(kind, at_ms, for_ms, dice.randrange(2)))
    return replace(plan, faults=tuple(sorted(faults, key=lambda each: each.at_ms)))


def crowded_plan(seed: int) -> Plan:
    """Return the plan of a site with many leases: two groups, and the slots of a third.

    Half of these sites have the built-in lease as well, whose holder another group's moves leave
    alone, and change their voters.
    """
    plan = random_plan(seed)
    dice = random.Random(f"{seed}/crowded")
    nodes = max(plan.nodes, PAIR)
    places = PAIR if plan.voters else nodes  # who may have one
    count = min(dice.choice((1, 2, nodes - 1, nodes)), places)
    slots = tuple(f"{SLOT}{number}" for number in range(count))
    groups = ("main", *(("web",) if dice.random() < 0.7 else ()), *slots)
    if nodes != plan.nodes:
        plan = replace(plan, nodes=nodes, sticky=True, voters=())
    return replace(plan, groups=groups)


def lonely_plan(seed: int) -> Plan:
    """Return the plan of a pair whose last holder starts alone: more and longer losses of power."""
    dice = random.Random(f"{seed}/lonely")
    plan = Plan(
        seed=seed,
        nodes=PAIR,
        sticky=True,
        starts_alone=True,
        has_bmc=dice.random() < 0.5,
        rates=tuple(dice.choice((-99, -50, 0, 50, 99)) for _ in range(5)),
        watchdog_ms=dice.choice((0, DEFAULT.watchdog_ms)),
        stop_ms=dice.choice((10, DEFAULT.lease_ms // 10, DEFAULT.lease_ms // 5)),
        loss=dice.choice((0.0, 0.0, 0.05, 0.2, 0.4)),
        safety_ms=15 * DEFAULT.lease_ms,
        groups=dice.choice((("main",), ("main", "web"))),
    )
    faults = [_fault(plan, dice) for _ in range(dice.choice((1, 3, 6)))]
    unit = plan.timing.lease_ms
    for _ in range(dice.choice((2, 4, 6))):
        kind = dice.choice(("crash", "crash", "crash", "order", "cut-pair"))
        who = dice.randrange(PAIR)
        for_ms = int(unit * dice.choice((0.2, 1.0, 2.5, 4.0)))
        faults.append(Fault(kind, dice.randrange(unit // 2, plan.safety_ms), for_ms, who, 1 - who))
    return replace(plan, faults=tuple(sorted(faults, key=lambda each: each.at_ms)))


def _changing(plan: Plan, dice: random.Random) -> Plan:
    """Return the plan of a site whose voters change, from one to five of two to five nodes."""
    nodes = dice.choice((2, 3, 3, 4, 5, 5))
    voters = tuple(range(min(nodes, dice.choice((1, 2, 2, 3, 3, 4, 5)))))
    return replace(plan, nodes=nodes, voters=voters, sticky=len(voters) <= PAIR)


def _change(plan: Plan, dice: random.Random) -> list[Fault]:
    """Return that a node is to vote if it does not, or else not to; and perhaps what meets it."""
    unit = plan.timing.lease_ms
    at_ms = dice.randrange(unit // 2, plan.safety_ms)
    change = Fault("voters", at_ms, unit, dice.randrange(plan.nodes))
    kind = dice.random()
    if kind < 0.3:
        return [change]
    if kind < 0.7:  # its holder is struck in the middle of it, and the next one wants another
        strike = dice.choice(("crash-site", "isolate-site", "isolate-site", "order-site"))
        for_ms = int(unit * dice.choice((0.45, 1.6, 1.6, 2.5)))
        again = at_ms + dice.randrange(60, unit)
        return [
            change,
            Fault(strike, at_ms + dice.randrange(60), for_ms, dice.randrange(plan.nodes)),
            Fault("voters", again, 3 * unit, dice.randrange(plan.nodes)),
        ]
    kind = dice.choice(("crash", "agent-kill", "isolate", "cut-pair", "order-site", "order-site"))
    who, other = dice.randrange(plan.nodes), dice.randrange(plan.nodes)
    for_ms = int(unit * dice.choice((0.05, 0.45, 1.6)))
    return [change, Fault(kind, at_ms + dice.randrange(unit // 3), for_ms, who, other)]


def _fault(plan: Plan, dice: random.Random) -> Fault:
    kinds = [(kind, weight) for kind, weight in FAULTS if _is_possible(plan, kind)]
    kind = dice.choices([each for each, _ in kinds], [weight for _, weight in kinds])[0]
    unit = plan.timing.lease_ms
    who = dice.randrange(plan.nodes)
    others = [node for node in range(plan.nodes) if node != who]
    return Fault(
        kind,
        at_ms=dice.randrange(unit // 2, plan.safety_ms),
        for_ms=int(unit * dice.choice((0.05, 0.2, 0.45, 1.0, 1.6, 2.5))),
        who=who,
        other=dice.choice(others) if others else who,
    )


def _is_possible(plan: Plan, kind: str) -> bool:
    """Without a watchdog the guard is assumed to work: that is what it is for."""
    if kind in {"guard-pause", "guard-kill", "hang-hard"}:
        return plan.watchdog_ms > 0 and (not plan.sticky or bool(plan.voters))
    return not (plan.nodes == 1 and kind.startswith(("cut", "isolate")))
