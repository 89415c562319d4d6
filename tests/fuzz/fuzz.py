"""Fuzzes one decoder: ``python tests/fuzz/fuzz.py NAME FOLDER [libFuzzer's options]``.

A finding is anything raised but the target's typed error, or an input that costs more than
50 ms. Time is this thread's CPU, the best of three: what the machine does meanwhile is no finding.
The input that did it stays in FOLDER.
"""

import sys
import time
from contextlib import suppress
from pathlib import Path

import atheris

COST_S_MAX = 0.05  # of one input
TRIES = 3

with atheris.instrument_imports(include=["roost_protocol", "roost_central", "roost_agent"]):
    from targets import TARGETS, Target


class TooSlowError(Exception):
    """An input that costs more than its bound."""


def executes(target: Target, data: bytes) -> float:
    """Run once and return the CPU seconds it took."""
    began = time.thread_time()
    with suppress(target.errors):
        target.run(data)
    return time.thread_time() - began


def main() -> None:
    """Hand over to libFuzzer, which ends the process."""
    name, folder = sys.argv[1], Path(sys.argv[2])
    target = TARGETS[name]()
    for number, seed in enumerate(target.seeds):
        (folder / f"seed-{number:03}").write_bytes(seed)

    def one(data: bytes) -> None:
        if executes(target, data) > COST_S_MAX:
            cost_s = min(executes(target, data) for _ in range(TRIES))
            if cost_s > COST_S_MAX:
                raise TooSlowError(f"{cost_s * 1000:.0f} ms for {len(data)} bytes")

    atheris.Setup([sys.argv[0], str(folder), *sys.argv[3:]], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
