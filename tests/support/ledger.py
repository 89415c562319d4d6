"""The files that measured figures and proofs are written to, part by part.

Each row is written as soon as it is there, so that an interrupted run keeps what it has; rows of
the same commit on the same machine are kept when only a part is run again.
"""

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parents[2]
VERSIONS = ("msgspec", "aiomqtt", "gmqtt", "sqlalchemy", "aiosqlite", "aiohttp", "uvloop")
Row = dict[str, object]


class Ledger:
    """One file under build/: ``{"meta": {..}, <kind>: {name: row}}``."""

    def __init__(self, file: str, kind: str) -> None:
        self.path = ROOT / "build" / file
        self._kind = kind
        self._meta = describe()
        self._began = time.monotonic()
        self.rows: dict[str, Row] = self._kept()

    def put(self, name: str, row: Row) -> None:
        """Add or replace a row and write the file."""
        self.rows[name] = row
        self.path.parent.mkdir(exist_ok=True)
        meta = {**self._meta, "seconds": round(time.monotonic() - self._began)}
        document = {"meta": meta, self._kind: dict(sorted(self.rows.items()))}
        fresh = self.path.with_suffix(".new")
        fresh.write_text(json.dumps(document, indent=1) + "\n")
        fresh.replace(self.path)

    def _kept(self) -> dict[str, Row]:
        try:
            before = json.loads(self.path.read_text())
        except (OSError, ValueError):
            return {}
        same = all(
            before.get("meta", {}).get(key) == self._meta[key] for key in ("commit", "machine")
        )
        return dict(before[self._kind]) if same else {}


def describe() -> Row:
    """Return what the rows were taken on."""
    commit = subprocess.run(
        ["git", "-C", str(ROOT), "describe", "--always", "--dirty"],
        capture_output=True,
        text=True,
        check=False,
    )
    cores = len(os.sched_getaffinity(0))
    return {
        "commit": commit.stdout.strip() or "unknown",
        "machine": f"{cores} x {_processor()}, Linux {platform.release()}",
        "versions": {"python": platform.python_version(), **{n: version(n) for n in VERSIONS}},
    }


def progress(part: str) -> Callable[[str], None]:
    """Return a function that shows a line of progress with the seconds since this call."""
    began = time.monotonic()

    def say(text: str) -> None:
        print(f"{part:10} {time.monotonic() - began:6.1f} s  {text}", file=sys.stderr, flush=True)

    return say


def aligned(rows: list[tuple[str, ...]], *, right: frozenset[int] = frozenset()) -> str:
    """Return rows as columns; those in ``right`` are right-aligned."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()
