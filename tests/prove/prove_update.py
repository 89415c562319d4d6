"""Proof: root's one-shot, killed at any call that changes something, leaves one release whole.

The program runs as it is installed, over a tree of files; strace puts a kill in the place of one of
its calls, or of its installer's, or has the call fail as on a bad disk or a full one. What runs is
looked at there and then; after it the unit begins it anew, or the agent has it undone. In the end
it is the old release or the new one, to the last byte, root's journal says which, and the way to
commit or to go back is open.
"""

import dataclasses
import os
import random
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from install_stage import JOB, InstallStage
from proof import Proof

from roost_agent.ports import SystemClock
from roost_agent.update import installed
from roost_agent.update.request_file import InstallRequest

STRACE = shutil.which("strace")
CALLS = (
    "write", "fsync", "rename", "unlink", "unlinkat", "symlink", "mkdir", "mkdirat", "rmdir",
    "fchmod", "chmod",
)  # fmt: skip
KILL = "signal=SIGKILL"
ERRORS = {  # of a disk, and by which calls it tells them
    "error=EIO": ("write", "fsync", "rename", "unlink", "symlink", "mkdir", "fchmod"),
    "error=ENOSPC": ("write", "fsync", "rename", "symlink", "mkdir"),
}
OLD = {"bin/run": b"old" * 400, "etc/a": b"1" * 5_000}
NEW = {"bin/run": b"new" * 400, "etc/b/c": b"2" * 70_000, "etc/d": b"3"}
WAY = ("stage", "activate", "confirm", "cleanup")
BACK = ("rollback", "cleanup")
STANDS = (*(("there", verb) for verb in WAY), *(("back", verb) for verb in BACK))
KILLED = (
    "roost-install killed (SIGKILL) at each call of stage, activate, confirm, cleanup and "
    "rollback that writes, syncs, renames, makes or removes something, or its installer: at "
    "that moment the old release runs or the new one, whole; begun anew, or undone, it ends"
)
FAILED = (
    "each of those calls that a disk can refuse fails once with EIO or ENOSPC: the old release "
    "runs or the new one, whole; it is told as failed and undone, or begun anew, and ends"
)
BOUNDED = 0.1  # a smaller share is of one verb, so that the others need not be counted
EVERY = 20
MEMORY = Path("/dev/shm")  # a disk that costs no time: a kill loses no page of it


@dataclass(frozen=True, slots=True)
class Point:
    """The ``nth`` call of a name in a verb, on the way there or back, and what becomes of it."""

    way: str
    verb: str
    call: str
    nth: int
    fault: str = KILL


class Rig:
    """One machine in a folder: the old release is committed, the new one lies in the mirror."""

    def __init__(self, folder: Path, *, old: str = "", new: str = "") -> None:
        self.folder = folder
        self.seen = folder.with_name(f"{folder.name}.strace")
        if old:
            self.stage = InstallStage.again(folder)
            self.old, self.new = old, new
            return
        folder.mkdir()
        self.stage = InstallStage(folder, now_ms=SystemClock().wall_ms())
        self.old = self.stage.release("1.0", OLD)
        for verb in WAY:
            result = self.stage.ask(verb, self.old, "1.0")
            assert result is not None
            assert result.word == "done", result
        self.new = self.stage.release("2.0", NEW)

    def copy(self, folder: Path) -> "Rig":
        """Return another machine that is like this one."""
        shutil.copytree(self.folder, folder, symlinks=True)
        return Rig(folder, old=self.old, new=self.new)

    def do(self, verb: str, *before: str, attempt: int = 2) -> installed.Result | None:
        """Have the program do a verb about the new release; return what it told."""
        key = f"{JOB}.{attempt}.{verb}"
        self.stage.put(verb, self.new, InstallRequest(1, key, "app/demo", "2.0"))
        self.stage.run(verb, self.new, *before)
        return self.stage.installed.result(key)

    def whole(self) -> str:
        """Return which release runs; empty: neither, or a mixture."""
        found = self.stage.current()
        return "old" if found == OLD else "new" if found == NEW else ""


def prove(say: Callable[[str], None], seed: int, share: float) -> Iterator[Proof]:
    """Kill it at each call, and have each fail; in a bounded run some of them."""
    dice = random.Random(seed)  # noqa: S311 - repeatable, not secret
    with scratch() as name:
        only = dice.choice(STANDS) if share < BOUNDED else None
        stands = standing(Path(name), only)
        kills = all_points(stands, Path(name))
        errors = [
            dataclasses.replace(point, fault=fault)
            for fault, calls in ERRORS.items()
            for point in kills
            if point.call in calls
        ]
        for proof, points, note in (
            ("update.syscall_kills", kills, KILLED),
            ("update.disk_errors", errors, FAILED),
        ):
            some = points
            if share < 1:
                some = dice.sample(points, max(2, round(len(points) * share)))
            faults = _tried(some, stands, Path(name), say)
            yield Proof(proof, runs=len(some), failures=len(faults), seed=seed, note=note)


