"""Runs seeds: ``python tests/sim/ha/search.py FIRST [COUNT] [--digests | --tally | --shrink]``.

A seed that fails prints its whole plan; ``--shrink`` drops the faults that it does not need.
"""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from sim.ha.plan import Plan, random_plan
from sim.ha.world import Outcome, run

# A search that never comes to these places shows nothing about them.
SOMETIMES = (
    "another node took over", "a switchover", "the guard killed", "the guard refused",
    "a watchdog bit", "a write failed", "an agent restarted", "a proof of death",
    "a sticky right moved by proof", "a right moved by proof before its end",
    "crash", "freeze", "isolate", "cut-oneway", "burst",
    "a change was taken", "into sticky", "out of sticky", "isolate-site", "order-site",
    "stopped: no", "stopped: asked", "stopped: it", "stopped: the",
)  # fmt: skip


def outcomes(
    seeds: Iterable[int], plan_of: Callable[[int], Plan] = random_plan
) -> Iterator[Outcome]:
    """Yield what each seed comes to."""
    for seed in seeds:
        yield run(plan_of(seed))


def check_seeds(
    count: int, seconds: float, plan_of: Callable[[int], Plan], sometimes: Iterable[str]
) -> None:
    """Fail where a seed breaks an invariant, or where all of them come to no rare place.

    Args:
        count: how many seeds, from 0 on.
        seconds: of a processor; a slow one runs fewer seeds, never forever.
        plan_of: what a seed is.
        sometimes: the rare places.
    """
    began, met, seen = time.process_time(), Counter[str](), 0
    for outcome in outcomes(range(count), plan_of):
        assert outcome.violations == (), outcome.plan
        met.update(outcome.met)
        seen += 1
        if time.process_time() - began > seconds:
            break
    if seen == count:
        assert [place for place in sometimes if not met[place]] == []


def shrunk(plan: Plan) -> Plan:
    """Return a failing plan without the faults that it fails without."""
    place = 0
    while place < len(plan.faults):
        smaller = plan.without({place})
        if run(smaller).violations:
            plan = smaller
        else:
            place += 1
    return plan


def tally(seeds: range) -> dict[str, object]:
    """Return what some seeds came to: how many, site-hours, rare places, and what failed."""
    met: Counter[str] = Counter()
    failed, virtual_ms = [], 0
    for outcome in outcomes(seeds):
        met.update(outcome.met)
        virtual_ms += outcome.virtual_ms
        if outcome.violations:
            failed.append(f"seed {outcome.plan.seed}: {outcome.violations[0]}")
    return {"seeds": len(seeds), "hours": virtual_ms / 3.6e6, "met": met, "failed": failed}


def main() -> int:
    """Run the seeds that are asked for; 1 when one fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("first", type=int)
    parser.add_argument("count", type=int, nargs="?", default=1)
    parser.add_argument("--digests", action="store_true")
    parser.add_argument("--tally", action="store_true", help="one line of JSON, for programs")
    parser.add_argument("--shrink", action="store_true")
    asked = parser.parse_args()
    if asked.tally:
        print(json.dumps(tally(range(asked.first, asked.first + asked.count))))
        return 0
    failed = 0
    for outcome in outcomes(range(asked.first, asked.first + asked.count)):
        if asked.digests:
            print(outcome.plan.seed, outcome.digest)
        elif outcome.violations:
            plan = shrunk(outcome.plan) if asked.shrink else outcome.plan
            print(f"seed {plan.seed}: {outcome.violations[0]}\n{plan}")
            failed += 1
    if not asked.digests:
        print(f"{asked.count - failed} of {asked.count} seeds hold")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
