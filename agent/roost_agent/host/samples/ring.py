"""The last day of minutes on disk: a few files of rows, the oldest deleted.

A file begins with a line of JSON that names its series; rows of equal length follow, each a minute
(four bytes) and three half floats for each series. Another set of series begins another file. The
kernel writes when it likes: a power cut costs the minutes that it had not written, and a row that
was cut is no row.

Leaves to others: the thread that this blocks, and what becomes of rows (rollup).
"""

import math
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from roost_agent.host.samples.minutes import Row
from roost_protocol.limits import SAMPLE_SERIES_MAX
from roost_protocol.samples import VALUE_BYTES, packed

FOLDER: Final = "samples"  # of the state directory
BOARDS_FOLDER: Final = "board-samples"  # beside it: a folder for each board controller
ROWS_MAX: Final = 1_440  # a day
FILE_ROWS_MAX: Final = 120  # so that what is older than a day goes by two hours
FILES_MAX: Final = 200  # of nodes whose series come and go all the time
HEAD_BYTES_MAX: Final = 128 * 1024
MINUTE_BYTES: Final = 4
ENDING: Final = ".rows"
_DIGITS: Final = 8


class Head(msgspec.Struct, frozen=True):
    """The first line of a file."""

    v: int
    series: list[str]

    @property
    def row_bytes(self) -> int:
        """Bytes of one row."""
        return MINUTE_BYTES + 3 * VALUE_BYTES * len(self.series)


class Part(msgspec.Struct, frozen=True):
    """The rows of one file, as they lie there, whole rows only."""

    series: list[str]
    rows: bytes


_decode: Final = msgspec.json.Decoder(Head).decode


class Ring:
    """The minutes of one node.

    Args:
        folder: of the files, made when the first row comes.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: Path | None = None  # that rows go to
        self._head = Head(1, [])
        self._rows = 0

    def append(self, row: Row) -> None:
        """Put one minute behind the others.

        Raises:
            OSError: the disk does not take it.
        """
        names = sorted(row.values)
        if self._file is None:
            self._resume()
        if self._rows >= FILE_ROWS_MAX or not set(names) <= set(self._head.series):
            self._file = None
        if self._file is None:
            self._begin(names)
        assert self._file is not None  # noqa: S101 - begun above
        nothing = (math.nan, math.nan, math.nan)
        values = [each for name in self._head.series for each in row.values.get(name, nothing)]
        minute = struct.pack("<I", row.minute & 0xFFFFFFFF)
        with self._file.open("ab") as stream:
            stream.write(minute + packed(values))
        self._rows += 1

    def fold(self, minute: int) -> None:
        """Make one row of the last ones where they are of one minute, and that one has ended.

        Args:
            minute: that is measured now.

        Raises:
            OSError: the disk does not take it.
        """
        files = self._files()
        part = _part(files[-1]) if files else None
        if part is None:
            return
        form = struct.Struct(f"<I{3 * len(part.series)}e")
        rows = list(form.iter_unpack(part.rows))
        last = [row for row in rows if row[0] == rows[-1][0]]
        is_tail = rows[len(rows) - len(last) :] == last
        if len(last) < 2 or not is_tail or last[0][0] == minute:  # noqa: PLR2004 - two make one
            return
        triples = zip(*(row[1:] for row in last), strict=True)
        values = [_folded(place, each) for place, each in enumerate(triples)]
        begin = len(_line(Head(1, part.series))) + (len(rows) - len(last)) * form.size
        with files[-1].open("r+b") as stream:  # a power cut between leaves rows that count twice
            stream.seek(begin)
            stream.write(struct.pack("<I", last[0][0]) + packed(values))
            stream.truncate()

    def parts(self) -> Iterator[Part]:
        """Yield what is kept, the oldest first; a file that cannot be read is passed over."""
        for file in self._files():
            if (part := _part(file)) is not None:
                yield part

    def _files(self) -> list[Path]:
        try:
            found = [each for each in self._folder.iterdir() if each.suffix == ENDING]
        except OSError:
            return []
        return sorted(each for each in found if each.stem.isdigit() and len(each.stem) == _DIGITS)

    def _resume(self) -> None:
        """Go on with the last file, where its rows are whole."""
        files = self._files()
        part = _part(files[-1]) if files else None
        if part is None:
            return
        head = Head(1, part.series)
        whole = len(_line(head)) + len(part.rows)
        if files[-1].stat().st_size > whole:
            os.truncate(files[-1], whole)
        self._file, self._head, self._rows = files[-1], head, len(part.rows) // head.row_bytes

    def _begin(self, names: list[str]) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        files = self._files()
        self._let_go(files)
        number = int(files[-1].stem) + 1 if files else 1
        head = Head(1, names)
        file = self._folder / f"{number:0{_DIGITS}}{ENDING}"
        file.write_bytes(_line(head))
        self._file, self._head, self._rows = file, head, 0

    def _let_go(self, files: list[Path]) -> None:
        """Delete what is not of the last day any more, and what nobody can read."""
        rows = 0
        for place, file in enumerate(reversed(files), start=2):  # the new one is the first
            part = _part(file)
            if part is None or rows >= ROWS_MAX or place > FILES_MAX:
                file.unlink(missing_ok=True)
                continue
            rows += len(part.rows) // Head(1, part.series).row_bytes


def _folded(place: int, values: tuple[float, ...]) -> float:
    """Return the lowest, mean or highest of a minute's, by its place in the row."""
    known = [value for value in values if not math.isnan(value)]
    if not known:
        return math.nan
    return (min(known), sum(known) / len(known), max(known))[place % 3]


def _line(head: Head) -> bytes:
    return msgspec.json.encode(head) + b"\n"


def _part(file: Path) -> Part | None:
    """Return the rows of a file; None where it is no such file."""
    try:
        with file.open("rb") as stream:
            line = stream.readline(HEAD_BYTES_MAX)
            head = _decode(line)
            if len(head.series) > SAMPLE_SERIES_MAX or _line(head) != line:
                return None
            rows = stream.read(FILE_ROWS_MAX * head.row_bytes)
    except (OSError, msgspec.MsgspecError):
        return None
    return Part(head.series, rows[: len(rows) - len(rows) % head.row_bytes])
