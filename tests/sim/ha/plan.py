"""What one seed means: the site, its clocks and its faults, drawn before anything runs."""

import random
from dataclasses import dataclass, field, replace

from roost_agent.ha.timing import DEFAULT, FAST, Timing

FAULTS = (  # kind, weight
    ("crash", 4), ("agent-kill", 3), ("agent-pause", 4), ("guard-kill", 2), ("guard-pause", 2),
    ("freeze", 2), ("cut-pair", 3), ("cut-oneway", 3), ("isolate", 3), ("cut-path", 2),
    ("burst", 2), ("hang", 2), ("disk", 2), ("order", 2),
)  # fmt: skip


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
        has_bmc: a sticky pair can read the peer's power.
        safety_ms: how long faults strike; then all is healed.
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
    delays: tuple[int, ...] = (1, 1, 2, 2, 5)
    has_bmc: bool = True
    safety_ms: int = 60_000
    faults: tuple[Fault, ...] = field(default=())

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
    faults = sorted((_fault(plan, dice) for _ in range(count)), key=lambda each: each.at_ms)
    return replace(plan, faults=tuple(faults))


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
        return plan.watchdog_ms > 0 and not plan.sticky
    return not (plan.nodes == 1 and kind.startswith(("cut", "isolate")))
