"""Measures every figure that the README and docs quote, and writes build/bench.json.

``make bench ARGS="-k agent"`` measures the part of that name, or where there is none, the parts
whose name contains the word, and keeps the other figures of the same commit. A part is a module of
this folder, ``measure_<part>.py``, with ``measure(say)``, which yields figures; ``say`` shows
progress. A goal that is missed is shown as missed: it fails nothing. A part that breaks costs the
exit status, and no other part.
"""

import argparse
import importlib
import signal
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]

import command  # noqa: E402 - found in tests/support
from figure import met, shown  # noqa: E402 - found beside this file
from ledger import ROOT, Ledger, Row, aligned, progress  # noqa: E402 - found in tests/support
from parts import chosen  # noqa: E402 - found in tests/support

PART_S_MAX = 900  # the longest is the agent, watched for ten minutes
PARTS = sorted(path.stem.removeprefix("measure_") for path in HERE.glob("measure_*.py"))


def main() -> int:
    """Measure the chosen parts, write them, print them."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__, allow_abbrev=False)
    parser.add_argument(
        "-k", metavar="WORD", default="", help="part of this name, or all with it in theirs"
    )
    parser.add_argument("--quick", action="store_true", help="shorter runs, marked as such")
    asked = parser.parse_args()
    parts = chosen(PARTS, asked.k)
    if not parts:
        parser.error(f"no part has {asked.k!r} in its name; there are {', '.join(PARTS)}")
    ledger = Ledger("bench.json", "figures")
    failed = [part for part in parts if not measured(part, ledger)]
    print(table(ledger.rows))
    print(f"\nwritten to {ledger.path.relative_to(ROOT)}")
    if failed:
        print(f"not measured to the end: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def measured(part: str, ledger: Ledger) -> bool:
    """Measure one part into the ledger; return false where it broke: the others go on."""
    say = progress(part)
    say("begins")
    try:
        with at_most(PART_S_MAX):
            for figure in importlib.import_module(f"measure_{part}").measure(say):
                row = asdict(figure)
                ledger.put(str(row.pop("key")), row)
    except Exception:  # noqa: BLE001 - one part must not cost the figures of the others
        traceback.print_exc()
        say("failed")
        return False
    say("done")
    return True


@contextmanager
def at_most(seconds: int) -> Iterator[None]:
    """Break what outlasts its time, wherever it waits.

    Raises:
        TimeoutError: it did.
    """

    def ring(_number: int, _frame: object) -> None:
        raise TimeoutError(f"not done within {seconds} s")

    signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)


def table(figures: dict[str, Row]) -> str:
    """Return the figures as aligned text."""
    rows = [("figure", "value", "unit", "goal", "", "against")]
    for key, row in sorted(figures.items()):
        texts = [str(row[name] or "") for name in ("unit", "goal", "limit_or_peer")]
        rows.append((key, shown(row), texts[0], texts[1], met(row), texts[2]))
    return aligned(rows, right=frozenset({1}))


if __name__ == "__main__":
    sys.exit(command.run(main))
