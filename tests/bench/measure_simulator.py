"""``simulator.site_hours_per_minute``: simulated site-hours in a minute of one core.

The fleet scenario: 100 sites of one node, beats every 30 s on links that lose 5 % of messages, a
step of an alarm of each every 10 minutes, the production agent and centre inside, invariants
checked after each event. Processor time, not the
wall clock: the run is one thread, and what else the machine does is not its merit or fault.
"""

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from figure import QUICK, Figure

sys.path.insert(0, str(Path(__file__).parents[1]))

from sim.scenarios import FLEET
from sim.world import empty_database, run

QUICK_S = 1_200.0


def measure(say: Callable[[str], None]) -> Iterator[Figure]:
    """Run the fleet for a virtual hour, and tell what that cost."""
    plan = replace(FLEET, safety_s=QUICK_S) if QUICK else FLEET
    empty_database()
    began = time.process_time()
    outcome = run(plan)
    minutes = (time.process_time() - began) / 60
    if outcome.violations:
        raise RuntimeError(str(outcome))
    hours = plan.sites * outcome.virtual_s / 3_600
    say(f"{hours:.0f} site-hours, {outcome.events:,} events in {minutes * 60:.1f} s of a core")
    yield Figure(
        "simulator.site_hours_per_minute",
        round(hours / minutes),
        "site-h",
        ">= 1,000",
        f"{plan.sites} sites, {outcome.events / minutes / 60:,.0f} events/s"
        + (", a third of an hour" if QUICK else ""),
    )
