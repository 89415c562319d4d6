"""Proof: root's one-shot, killed at any call that changes something, leaves one document whole.

The program runs as it is installed, over a tree of files; strace puts a kill in the place of one of
its calls. What the next start makes of that is looked at: by systemd, which begins it anew, or at a
boot. At every third point that start is killed as well.
"""

import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from config_root import ONE, TWO, ConfigRoot
from proof import Proof

STRACE = shutil.which("strace")
CALLS = ("openat", "write", "fsync", "rename", "unlink", "symlink", "mkdir", "fchmod")
KILL = "signal=SIGKILL"
RUN_S_MAX = 60.0
TWICE = 3  # at every third point the next start is killed, too
EVERY = 20
MEMORY = Path("/dev/shm")  # a disk that costs no time: a kill loses no page of it


@dataclass(frozen=True, slots=True)
class Point:
    """The ``nth`` call of a name on what the program changes."""

    call: str
    nth: int


class Rig:
    """One machine: a document is applied, the next one lies ready."""

    def __init__(self, folder: Path) -> None:
        self.root = ConfigRoot(folder)
        self.root.apply(ONE)
        self.old = self.root.files
        self.digest = self.root.job(TWO)
        self.seen = folder / "seen"

    @property
    def watched(self) -> list[str]:
        """Strace's options for all that is changed: files, their folders, what is beside them."""
        given, tree = self.root.given, self.root.tree
        changed = [tree / path for path in self.root.files]
        files = [*changed, given.state / "state", given.told / "told.json"]
        beside = [each.with_name(f".{each.name}.roost") for each in changed]
        fresh = [each.with_name(f"{each.name}.new") for each in files]
        folders = {each.parent for each in files}
        return [word for each in (*files, *beside, *fresh, *folders) for word in ("-P", str(each))]

    def run(self, verb: str, *options: str) -> subprocess.CompletedProcess[bytes]:
        """Run the program; with options of strace under it."""
        given = self.root.given
        words = [sys.executable, "-m", "roost_agent.config_apply", f"--root={given.root}"]
        words += [f"--state={given.state}", f"--jobs={given.jobs}", f"--told={given.told}"]
        words += ["--systemctl=", verb, *([self.digest] if verb == "apply" else [])]
        if options:
            words = [STRACE or "", "-f", "-o", str(self.seen), *self.watched, *options, *words]
        return subprocess.run(words, capture_output=True, check=False, timeout=RUN_S_MAX)


def prove(say: Callable[[str], None], seed: int, share: float) -> Iterator[Proof]:
    """Kill it at each call; in a bounded run at some of them."""
    dice = random.Random(seed)  # noqa: S311 - repeatable, not secret
    states = outcomes()
    points = all_points()
    if share < 1:
        points = dice.sample(points, max(3, round(len(points) * share)))
    faults, twice = [], 0
    for number, point in enumerate(points):
        verb = dice.choice(("apply", "boot"))
        is_twice = number % TWICE == 0
        twice += is_twice
        if fault := killed(point, verb, states, second=dice if is_twice else None):
            faults.append(f"{point}, then {verb}: {fault}")
            say(faults[-1])
        if number % EVERY == EVERY - 1:
            say(f"killed at {number + 1} of {len(points)} calls")
    yield Proof(
        "config.kills",
        runs=len(points),
        failures=len(faults),
        seed=seed,
        note="root's one-shot killed (SIGKILL) at each call that opens, writes, syncs, renames or "
        f"removes a file, {twice} times at its next start, too: after that the machine is the "
        "document before or the next one to the last byte, and tells which",
    )


def outcomes() -> dict[int, dict[str, str]]:
    """Return the files of the machine under each generation."""
    with scratch() as name:
        rig = Rig(Path(name))
        assert rig.run("apply").returncode == 0
        assert rig.root.told["applied_desired"] == 2
        return {1: rig.old, 2: rig.root.files}


def all_points() -> list[Point]:
    """Return every point of a run that nothing disturbs."""
    with scratch() as name:
        rig = Rig(Path(name))
        rig.run("apply", "-e", f"trace={','.join(CALLS)}")
        counts = Counter(re.findall(r"^\d+ +(\w+)\(", rig.seen.read_text(), re.MULTILINE))
    return [Point(call, nth) for call in sorted(counts) for nth in range(1, counts[call] + 1)]


def killed(
    point: Point, verb: str, states: dict[int, dict[str, str]], *, second: random.Random | None
) -> str:
    """Return what is wrong after a kill and the next start; empty: nothing."""
    with scratch() as name:
        rig = Rig(Path(name))
        done = rig.run("apply", *injected(point))
        if not done.returncode:
            return "was not killed"
        if second is not None:
            rig.run(verb, *injected(Point("openat", second.randint(1, 12))))
        again = rig.run(verb)
        if again.returncode:
            return f"the next start ended with {again.returncode}: {again.stderr[-200:]!r}"
        counts = rig.root.told.get("applied_desired", 0)
        if rig.root.files != states.get(counts):
            wrong = {k for k in rig.root.files if rig.root.files[k] != states[counts].get(k)}
            return f"generation {counts} is told, and other files are there: {wrong}"
        if rig.root.state.journal is not None:
            return "a journal is left"
    return ""


def injected(point: Point) -> list[str]:
    """Return strace's options that kill at a point."""
    fault = f"inject={point.call}:{KILL}:when={point.nth}"
    return ["-e", f"trace={point.call}", "-e", fault]


def scratch() -> tempfile.TemporaryDirectory[str]:
    """Return a folder for one machine."""
    where = MEMORY if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) else None
    return tempfile.TemporaryDirectory(prefix="roost-config-", dir=where)
