"""Proof: whatever the bytes, each decoder answers in time with a value or its typed error."""

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from command import at_once
from ledger import ROOT
from proof import Proof

FUZZ = Path(__file__).parents[1] / "fuzz"
RUNS = 1_000_000  # of each decoder
LENGTH_MAX = 4_096  # bytes of one input: the greatest bound of a string, and thousands of values
MEMORY_MIB_MAX = 512  # of the whole process; one input may have 64
AT_ONCE = 2  # processes: one for each core
NAMES = re.compile(r'^    "([\w-]+)": ', re.MULTILINE)
DONE = re.compile(r"^Done (\d+) runs", re.MULTILINE)
REACHED = re.compile(r"^#(\d+)\s", re.MULTILINE)
COVERED = re.compile(r"cov: (\d+) ft: (\d+)")


@dataclass(frozen=True, slots=True)
class Outcome:
    """One decoder's run; ``finding`` is empty where there was none."""

    name: str
    runs: int
    covered: str
    finding: str


def names() -> list[str]:
    """Return the decoders, without importing what only a fuzzer's process should."""
    return NAMES.findall((FUZZ / "targets.py").read_text())


def fuzz(name: str, runs: int, seed: int) -> Outcome:
    """Fuzz one decoder in a process of its own; an input that is a finding goes to build/fuzz."""
    with tempfile.TemporaryDirectory(prefix="roost-fuzz-") as folder:
        done = subprocess.run(
            [
                sys.executable,
                FUZZ / "fuzz.py",
                name,
                folder,
                f"-runs={runs}",
                f"-seed={seed % (1 << 32) or 1}",  # libFuzzer takes 0 for "any"
                f"-max_len={LENGTH_MAX}",
                f"-rss_limit_mb={MEMORY_MIB_MAX}",
                "-malloc_limit_mb=64",
                f"-artifact_prefix={folder}/finding-",
            ],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        finding = ""
        if done.returncode != 0:
            finding = _finding(done.stdout + done.stderr)
            kept = ROOT / "build/fuzz" / name
            kept.mkdir(parents=True, exist_ok=True)
            for file in Path(folder).glob("finding-*"):
                shutil.copy(file, kept)
    numbers = DONE.findall(done.stderr) or REACHED.findall(done.stderr) or ["0"]
    covered = COVERED.findall(done.stderr) or [("0", "0")]
    return Outcome(name, int(numbers[-1]), "{} edges, {} features".format(*covered[-1]), finding)


def prove(say: Callable[[str], None], seed: int, share: float) -> Iterator[Proof]:
    """Fuzz every decoder, two at a time."""
    runs = max(1, round(RUNS * share))
    for outcome in at_once(AT_ONCE, partial(fuzz, runs=runs, seed=seed), names()):
        say(f"{outcome.name}: {outcome.runs:,} runs, {outcome.finding or 'no finding'}")
        yield Proof(
            f"fuzz.{outcome.name}",
            runs=outcome.runs,
            failures=int(bool(outcome.finding)),
            seed=seed,
            note=f"P13: typed errors only, 50 ms each, inputs to {LENGTH_MAX} bytes; "
            f"{outcome.covered}",
        )


def _finding(output: str) -> str:
    """Return the line that says what was raised."""
    lines = [line for line in output.splitlines() if re.match(r"[\w.]+(Error|Exception)\b", line)]
    return (lines or output.splitlines()[-1:] or ["ended without a word"])[-1][:200]
