"""Plays the scenarios of one plan on a site of its own, and prints a line of JSON for each run.

A program, so that several sites can be broken at once, and so that whoever ends it ends its site:
``ha_trial.py TIMES SECONDS PLAN``. Every scenario is played once, then all once more, and so on;
one that the machine spoilt has its turn again, and what the time does not suffice for is not
played. Nodes and meters go before what else the machine does, where that is allowed: a node that
is starved by a neighbour calls itself unwell, which proves nothing. They do so by their weight and
not in real time: there each start of a program would keep its core from all other nodes for as
long as a stall that spoils a run. A kernel that weighs sessions first is told of this one's, which
must be its own.
"""

import contextlib
import json
import os
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

import command
from ha_plan import Plan
from ha_scenarios import plans
from ha_stage import Outcome, Scenario, staged

STALLED = "stalled"
NICE = -10
AUTOGROUP = Path("/proc/self/autogroup")


def main() -> int:
    """Play the plan that is named."""
    times, seconds, name = sys.argv[1:]
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, NICE)
        if os.getsid(0) == os.getpid():
            AUTOGROUP.write_text(str(NICE))
    plan, scenarios = plans()[name]
    play(plan, scenarios, times=int(times), until=time.monotonic() + float(seconds))
    return 0


def play(plan: Plan, scenarios: list[Scenario], *, times: int, until: float) -> None:
    """Play a plan's scenarios until each was judged so often, or until the time is over."""
    judged: Counter[str] = Counter()
    with (
        tempfile.TemporaryDirectory(prefix="roost-ha-") as folder,
        staged(Path(folder) / "site", plan) as stage,
    ):
        while waiting := [each for each in scenarios if judged[each.name] < times]:
            for scenario in waiting:
                if time.monotonic() > until and judged:
                    return
                outcome = stage.run(scenario)
                tell(outcome)
                judged[scenario.name] += outcome.verdict != STALLED


def tell(outcome: Outcome) -> None:
    """Print one run."""
    print(json.dumps({**asdict(outcome), "verdict": outcome.verdict}), flush=True)


if __name__ == "__main__":
    sys.exit(command.run(main))
