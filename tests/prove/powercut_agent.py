"""Power cuts under the agent's outbox: the real store, on a disk that loses power.

Each session opens the outbox that the cut before left, checks it against a book kept beside it,
and goes on writing until the power is gone again. The book knows what was acknowledged: of the
operation that the cut interrupted either all or nothing may be there, of the others all.
"""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from apsw_driver import Connection
from powercut import Disk, empty

from roost_agent.config import OutboxConfig
from roost_agent.errors import StorageError
from roost_agent.outbox.database import told
from roost_agent.outbox.store import Entry, Store
from roost_protocol.envelope import ItemKind, Lane

FILE = "outbox.db"
ROOMY = OutboxConfig(  # the policies that drop rows have tests of their own
    bytes_max=1 << 30, age_max_ms=1 << 40, ring_bytes_max=1 << 30, ring_age_max_ms=1 << 40
)
OPERATIONS_MAX = 150  # of the disk in one session, about 30 transactions
BODY_BYTES_MAX = 24_000  # the log is written back every few sessions
FRESH_SHARE = 0.15  # sessions that begin with an empty disk: the schema is cut as well


@dataclass
class LaneBook:
    """One lane as it must be."""

    stream: bytes
    last: int = 0
    mark: int = 0
    epoch: bytes | None = None
    items: dict[int, bytes] = field(default_factory=dict)


@dataclass
class Book:
    """The outbox as it must be."""

    lanes: dict[Lane, LaneBook] = field(default_factory=dict)
    notes: dict[str, bytes] = field(default_factory=dict)


@dataclass
class Tally:
    """What the cuts found."""

    cuts: int = 0
    written_back: int = 0  # cuts while the log was written back
    faults: list[str] = field(default_factory=list)


class Machine:
    """One node's disk over many cuts.

    Args:
        folder: scratch space, best on tmpfs.
        dice: all choices come from here.
        honest: whether the disk does what fsync asks.
    """

    def __init__(self, folder: Path, dice: random.Random, *, honest: bool = True) -> None:
        self._folders = [empty(folder / "a"), empty(folder / "b")]
        self._dice = dice
        self._honest = honest
        self._is_fresh = True
        self._possible = [Book()]  # what the last cut may have left
        self._now_ms = 0

    def session(self, tally: Tally) -> None:
        """Open, check, write until the power is gone."""
        if self._is_fresh or self._dice.random() < FRESH_SHARE:
            empty(self._folders[0])
            self._possible = [Book()]
        self._is_fresh = False
        disk = Disk(self._folders[0], self._dice, honest=self._honest)
        disk.cut_at = self._dice.randint(1, OPERATIONS_MAX)
        try:
            self._work(disk)
        except (StorageError, AssertionError) as err:
            if not (disk.is_off and isinstance(err, StorageError)):
                tally.faults.append(f"cut {tally.cuts}: {err}")
                self._is_fresh = True
        tally.cuts += 1
        tally.written_back += disk.last_written == FILE
        disk.cut(empty(self._folders[1]))
        self._folders.reverse()

    def _work(self, disk: Disk) -> NoReturn:
        store, book = self._open(disk)
        while True:
            before, after = book, deepcopy(book)
            with self._in_doubt(before, after):
                self._do_something(store, after)
            book = after

    def _open(self, disk: Disk) -> tuple[Store, Book]:
        names: list[bytes] = []

        def new_stream() -> bytes:
            names.append(self._dice.randbytes(16))
            return names[-1]

        try:
            store = Store(
                disk.folder / FILE,
                ROOMY,
                new_stream=new_stream,
                now_ms=self._now_ms,
                connect=disk.connect,
            )
        finally:
            if names:  # a first start: the lanes are made, or not if the power goes just here
                made = {lane: LaneBook(name) for lane, name in zip(Lane, names, strict=True)}
                self._possible.append(Book(made))
        with told():  # a file that a lying disk tore is found out here, too
            found = _read(disk.connect(disk.folder / FILE))
        if found not in self._possible:
            raise AssertionError(_difference(found, self._possible))
        self._possible = [found]
        return store, found

    @contextmanager
    def _in_doubt(self, before: Book, after: Book) -> Iterator[None]:
        """Both may be found after a cut in here; after this only the latter."""
        self._possible = [before, after]
        yield
        self._possible = [after]

    def _do_something(self, store: Store, book: Book) -> None:
        """One operation of the store, and the same in the book."""
        self._now_ms += self._dice.randrange(1_000)
        chance = self._dice.random()
        if chance < 0.03:
            store.sweep(self._now_ms)
            return
        if chance < 0.06:
            self._restart(store, book)
            return
        if chance < 0.11:
            store.write_back()
            return
        entries = [self._entry() for _ in range(self._dice.choice((0, 1, 1, 2, 5)))]
        notes = {"inventory": self._dice.randbytes(200)} if self._dice.random() < 0.3 else {}
        marks = {}
        for lane, its in book.lanes.items():
            if self._dice.random() < 0.3:
                its.mark, its.epoch = self._dice.randint(its.mark, its.last), b"e" * 8
                marks[lane] = (its.mark, its.epoch)
        for entry in entries:
            its = book.lanes[entry.lane]
            its.last += 1
            its.items[its.last] = entry.body
        book.notes |= notes
        store.write(entries, notes, marks, now_ms=self._now_ms)

    def _restart(self, store: Store, book: Book) -> None:
        lane = self._dice.choice(list(Lane))
        its = book.lanes[lane]
        after = self._dice.randint(its.mark, its.last)
        name = self._dice.randbytes(16)
        items = {seq - after: body for seq, body in its.items.items() if seq > after}
        book.lanes[lane] = LaneBook(name, its.last - after, items=items)
        store._new_stream = lambda: name
        store.restart(lane, after)

    def _entry(self) -> Entry:
        lane = self._dice.choice(list(Lane))
        size = self._dice.choice((60, 400, self._dice.randrange(BODY_BYTES_MAX)))
        body = self._dice.randbytes(size)
        return Entry(lane, ItemKind.EVENT, 1, body, keep=self._dice.random() < 0.2)


def cut_power(
    count: int,
    seed: int,
    folder: Path,
    *,
    honest: bool = True,
    after: Callable[[int], None] = lambda _cuts: None,
) -> Tally:
    """Run so many sessions, each ended by a cut; ``after`` hears of each."""
    tally = Tally()
    dice = random.Random(seed)  # noqa: S311 - repeatable, not secret
    machine = Machine(folder, dice, honest=honest)
    for _ in range(count):
        machine.session(tally)
        after(tally.cuts)
    return tally


def _read(db: Connection) -> Book:
    """Read the outbox with SQL of our own."""
    (state,) = db.execute("PRAGMA integrity_check").fetchall()
    assert state == ("ok",), f"integrity_check: {state}"
    book = Book()
    for name, stream, last, mark, epoch in db.execute(
        "SELECT name, stream, last, mark, epoch FROM lane"
    ):
        book.lanes[Lane(name)] = LaneBook(stream, last, mark, epoch)
    for name, seq, body in db.execute("SELECT lane, seq, body FROM item"):
        book.lanes[Lane(name)].items[seq] = body
    book.notes = dict(db.execute("SELECT name, value FROM note").fetchall())
    db.close()
    return book


def _difference(found: Book, possible: list[Book]) -> str:
    def numbers(book: Book) -> str:
        return ", ".join(
            f"{lane.value} mark {its.mark} last {its.last} rows {len(its.items)}"
            for lane, its in book.lanes.items()
        )

    wanted = " or ".join(f"({numbers(book)})" for book in possible)
    return f"found {numbers(found)}; want {wanted}"
