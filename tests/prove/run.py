"""Breaks roost on purpose, counts what was lost, and writes build/PROOFS.json.

``make prove ARGS="-k kills"`` runs the part of that name, or where there is none, the parts whose
name contains the word. A part is a module of this folder, ``prove_<part>.py``, with ``prove(say,
seed, share)``, which yields proofs; ``share`` is the part of the full count to run (``--share 0.1``
for a bounded run). A failure fails the run.
"""

import argparse
import importlib
import secrets
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]

import command  # noqa: E402 - found in tests/support
from ledger import ROOT, Ledger, Row, aligned, progress  # noqa: E402 - found in tests/support
from parts import chosen  # noqa: E402 - found in tests/support
from proof import Proof  # noqa: E402 - found beside

PARTS = sorted(path.stem.removeprefix("prove_") for path in HERE.glob("prove_*.py"))


def main() -> int:
    """Run the chosen parts, write them, print them; 1 when anything failed."""
    parser = argparse.ArgumentParser(prog="make prove", description=__doc__, allow_abbrev=False)
    parser.add_argument(
        "-k", metavar="WORD", default="", help="part of this name, or all with it in theirs"
    )
    parser.add_argument(
        "--seed", type=int, default=secrets.randbelow(1 << 32), help="of every part"
    )
    parser.add_argument("--share", type=share, default=1.0, help="of the full count, up to 1")
    asked = parser.parse_args()
    if not PARTS:
        parser.error("this version has no proofs yet; `make test` runs the tests that break things")
    parts = chosen(PARTS, asked.k)
    if not parts:
        parser.error(f"no part has {asked.k!r} in its name; there are {', '.join(PARTS)}")
    print(f"seed {asked.seed}", file=sys.stderr)
    ledger = Ledger("PROOFS.json", "proofs")
    failures = 0
    for part in parts:
        say = progress(part)
        say("begins")
        ledger.rows.pop(f"{part}.unfinished", None)  # of a run before
        for proof in proofs(part, say, asked.seed, asked.share):
            row = asdict(proof)
            ledger.put(str(row.pop("name")), row)
            failures += proof.failures
        say("done")
    print(table(ledger.rows))
    print(f"\nwritten to {ledger.path.relative_to(ROOT)}")
    return 1 if failures else 0


def share(text: str) -> float:
    """Return the part of the full count that is asked for: more than 0, at most 1."""
    value = float(text)
    if not 0 < value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not a share: more than 0 and at most 1")
    return value


def proofs(part: str, say: Callable[[str], None], seed: int, share: float) -> Iterator[Proof]:
    """Yield a part's proofs; one that cannot go on is a failure, and the next part's turn."""
    try:
        yield from importlib.import_module(f"prove_{part}").prove(say, seed, share)
    except Exception as err:  # noqa: BLE001 - whatever it is, the other proofs are worth having
        traceback.print_exc()
        yield Proof(f"{part}.unfinished", runs=1, failures=1, seed=seed, note=str(first(err))[:200])


def first(err: Exception) -> Exception:
    """Return what went wrong first where tasks failed together: it names what was not seen."""
    while isinstance(err, ExceptionGroup):
        err = err.exceptions[0]
    return err


def table(found: dict[str, Row]) -> str:
    """Return the proofs as aligned text."""
    rows = [("proof", "runs", "failures", "note")]
    for name, row in sorted(found.items()):
        rows.append((name, f"{row['runs']:,}", f"{row['failures']:,}", str(row["note"])))
    return aligned(rows, right=frozenset({1, 2}))


if __name__ == "__main__":
    sys.exit(command.run(main))