def _tried(
    points: list[Point],
    stands: dict[tuple[str, str], Rig],
    folder: Path,
    say: Callable[[str], None],
) -> list[str]:
    faults = []
    for number, point in enumerate(points):
        if fault := struck(point, stands, folder, is_undone=bool(number % 2)):
            faults.append(f"{point}: {fault}")
            say(faults[-1])
        if number % EVERY == EVERY - 1:
            say(f"{number + 1} of {len(points)} calls")
    return faults


def standing(folder: Path, only: tuple[str, str] | None) -> dict[tuple[str, str], Rig]:
    """Return a machine before each verb of both ways, or before one of them."""
    found = {}
    rig = Rig(folder / "first")
    for way, verb in STANDS:
        if (way, verb) == ("back", "rollback"):
            rig = found["there", "confirm"].copy(folder / "back")
        found[way, verb] = rig.copy(folder / f"{way}-{verb}")
        if (way, verb) == only:
            return {only: found[only]}
        told = rig.do(verb)
        assert told is not None
        assert told.word == "done", told
    return found


def all_points(stands: dict[tuple[str, str], Rig], folder: Path) -> list[Point]:
    """Return every point of runs that nothing disturbs."""
    points = []
    for number, ((way, verb), stand) in enumerate(stands.items()):
        rig = stand.copy(folder / f"count-{number}")
        rig.do(verb, *strace(rig.seen, f"trace={','.join(CALLS)}"))
        calls = re.findall(r"^(\d+) +(\w+)\(", rig.seen.read_text(), re.MULTILINE)
        most: Counter[str] = Counter()
        for (_, call), count in Counter(calls).items():  # strace counts each process apart
            most[call] = max(most[call], count)
        points += [
            Point(way, verb, call, nth) for call in sorted(most) for nth in range(1, most[call] + 1)
        ]
    return points


def struck(
    point: Point, stands: dict[tuple[str, str], Rig], folder: Path, *, is_undone: bool
) -> str:
    """Return what is wrong after a fault and what follows; empty: nothing."""
    rig = stands[point.way, point.verb].copy(folder / "one")
    try:
        fault = f"inject={point.call}:{point.fault}:when={point.nth}"
        told = rig.do(point.verb, *strace(rig.seen, f"trace={point.call}", fault))
        if not (now := rig.whole()):
            return "neither release runs"
        if told is not None and told.word == "failed":
            return _undone(rig)  # its installer was killed, or the disk refused, and it said so
        past = point.way == "there" and point.verb in {"confirm", "cleanup"}
        if is_undone and point.way == "there" and not past:
            return _undone(rig)
        return _gone_on(rig, point, now)
    finally:
        shutil.rmtree(rig.folder)


def _gone_on(rig: Rig, point: Point, now: str) -> str:
    """Begin the verb anew, as its unit does, and go the way to its end."""
    way = WAY if point.way == "there" else BACK
    for verb in way[way.index(point.verb) :]:
        told = rig.do(verb)
        if told is None or told.word != "done":
            return f"{verb} was not done, with {now} there: {told}"
        if not rig.whole():
            return f"neither release runs after {verb}"
    goal = "new" if point.way == "there" else "old"
    return _ended(rig, goal)


def _undone(rig: Rig) -> str:
    """Go back, as the agent does after a failure; what is committed cannot."""
    running = rig.stage.installed.component("app/demo").running
    is_committed = running is not None and running.digest == rig.new
    for verb in BACK:
        told = rig.do(verb, attempt=3)
        if told is None or told.word != "done":
            return f"{verb} was not done: {told}"
    return _ended(rig, "new" if is_committed else "old")


def _ended(rig: Rig, goal: str) -> str:
    here = rig.stage.installed.component("app/demo")
    digest = rig.new if goal == "new" else rig.old
    if rig.whole() != goal:
        return f"{rig.whole() or 'neither'} runs, {goal} should"
    if here.running is None or here.running.digest != digest or here.trial is not None:
        return f"the journal says {here}"
    releases = rig.stage.given.root / "opt/roost/app/demo/releases"
    left = {each.name for each in releases.iterdir()}
    kept = {each.digest for each in (here.running, here.previous) if each is not None}
    if left != {name for each in kept for name in (each, f"{each}.json")}:
        return f"left behind: {left}"
    return ""


def strace(seen: Path, *options: str) -> list[str]:
    """Return strace with options, over all processes."""
    told = [word for each in options for word in ("-e", each)]
    return [STRACE or "", "-f", "-qq", "-o", str(seen), *told]


def scratch() -> tempfile.TemporaryDirectory[str]:
    """Return a folder for machines."""
    where = MEMORY if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) else None
    return tempfile.TemporaryDirectory(prefix="roost-update-", dir=where)
