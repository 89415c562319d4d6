"""Proof: the tests see what they are there for. Faults are planted, and each must be noticed.

A row is a file of tests/mutants; ``planted.security`` is the eight faults of identity and access
that stand in several of them.
"""

import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from proof import Proof

sys.path.insert(0, str(Path(__file__).parents[1] / "mutants"))

from mutant import Mutant, mutants
from plant import faults

TURN = 5  # of the others in a bounded run, besides the foundation's six and the eight


def prove(say: Callable[[str], None], seed: int, share: float) -> Iterator[Proof]:
    """Plant every fault; in a bounded run what all rests on, and some others by turns."""
    runs: Counter[str] = Counter()
    missed: Counter[str] = Counter()
    for mutant, why in faults(_chosen(seed, share)):
        say(f"{mutant.name}: {why or 'caught'}")
        for each in mutant.sets:
            runs[each] += 1
            missed[each] += bool(why)
    for group in runs:
        yield Proof(
            f"planted.{group}",
            runs=runs[group],
            failures=missed[group],
            seed=seed,
            note="faults planted one by one, each noticed by the test named with it",
        )


def _chosen(seed: int, share: float) -> list[Mutant]:
    everything = mutants()
    if share >= 1:
        return everything
    first = [each for each in everything if each.group == "foundation" or each.threat]
    others = [each for each in everything if each not in first]
    dice = random.Random(seed)  # noqa: S311 - repeatable, not secret
    return first + dice.sample(others, TURN)
