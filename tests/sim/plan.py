"""What a run is, as data: the fleet, its times and its faults, all derived from one seed.

A plan is printed whole with every failure. Minimising takes faults out of it and runs the rest:
nothing else of the run is drawn from the same dice, so that what is left stays what it was.
"""

import random
from dataclasses import asdict, dataclass, replace

KINDS: dict[str, tuple[int, str]] = {  # kind: (weight in a random plan, what it strikes)
    "kill": (6, "any"),
    "power-cut": (4, "any"),
    "stop": (2, "program"),
    "pause": (3, "program"),
    "cut": (5, "link"),
    "half-open": (4, "link"),
    "swizzle": (2, ""),
    "weather": (5, "link"),
    "mood": (5, "wan"),
    "disk-full": (3, "program"),
    "disk-slow": (3, "program"),
    "clock-step": (3, "program"),
    "hardware": (6, "node"),
    "backup": (2, ""),
    "restore": (2, ""),
}
BIG_BYTES = 1 << 20  # of an outbox that takes a big node's inventory


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: begins, strikes somebody, ends.

    Attributes:
        who: a host, or one end of a link.
        other: the other end.
        amount: how bad; what that means is the kind's business.
    """

    kind: str
    at_s: float
    for_s: float
    who: str = ""
    other: str = ""
    amount: float = 0.0


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole configuration of a run.

    Attributes:
        sites: of ``nodes`` nodes each.
        brokers: central ones; each node has a path to each.
        has_site_path: whether each node has a path to a broker of its site, too.
        safety_s: how long faults strike; then all is healed.
        liveness_s: within which everything must then have converged.
        say_every_s: the mean time between two things a node has to say; 0 for a silent fleet.
        alarm_every_s: the mean time between two steps of a node's alarms.
        buggify: whether the points that only a simulation has may fire.
    """

    seed: int
    name: str = "random"
    sites: int = 1
    nodes: int = 1
    brokers: int = 1
    has_site_path: bool = False
    beat_ms: int = 30_000
    safety_s: float = 600.0
    liveness_s: float = 1_800.0
    say_every_s: float = 20.0
    alarm_every_s: float = 60.0
    outbox_bytes: int = 4 << 20
    big_nodes: int = 0
    loss: float = 0.0
    buggify: bool = False
    faults: tuple[Fault, ...] = ()

    def __str__(self) -> str:
        fields = asdict(self)
        faults = fields.pop("faults")
        return "\n  ".join(
            " ".join(f"{name}={value}" for name, value in each.items())
            for each in (fields, *faults)
        )

    def without(self, faults: set[int]) -> "Plan":
        """Return the plan with some faults less, by their place."""
        kept = tuple(each for place, each in enumerate(self.faults) if place not in faults)
        return replace(self, faults=kept)

    @property
    def central_names(self) -> tuple[str, ...]:
        """The central brokers."""
        return tuple(f"hub-{n}" for n in range(self.brokers))

    @property
    def site_names(self) -> tuple[str, ...]:
        """The sites."""
        return tuple(f"s{n:03}" for n in range(self.sites))

    @property
    def node_names(self) -> tuple[str, ...]:
        """The nodes, as node ids."""
        return tuple(f"{site}.n{n}" for site in self.site_names for n in range(self.nodes))

    @property
    def site_brokers(self) -> dict[str, str]:
        """Site to its broker's name, where there is one."""
        return {site: f"lan-{site}" for site in self.site_names} if self.has_site_path else {}


def random_plan(seed: int) -> Plan:
    """Return the plan of a seed."""
    dice = random.Random(f"{seed}/plan")
    plan = Plan(
        seed=seed,
        sites=dice.randint(1, 3),
        nodes=dice.choice([1, 1, 2, 3]),
        brokers=dice.choice([1, 1, 2]),
        has_site_path=dice.random() < 0.3,
        beat_ms=dice.choice([10_000, 30_000]),
        safety_s=dice.choice([180.0, 420.0, 900.0]),
        say_every_s=dice.choice([3.0, 15.0, 60.0]),
        outbox_bytes=dice.choice([4 << 20, 4 << 20, 4 << 20, 16 << 10]),
        big_nodes=int(dice.random() < 0.1),
        loss=dice.choice([0.0, 0.0, 0.01, 0.05]),
        buggify=dice.random() < 0.25,
    )
    if plan.outbox_bytes < BIG_BYTES:
        plan = replace(plan, big_nodes=0)  # an outbox that cannot hold it once never tells it
    count = dice.choice([2, 5, 10, 20])
    faults = sorted((_fault(plan, dice) for _ in range(count)), key=lambda each: each.at_s)
    return replace(plan, faults=tuple(faults))


def _fault(plan: Plan, dice: random.Random) -> Fault:
    kinds = list(KINDS)
    kind = dice.choices(kinds, [KINDS[each][0] for each in kinds])[0]
    strikes = KINDS[kind][1]
    who = other = ""
    if strikes == "link":
        who, other = dice.choice(links(plan))
        if dice.random() < 0.5:
            who, other = other, who
    elif strikes:
        who = dice.choice(_targets(plan, strikes))
    return Fault(
        kind,
        at_s=round(dice.uniform(5.0, plan.safety_s * 0.9), 3),
        for_s=round(min(dice.expovariate(1 / 60.0), plan.safety_s / 2), 3),
        who=who,
        other=other,
        amount=round(dice.random(), 3),
    )


def links(plan: Plan) -> list[tuple[str, str]]:
    """Return every pair of hosts that speak to each other."""
    pairs = [("centre", broker) for broker in plan.central_names]
    for node in plan.node_names:
        pairs += [(node, broker) for broker in plan.central_names]
        site = node.partition(".")[0]
        if site in plan.site_brokers:
            pairs.append((node, plan.site_brokers[site]))
    return pairs


def _targets(plan: Plan, strikes: str) -> list[str]:
    nodes, brokers = list(plan.node_names), list(plan.central_names)
    weights = {"node": nodes, "wan": brokers, "program": [*nodes, *["centre"] * len(nodes)]}
    return weights.get(strikes) or [
        *nodes,
        *["centre"] * len(nodes),
        *brokers,
        *plan.site_brokers.values(),
    ]
