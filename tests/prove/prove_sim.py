"""Proof: under any faults that the simulation knows, nothing is lost, and a seed repeats itself.

``sim.fleet``: plans drawn from fresh seeds, a safety phase with faults and a liveness phase each.
``sim.determinism``: the same seeds in two processes with other hashes give the same traces.
"""

import multiprocessing
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from multiprocessing.synchronize import Event
from pathlib import Path

from ledger import ROOT
from proof import Proof

TESTS = Path(__file__).parents[1]
sys.path.insert(0, str(TESTS))

from sim.search import SOMETIMES, outcomes  # noqa: E402 - found in tests

SEEDS = 1_000
SEEDS_ENOUGH = 1_000  # fewer need not come to every place
TWICE = 20
AT_ONCE = 2  # processes: one for each core
CHUNK = 25  # seeds of one process, which then ends: its memory with it
SEARCH = TESTS / "sim/search.py"
FAILING = ROOT / "build/sim/failing.txt"
FRESH = multiprocessing.get_context("spawn")


_ends: Event = FRESH.Event()


@dataclass(slots=True)
class Tally:
    """What some seeds did; ``failed`` holds seed and report."""

    seeds: int = 0
    hours: float = 0.0
    failed: list[tuple[int, str]] = field(default_factory=list)
    met: Counter[str] = field(default_factory=Counter)

    def add(self, other: "Tally") -> None:
        """Take in what others did."""
        self.seeds += other.seeds
        self.hours += other.hours
        self.failed += other.failed
        self.met += other.met


def search(seeds: range) -> Tally:
    """Run some seeds, until told to end; in a process of its own."""
    tally = Tally()
    for outcome in outcomes(seeds):
        tally.seeds += 1
        tally.hours += outcome.plan.sites * outcome.virtual_s / 3_600
        tally.met += outcome.sometimes
        if outcome.violations:
            tally.failed.append((outcome.plan.seed, str(outcome)))
        if _ends.is_set():
            break
    return tally


def prove(say: Callable[[str], None], seed: int, share: float) -> Iterator[Proof]:
    """Search fresh seeds, then run some of them twice."""
    count = max(1, round(SEEDS * share))
    tally = _search_all(range(seed, seed + count), say)
    for failed, report in tally.failed:
        say(f"seed {failed} fails; repeat it with {SEARCH.relative_to(ROOT)} {failed} --shrink")
        say(report)
    _keep(tally)
    unmet = [point for point in SOMETIMES if not tally.met[point]]
    if count >= SEEDS_ENOUGH:
        for point in unmet:
            say(f"never reached: {point}")
    yield Proof(
        "sim.fleet",
        runs=tally.seeds,
        failures=len(tally.failed) + (len(unmet) if count >= SEEDS_ENOUGH else 0),
        seed=seed,
        note=f"P1 P2 P11 P12 P15: seeds from this one on, {tally.hours:,.0f} site-hours with "
        f"faults; {len(SOMETIMES) - len(unmet)} of {len(SOMETIMES)} rare places reached",
    )
    twice = max(1, round(TWICE * min(1.0, share * 10)))
    differ = _differing(seed, twice)
    for text in differ:
        say(text)
    yield Proof(
        "sim.determinism",
        runs=twice,
        failures=len(differ),
        seed=seed,
        note="P25: same seed, same trace hash, in two processes with different PYTHONHASHSEED",
    )


def _search_all(seeds: range, say: Callable[[str], None]) -> Tally:
    total = Tally()
    chunks = [seeds[at : at + CHUNK] for at in range(0, len(seeds), CHUNK)]
    with ProcessPoolExecutor(
        AT_ONCE, FRESH, initializer=_heed, initargs=(_ends,), max_tasks_per_child=1
    ) as pool:
        try:
            for future in as_completed([pool.submit(search, chunk) for chunk in chunks]):
                total.add(future.result())
                say(f"{total.seeds:,} seeds, {total.hours:,.0f} site-hours")
        except BaseException:
            _ends.set()
            pool.shutdown(cancel_futures=True)
            raise
    return total


def _heed(ends: Event) -> None:
    """End between two seeds and not by a signal: a run that is cut off leaves its disks behind."""
    global _ends  # noqa: PLW0603 - how a process of a pool is given something
    _ends = ends
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def _keep(tally: Tally) -> None:
    """Keep what failed: a seed that is understood joins tests/sim/seeds.txt."""
    if tally.failed:
        FAILING.parent.mkdir(parents=True, exist_ok=True)
        FAILING.write_text("\n".join(report for _, report in sorted(tally.failed)) + "\n")


def _differing(seed: int, count: int) -> list[str]:
    lanes = [
        subprocess.Popen(
            [sys.executable, SEARCH, str(seed), str(count), "--digests"],
            env={"PYTHONHASHSEED": hashes, "PATH": "/usr/bin:/bin"},
            stdout=subprocess.PIPE,
            text=True,
        )
        for hashes in ("0", "4711")
    ]
    first, second = (lane.communicate()[0].splitlines() for lane in lanes)
    if len(first) != count or len(second) != count:
        return [f"{len(first)} and {len(second)} traces of {count} seeds"]
    return [f"{one} / {other}" for one, other in zip(first, second, strict=True) if one != other]
