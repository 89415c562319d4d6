"""``update.*``: what a node fetches for a new agent, and what judging a release costs.

The bundle is the agent as it is installed: its packages, as its lock names them, and its own files.
Then one dependency is exchanged for the release before it, as pip brings it (where there is an
index), one after the other; and ten of our own files are edited. A ratio is the bytes of blobs that
a node of the old bundle fetches, of the whole. Judging is both chains and the rule, as root does it
when nothing changed since; the start of the process is not in it.
"""

import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from figure import QUICK, Figure, percentile

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from releases import custom
from tuf_stage import NOW_MS, Stage

from roost_agent.trust import kept
from roost_agent.trust.release import Box, Places, verify
from roost_central.releases.build import Described, build
from roost_central.releases.bundle import Bundle, wan_bytes

ROOT = Path(__file__).parents[2]
BUMPED = ("cryptography",) if QUICK else (
    "aiohttp", "cryptography", "msgspec", "psutil", "securesystemslib", "tuf",
)  # fmt: skip
EDITED = 10
LINES = 25
VERIFIED = 20 if QUICK else 100
DOWNLOAD_S_MAX = 60


def measure(say: Callable[[str], None]) -> Iterator[Figure]:
    """Build the bundles, then judge."""
    with tempfile.TemporaryDirectory(prefix="roost-bench-") as folder:
        yield from ratios(Path(folder), say)
    with tempfile.TemporaryDirectory(prefix="roost-bench-") as folder:
        yield from verifying(Path(folder))


def ratios(folder: Path, say: Callable[[str], None]) -> Iterator[Figure]:
    """Say what a node fetches that runs the bundle before."""
    say("builds the agent's bundle")
    new = agent_tree(folder / "new")
    told: dict[str, float] = {}
    for name in BUMPED:
        wheel = older(name, folder / "wheels")
        if wheel is None:
            say(f"{name}: no release before it can be had")
            continue
        say(f"{name}: builds with the release before it")
        tree = folder / f"old-{name}"
        shutil.copytree(new, tree)
        exchange(tree, name, wheel)
        told[name] = ratio(tree, new, folder / name)
        shutil.rmtree(tree)
    if told:
        worst = max(told, key=told.__getitem__)
        each = ", ".join(f"{name} {share:.3f}" for name, share in sorted(told.items()))
        note = f"the worst of {each}" if len(told) > 1 else each
        yield Figure(
            "update.wan_ratio_dependency", round(told[worst], 4), "of the bundle", "<= 0.15", note
        )
    edited = folder / "edited"
    shutil.copytree(new, edited)
    files = sorted((edited / "roost_agent").rglob("*.py"), key=lambda path: path.stat().st_size)
    for path, other in zip(files[-EDITED:], files[-2 * EDITED :], strict=False):
        lines, others = (each.read_text().splitlines(keepends=True) for each in (path, other))
        middle = len(lines) // 2
        lines[middle : middle + 5] = others[20 : 20 + LINES]  # as text that is new there
        path.write_text("".join(lines))
    share = ratio(new, edited, folder / "sources")
    note = f"{EDITED} of our largest files, {LINES} lines each"
    yield Figure("update.wan_ratio_sources", round(share, 5), "of the bundle", "<= 0.01", note)


def ratio(old: Path, new: Path, out: Path) -> float:
    """Return the share of the bundle that a node fetches which has the old one."""
    before = built(old, out.with_name(f"{out.name}-1"), 1, [])
    after = built(new, out.with_name(f"{out.name}-2"), 2, [before])
    share = wan_bytes(after.manifest, [before.manifest]) / wan_bytes(after.manifest, [])
    for each in (before, after):
        shutil.rmtree(each.folder)
    return share


def built(source: Path, out: Path, counter: int, previous: list[Bundle]) -> Bundle:
    """Build a bundle of the agent."""
    return build(source, Described("agent", str(counter), counter, "agent-self"), out, previous)


def agent_tree(out: Path) -> Path:
    """Lay out what an installed agent is made of."""
    lock = (ROOT / "packaging/requirements/agent.txt").read_text()
    for name in re.findall(r"^([a-z][a-z0-9.-]*)==", lock, re.MULTILINE):
        try:
            found = distribution(name)
        except PackageNotFoundError:  # of another platform
            continue
        for file in found.files or []:
            path = Path(str(found.locate_file(file)))
            if ".." in file.parts or "__pycache__" in file.parts or not path.is_file():
                continue
            copy(path, out / str(file))
    for part, package in (("agent", "roost_agent"), ("protocol", "roost_protocol")):
        for path in (ROOT / part / package).rglob("*.py"):
            copy(path, out / package / path.relative_to(ROOT / part / package))
    return out


def copy(path: Path, to: Path) -> None:
    """Copy a file to where nothing is yet."""
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, to)


def older(name: str, folder: Path) -> Path | None:
    """Return the wheel of the release before the installed one; None: there is no index."""
    words = [
        sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary", ":all:",
        "--dest", str(folder / name), f"{name}<{distribution(name).version}",
    ]  # fmt: skip
    try:
        done = subprocess.run(
            words, capture_output=True, timeout=DOWNLOAD_S_MAX, check=False
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return None
    return next((folder / name).glob("*.whl"), None) if done.returncode == 0 else None


def exchange(tree: Path, name: str, wheel: Path) -> None:
    """Put the files of a wheel in place of those of the installed release."""
    for file in distribution(name).files or []:
        (tree / str(file)).unlink(missing_ok=True)
    with zipfile.ZipFile(wheel) as archive:
        for entry in archive.infolist():
            if not entry.is_dir():
                to = tree / entry.filename
                to.parent.mkdir(parents=True, exist_ok=True)
                to.write_bytes(archive.read(entry))


def verifying(folder: Path) -> Iterator[Figure]:
    """Judge one release again and again, as root does when nothing changed."""
    stage = Stage(folder / "mirror")
    said = custom()
    raw = stage.sign_release(said)
    stage.assign(said, raw)
    stage.publish()
    trust = folder / "trust"
    trust.mkdir()
    (trust / kept.IMAGE_ROOT).write_bytes(stage.image.anchor)
    (trust / kept.DIRECTOR_ROOT).write_bytes(stage.director.anchor)
    kept.save(trust, kept.State(node="lab.n1"))
    spent = []
    for _ in range(VERIFIED):
        began = time.perf_counter()
        verdict = verify(raw, Places(folder / "mirror", trust), Box("", frozenset()), NOW_MS)
        spent.append((time.perf_counter() - began) * 1000)
        assert verdict.is_accepted, verdict
    tail = percentile(spent, 95)
    note = f"p95 {tail:.1f} over {VERIFIED}, 2 of 3 keys, kept on disk each time"
    yield Figure("update.verify_ms", round(statistics.median(spent), 1), "ms", "<= 50", note)
