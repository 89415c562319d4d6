"""Proof: never two actives, and one again after the healing, whatever the faults of the simulation.

``ha.simulation``: the production voter and lease in sites drawn from fresh seeds.
``ha.determinism``: the same seeds in two processes with other hashes give the same traces.
"""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from command import at_once
from ledger import ROOT
from proof import Proof

SEARCH = Path(__file__).parents[1] / "sim/ha/search.py"
sys.path.insert(0, str(Path(__file__).parents[1]))

from sim.ha.search import SOMETIMES  # noqa: E402 - found in tests

SEEDS = 20_000
SEEDS_ENOUGH = 1_000  # fewer need not come to every place
TWICE = 20
AT_ONCE = 2  # processes: one for each core
CHUNK = 250  # seeds of one process
FAILING = ROOT / "build/sim/ha-failing.txt"


def search(first: int, option: str = "--tally", *, count: int, hashes: str = "random") -> str:
    """Return what the search prints of some seeds, run in a process of its own."""
    return subprocess.run(
        [sys.executable, SEARCH, str(first), str(count), option],
        env={"PYTHONHASHSEED": hashes, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def prove(say: Callable[[str], None], seed: int, share: float) -> Iterator[Proof]:
    """Search fresh seeds, then run some of them twice."""
    count = max(1, round(SEEDS * share))
    chunk = min(CHUNK, count)
    met: Counter[str] = Counter()
    failed: list[str] = []
    seeds, hours = 0, 0.0
    starts = range(seed, seed + count, chunk)
    for text in at_once(AT_ONCE, partial(search, count=chunk), starts):
        found: dict[str, Any] = json.loads(text)
        seeds, hours = seeds + found["seeds"], hours + found["hours"]
        met.update(found["met"])
        failed += found["failed"]
        say(f"{seeds:,} seeds, {hours:,.0f} site-hours, {len(failed)} failed")
    for line in failed:
        say(f"{line}; repeat it with {SEARCH.relative_to(ROOT)} SEED --shrink")
    if failed:
        FAILING.parent.mkdir(parents=True, exist_ok=True)
        FAILING.write_text("\n".join(failed) + "\n")
    unmet = [place for place in SOMETIMES if not met[place]] if count >= SEEDS_ENOUGH else []
    for place in unmet:
        say(f"never reached: {place}")
    yield Proof(
        "ha.simulation",
        runs=seeds,
        failures=len(failed) + len(unmet),
        seed=seed,
        note=f"P5 P6: fixed voters 1, 3, 5 and the sticky pair, and sites whose voters change, "
        f"{hours:,.0f} site-hours dense with faults; {met['another node took over']:,} takeovers, "
        f"{met['a change was taken']:,} changes, two actives never",
    )
    twice = max(1, round(TWICE * min(1.0, share * 10)))
    first, second = (
        search(seed, "--digests", count=twice, hashes=hashes) for hashes in ("0", "4711")
    )
    yield Proof(
        "ha.determinism",
        runs=twice,
        failures=sum(
            one != other for one, other in zip(first.splitlines(), second.splitlines(), strict=True)
        ),
        seed=seed,
        note="P25: same seed, same trace hash, in two processes with different PYTHONHASHSEED",
    )
