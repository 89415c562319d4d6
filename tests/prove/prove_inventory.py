"""Proofs: the centre's inventory ends as the node's, and real machines are read as they are.

The trees of real machines belong to others and lie beside the project; without them the second
proof says so and counts nothing.
"""

import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

from ledger import ROOT
from proof import Proof

sys.path.insert(0, str(Path(__file__).parents[1] / "unit/central/inventory"))
sys.path.insert(0, str(Path(__file__).parents[1] / "unit/agent/discovery"))

from test_convergence import converge
from test_corpora_devices import HWLOC, NODE_EXPORTER, unpack

from roost_agent.discovery.reader import Reader
from roost_agent.discovery.registry import PROBES
from roost_agent.discovery.section import PROBE_ERROR
from roost_agent.inventory.snapshot import section

COURSES = 2_000
ARCHIVES = "*.tar.bz2"
ANSWERS = [
    f"tests/unit/agent/discovery/test_corpora_{name}.py" for name in ("cpu", "devices")
]  # what others read from the same trees
OUTCOMES = re.compile(r"(\d+) (passed|failed|error)")


def prove(say: Callable[[str], None], seed: int, share: float) -> Iterator[Proof]:
    """Let courses happen; then read every machine there is."""
    yield convergence(say, seed, share)
    yield corpora(say, seed, share)


def convergence(say: Callable[[str], None], seed: int, share: float) -> Proof:
    """Follow courses of what a node finds and what is lost of what it says."""
    runs = max(100, round(COURSES * share))
    failures = 0
    try:
        runs = converge(runs, seed)
    except AssertionError as err:
        failures = 1
        say(f"inventory.convergence: {err}")
    note = "probes, restarts, resyncs; documents lost, doubled, out of order: then all is equal"
    return Proof("inventory.convergence", runs=runs, failures=failures, seed=seed, note=note)


def corpora(say: Callable[[str], None], seed: int, share: float) -> Proof:
    """Read every tree by every probe, and hold what is read against others' answers.

    A bounded run reads a share of the trees; the comparisons are among the fast tests.
    """
    if not (HWLOC.is_dir() and NODE_EXPORTER.is_dir()):
        note = f"skipped: there are no trees in {HWLOC.parent}"
        return Proof("inventory.corpora", runs=0, failures=0, seed=seed, note=note)
    wrong, trees, most = [], 0, max(1, round((len(list(HWLOC.glob(ARCHIVES))) + 1) * share))
    with tempfile.TemporaryDirectory(prefix="roost-corpora-") as folder:
        for name, root in islice(_trees(Path(folder)), most):
            trees += 1
            found = list(_faults(root))
            say(f"{name}: {', '.join(found) or f'{len(PROBES)} classes read'}")
            wrong += found
    answers, failed = _answers(say) if share == 1 else (0, 0)
    note = f"{trees} machines by {len(PROBES)} classes; {answers} comparisons with others' answers"
    runs = trees * len(PROBES) + answers
    return Proof("inventory.corpora", runs=runs, failures=len(wrong) + failed, seed=seed, note=note)


def _answers(say: Callable[[str], None]) -> tuple[int, int]:
    """Return how many comparisons with what others read there were, and how many failed."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *ANSWERS],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    counts = {word: int(number) for number, word in OUTCOMES.findall(done.stdout)}
    if done.returncode != 0:
        say(done.stdout[-2_000:])
    count = sum(counts.values())
    return count, count - counts.get("passed", 0) or int(done.returncode != 0)


def _trees(folder: Path) -> Iterator[tuple[str, Path]]:
    """Unpack one machine after the other."""
    for archive in sorted(HWLOC.glob(ARCHIVES)):
        name = archive.name.removesuffix(".tar.bz2")
        with tarfile.open(archive) as tar:
            tar.extractall(folder / name, filter="tar")
        (root,) = (folder / name).iterdir()
        yield name, root
    root = folder / "node_exporter"
    unpack(NODE_EXPORTER / "sys.ttar", root)
    unpack(NODE_EXPORTER / "udev.ttar", root / "run")
    shutil.copytree(NODE_EXPORTER / "proc", root / "proc", symlinks=True)
    yield "node_exporter", root


def _faults(root: Path) -> Iterator[str]:
    """Yield what is wrong with what the probes read of a machine."""
    reader = Reader(str(root))
    try:
        for name, probe in PROBES.items():
            try:
                found = probe(reader)
            except Exception as err:  # noqa: BLE001 - whatever it is, it is what is looked for
                yield f"{name} raises {type(err).__name__}"
                continue
            section(found.items, found.missing, as_of_ms=1)  # it can be told
            if PROBE_ERROR in found.missing.values():
                yield f"{name}: a probe failed"
            for item, row in found.items.items():
                for field, value in row.items():
                    if (value is None) != (f"{item}.{field}" in found.missing):
                        yield f"{name}: {item}.{field} is null without a reason, or has one"
    finally:
        reader.close()
