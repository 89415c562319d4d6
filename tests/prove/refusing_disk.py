"""A disk that refuses, as the kernel tells it: strace puts an error, or a kill, in a call's place.

For every call by which the outbox changes its files there is a run of outbox_flow.py in which just
that call fails. The calls are counted on a run that nothing disturbs.
"""

import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

FLOW = Path(__file__).with_name("outbox_flow.py")
STRACE = shutil.which("strace")
ENDS = ("", "-wal", "-shm")  # of the file's name
CALLS = ("pwrite64", "fdatasync", "fsync", "ftruncate", "openat", "unlink")
CAUSES = {"ENOSPC": "error=ENOSPC", "EIO": "error=EIO", "kill": "signal=SIGKILL"}
SPACELESS = frozenset({"fdatasync", "fsync", "unlink"})  # need no block: they meet no full disk
RUN_S_MAX = 120.0
BATCH = 2  # items that are on disk, or not, together
MEMORY = Path("/dev/shm")


@dataclass(frozen=True, slots=True)
class Point:
    """The ``nth`` call of a name, counted from each opening of the outbox."""

    cause: str
    call: str
    nth: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one point did: ``fault`` is empty where all is as it must be."""

    point: Point
    told: int
    fault: str


def watched(folder: Path) -> list[str]:
    """Return strace's options for the outbox's files."""
    return [word for end in ENDS for word in ("-P", f"{folder}/outbox.db{end}")]


def points() -> list[Point]:
    """Return every point there is."""
    with _scratch() as folder:
        seen = folder / "seen"
        _strace(folder, seen, "-y", "-e", f"trace={','.join(CALLS)}")
        counts: Counter[tuple[str, str]] = Counter(
            re.findall(r"^(\d+) +(\w+)\(", seen.read_text(), re.MULTILINE)
        )
    most = {call: max(n for (_, c), n in counts.items() if c == call) for _, call in counts}
    return [
        Point(cause, call, nth)
        for cause in CAUSES
        for call, times in sorted(most.items())
        for nth in range(1, times + 1)
        if not (cause == "ENOSPC" and call in SPACELESS)
    ]


def run(point: Point) -> Outcome:
    """Let one call fail and look at what is on disk afterwards."""
    with _scratch() as folder:
        seen = folder / "seen"
        fault = f"inject={point.call}:{CAUSES[point.cause]}:when={point.nth}"
        try:
            done = _strace(folder, seen, "-e", f"trace={point.call}", "-e", fault)
            told = int(done.stdout or 0)
            if point.cause == "kill":
                again = subprocess.run(
                    _flow(folder, first=100), capture_output=True, check=False, timeout=RUN_S_MAX
                )
                found = "" if done.returncode else "was not killed"
            else:
                again = done
                found = "" if "INJECTED" in seen.read_text() else "was not reached"
            if again.returncode:
                found = f"ended with {again.returncode}: {again.stderr.decode()[-200:]}"
        except subprocess.TimeoutExpired:
            return Outcome(point, 0, f"did not end within {RUN_S_MAX:.0f} s")
        return Outcome(point, told, found or _difference(folder, kills=point.cause == "kill"))


def _difference(folder: Path, *, kills: bool) -> str:
    """Say what is on disk and should not be, or the other way round."""
    said = (folder / "journal").read_text().split()
    with closing(sqlite3.connect(folder / "state/outbox.db")) as db:
        (state,) = db.execute("PRAGMA integrity_check").fetchone()
        rows = db.execute("SELECT lane, seq, body FROM item ORDER BY lane, seq").fetchall()
    if state != "ok":
        return f"integrity_check: {state}"
    there = Counter(bytes(body).decode().rstrip() for _, _, body in rows)
    numbers: dict[str, list[int]] = {}
    for lane, seq, _ in rows:
        numbers.setdefault(lane, []).append(seq)
    if any(seqs != list(range(1, len(seqs) + 1)) for seqs in numbers.values()):
        return f"numbers with holes: {numbers}"
    lost = [text for text in said if text not in there]
    more = there.total() - len(said)  # what a kill left written and not told
    if lost or there.most_common(1)[0][1] > 1 or more not in ({0, BATCH} if kills else {0}):
        return f"lost {lost}, {more} too many, {there.most_common(1)}"
    return ""


@contextmanager
def _scratch() -> Iterator[Path]:
    where = MEMORY if MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="roost-disk-", dir=where) as name:
        (Path(name) / "state").mkdir()
        yield Path(name)


def _flow(folder: Path, *, first: int = 0) -> list[str | Path]:
    return [sys.executable, FLOW, folder / "state", folder / "journal", str(first)]


def _strace(folder: Path, seen: Path, *options: str) -> subprocess.CompletedProcess[bytes]:
    assert STRACE is not None
    argv = [STRACE, "-f", "-o", seen, *watched(folder / "state"), *options, *_flow(folder)]
    with subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    ) as process:
        try:
            out, err = process.communicate(timeout=RUN_S_MAX)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # strace alone would let go what it watches
            raise
    return subprocess.CompletedProcess(argv, process.returncode, out, err)


class Refusal:
    """The disk of a running agent refuses from here until the end of the context."""

    def __init__(self, pid: int, folder: Path, error: str) -> None:
        assert STRACE is not None
        calls = ",".join(CALLS)
        fault = f"inject={calls}:error={error}"
        self._argv = [STRACE, "-f", "-p", str(pid), "-o", "/dev/null", *watched(folder)]
        self._argv += ["-e", f"trace={calls}", "-e", fault]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> None:
        self._process = subprocess.Popen(
            self._argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        assert self._process.stderr is not None
        line = self._process.stderr.readline()
        assert b"attached" in line, line

    def __exit__(self, *_exc: object) -> None:
        assert self._process is not None
        self._process.terminate()  # it lets the agent go
        self._process.communicate(timeout=30)
