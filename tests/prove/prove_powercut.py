"""Proof: a cut of the power at any moment loses nothing that was acknowledged or receipted."""

import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import powercut_agent
import powercut_central
from proof import Proof

CUTS = 2_000
EVERY = 250  # cuts between two lines of progress
MEMORY = Path("/dev/shm")


def prove(say: Callable[[str], None], seed: int, share: float) -> Iterator[Proof]:
    """Cut the power under the agent's outbox, then under the centre."""
    cuts = max(1, round(CUTS * share))
    for name, rig in (("agent", powercut_agent), ("central", powercut_central)):
        with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
            tally = rig.cut_power(cuts, seed, Path(folder), after=partial(_tell, say, name))
        for fault in tally.faults[:5]:
            say(f"{name}: {fault}")
        yield Proof(
            f"powercut.{name}",
            runs=tally.cuts,
            failures=len(tally.faults),
            seed=seed,
            note=f"{PROMISE[name]}; {tally.written_back} cuts while the log was written back",
        )


def _tell(say: Callable[[str], None], name: str, cuts: int) -> None:
    if cuts % EVERY == 0:
        say(f"{name}: {cuts:,} cuts")


PROMISE = {
    "agent": "P4: what the outbox took is there after a cut, whole (512-byte sectors torn)",
    "central": "P3: what was receipted is there after a cut, once (512-byte sectors torn)",
}
