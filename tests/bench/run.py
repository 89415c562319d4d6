"""Measures every figure that the README and docs quote, and writes build/bench.json.

``make bench ARGS="-k agent"`` measures the parts whose name contains the word and keeps the other
figures of the same commit. A part is a module of this folder with ``measure(say)``, which yields
figures; ``say`` shows progress. A goal that is missed is shown as missed: it fails nothing.
"""

import argparse
import importlib
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE))

from figure import Figure, met  # noqa: E402 - beside this file

PARTS = ("probe", "cli", "agent", "api", "ingest", "console", "sim")
VERSIONS = ("msgspec", "aiomqtt", "gmqtt", "sqlalchemy", "aiosqlite", "aiohttp", "uvloop")


def main() -> int:
    """Measure the chosen parts, write them, print them."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("-k", metavar="WORD", default="", help="only parts with this in their name")
    parser.add_argument("--quick", action="store_true", help="shorter runs, marked as such")
    asked = parser.parse_args()
    parts = [part for part in PARTS if asked.k in part]
    if not parts:
        parser.error(f"no part has {asked.k!r} in its name; there are {', '.join(PARTS)}")
    if asked.quick:
        os.environ["ROOST_BENCH_QUICK"] = "1"
    target = ROOT / "build" / "bench.json"
    meta = describe()
    figures = kept(target, meta)
    for part in parts:
        for figure in measured(part):
            figures[figure.key] = {k: v for k, v in asdict(figure).items() if k != "key"}
            write(target, meta, figures)
    print(table(figures))
    print(f"\nwritten to {target.relative_to(ROOT)}")
    return 0


def measured(part: str) -> Iterator[Figure]:
    """Run one part, with its progress and the time it took."""
    began = time.monotonic()

    def say(text: str) -> None:
        print(f"{part:8} {time.monotonic() - began:6.1f} s  {text}", file=sys.stderr, flush=True)

    measure: Callable[[Callable[[str], None]], Iterator[Figure]] = importlib.import_module(
        f"measure_{part}"
    ).measure
    say("begins")
    yield from measure(say)
    say("done")


def describe() -> dict[str, object]:
    """Return what the figures were taken on."""
    commit = subprocess.run(
        ["git", "-C", str(ROOT), "describe", "--always", "--dirty"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    model = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    return {
        "commit": commit.stdout.strip() or "unknown",
        "machine": f"{len(os.sched_getaffinity(0))} x {model}, Linux {platform.release()}",
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in VERSIONS},
        },
    }


def kept(target: Path, meta: dict[str, object]) -> dict[str, dict[str, object]]:
    """Return the figures already taken of this commit on this machine."""
    try:
        before = json.loads(target.read_text())
    except (OSError, ValueError):
        return {}
    same = all(before.get("meta", {}).get(key) == meta[key] for key in ("commit", "machine"))
    return dict(before["figures"]) if same else {}


def write(target: Path, meta: dict[str, object], figures: dict[str, dict[str, object]]) -> None:
    """Write what is there so far: an interrupted run keeps what it measured."""
    target.parent.mkdir(exist_ok=True)
    document = {"meta": meta, "figures": dict(sorted(figures.items()))}
    target.write_text(json.dumps(document, indent=1) + "\n")


def table(figures: dict[str, dict[str, object]]) -> str:
    """Return the figures as aligned text."""
    rows = [("figure", "value", "unit", "goal", "", "against")]
    for key, row in sorted(figures.items()):
        value = row["value"]
        shown = f"{value:,.3g}" if isinstance(value, float) and value < 100 else f"{value:,.0f}"
        rows.append(
            (
                key,
                shown,
                str(row["unit"]),
                str(row["goal"] or ""),
                met(row),
                str(row["limit_or_peer"] or ""),
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(6)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if column == 1 else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


if __name__ == "__main__":
    sys.exit(main())
