"""Plays scenarios on sites of its own, and prints a line of JSON for each run.

A program, so that two sites can be broken at once, and so that whoever ends it ends its site:
``ha_trial.py TIMES SECONDS PLAN...``. Every scenario of a plan is played once, then all once more,
and so on; one that the machine spoilt has its turn again, and what the time does not suffice for
is not played. Nodes and meters run ahead of what else the machine does (SCHED_RR), where that is
allowed: a node that is starved by a neighbour calls itself unwell, which proves nothing.
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


def main() -> int:
    """Play the plans one after the other, each in its part of the time."""
    times, seconds, *names = sys.argv[1:]
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    chosen = [plans()[name] for name in names]
    each_s = float(seconds) / sum(len(scenarios) for _, scenarios in chosen)
    began = time.monotonic()
    until = began
    for plan, scenarios in chosen:
        until += each_s * len(scenarios)  # what a plan leaves, the next ones have
        play(plan, scenarios, times=int(times), until=until)
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
