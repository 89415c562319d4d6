"""Proof: a cut of the power at any moment loses no step that an update's journal took.

The journal is the agent's own, on a disk that loses power (tests/support/powercut.py). Each session
opens what the cut before left and goes on until the power is gone again. What the journal said is
on the disk is there, in its order and with its chain of hashes; of what the cut interrupted either
all is there or nothing.
"""

import random
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from powercut import Disk, empty
from proof import Proof

from roost_agent.errors import StorageError
from roost_agent.update.events import Record, State
from roost_agent.update.journal import HISTORY_MAX, JOBS_MAX, Journal
from roost_agent.update.kept import Hold, Kept
from roost_agent.update.step import Step

CUTS = 1_000
OPERATIONS_MAX = 200  # of the disk in one session
FRESH_SHARE = 0.1  # sessions that begin with an empty disk: the schema is cut as well
MEMORY = Path("/dev/shm")
STEPS = [Step.PRECHECK, Step.DOWNLOAD, Step.VERIFY, Step.STAGED, Step.INSTALL, Step.COMMIT]


class Book(msgspec.Struct, frozen=True):
    """The journal as it must be: jobs with their plan and end, receipts in order, the hold."""

    jobs: dict[str, tuple[Kept, str]] = {}
    receipts: tuple[str, ...] = ()
    hold: Hold | None = None


class Machine:
    """One node's disk over many cuts."""

    def __init__(self, folder: Path, dice: random.Random) -> None:
        self._folders = [empty(folder / "a"), empty(folder / "b")]
        self._dice = dice
        self._possible = [Book()]
        self._jobs = 0
        self._is_fresh = True

    def session(self) -> str:
        """Open, check, write until the power is gone; return what is wrong."""
        if self._is_fresh or self._dice.random() < FRESH_SHARE:
            empty(self._folders[0])
            self._possible = [Book()]
        self._is_fresh = False
        disk = Disk(self._folders[0], self._dice)
        disk.cut_at = self._dice.randint(1, OPERATIONS_MAX)
        fault = ""
        try:
            self._work(Journal(disk.folder, disk.connect))
        except AssertionError as err:
            fault, self._is_fresh = str(err), True
        except StorageError as err:
            fault = "" if disk.is_off else str(err)
        disk.cut(empty(self._folders[1]))
        self._folders.reverse()
        return fault

    def _work(self, journal: Journal) -> None:
        journal.open()
        book = _read(journal)
        assert any(_is(book, each) for each in self._possible), (
            f"found {len(book.receipts)} lines of {len(book.jobs)} jobs, hold {book.hold};"
            f" not one of {[(len(each.receipts), each.hold) for each in self._possible]}"
        )
        self._possible = [book]
        while True:
            book = self._do_something(journal, book)

    def _do_something(self, journal: Journal, book: Book) -> Book:
        """One operation of the journal, and the same in the book."""
        running = next((job for job, (_, outcome) in book.jobs.items() if not outcome), None)
        if self._dice.random() < 0.1:
            hold = Hold(self._dice.randrange(1 << 40), "a person") if book.hold is None else None
            after = msgspec.structs.replace(book, hold=hold)
            with self._in_doubt(book, after):
                journal.set_hold(hold)
            return after
        if running is None:
            self._jobs += 1
            job = f"{self._jobs:032x}"
            kept = Kept(stood=(("200.006", "process=web"),))
            after = msgspec.structs.replace(book, jobs=book.jobs | {job: (kept, "")})
            with self._in_doubt(book, after):
                journal.begin(job, 1, self._dice.randbytes(600), kept)
            return after
        if self._dice.random() < 0.2:
            kept = Kept(reboot=self._dice.random() < 0.5, was_reached=True)
            after = msgspec.structs.replace(book, jobs=book.jobs | {running: (kept, "")})
            with self._in_doubt(book, after):
                journal.keep(running, 1, kept)
            return after
        return self._record(journal, book, running)

    def _record(self, journal: Journal, book: Book, job: str) -> Book:
        is_end = self._dice.random() < 0.2 and len(book.jobs) < JOBS_MAX - 1
        step = Step.END if is_end else self._dice.choice(STEPS)
        outcome = "succeeded" if is_end else ""
        record = Record(State(step, self._dice.randrange(1 << 40), "boot"), None, "why")
        jobs = book.jobs | {job: (book.jobs[job][0], outcome)}
        unknown = (*book.receipts, "*")[-HISTORY_MAX:]  # its hash is the journal's to make
        self._possible = [book, msgspec.structs.replace(book, jobs=jobs, receipts=unknown)]
        receipt = journal.record(job, 1, record, 1, outcome)
        after = msgspec.structs.replace(
            book, jobs=jobs, receipts=(*book.receipts, receipt)[-HISTORY_MAX:]
        )
        self._possible = [after]
        return after

    @contextmanager
    def _in_doubt(self, before: Book, after: Book) -> Iterator[None]:
        """Both may be found after a cut in here; after this only the latter."""
        self._possible = [before, after]
        yield
        self._possible = [after]


def _is(found: Book, wanted: Book) -> bool:
    """Say whether a book is the one that was wanted; ``*`` stands for a hash that is not known."""
    if wanted.receipts[-1:] == ("*",) and len(found.receipts) == len(wanted.receipts):
        known = (*wanted.receipts[:-1], found.receipts[-1])
        wanted = msgspec.structs.replace(wanted, receipts=known)
    return found == wanted


def _read(journal: Journal) -> Book:
    """Read the journal with SQL of our own."""
    db = journal._file.db
    (state,) = db.execute("PRAGMA integrity_check").fetchall()
    assert state == ("ok",), f"integrity_check: {state}"
    rows = db.execute("SELECT job, plan, outcome FROM job").fetchall()
    jobs = {job: (msgspec.json.decode(plan, type=Kept), out) for job, plan, out in rows}
    return Book(jobs, tuple(each.receipt for each in journal.lines()), journal.hold())


def prove(say: Callable[[str], None], seed: int, share: float) -> Iterator[Proof]:
    """Cut the power under the journal."""
    dice = random.Random(seed)  # noqa: S311 - repeatable, not secret
    cuts, faults = max(10, round(CUTS * share)), []
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        machine = Machine(Path(folder), dice)
        for number in range(cuts):
            if fault := machine.session():
                faults.append(fault)
                say(f"cut {number}: {fault}")
    yield Proof(
        "update.powercut",
        runs=cuts,
        failures=len(faults),
        seed=seed,
        note="the journal of updates on a disk that loses power at any operation (512-byte sectors "
        "torn): every step, plan, end and hold that it said is on the disk is there, in order",
    )
