"""Many seeds: runs them, adds up what they met, and tells a failure so that it can be repeated.

``python tests/sim/search.py SEED [COUNT]`` runs them here; ``--trace`` shows every event,
``--shrink`` makes the first failing plan small. ``--digests`` prints seed and hash, for comparing.
"""

import argparse
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[1] / "support")]

from sim.plan import Plan, random_plan  # noqa: E402 - found there
from sim.shrink import shrink  # noqa: E402 - found there
from sim.world import Outcome, run  # noqa: E402 - found there

SEEDS = Path(__file__).with_name("seeds.txt")

# Places that a search of a thousand seeds must come to, or it does not search there.
SOMETIMES = (
    "a broker dropped what it had acknowledged",
    "a broker held a message back",
    "a broker repeated a message",
    "a broker replayed an old message",
    "a broker spoiled a message",
    "a commit of central was refused by its disk",
    "a connection died of a cut",
    "a connection was taken over",
    "a message overtook another on the network",
    "a message was lost on the network",
    "a program gave up and was started again",
    "a program was stopped and went on",
    "a will was published",
    "an agent was stopped with something unsaid",
    "an outbox dropped by its policy",
    "an outbox was refused by its disk",
    "central asked for an inventory again",
    "central was restored from a backup",
)


def outcomes(seeds: Iterable[int]) -> Iterator[Outcome]:
    """Run the plan of each seed."""
    for seed in seeds:
        yield run(random_plan(seed))


def known_seeds() -> list[int]:
    """Return the seeds that once failed."""
    lines = SEEDS.read_text().splitlines()
    return [int(line.split()[0]) for line in lines if line and not line.startswith("#")]


def kind_of(violation: str) -> str:
    """Return a violation without its numbers and names: what it says, not of whom."""
    return re.sub(r"\d+|s\d+\.n\d+", "*", violation.partition(": ")[2])[:60]


def shrunk(outcome: Outcome) -> Outcome:
    """Return the outcome of the smallest plan that fails in the same way."""
    kind = kind_of(outcome.violations[0])

    def fails(plan: Plan) -> bool:
        return any(kind_of(each) == kind for each in run(plan).violations)

    return run(shrink(outcome.plan, fails))


def main() -> int:
    """Run; 1 when anything was violated."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seed", type=int)
    parser.add_argument("count", type=int, nargs="?", default=1)
    parser.add_argument("--trace", action="store_true", help="show every event")
    parser.add_argument("--shrink", action="store_true", help="make the first failing plan small")
    parser.add_argument("--digests", action="store_true", help="print seeds and trace hashes only")
    asked = parser.parse_args()
    met: Counter[str] = Counter()
    failed = 0
    for seed in range(asked.seed, asked.seed + asked.count):
        outcome = run(random_plan(seed), keep=print if asked.trace else None)
        met += outcome.sometimes
        failed += bool(outcome.violations)
        if asked.digests:
            print(seed, outcome.digest, flush=True)
        elif outcome.violations or asked.count == 1:
            print(outcome, flush=True)
            if outcome.violations and asked.shrink:
                print(f"made small:\n{shrunk(outcome)}")
                break
    if not asked.digests:
        print(f"{failed} of {asked.count} seeds failed")
        for what, times in sorted(met.items()):
            print(f"{times:8,}  {what}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
